//! `notes_find`. Words are found by the app's own search, which reads the texts where they lie: a list with all texts may be large.

use std::cmp::Reverse;
use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::arguments::Limit;
use super::super::fault::Fault;
use super::super::hit::{self, HitId};
use super::super::listing::{Listing, Page};
use super::super::nextcloud::Nextcloud;
use super::super::settings::Toolset;
use super::super::shown::shown;
use super::super::tool::{Call, Hints, Reply, Tool};
use super::super::{time, unified};

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 200;

/// Finds notes.
pub struct NotesFind;

/// What to find.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Words
    query: Option<String>,
    /// Category
    category: Option<String>,
    limit: Option<Limit>,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Item {
    pub id: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Tool for NotesFind {
    type Arguments = Arguments;
    type Output = Page<Item>;
    const NAME: &'static str = "notes_find";
    const TITLE: &'static str = "Find notes";
    const DESCRIPTION: &'static str = "Notes by words or category, newest first; fetch reads one.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["notes.read"];
    const SET: Toolset = Toolset::Notes;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Item>>, Fault> {
        let query = arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty());
        let category = arguments.category.as_deref();
        let listing = Listing::of(Self::NAME, &[query.unwrap_or_default(), category.unwrap_or("\0")]);
        // What comes after this note, newest first: a note that changes meanwhile moves to the front and pushes nothing out.
        let after: Option<(i64, u64)> = listing.open(arguments.cursor.as_deref())?;
        let mut notes = super::list(&nextcloud, category).await?;
        if let Some(query) = query {
            let found = having(&nextcloud, query).await?;
            notes.retain(|note| found.contains(&note.id));
        }
        // An old version of the app lists all, whatever is asked.
        notes.retain(|note| category.is_none_or(|category| note.category == category));
        notes.retain(|note| after.is_none_or(|after| (note.modified, note.id) < after));
        notes.sort_by_key(|note| Reverse((note.modified, note.id)));
        let limit = arguments.limit.unwrap_or_default().get();
        let last = notes.get(limit.saturating_sub(1)).filter(|_| notes.len() > limit);
        let next_cursor = last.and_then(|note| listing.cursor(&(note.modified, note.id)));
        notes.truncate(limit);
        let items = notes.into_iter().map(|note| Item {
            id: HitId::Note(note.id).to_string(),
            title: shown(&note.title, LONGEST_NAME),
            category: Some(shown(&note.category, LONGEST_NAME)).filter(|category| !category.is_empty()),
            modified: time::rfc3339(note.modified),
            url: Some(super::url(&nextcloud, note.id)),
        });
        Ok(Page { items: items.collect(), next_cursor }.into())
    }
}

/// The numbers of the notes that have all these words in title, category or text.
async fn having(nextcloud: &Nextcloud, query: &str) -> Result<HashSet<u64>, Fault> {
    // The app gives all that it finds, in one page.
    let page = unified::page(nextcloud, "notes", query, None).await?;
    Ok(page.entries.iter().filter_map(|entry| hit::note(&entry.url)).collect())
}
