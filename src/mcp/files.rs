//! Files by WebDAV: what all tools of them share.
//!
//! ```text
//! list.rs      a folder, or the trash bin
//! search.rs    SEARCH below a folder
//! read.rs      text in parts (text.rs), images, links to the rest
//! write.rs     a new file, or the next version of one
//! mkdir.rs     folders
//! transfer.rs  moving and copying
//! delete.rs    into the trash bin
//! restore.rs   out of it
//! ```
//!
//! Nothing is lost by them: what is replaced stays among the versions, what is deleted in the trash bin, and nothing is overwritten by a move.

pub mod delete;
pub mod list;
pub mod mkdir;
pub mod read;
pub mod restore;
pub mod search;
pub mod text;
pub mod transfer;
pub mod write;

use schemars::JsonSchema;
use serde::Serialize;

use super::answer::Answer;
use super::arguments::FilePath;
use super::dav::{self, DAV, Multistatus, NC, OC, Response};
use super::fault::Fault;
use super::nextcloud::{Ask, Nextcloud, below, files_root};
use super::shown::path as shown;

/// What is asked of a file or folder: little, for a folder has many.
pub const PROPERTIES: &[(&str, &str)] = &[
    (DAV, "resourcetype"),
    (DAV, "getlastmodified"),
    (DAV, "getetag"),
    (DAV, "getcontenttype"),
    (OC, "size"),
    (OC, "fileid"),
    (OC, "permissions"),
    (OC, "share-types"),
];

/// A file or folder in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Entry {
    pub path: String,
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub enum Kind {
    File,
    Folder,
}

/// That something was done.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Done {
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// What is at a path now.
#[derive(Debug)]
pub struct Stat {
    /// Whether it is a folder.
    pub kind: Kind,
    /// Its media type; a folder has none.
    pub mime: Option<String>,
    /// Its entity tag, without quotes.
    pub etag: Option<String>,
    /// In bytes.
    pub size: u64,
    /// The deep link to it.
    pub url: Option<String>,
}

impl Entry {
    /// Reads one response, which stands at `path` from the user's root.
    #[must_use]
    pub fn of(response: &Response, path: &str, nextcloud: &Nextcloud) -> Self {
        let received = response.text(OC, "permissions").is_some_and(|letters| letters.contains('S'));
        let given = response.get(OC, "share-types").is_some_and(|kinds| !kinds.children.is_empty());
        Self {
            path: shown(path),
            kind: Kind::of(response),
            mime: response.text(DAV, "getcontenttype").map(shown),
            size: response.text(OC, "size").and_then(|size| size.parse().ok()),
            modified: response.text(DAV, "getlastmodified").and_then(rfc3339),
            etag: response.text(DAV, "getetag").map(bare),
            shared: (received || given).then_some(true),
            url: response.text(OC, "fileid").and_then(|id| url_of(nextcloud, id)),
        }
    }
}

impl Kind {
    fn of(response: &Response) -> Self {
        if response.is_a(DAV, "collection") { Self::Folder } else { Self::File }
    }
}

impl Done {
    /// Done, with nothing more to tell.
    #[must_use]
    pub fn plain() -> Self {
        Self { ok: true, url: None, etag: None }
    }

    /// Done, with what the answer tells: `OC-FileId`, `ETag`.
    #[must_use]
    pub fn by(answer: &Answer, nextcloud: &Nextcloud) -> Self {
        let id = answer.headers.get("oc-fileid").and_then(|id| id.to_str().ok());
        Self { ok: true, url: id.and_then(|id| url_of(nextcloud, id)), etag: answer.etag().map(bare) }
    }
}

/// What is at a path; nothing where there is nothing.
///
/// # Errors
/// [`Fault`].
pub async fn stat(nextcloud: &Nextcloud, uid: &str, path: &FilePath) -> Result<Option<Stat>, Fault> {
    let target = below(&files_root(uid), path);
    let answer = nextcloud.ask(Ask::new("PROPFIND", target).depth("0").xml(dav::propfind(PROPERTIES))).await?;
    if answer.status.as_u16() == 404 {
        return Ok(None);
    }
    let found = Multistatus::of(&answer.good(&format!("{path}"))?)?;
    Ok(found.responses.first().map(|response| Stat {
        kind: Kind::of(response),
        mime: response.text(DAV, "getcontenttype").map(str::to_owned),
        etag: response.text(DAV, "getetag").map(bare),
        size: response.text(OC, "size").and_then(|size| size.parse().ok()).unwrap_or(0),
        url: response.text(OC, "fileid").and_then(|id| url_of(nextcloud, id)),
    }))
}

/// The path of a response below this root; none of what is elsewhere, which would be taken for something of the user's.
#[must_use]
pub fn path_below(response: &Response, nextcloud: &Nextcloud, root: &str) -> Option<String> {
    let at = |href: &str| Response { href: href.to_owned(), status: None, properties: Vec::new() }.segments();
    let (segments, root) = (at(nextcloud.inside(&response.href))?, at(root)?);
    let names = segments.strip_prefix(root.as_slice())?;
    Some(names.iter().map(|name| format!("/{name}")).collect())
}

/// An entity tag without its quotes, which only make JSON harder to read.
#[must_use]
pub fn bare(etag: &str) -> String {
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}

/// What is said where the root itself was named and cannot be meant.
#[must_use]
pub fn not_the_root(path: &FilePath) -> Option<Fault> {
    path.is_root().then(|| Fault::said("The user's root folder itself cannot be meant. Name something in it."))
}

/// `/index.php/f/<id>`. `OC-FileId` is the number, eight digits at least, and the instance, which begins with `oc`.
fn url_of(nextcloud: &Nextcloud, id: &str) -> Option<String> {
    let digits = id.find(|letter: char| !letter.is_ascii_digit()).map_or(id, |end| id.get(..end).unwrap_or_default());
    digits.parse::<u64>().ok().map(|number| nextcloud.url(&format!("/index.php/f/{number}")))
}

fn rfc3339(http_date: &str) -> Option<String> {
    let time = httpdate::parse_http_date(http_date).ok()?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// What is asked of the trash bin.
const TRASH_PROPERTIES: &[(&str, &str)] =
    &[(DAV, "resourcetype"), (DAV, "getcontenttype"), (OC, "size"), (NC, "trashbin-deletion-time")];

/// The root of a user's trash bin; `what` is `trash` or `restore`.
fn trash_root(uid: &str, what: &str) -> String {
    format!("/remote.php/dav/trashbin/{}/{what}", super::nextcloud::segment(uid))
}
