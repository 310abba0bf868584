//! `search`: one search over the apps whose reading the caller's token was granted and whose tools the operator chose.
//!
//! Each app's provider finds for itself, several at once; a page takes from each in turn. One that fails is left out, unless all do.

pub mod provider;
pub mod spread;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Limit;
use super::fault::{self, Fault};
use super::hit::HitId;
use super::listing::Listing;
use super::nextcloud::Nextcloud;
use super::settings::Toolset;
use super::shown::{path, shown};
use super::tool::{Call, Hints, Reply, Tool};
use super::unified::{self, Entry};
use crate::error::Error;
use provider::Provider;
use spread::{Place, Spread};

/// The longest query, in characters.
const LONGEST_QUERY: usize = 500;
/// The longest title and the longest snippet, in characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_SNIPPET: usize = 300;

/// Searches everything.
pub struct Search;

/// What to find, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Words to find
    query: String,
    /// Limit to these apps
    apps: Option<Vec<App>>,
    limit: Option<Limit>,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "an enumeration without words is one list in the schema")]
pub enum App {
    Files,
    Notes,
    Calendar,
    Tasks,
    Contacts,
    Talk,
    Deck,
}

/// A page of hits.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub results: Vec<Hit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "as above")]
pub struct Hit {
    pub id: String,
    pub title: String,
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

impl Tool for Search {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "search";
    const TITLE: &'static str = "Search everything";
    const DESCRIPTION: &'static str =
        "Full-text search across files, notes, events, contacts, messages. Use fetch to read a hit.";
    const HINTS: Hints = Hints::reads().open_world();
    const SCOPES: &'static [&'static str] = &["nc.read"];
    const SET: Toolset = Toolset::Base;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let query = arguments.query.trim();
        if query.is_empty() || query.chars().count() > LONGEST_QUERY {
            return Err(Fault::said("query has to have 1 to 500 characters: a few words to find."));
        }
        let asked: BTreeSet<App> = arguments.apps.unwrap_or_default().into_iter().collect();
        let names: Vec<&str> = asked.iter().map(|app| app.as_str()).collect();
        let listing = Listing::of(Self::NAME, &[query, &names.join(",")]);
        let places: Option<Vec<(String, Place)>> = listing.open(arguments.cursor.as_deref())?;
        let providers = providers(&nextcloud, query, &asked).await?;
        let mut spread = Spread::new(providers, places.as_deref());
        spread.ask(&nextcloud, query).await?;
        let found = spread.take(arguments.limit.unwrap_or_default().get());
        let results = found.iter().filter_map(|(provider, entry)| hit(&nextcloud, provider, entry)).collect();
        let next_cursor = spread.places().and_then(|places| listing.cursor(&places));
        Ok(Output { results, next_cursor }.into())
    }
}

/// Whom to ask: of the apps that are meant, the providers that this Nextcloud has.
async fn providers(nextcloud: &Nextcloud, query: &str, asked: &BTreeSet<App>) -> Result<Vec<&'static Provider>, Fault> {
    let offered = |app: &App| app.set().is_none_or(|set| nextcloud.offers(set));
    if let Some(app) = asked.iter().find(|app| !offered(app)) {
        return Err(Fault::Said(format!(
            "The operator of this server does not offer {}. Search without it.",
            app.as_str()
        )));
    }
    let meant: Vec<App> =
        App::ALL.into_iter().filter(|app| asked.is_empty() || asked.contains(app)).filter(offered).collect();
    let granted = |app: &App| nextcloud.granted(app.scope());
    let of = |apps: &[App]| -> Vec<&'static Provider> {
        provider::ALL.iter().filter(|provider| apps.contains(&provider.app)).collect()
    };
    // Of those that were named all have to be granted, and otherwise at least one: the policy says which scope is missing.
    let missing: Vec<App> = meant.iter().copied().filter(|app| !granted(app)).collect();
    if !missing.is_empty() && (!asked.is_empty() || missing.len() == meant.len()) {
        for provider in of(&missing) {
            if let Err(Fault::Refused(error @ Error::InsufficientScope(_))) =
                unified::page(nextcloud, provider.id, query, None).await
            {
                return Err(error.into());
            }
        }
    }
    let there = unified::providers(nextcloud).await?;
    let meant: Vec<App> = meant.into_iter().filter(granted).collect();
    let mut providers = of(&meant);
    providers.retain(|provider| there.iter().any(|id| id == provider.id));
    if let Some(app) = asked.iter().find(|app| !providers.iter().any(|provider| provider.app == **app)) {
        return Err(Fault::Said(format!(
            "This Nextcloud cannot search {}: the app is not there for this user. Search without it.",
            app.as_str()
        )));
    }
    Ok(providers)
}

fn hit(nextcloud: &Nextcloud, provider: &Provider, entry: &Entry) -> Option<Hit> {
    // An id is passed on as it is shown, so one that hides something is of no use to anybody.
    let id = HitId::of(provider.id, entry).filter(|id| path(&id.to_string()) == id.to_string());
    let id = id.or_else(|| HitId::link(&entry.url))?;
    let title = shown(&entry.title, LONGEST_TITLE);
    let snippet = shown(&entry.subline, LONGEST_SNIPPET);
    let id = id.to_string();
    Some(Hit {
        title: if title.is_empty() { id.clone() } else { title },
        url: opened(nextcloud, &entry.url),
        app: Some(provider.app.as_str()),
        snippet: Some(snippet).filter(|snippet| !snippet.is_empty()),
        id,
    })
}

/// Where people open it: as Nextcloud says, which knows its own name.
fn opened(nextcloud: &Nextcloud, url: &str) -> String {
    let url = shown(url, 2_000);
    if url.starts_with("https://") || url.starts_with("http://") {
        return url;
    }
    nextcloud.url(nextcloud.inside(&url))
}

/// Whether the whole call has to end with it: a client mends it, and other providers would say the same.
fn ends_all(fault: &Fault) -> bool {
    match fault {
        Fault::Refused(Error::InsufficientScope(_))
        | Fault::Said(_)
        | Fault::Ask(_)
        | Fault::Visit(_)
        | Fault::Declined
        | Fault::TooLate
        | Fault::Cancelled
        | Fault::TooMany(_) => false,
        Fault::Refused(error) => fault::is_the_clients(error),
    }
}

impl App {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Files, Self::Notes, Self::Calendar, Self::Tasks, Self::Contacts, Self::Talk, Self::Deck];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Notes => "notes",
            Self::Calendar => "calendar",
            Self::Tasks => "tasks",
            Self::Contacts => "contacts",
            Self::Talk => "talk",
            Self::Deck => "deck",
        }
    }

    /// Its id at Nextcloud, if it is not there in each.
    #[must_use]
    pub fn id(self) -> Option<&'static str> {
        match self {
            Self::Notes => Some("notes"),
            Self::Talk => Some("spreed"),
            Self::Deck => Some("deck"),
            Self::Files | Self::Calendar | Self::Tasks | Self::Contacts => None,
        }
    }

    /// The scope for reading it.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::Files => "files.read",
            Self::Notes => "notes.read",
            Self::Calendar => "calendar.read",
            Self::Tasks => "tasks.read",
            Self::Contacts => "contacts.read",
            Self::Talk => "talk.read",
            Self::Deck => "deck.read",
        }
    }

    /// The tools that it comes with. Deck has none of its own: who was granted its scope may search it.
    #[must_use]
    pub fn set(self) -> Option<Toolset> {
        match self {
            Self::Files => Some(Toolset::Files),
            Self::Notes => Some(Toolset::Notes),
            Self::Calendar => Some(Toolset::Calendar),
            Self::Tasks => Some(Toolset::Tasks),
            Self::Contacts => Some(Toolset::Contacts),
            Self::Talk => Some(Toolset::Talk),
            Self::Deck => None,
        }
    }
}
