//! What the apps find: notes, boards and cards, conversations and what was said in them.

use serde_json::Value;

use super::super::super::call::Call;
use super::super::super::{deck, notes};
use super::{Entry, Found, Paging};

pub(super) fn find(call: &Call, uid: &str, provider: &str, term: &str) -> Found {
    match provider {
        "notes" => Found { name: "Notes", entries: in_notes(call, uid, term), paging: Paging::Complete },
        "deck" => Found { name: "Deck boards and cards", entries: in_deck(call, uid, term), paging: Paging::Complete },
        "talk-message" => Found { name: "Messages", entries: messages(call, uid, term), paging: Paging::ByLimit },
        _ => Found { name: "Conversations", entries: conversations(call, uid, term), paging: Paging::Complete },
    }
}

fn in_notes(call: &Call, uid: &str, term: &str) -> Vec<Entry> {
    let text = |note: &Value, name: &str| note[name].as_str().unwrap_or_default().to_owned();
    let mut found = notes::all(call, uid);
    found.retain(|note| {
        ["title", "content", "category"].iter().any(|part| text(note, part).to_lowercase().contains(term))
    });
    found.sort_by_key(|note| std::cmp::Reverse(note["modified"].as_u64()));
    let entries = found.iter().map(|note| Entry {
        title: text(note, "title"),
        subline: text(note, "content").chars().take(100).collect(),
        url: format!("{}/apps/notes/note/{}", call.base, note["id"]),
        icon: "icon-notes-trans".into(),
        ..Entry::default()
    });
    entries.collect()
}

fn in_deck(call: &Call, uid: &str, term: &str) -> Vec<Entry> {
    let found = deck::titles(call, uid).into_iter().filter(|found| found.title.to_lowercase().contains(term));
    let entries = found.map(|found| Entry {
        title: found.title,
        subline: found.within,
        url: format!("{}/apps/deck/#/board/{}", call.base, found.path),
        icon: "icon-deck".into(),
        ..Entry::default()
    });
    entries.collect()
}

fn conversations(call: &Call, uid: &str, term: &str) -> Vec<Entry> {
    let rooms = call.instance.talk().rooms(uid).into_iter().map(|room| (room.display_name(uid), room));
    rooms
        .filter(|(name, _)| name.to_lowercase().contains(term))
        .map(|(title, room)| Entry {
            thumbnail: format!("{}/ocs/v2.php/apps/spreed/api/v1/room/{}/avatar", call.base, room.token),
            title,
            url: format!("{}/call/{}", call.base, room.token),
            rounded: true,
            attributes: vec![("conversation", room.token)],
            ..Entry::default()
        })
        .collect()
}

/// Newest first; what happened is not said.
fn messages(call: &Call, uid: &str, term: &str) -> Vec<Entry> {
    let mut found: Vec<(u64, Entry)> = Vec::new();
    for room in call.instance.talk().rooms(uid) {
        for message in room.messages.iter().filter(|message| message["messageType"] == "comment") {
            let text = spoken(message);
            if !text.to_lowercase().contains(term) {
                continue;
            }
            let part = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            let (id, author) = (message["id"].as_u64().unwrap_or_default(), part("actorDisplayName"));
            let entry = Entry {
                thumbnail: format!("{}/avatar/{}/512", call.base, part("actorId")),
                title: if room.kind == 1 { author } else { format!("{author} in {}", room.display_name(uid)) },
                subline: text,
                url: format!("{}/call/{}#message_{id}", call.base, room.token),
                icon: "icon-talk".into(),
                rounded: true,
                attributes: vec![
                    ("conversation", room.token.clone()),
                    ("messageId", id.to_string()),
                    ("actorType", part("actorType")),
                    ("actorId", part("actorId")),
                    ("timestamp", message["timestamp"].to_string()),
                ],
            };
            found.push((id, entry));
        }
    }
    found.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// A message with names for its placeholders.
fn spoken(message: &Value) -> String {
    let mut text = message["message"].as_str().unwrap_or_default().to_owned();
    for (name, parameter) in message["messageParameters"].as_object().into_iter().flatten() {
        let shown = parameter["name"].as_str().unwrap_or_default();
        let at = if parameter["type"] == "user" { "@" } else { "" };
        text = text.replace(&format!("{{{name}}}"), &format!("{at}{shown}"));
    }
    text
}
