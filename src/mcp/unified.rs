//! Unified search (`/ocs/v2.php/search/providers`): each app finds in the user's own things, page by page.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Fault;
use super::nextcloud::{Ask, Nextcloud, segment};

/// What a provider is asked for at most at once; some versions of Nextcloud give no more.
pub const LARGEST_PAGE: usize = 25;
/// A longer cursor of a provider is not passed on.
const LONGEST_CURSOR: usize = 100;

/// What a provider found.
#[derive(Debug, Deserialize)]
pub struct Entry {
    /// What it is called.
    #[serde(default)]
    pub title: String,
    /// Where it is, or how it goes on.
    #[serde(default)]
    pub subline: String,
    /// Where people open it: absolute, or from the root of Nextcloud.
    #[serde(default, rename = "resourceUrl")]
    pub url: String,
    /// What apps say of it by name; an empty list where they say nothing.
    #[serde(default)]
    attributes: Value,
}

/// A page of a provider.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// What was found.
    pub entries: Vec<Entry>,
    #[serde(default, rename = "isPaginated")]
    is_paginated: bool,
    #[serde(default)]
    cursor: Option<Place>,
}

/// Where a provider goes on: an offset, or words of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// An offset.
    Offset(u64),
    /// Words of its own.
    Words(String),
}

#[derive(Deserialize)]
struct Provider {
    id: String,
}

impl Entry {
    /// What the app says of it under this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<String> {
        match self.attributes.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl Page {
    /// Where the next page begins; nowhere if this was the last.
    #[must_use]
    pub fn next(&self) -> Option<&Place> {
        let place = self.cursor.as_ref().filter(|_| self.is_paginated && self.entries.len() >= LARGEST_PAGE)?;
        match place {
            Place::Words(words) if words.len() > LONGEST_CURSOR => None,
            place => Some(place),
        }
    }
}

/// The ids of the providers that there are.
///
/// # Errors
/// Whatever [`Nextcloud::ask`] says.
pub async fn providers(nextcloud: &Nextcloud) -> Result<Vec<String>, Fault> {
    let answer = nextcloud.ask(Ask::ocs("/ocs/v2.php/search/providers")).await?.good("search")?;
    Ok(answer.ocs::<Vec<Provider>>()?.into_iter().map(|provider| provider.id).collect())
}

/// A page of one provider.
///
/// # Errors
/// As [`providers`].
pub async fn page(nextcloud: &Nextcloud, provider: &str, term: &str, place: Option<&Place>) -> Result<Page, Fault> {
    let mut target = format!(
        "/ocs/v2.php/search/providers/{}/search?term={}&limit={LARGEST_PAGE}",
        segment(provider),
        segment(term)
    );
    match place {
        None => {}
        Some(Place::Offset(offset)) => target += &format!("&cursor={offset}"),
        Some(Place::Words(words)) => target += &format!("&cursor={}", segment(words)),
    }
    nextcloud.ask(Ask::ocs(target)).await?.good("search")?.ocs()
}
