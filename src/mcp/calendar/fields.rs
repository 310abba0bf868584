//! The fields of events and tasks, set in a component.

use calcard::icalendar::{
    ICalendarEntry, ICalendarParameter, ICalendarParticipationRole, ICalendarParticipationStatus, ICalendarProperty,
    ICalendarValue,
};

use super::document::{Component, written};
use super::span::Span;
use super::when::stamp;
use super::{Fault, address};

/// Sets a text; an empty one is taken away.
pub fn set_text(component: &mut Component, property: ICalendarProperty, text: String) {
    if text.is_empty() {
        component.remove(&property);
    } else {
        component.set(&ICalendarEntry::new(property).with_value(text));
    }
}

/// The description, of which other forms (HTML) say something else then and are taken away.
pub fn set_description(component: &mut Component, text: String) {
    set_text(component, ICalendarProperty::Description, text);
    for other in ["X-ALT-DESC", "STYLED-DESCRIPTION"] {
        component.remove(&ICalendarProperty::Other(other.to_owned()));
    }
}

/// From when until when.
pub fn set_span(component: &mut Component, span: &Span) {
    component.set(&span.start.entry(ICalendarProperty::Dtstart));
    component.remove(&ICalendarProperty::Duration);
    match &span.end {
        Some(end) => component.set(&end.entry(ICalendarProperty::Dtend)),
        None => component.remove(&ICalendarProperty::Dtend),
    }
}

/// Whom to invite, and who invites. What stood of those who stay — their answer, their name — stays.
///
/// # Errors
/// [`Fault::Argument`] if one is no address, or the user has none to invite from.
pub fn set_attendees(component: &mut Component, given: &[String], user: Option<&str>) -> Result<(), Fault> {
    let given = address::parse_all(given)?;
    if given.is_empty() {
        component.remove(&ICalendarProperty::Attendee);
        component.remove(&ICalendarProperty::Organizer);
        return Ok(());
    }
    let user = user.ok_or_else(|| {
        Fault::argument(
            "attendees: the user has no mail address in Nextcloud to invite from; it is set in the personal settings",
        )
    })?;
    let own = address::parse(user)?;
    let before = component.properties();
    let known: Vec<(String, String)> = component
        .lines(&ICalendarProperty::Attendee)
        .zip(before.properties(&ICalendarProperty::Attendee))
        .filter_map(|(line, entry)| Some((address::named(entry)?.to_owned(), line.to_owned())))
        .collect();
    let line = |address: String| {
        let stays = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(&address));
        stays.map_or_else(|| written(&invited(&address)), |(_, line)| line.clone())
    };
    // Who invites need not be invited; where he stands among the attendees, he stays there.
    let own_line = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(&own)).map(|(_, line)| line.clone());
    let others: Vec<String> =
        given.into_iter().filter(|address| !address.eq_ignore_ascii_case(&own)).map(line).collect();
    if others.is_empty() {
        return set_attendees(component, &[], Some(user));
    }
    component.put(&ICalendarProperty::Attendee, own_line.into_iter().chain(others).collect());
    if !component.has(&ICalendarProperty::Organizer) {
        component.add(&ICalendarEntry::new(ICalendarProperty::Organizer).with_value(address::uri(&own)));
    }
    Ok(())
}

fn invited(address: &str) -> ICalendarEntry {
    ICalendarEntry::new(ICalendarProperty::Attendee)
        .with_param(ICalendarParameter::role(ICalendarParticipationRole::ReqParticipant))
        .with_param(ICalendarParameter::partstat(ICalendarParticipationStatus::NeedsAction))
        .with_param(ICalendarParameter::rsvp(true))
        .with_value(address::uri(address))
}

/// DTSTAMP of something new.
pub fn stamp_new(component: &mut Component, uid: &str, now: i64) {
    component.add(&ICalendarEntry::new(ICalendarProperty::Uid).with_value(ICalendarValue::Text(uid.to_owned())));
    component.add(&stamp(ICalendarProperty::Dtstamp, now));
    component.add(&stamp(ICalendarProperty::Created, now));
    component.add(&stamp(ICalendarProperty::LastModified, now));
}

/// What changes with every change (RFC 5545 §3.8.7): SEQUENCE, LAST-MODIFIED, DTSTAMP.
pub fn stamp_changed(component: &mut Component, now: i64) {
    let before = component.properties();
    let sequence = before.property(&ICalendarProperty::Sequence).and_then(|entry| entry.values.first());
    let sequence = sequence.and_then(ICalendarValue::as_integer).unwrap_or(0).clamp(0, i64::from(i32::MAX) - 1);
    component.set(&ICalendarEntry::new(ICalendarProperty::Sequence).with_value(sequence + 1));
    component.set(&stamp(ICalendarProperty::LastModified, now));
    component.set(&stamp(ICalendarProperty::Dtstamp, now));
}

/// A VCALENDAR without anything in it.
pub fn envelope() -> Component {
    let mut calendar = Component::new("VCALENDAR");
    calendar.add(&ICalendarEntry::new(ICalendarProperty::Version).with_value("2.0"));
    calendar.add(&ICalendarEntry::new(ICalendarProperty::Prodid).with_value(super::PRODID));
    calendar
        .add(&ICalendarEntry::new(ICalendarProperty::Calscale).with_value(calcard::common::CalendarScale::Gregorian));
    calendar
}

/// Whether this is the user, by any of the addresses that Nextcloud knows of him.
pub fn is_user(named: &str, addresses: &[String]) -> bool {
    let named = named.trim_end_matches('/');
    addresses.iter().any(|own| address::strip_mailto(own).trim_end_matches('/').eq_ignore_ascii_case(named))
}
