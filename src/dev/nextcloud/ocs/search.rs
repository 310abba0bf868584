//! Unified search: each provider finds in one person's things by a word.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::groupware::Kind;
use super::super::ical::Component;
use super::envelope::Outcome;

/// `search/providers/<id>/search`.
pub(super) fn answer(call: &Call, uid: &str, provider: &str) -> Outcome {
    let term = call.query.get("term").unwrap_or_default().to_lowercase();
    let limit = call.query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).unwrap_or(5);
    let from = call.query.get("cursor").and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or(0);
    let (name, found) = match provider {
        "files" => ("Files", files(call, uid, &term)),
        "contacts" => ("Contacts", objects(call, uid, Kind::AddressBook, "FN", &term)),
        "calendar" => ("Events", objects(call, uid, Kind::Calendar, "VEVENT", &term)),
        "tasks" => ("Tasks", objects(call, uid, Kind::Calendar, "VTODO", &term)),
        "notes" => ("Notes", notes(call, uid, &term)),
        // Listed, and never finding anything.
        "deck"
        | "systemtags"
        | "circles"
        | "comments"
        | "settings_apps"
        | "settings"
        | "talk-message"
        | "talk-conversations"
        | "mail"
        | "tables-search-tables"
        | "users"
        | "appstore" => ("Other", Vec::new()),
        // The hazard of an unknown id: not 404 but a failure of the server.
        _ => return Outcome::failure(500, 996, "Internal Server Error\n").printed(),
    };
    let entries: Vec<Value> = found.into_iter().skip(from).take(limit).collect();
    Outcome::ok(json!({ "name": name, "isPaginated": true, "entries": entries, "cursor": from + limit }))
}

fn files(call: &Call, uid: &str, term: &str) -> Vec<Value> {
    let home = [uid.to_owned(), "files".to_owned()];
    let found = call.instance.storage().descendants(&home).into_iter();
    let found = found.filter(|node| node.name().to_lowercase().contains(term));
    found
        .map(|node| {
            let id = node.record.id;
            let below = node.path.get(2..).unwrap_or_default();
            let folder = below.split_last().map(|(_, folder)| folder.join("/")).unwrap_or_default();
            let subline = if folder.is_empty() { String::new() } else { format!("in {folder}") };
            json!({
                "thumbnailUrl": format!("{}/core/preview?x=32&y=32&fileId={id}", call.base),
                "title": node.name(),
                "subline": subline,
                "resourceUrl": format!("{}/f/{id}", call.base),
                "icon": format!("{}/apps/theming/img/core/filetypes/text.svg?v=8924fe71", call.root()),
                "rounded": false,
                "attributes": { "fileId": id.to_string(), "path": format!("/{}", below.join("/")) },
            })
        })
        .collect()
}

/// Contacts by name (`FN`), events and tasks by `SUMMARY`.
fn objects(call: &Call, uid: &str, kind: Kind, what: &str, term: &str) -> Vec<Value> {
    let groupware = call.instance.groupware();
    let mut found = Vec::new();
    for collection in groupware.names(uid, kind) {
        let key = (uid.to_owned(), kind, collection);
        let objects = groupware.read(&key, |collection| collection.objects.values().cloned().collect::<Vec<_>>());
        for object in objects.unwrap_or_default() {
            let Ok(root) = Component::parse(&object.data) else { continue };
            let title = match kind {
                Kind::AddressBook => root.value(what).map(str::to_owned),
                Kind::Calendar => {
                    let mut named = root.components.iter().filter(|component| component.name == what);
                    named.find_map(|component| component.value("SUMMARY")).map(str::to_owned)
                }
            };
            found.extend(title.filter(|title| title.to_lowercase().contains(term)).map(|title| entry(call, &title)));
        }
    }
    found
}

fn notes(call: &Call, uid: &str, term: &str) -> Vec<Value> {
    let folder = [uid.to_owned(), "files".to_owned(), "Notes".to_owned()];
    let found = call.instance.storage().descendants(&folder).into_iter().filter(|node| !node.is_folder);
    found.filter(|node| node.name().to_lowercase().contains(term)).map(|node| entry(call, node.name())).collect()
}

fn entry(call: &Call, title: &str) -> Value {
    json!({
        "thumbnailUrl": "",
        "title": title,
        "subline": "",
        "resourceUrl": call.base,
        "icon": "",
        "rounded": false,
        "attributes": [],
    })
}
