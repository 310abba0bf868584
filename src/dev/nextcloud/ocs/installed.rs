//! Which apps there are: those that were recorded, those of which a tool wants to know beside them, less those that this one is without.

use serde_json::{Value, json};

use super::super::options::Options;

/// Apps that the recorded Nextcloud did not have, by id and name.
const BESIDE: &[(&str, &str)] =
    &[("spreed", "Talk"), ("calendar", "Calendar"), ("contacts", "Contacts"), ("tasks", "Tasks")];
/// Their search providers: id, app, name.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("calendar", "calendar", "Events"),
    ("tasks", "tasks", "Tasks"),
    ("contacts", "contacts", "Contacts"),
    ("talk-message", "spreed", "Messages"),
    ("talk-conversations", "spreed", "Conversations"),
    ("deck", "deck", "Deck boards and cards"),
];

/// The app that a search provider belongs to.
pub(super) fn app_of(provider: &str) -> &str {
    PROVIDERS.iter().find(|(id, ..)| *id == provider).map_or(provider, |(_, app, _)| app)
}

/// `cloud/capabilities`.
pub(super) fn capabilities(options: &Options, mut recorded: Value) -> Value {
    if let Some(all) = recorded["capabilities"].as_object_mut() {
        all.insert("spreed".into(), talk());
        all.retain(|app, _| options.has_app(app));
    }
    recorded
}

/// `core/navigation/apps`.
pub(super) fn navigation(options: &Options, mut recorded: Value) -> Value {
    if let Some(all) = recorded.as_array_mut() {
        let order = all.len() + 10;
        all.extend(BESIDE.iter().zip(order..).map(|((id, name), order)| {
            json!({
                "id": id, "order": order, "href": format!("/apps/{id}/"), "icon": format!("/apps/{id}/img/app.svg"), "type": "link",
                "name": name, "app": id, "active": false, "unread": 0, "classes": "", "default": false,
            })
        }));
        all.retain(|entry| options.has_app(entry["app"].as_str().unwrap_or_default()));
    }
    recorded
}

/// `search/providers`.
pub(super) fn providers(options: &Options, mut recorded: Value) -> Value {
    if let Some(all) = recorded.as_array_mut() {
        all.extend(PROVIDERS.iter().zip(30..).map(|((id, app, name), order)| {
            json!({
                "id": id, "appId": app, "name": name, "icon": format!("/apps/{app}/img/app.svg"), "order": order,
                "isExternalProvider": false, "triggers": [id], "filters": { "term": "string" }, "inAppSearch": false,
            })
        }));
        all.retain(|entry| options.has_app(entry["appId"].as_str().unwrap_or_default()));
    }
    recorded
}

fn talk() -> Value {
    json!({
        "features": ["audio", "video", "chat-v2", "conversation-v4", "chat-replies", "chat-reference-id", "read-only-rooms", "rich-object-sharing"],
        "features-local": [],
        "config": {
            "attachments": { "allowed": true, "folder": "/Talk" },
            "chat": { "max-length": 32000, "read-privacy": 0 },
            "conversations": { "can-create": true },
        },
        "config-local": {},
        "version": "22.0.2",
    })
}
