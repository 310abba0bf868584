//! Shares of files by the OCS routes of `files_sharing`: with people, with groups, by mail and by link.
//!
//! ```text
//! list.rs      one's own, those of a path, those received
//! create.rs    one more
//! delete.rs    one less
//! ```
//!
//! What leaves the house by them is for the route policy to decide, and for nobody here: a switch there binds these tools like any caller.

pub mod create;
pub mod delete;
pub mod list;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nextcloud::Nextcloud;
use super::shown::path as shown;

/// The routes.
const SHARES: &str = "/ocs/v2.php/apps/files_sharing/api/v1/shares";

/// Bits of `permissions` (`OCP\Constants`), by their names.
const PERMISSIONS: [(u32, &str); 5] = [(1, "read"), (2, "update"), (4, "create"), (8, "delete"), (16, "share")];

/// A share. `with` is with whom; of a received one, from whom.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Share {
    pub id: String,
    pub path: String,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A share as Nextcloud tells it (recordings/shares.http).
#[derive(Debug, Deserialize)]
struct Told {
    id: Number,
    #[serde(default)]
    path: String,
    share_type: i64,
    #[serde(default)]
    share_with: Option<String>,
    #[serde(default)]
    uid_owner: Option<String>,
    #[serde(default)]
    permissions: u32,
    #[serde(default)]
    expiration: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    file_source: Option<u64>,
}

/// An id, which is text in some versions and a number in others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

impl Number {
    /// Shares that other servers gave have ids of their own kind, which are no numbers; none of them is listed with these.
    fn get(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

impl Told {
    /// As a model is told; `received` if somebody else made it.
    fn share(self, nextcloud: &Nextcloud, received: bool) -> Option<Share> {
        let names = PERMISSIONS.iter().filter(|(bit, _)| self.permissions & bit != 0);
        let with = if received { self.uid_owner } else { self.share_with };
        let file = self.file_source.map(|id| nextcloud.url(&format!("/index.php/f/{id}")));
        Some(Share {
            id: self.id.get()?.to_string(),
            path: shown(&self.path),
            kind: kind(self.share_type).to_owned(),
            with: with.filter(|with| !with.is_empty()).map(|with| shown(&with)),
            permissions: Some(names.map(|(_, name)| (*name).to_owned()).collect()),
            expires: self.expiration.and_then(|time| time.get(..10).map(shown)),
            url: self.url.map(|url| shown(&url)).or(file),
        })
    }
}

/// The kinds of share (`OCP\Share\IShare`).
fn kind(share_type: i64) -> &'static str {
    match share_type {
        0 => "user",
        1 => "group",
        3 => "link",
        4 => "email",
        6 | 9 => "federated",
        7 => "team",
        10 => "conversation",
        12 => "deck",
        _ => "other",
    }
}
