//! Nextcloud, for the tools of one caller. Each request goes through authorization, exchange and proxy as if the caller had sent it, under the
//! same route policy and in the same upstream session; no token is to be seen here.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use moka::sync::Cache;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::answer::Answer;
use super::arguments::FilePath;
use super::fault::Fault;
use super::settings::Toolset;
use crate::body::Body;
use crate::error::Error;
use crate::middleware::authenticate::{Authenticated, Caller, Errand};
use crate::middleware::authorize::scopes::ScopeJudge;
use crate::nextcloud::mount::Mount;
use crate::service::Answering;
use crate::token::{Clock, Digest, Identity, Timestamp};

/// Everything but unreserved characters (RFC 3986 §2.3): a segment has one spelling.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Users whose id is remembered, for so long: an id is no right, only a part of a path.
const MOST_USERS: u64 = 50_000;
const USERS_FOR: std::time::Duration = std::time::Duration::from_mins(5);

/// What the clients of all callers share.
#[derive(Clone)]
pub struct House {
    /// Where callers reach us, without a slash at its end.
    pub public_url: Arc<str>,
    /// The `Host` of our own requests.
    pub host: HeaderValue,
    /// Where Nextcloud is mounted for callers.
    pub mount: Arc<Mount>,
    /// Knows what a token was granted.
    pub judge: Arc<ScopeJudge>,
    /// For what has to say when it was written.
    pub clock: Clock,
    /// The tools that the operator chose.
    pub sets: BTreeSet<Toolset>,
    users: Cache<Digest, Arc<str>>,
}

impl House {
    /// A house reached at this URL.
    #[must_use]
    pub fn new(
        public_url: &str,
        mount: Arc<Mount>,
        judge: Arc<ScopeJudge>,
        clock: Clock,
        sets: BTreeSet<Toolset>,
    ) -> Option<Self> {
        let host = public_url.split("://").nth(1)?.split('/').next()?;
        Some(Self {
            public_url: public_url.into(),
            host: HeaderValue::from_str(host).ok()?,
            mount,
            judge,
            clock,
            sets,
            users: Cache::builder().max_capacity(MOST_USERS).time_to_live(USERS_FOR).build(),
        })
    }
}

/// Sends a request of ours down the stack.
pub type Send = Arc<dyn Fn(Authenticated) -> Answering + core::marker::Send + Sync>;

/// The client of one caller. Cloning shares it.
#[derive(Clone)]
pub struct Nextcloud {
    house: Arc<House>,
    caller: Caller,
    send: Send,
}

/// A request of a tool. Its target is inside our mount, absolute and encoded.
#[derive(Debug)]
pub struct Ask {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
    errand: Errand,
    destination: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Nextcloud {
    /// Binds a client to a caller.
    #[must_use]
    pub fn new(house: Arc<House>, caller: Caller, send: Send) -> Self {
        Self { house, caller, send }
    }

    /// Whose requests these are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.caller.entry().identity()
    }

    /// Whether the caller's token was granted this scope.
    #[must_use]
    pub fn granted(&self, scope: &str) -> bool {
        self.house.judge.granted(self.caller.entry(), scope)
    }

    /// The scopes that the caller's token was granted.
    #[must_use]
    pub fn scopes(&self) -> Vec<String> {
        self.house.judge.scopes_of(self.caller.entry())
    }

    /// Whether the operator lets invitations out.
    #[must_use]
    pub fn may_invite(&self) -> bool {
        self.house.judge.policy().egress.invitations
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    /// Whether the operator chose these tools.
    #[must_use]
    pub fn offers(&self, set: Toolset) -> bool {
        set == Toolset::Base || self.house.sets.contains(&set)
    }

    /// The public URL of what is inside at this target, for people to open.
    #[must_use]
    pub fn url(&self, inside: &str) -> String {
        format!("{}{inside}", self.house.public_url)
    }

    /// A path of an answer, which is as callers see it, as it is inside our mount.
    #[must_use]
    pub fn inside<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.house.mount.public().as_str()).unwrap_or(path)
    }

    /// The user's id at Nextcloud, which stands in most paths.
    ///
    /// # Errors
    /// Whatever [`Nextcloud::ask`] says.
    pub async fn uid(&self) -> Result<Arc<str>, Fault> {
        let key = self.caller.entry().key();
        if let Some(uid) = self.house.users.get(&key) {
            return Ok(uid);
        }
        let user: User = self.ask(Ask::ocs("/ocs/v2.php/cloud/user")).await?.good("account")?.ocs()?;
        let uid: Arc<str> = user.id.into();
        self.house.users.insert(key, uid.clone());
        Ok(uid)
    }

    /// Asks, and reads the whole answer. Nextcloud's refusals are answers too: [`Answer::good`] tells them.
    ///
    /// # Errors
    /// [`Fault::Refused`] if our own layers refuse it or Nextcloud cannot be reached.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Fault> {
        Answer::read(self.stream(ask).await?).await
    }

    /// Asks, and leaves the answer's body to be read.
    ///
    /// # Errors
    /// As [`Nextcloud::ask`].
    pub async fn stream(&self, ask: Ask) -> Result<Response<Body>, Fault> {
        let target = format!("{}{}", self.house.mount.public().as_str(), ask.target);
        let mut request = Request::new(if ask.body.is_empty() { Body::empty() } else { Body::full(ask.body) });
        *request.method_mut() = ask.method;
        *request.uri_mut() = target.parse().map_err(|_| Fault::Refused(Error::TargetTooLong))?;
        *request.headers_mut() = ask.headers;
        request.headers_mut().insert(HOST, self.house.host.clone());
        if let Some(destination) = ask.destination {
            let url =
                HeaderValue::try_from(self.url(&destination)).map_err(|_| Fault::Refused(Error::TargetTooLong))?;
            request.headers_mut().insert(HeaderName::from_static("destination"), url);
        }
        Ok((self.send)(self.caller.on_errand(request, ask.errand)).await?)
    }
}

impl Ask {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET),
            target: target.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            errand: Errand::Tool,
            destination: None,
        }
    }

    /// `GET`.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// `GET` of an OCS route, whose answer is to be JSON.
    #[must_use]
    pub fn ocs(target: impl Into<String>) -> Self {
        Self::get(target).accept_json()
    }

    /// The answer is to be JSON.
    #[must_use]
    pub fn accept_json(self) -> Self {
        self.header("accept", HeaderValue::from_static("application/json"))
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// With `Depth` (RFC 4918 §10.2).
    #[must_use]
    pub fn depth(self, depth: &'static str) -> Self {
        self.header("depth", HeaderValue::from_static(depth))
    }

    /// Only if it still has this entity tag, which may stand with or without its quotes.
    ///
    /// # Errors
    /// [`Fault::Said`] if that is no entity tag.
    pub fn only_if(mut self, etag: &str) -> Result<Self, Fault> {
        let quoted = format!("\"{}\"", etag.trim_matches('"'));
        let opaque = quoted.trim_matches('"');
        if opaque.is_empty() || opaque.contains(['"', '*', ',']) || !opaque.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Fault::said("etag is none: pass it on as a read gave it."));
        }
        let value =
            HeaderValue::try_from(quoted).map_err(|_| Fault::said("etag is none: pass it on as a read gave it."))?;
        self.headers.insert(IF_MATCH, value);
        Ok(self)
    }

    /// Only if there is nothing yet.
    #[must_use]
    pub fn only_new(mut self) -> Self {
        self.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        self
    }

    /// To there (`MOVE`, `COPY`), a target inside our mount, and never over what is there.
    #[must_use]
    pub fn to(mut self, destination: impl Into<String>) -> Self {
        self.destination = Some(destination.into());
        self.header("overwrite", HeaderValue::from_static("F"))
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body.into();
        self
    }

    /// With this body of JSON.
    #[must_use]
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With this body of XML.
    #[must_use]
    pub fn xml(self, body: impl Into<Bytes>) -> Self {
        self.body("application/xml; charset=utf-8", body)
    }

    /// A request that keeps to tasks.
    #[must_use]
    pub fn for_tasks(mut self) -> Self {
        self.errand = Errand::Tasks;
        self
    }
}

/// One segment of a path, encoded.
#[must_use]
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path below a root of WebDAV: `/remote.php/dav/files/alice` and `/Documents/a.md`.
#[must_use]
pub fn below(root: &str, path: &FilePath) -> String {
    path.segments().fold(root.to_owned(), |target, name| target + "/" + &segment(name))
}

/// The root of a user's files.
#[must_use]
pub fn files_root(uid: &str) -> String {
    format!("/remote.php/dav/files/{}", segment(uid))
}
