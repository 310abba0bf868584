//! Events as the tools show them: one for each VEVENT of an object, or for each recurrence of an answer that Nextcloud expanded
//! (RFC 4791 §9.6.5), where all times are UTC.

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarStatus, ICalendarValue,
};

use super::span::Span;
use super::when::{When, Zones};
use super::{Fault, Instance, LARGEST_OBJECT, address};

/// An event, or one recurrence of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The UID.
    pub uid: Option<String>,
    /// Which recurrence; none of an event that does not recur, and of the series as a whole.
    pub instance: Option<Instance>,
    /// SUMMARY.
    pub title: String,
    /// DTSTART, RFC 3339 or a date.
    pub start: String,
    /// The end, RFC 3339, or the last day as a date.
    pub end: String,
    /// DTSTART in seconds since 1970, to sort by.
    pub seconds: i64,
    /// LOCATION.
    pub location: Option<String>,
    /// DESCRIPTION.
    pub description: Option<String>,
    /// The addresses of ATTENDEE.
    pub attendees: Vec<String>,
    /// The address of ORGANIZER.
    pub organizer: Option<String>,
    /// Whether it is a series or part of one.
    pub recurring: bool,
    /// STATUS says CANCELLED.
    pub cancelled: bool,
}

/// The events of an object. A VEVENT without a start is none.
///
/// # Errors
/// [`Fault::Object`] if it is too large or no iCalendar.
pub fn events(object: &str) -> Result<Vec<Event>, Fault> {
    let calendar = read(object)?;
    let zones = Zones::of(&calendar);
    let all = calendar.components.iter().filter(|component| component.component_type == ICalendarComponentType::VEvent);
    Ok(all.filter_map(|component| Event::read(component, &zones)).collect())
}

/// The whole object, within limits.
pub(super) fn read(object: &str) -> Result<ICalendar, Fault> {
    if object.len() > LARGEST_OBJECT {
        return Err(Fault::object("this calendar object is larger than 1 MiB and is not read"));
    }
    ICalendar::parse(object).map_err(|_| Fault::object("Nextcloud holds no readable iCalendar under this id"))
}

/// The text of a property, if there is some.
pub(super) fn text(component: &ICalendarComponent, property: &ICalendarProperty) -> Option<String> {
    let value = component.property(property)?.values.first().and_then(ICalendarValue::as_text)?;
    Some(value.to_owned()).filter(|text| !text.is_empty())
}

// === impl Event ===

impl Event {
    fn read(component: &ICalendarComponent, zones: &Zones) -> Option<Self> {
        let span = Span::read(component, zones)?;
        let instance = component.property(&ICalendarProperty::RecurrenceId);
        let organizer = component.property(&ICalendarProperty::Organizer).and_then(address::named);
        Some(Self {
            uid: component.uid().map(str::to_owned),
            instance: instance.and_then(|entry| When::read(entry, zones)).and_then(|when| when.instance()),
            title: text(component, &ICalendarProperty::Summary).unwrap_or_default(),
            start: span.start.rfc3339(),
            end: span.shown_end(),
            seconds: span.start.seconds(),
            location: text(component, &ICalendarProperty::Location),
            description: text(component, &ICalendarProperty::Description),
            attendees: component
                .properties(&ICalendarProperty::Attendee)
                .filter_map(address::named)
                .map(str::to_owned)
                .collect(),
            organizer: organizer.map(str::to_owned),
            recurring: component.is_recurrent_or_override(),
            cancelled: component.status() == Some(&ICalendarStatus::Cancelled),
        })
    }
}
