//! What makes a contact, and addressbook-query (RFC 6352 §8.6).

use super::super::groupware::{Collection, Object};
use super::super::ical::{Component, Line};
use super::DavError;
use super::caldav::PRODID;
use super::filter::text_matches;
use super::xml::{CARD, Element};

/// Checks what is to be put into an address book. A vCard 4.0 is kept as 3.0, as Nextcloud does.
pub(super) fn object(book: &Collection, name: &str, data: &str) -> Result<Object, DavError> {
    let unsupported = |text: String| DavError::new(415, "Sabre\\DAV\\Exception\\UnsupportedMediaType", text);
    let mut card = Component::parse(data).map_err(|fault| {
        unsupported(format!("This resource only supports valid vCard or jCard data. Parse error: {fault}"))
    })?;
    if card.name != "VCARD" {
        return Err(unsupported("This collection can only support vCard objects.".into()));
    }
    let uid = card.value("UID").map(str::to_owned);
    let uid = uid.ok_or_else(|| unsupported("Validation error in vCard: Every vCard MUST have a UID".into()))?;
    if book.objects.iter().any(|(other, object)| other != name && object.uid == uid) {
        return Err(DavError::bad_request("VCard object with uid already exists in this addressbook collection."));
    }
    if card.value("VERSION") != Some("4.0") {
        return Ok(Object::new(data.to_owned(), "VCARD", &uid));
    }
    card.lines.retain(|line| line.name != "VERSION" && line.name != "PRODID");
    card.lines.splice(0..0, [Line::new("VERSION", "3.0"), Line::new("PRODID", PRODID)]);
    Ok(Object::new(card.write(), "VCARD", &uid))
}

/// Whether a contact is what a `filter` asks for.
pub(super) fn matches(object: &Object, filter: &Element) -> bool {
    let Ok(card) = Component::parse(&object.data) else { return false };
    all_or_any(filter, "prop-filter", |test| property(&card, test))
}

/// The tests of a name in an element: any of them by default, all by `test="allof"`. No tests hold.
fn all_or_any(holder: &Element, name: &str, mut holds: impl FnMut(&Element) -> bool) -> bool {
    let tests: Vec<&Element> = holder.children.iter().filter(|child| child.name.is(CARD, name)).collect();
    match holder.attribute("test") {
        _ if tests.is_empty() => true,
        Some("allof") => tests.into_iter().all(holds),
        _ => tests.into_iter().any(&mut holds),
    }
}

fn property(card: &Component, filter: &Element) -> bool {
    let name = filter.attribute("name").unwrap_or_default().to_ascii_uppercase();
    let lines: Vec<&Line> = card.lines.iter().filter(|line| line.name == name).collect();
    if filter.child(CARD, "is-not-defined").is_some() {
        return lines.is_empty();
    }
    !lines.is_empty()
        && all_or_any(filter, "text-match", |test| lines.iter().any(|line| text_matches(test, &line.value)))
}
