//! Events, tasks and contacts (`OCA\DAV\Search`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::call::Call;
use super::super::super::groupware::Kind;
use super::super::super::ical::Component;
use super::{Entry, Found, Paging};

const OF_EVENTS: &[&str] = &["SUMMARY", "LOCATION", "DESCRIPTION", "ATTENDEE", "ORGANIZER", "CATEGORIES"];
const OF_TASKS: &[&str] = &["SUMMARY", "DESCRIPTION", "CATEGORIES"];
const OF_CONTACTS: &[&str] = &["N", "FN", "NICKNAME", "EMAIL", "TEL", "ADR", "TITLE", "ORG", "NOTE"];

/// Where an object is.
struct Place<'p> {
    uid: &'p str,
    collection: &'p str,
    name: &'p str,
}

pub(super) fn find(call: &Call, uid: &str, provider: &str, term: &str) -> Found {
    let (name, kind) = match provider {
        "contacts" => ("Contacts", Kind::AddressBook),
        "tasks" => ("Tasks", Kind::Calendar),
        _ => ("Events", Kind::Calendar),
    };
    let groupware = call.instance.groupware();
    let mut entries = Vec::new();
    for collection in groupware.names(uid, kind) {
        let key = (uid.to_owned(), kind, collection.clone());
        let objects = groupware.read(&key, |collection| collection.objects.clone()).unwrap_or_default();
        for (name, object) in objects {
            let Ok(root) = Component::parse(&object.data) else { continue };
            let place = Place { uid, collection: &collection, name: &name };
            entries.extend(match provider {
                "contacts" => contact(call, &root, &place, term),
                "tasks" => dated(&root, "VTODO", OF_TASKS, term).map(|task| Entry {
                    title: task.value("SUMMARY").unwrap_or("Untitled task").to_owned(),
                    subline: task.value("DUE").map(|due| format!("Due on {due}")).unwrap_or_default(),
                    url: format!("{}/apps/tasks/#/calendars/{collection}/tasks/{name}", call.base),
                    icon: "icon-checkmark".into(),
                    ..Entry::default()
                }),
                _ => dated(&root, "VEVENT", OF_EVENTS, term).map(|event| Entry {
                    title: event.value("SUMMARY").unwrap_or("Untitled event").to_owned(),
                    subline: event.value("DTSTART").unwrap_or_default().to_owned(),
                    url: format!("{}/apps/calendar/edit/{}", call.base, STANDARD.encode(path(call, &place))),
                    icon: "icon-calendar-dark".into(),
                    ..Entry::default()
                }),
            });
        }
    }
    Found { name, entries, paging: Paging::ByCount }
}

fn path(call: &Call, place: &Place<'_>) -> String {
    format!("{}/remote.php/dav/calendars/{}/{}/{}", call.root(), place.uid, place.collection, place.name)
}

/// The first component of a kind that says the word.
fn dated<'r>(root: &'r Component, kind: &str, properties: &[&str], term: &str) -> Option<&'r Component> {
    root.components.iter().filter(|component| component.name == kind).find(|one| says(one, properties, term))
}

fn contact(call: &Call, card: &Component, place: &Place<'_>, term: &str) -> Option<Entry> {
    says(card, OF_CONTACTS, term).then(|| {
        let uid = card.value("UID").unwrap_or_default();
        Entry {
            title: card.value("FN").unwrap_or_default().to_owned(),
            subline: card.value("EMAIL").unwrap_or_default().to_owned(),
            url: format!("{}/apps/contacts/direct/contact/{uid}~{}", call.base, place.collection),
            icon: "icon-contacts-dark".into(),
            rounded: true,
            ..Entry::default()
        }
    })
}

fn says(component: &Component, properties: &[&str], term: &str) -> bool {
    let mut lines = component.lines.iter().filter(|line| properties.contains(&line.name.as_str()));
    lines.any(|line| line.value.to_lowercase().contains(term))
}
