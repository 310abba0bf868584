//! A new event as a calendar object (RFC 5545 §3.6.1).

use calcard::icalendar::{ICalendarEntry, ICalendarProperty};

use super::document::Component;
use super::span::Span;
use super::when::Zone;
use super::{Fault, fields, rule, text};

/// What a caller says of a new event, as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewEvent<'a> {
    /// What it is called.
    pub title: &'a str,
    /// RFC 3339, local time of `timezone`, or a date.
    pub start: &'a str,
    /// The same; as a date the last day.
    pub end: &'a str,
    /// IANA zone in which it stays when clocks change; without one it is kept in UTC.
    pub timezone: Option<&'a str>,
    /// Where.
    pub location: Option<&'a str>,
    /// What about.
    pub description: Option<&'a str>,
    /// Mail addresses of who is invited.
    pub attendees: &'a [String],
    /// RFC 5545 RRULE.
    pub rrule: Option<&'a str>,
}

/// The object of a new event: under `uid`, made at `now` (seconds since 1970), by `user`, whose mail address invites the attendees.
///
/// # Errors
/// [`Fault::Argument`] naming the argument that is no good.
pub fn compose(event: &NewEvent<'_>, user: Option<&str>, uid: &str, now: i64) -> Result<String, Fault> {
    let zone = event.timezone.map(Zone::parse).transpose()?;
    let span = Span::parse(event.start, event.end, zone.as_ref())?;
    let mut component = Component::new("VEVENT");
    fields::stamp_new(&mut component, uid, now);
    fields::set_text(&mut component, ICalendarProperty::Summary, text::title(event.title)?);
    fields::set_span(&mut component, &span);
    let mut until = span.start.seconds();
    if let Some(given) = event.rrule.filter(|given| !given.trim().is_empty()) {
        let rule = rule::parse(given, &span.start)?;
        until = rule::horizon(&rule, &span.start);
        component.set(&ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule));
    }
    if let Some(location) = event.location {
        fields::set_text(&mut component, ICalendarProperty::Location, text::line("location", location)?);
    }
    if let Some(description) = event.description {
        fields::set_text(&mut component, ICalendarProperty::Description, text::prose("description", description)?);
    }
    fields::set_attendees(&mut component, event.attendees, user)?;
    let mut calendar = fields::envelope();
    calendar.push(component);
    define_zone(&mut calendar, span.start.zone(), span.start.seconds(), until);
    calendar.write()
}

/// Adds the VTIMEZONE of a zone, if the object does not define it already (RFC 5545 §3.2.19 wants it; sabre takes IANA names without).
pub(super) fn define_zone(calendar: &mut Component, zone: Option<&Zone>, from: i64, until: i64) {
    let Some(zone) = zone else { return };
    let defined = |component: &Component| {
        let tzid = component.lines(&ICalendarProperty::Tzid).next().and_then(|line| line.split_once(':'));
        tzid.is_some_and(|(_, id)| id.trim() == zone.id())
    };
    if calendar.inside("VTIMEZONE").any(defined) {
        return;
    }
    if let Some(component) = zone.component(from, until) {
        calendar.push_first(component);
    }
}
