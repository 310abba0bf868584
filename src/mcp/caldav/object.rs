//! One calendar object: read, made, replaced and deleted, each only as it is known.

use http::StatusCode;

use super::Kind;
use super::home::Home;
use super::query::{Found, all_tasks};
use crate::mcp::answer::Answer;
use crate::mcp::calendar::id::ObjectId;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud};

const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// An object with what one changes it by.
pub struct Held {
    pub data: String,
    pub etag: String,
}

impl Home {
    /// Reads an object, and holds it against the etag that a caller knows.
    ///
    /// # Errors
    /// [`Fault::Said`], with the etag that it has now where that is another one.
    pub async fn read(
        &self,
        nextcloud: &Nextcloud,
        kind: Kind,
        id: &ObjectId,
        known: Option<&str>,
    ) -> Result<Held, Fault> {
        let held = match kind {
            Kind::Events => self.event(nextcloud, id).await?,
            Kind::Tasks => self.task(nextcloud, id).await?,
        };
        match known {
            Some(known) if bare(known) != held.etag => Err(changed(kind, Some(&held.etag))),
            Some(_) | None => Ok(held),
        }
    }

    async fn event(&self, nextcloud: &Nextcloud, id: &ObjectId) -> Result<Held, Fault> {
        let answer = nextcloud.ask(Ask::get(self.target(&id.encoded()))).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(missing(Kind::Events));
        }
        let answer = answer.good("event")?;
        let etag = answer.etag().map(|etag| bare(etag).to_owned());
        let data = String::from_utf8(answer.bytes.to_vec()).ok();
        match (etag, data) {
            (Some(etag), Some(data)) => Ok(Held { data, etag }),
            _ => Err(Fault::said("Nextcloud holds something under this id that cannot be changed here.")),
        }
    }

    /// A GET would not tell whether it reads a task, so it is looked for: under the UID that its name usually is, or among all.
    async fn task(&self, nextcloud: &Nextcloud, id: &ObjectId) -> Result<Held, Fault> {
        let uid = id.name().strip_suffix(".ics");
        for query in [uid.map(|uid| all_tasks(Some(uid))), Some(all_tasks(None))].into_iter().flatten() {
            let found = self.find(nextcloud, Kind::Tasks, id.calendar(), query).await?;
            let own = found.into_iter().find(|found| found.id == id.with_instance(None));
            if let Some(Found { data, etag: Some(etag), .. }) = own {
                return Ok(Held { data, etag });
            }
        }
        Err(missing(Kind::Tasks))
    }

    /// Puts an object where none is; its etag, if Nextcloud kept it as it was sent.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn create(
        &self,
        nextcloud: &Nextcloud,
        kind: Kind,
        id: &ObjectId,
        data: String,
    ) -> Result<Option<String>, Fault> {
        let ask = kind.ask(Ask::new("PUT", self.target(&id.encoded())).only_new().body(MEDIA_TYPE, data));
        self.written(nextcloud.ask(ask).await?, kind)
    }

    /// Replaces an object that was read.
    ///
    /// # Errors
    /// [`Fault::Said`], with the etag that it has now if somebody else was faster.
    pub async fn replace(
        &self,
        nextcloud: &Nextcloud,
        kind: Kind,
        id: &ObjectId,
        held: &Held,
        data: String,
    ) -> Result<Option<String>, Fault> {
        let ask = Ask::new("PUT", self.target(&id.encoded())).only_if(&held.etag)?.body(MEDIA_TYPE, data);
        self.written(nextcloud.ask(kind.ask(ask)).await?, kind)
    }

    /// Deletes an object that was read; Nextcloud keeps it in its bin.
    ///
    /// # Errors
    /// [`Fault::Said`], with the etag that it has now if somebody else was faster.
    pub async fn delete(&self, nextcloud: &Nextcloud, id: &ObjectId, held: &Held) -> Result<(), Fault> {
        let ask = Ask::new("DELETE", self.target(&id.encoded())).only_if(&held.etag)?;
        self.written(nextcloud.ask(ask).await?, Kind::Events).map(drop)
    }

    fn written(&self, answer: Answer, kind: Kind) -> Result<Option<String>, Fault> {
        let etag = answer.etag().map(|etag| bare(etag).to_owned());
        let word = kind.word();
        match answer.status {
            StatusCode::PRECONDITION_FAILED => Err(changed(kind, etag.as_deref())),
            StatusCode::FORBIDDEN => Err(Fault::Said(format!(
                "The user may not write this {word} there: it is read-only, or holds no {word}s. {}",
                kind.elsewhere()
            ))),
            StatusCode::NOT_FOUND | StatusCode::CONFLICT => {
                Err(Fault::Said(format!("There is no such {word}, or no such place for it. {}", kind.elsewhere())))
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::BAD_REQUEST => Err(Fault::Said(format!(
                "Nextcloud does not take this {word} as it is. Change fewer fields, or make a new one."
            ))),
            _ => answer.good(word).map(|_| etag),
        }
    }
}

/// An etag without its quotes, as the tools show it; and without what a web server that compresses puts before it, for Nextcloud knows strong
/// ones alone (RFC 9110 §8.8.3).
pub(super) fn bare(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

fn missing(kind: Kind) -> Fault {
    let word = kind.word();
    Fault::Said(format!("There is no {word} of this id, or no longer. {word}s_find names those that are there."))
}

fn changed(kind: Kind, etag: Option<&str>) -> Fault {
    let word = kind.word();
    let now = etag.map_or_else(String::new, |etag| format!(" Its etag is now {etag}."));
    Fault::Said(format!(
        "This {word} was changed meanwhile, and nothing was written.{now} Read it again with {word}s_find, then decide whether the change \
         still fits."
    ))
}
