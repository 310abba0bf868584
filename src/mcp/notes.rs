//! Notes: the Notes app's API, version 1 (its `docs/api/v1.md`). A note has a number, and an entity tag by which two writers notice each other.

pub mod find;
pub mod write;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::answer::Answer;
use super::fault::Fault;
use super::hit::HitId;
use super::nextcloud::{Ask, Nextcloud, segment};

const NOTES: &str = "/index.php/apps/notes/api/v1/notes";
const NO_ID: &str = "id is none of a note: pass it on as notes_find or search gave it, e.g. notes:12.";

/// A note.
#[derive(Debug, Deserialize)]
pub struct Note {
    /// Its number.
    pub id: u64,
    /// What it is called.
    #[serde(default)]
    pub title: String,
    /// When it was changed, in seconds since 1970.
    #[serde(default)]
    pub modified: i64,
    /// Its category; empty for none.
    #[serde(default)]
    pub category: String,
    /// Its text; lists leave it out.
    #[serde(default)]
    pub content: String,
    /// Its entity tag, without quotes.
    #[serde(default)]
    pub etag: String,
    /// Where it lies among the user's files.
    #[serde(default, rename = "internalPath")]
    pub path: String,
    /// Whether the user may only read it.
    #[serde(default)]
    pub readonly: bool,
}

/// The number of a note as tools name it: `notes:12`, or `12`.
///
/// # Errors
/// [`Fault::Said`] if it is none.
pub fn number(id: &str) -> Result<u64, Fault> {
    match HitId::parse(id) {
        Some(HitId::Note(number)) => Ok(number),
        Some(_) => Err(Fault::said(NO_ID)),
        None => id.parse().map_err(|_| Fault::said(NO_ID)),
    }
}

/// Where people open a note.
#[must_use]
pub fn url(nextcloud: &Nextcloud, number: u64) -> String {
    nextcloud.url(&format!("/index.php/apps/notes/note/{number}"))
}

/// All notes, or those of a category, without their texts.
///
/// # Errors
/// [`Fault::Said`] if there is no Notes app; whatever [`Nextcloud::ask`] says.
pub async fn list(nextcloud: &Nextcloud, category: Option<&str>) -> Result<Vec<Note>, Fault> {
    let category = category.map(|category| format!("&category={}", segment(category))).unwrap_or_default();
    read(nextcloud, &format!("{NOTES}?exclude=content{category}"), "list of notes").await?.json()
}

/// One note.
///
/// # Errors
/// As [`list`], and if there is no such note.
pub async fn get(nextcloud: &Nextcloud, number: u64) -> Result<Note, Fault> {
    read(nextcloud, &format!("{NOTES}/{number}"), &format!("note notes:{number}")).await?.json()
}

/// Reads, and once more where several readers of one person stood in each other's way (facts/nextcloud.md §5).
async fn read(nextcloud: &Nextcloud, target: &str, what: &str) -> Result<Answer, Fault> {
    let mut answer = nextcloud.ask(Ask::get(target).accept_json()).await?;
    if answer.status == StatusCode::LOCKED {
        answer = nextcloud.ask(Ask::get(target).accept_json()).await?;
    }
    there(answer)?.good(what)
}

/// An answer of the app. Without the app, Nextcloud answers with a page for people, and with 412 if it is not for this person.
fn there(answer: Answer) -> Result<Answer, Fault> {
    let is_json =
        answer.headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"application/json"));
    let without = match answer.status {
        StatusCode::NOT_FOUND => !is_json,
        StatusCode::PRECONDITION_FAILED => answer.json::<Note>().is_err(),
        _ => false,
    };
    if without { Err(Fault::said("This Nextcloud does not have the Notes app for this user.")) } else { Ok(answer) }
}
