//! Unified search: each provider finds in one person's things by a word, as the providers of Nextcloud and of each app do.

mod apps;
mod groupware;

use serde_json::{Value, json};

use super::super::call::Call;
use super::envelope::Outcome;
use super::installed;

/// Without `limit`.
const LIMIT: usize = 5;

/// What a provider calls itself, and what it finds.
struct Found {
    name: &'static str,
    entries: Vec<Entry>,
    paging: Paging,
}

/// How a provider gives more than one page.
enum Paging {
    /// The cursor is where the next page would begin.
    ByLimit,
    /// The cursor counts what was given.
    ByCount,
    /// All at once, whatever `limit` says.
    Complete,
}

/// What a search found (`OCP\Search\SearchResultEntry`).
#[derive(Default)]
struct Entry {
    thumbnail: String,
    title: String,
    subline: String,
    url: String,
    icon: String,
    rounded: bool,
    attributes: Vec<(&'static str, String)>,
}

// === impl Entry ===

impl Entry {
    fn told(self) -> Value {
        let attributes = self.attributes.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        let attributes: serde_json::Map<String, Value> = attributes.collect();
        json!({
            "thumbnailUrl": self.thumbnail,
            "title": self.title,
            "subline": self.subline,
            "resourceUrl": self.url,
            "icon": self.icon,
            "rounded": self.rounded,
            // An empty map is an empty list to PHP.
            "attributes": if attributes.is_empty() { json!([]) } else { Value::Object(attributes) },
        })
    }
}

/// `search/providers/<id>/search`.
pub(super) fn answer(call: &Call, uid: &str, provider: &str) -> Outcome {
    let term = call.query.get("term").unwrap_or_default().to_lowercase();
    let limit = call.query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).unwrap_or(LIMIT);
    let from = call.query.get("cursor").and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or(0);
    let found = match installed::app_of(provider) {
        app if !call.instance.options().has_app(app) => None,
        _ => find(call, uid, provider, &term),
    };
    // The hazard of an unknown id: not 404 but a failure of the server.
    let Some(found) = found else {
        return Outcome::failure(500, 996, "Internal Server Error\n").printed();
    };
    let complete = matches!(found.paging, Paging::Complete);
    let page = if complete { (0, usize::MAX) } else { (from, limit) };
    let entries: Vec<Value> = found.entries.into_iter().skip(page.0).take(page.1).map(Entry::told).collect();
    let cursor = match found.paging {
        Paging::ByLimit => Some(from + limit),
        Paging::ByCount => Some(from + entries.len()),
        Paging::Complete => None,
    };
    Outcome::ok(json!({ "name": found.name, "isPaginated": !complete, "entries": entries, "cursor": cursor }))
}

fn find(call: &Call, uid: &str, provider: &str, term: &str) -> Option<Found> {
    Some(match provider {
        "files" => Found { name: "Files", entries: files(call, uid, term), paging: Paging::ByLimit },
        "calendar" | "tasks" | "contacts" => groupware::find(call, uid, provider, term),
        "notes" | "deck" | "talk-message" | "talk-conversations" => apps::find(call, uid, provider, term),
        // Listed, and never finding anything.
        "systemtags"
        | "circles"
        | "comments"
        | "settings_apps"
        | "settings"
        | "mail"
        | "tables-search-tables"
        | "users"
        | "appstore" => Found { name: "Other", entries: Vec::new(), paging: Paging::Complete },
        _ => return None,
    })
}

fn files(call: &Call, uid: &str, term: &str) -> Vec<Entry> {
    let home = [uid.to_owned(), "files".to_owned()];
    let found = call.instance.storage().descendants(&home).into_iter();
    let found = found.filter(|node| node.name().to_lowercase().contains(term));
    found
        .map(|node| {
            let id = node.record.id;
            let below = node.path.get(2..).unwrap_or_default();
            let folder = below.split_last().map(|(_, folder)| folder.join("/")).unwrap_or_default();
            Entry {
                thumbnail: format!("{}/core/preview?x=32&y=32&fileId={id}", call.base),
                title: node.name().to_owned(),
                subline: if folder.is_empty() { String::new() } else { format!("in {folder}") },
                url: format!("{}/f/{id}", call.base),
                icon: format!("{}/apps/theming/img/core/filetypes/text.svg?v=8924fe71", call.root()),
                attributes: vec![("fileId", id.to_string()), ("path", format!("/{}", below.join("/")))],
                ..Entry::default()
            }
        })
        .collect()
}
