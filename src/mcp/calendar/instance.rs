//! One recurrence of a series: the component that overrides it (RFC 5545 §3.8.4.4), and its exclusion (§3.8.5.1).

use calcard::icalendar::{ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarProperty};

use super::document::Component;
use super::span::Span;
use super::when::{When, Zones};
use super::{Fault, Instance, fields};

/// What a recurrence does not take over from its series.
const OF_THE_SERIES: &[ICalendarProperty] =
    &[ICalendarProperty::Rrule, ICalendarProperty::Rdate, ICalendarProperty::Exdate, ICalendarProperty::Exrule];

/// Which recurrence a component overrides.
pub fn of(component: &Component, zones: &Zones) -> Option<Instance> {
    original(component, zones).and_then(|when| when.instance())
}

/// RECURRENCE-ID.
pub fn original(component: &Component, zones: &Zones) -> Option<When> {
    component.properties().property(&ICalendarProperty::RecurrenceId).and_then(|entry| When::read(entry, zones))
}

/// Whether this is the series itself, or an event that does not recur.
pub fn is_master(component: &Component) -> bool {
    !component.has(&ICalendarProperty::RecurrenceId)
}

/// Whether a series is told by rules or dates.
pub fn recurs(component: &Component) -> bool {
    component.has(&ICalendarProperty::Rrule) || component.has(&ICalendarProperty::Rdate)
}

/// The override of one recurrence, made from its series.
///
/// # Errors
/// [`Fault`] if the series cannot have such a recurrence.
pub fn override_of(master: &Component, instance: &Instance, zones: &Zones) -> Result<Component, Fault> {
    let (span, start) = at(master, instance, zones)?;
    let mut own = master.clone();
    OF_THE_SERIES.iter().for_each(|property| own.remove(property));
    own.set(&start.entry(ICalendarProperty::RecurrenceId));
    let span = span.starting(start).ok_or_else(beyond)?;
    fields::set_span(&mut own, &span);
    Ok(own)
}

/// Takes one recurrence out of a series.
///
/// # Errors
/// [`Fault`] if the series cannot have such a recurrence.
pub fn exclude(master: &mut Component, instance: &Instance, zones: &Zones) -> Result<(), Fault> {
    let (_, start) = at(master, instance, zones)?;
    master.add(&start.entry(ICalendarProperty::Exdate));
    Ok(())
}

/// The time of the series, and the start of the recurrence in the form of the series.
fn at(master: &Component, instance: &Instance, zones: &Zones) -> Result<(Span, When), Fault> {
    if !recurs(master) {
        return Err(Fault::object("this event does not recur; give its id without what stands behind #"));
    }
    let span = Span::read(&master.properties(), zones).ok_or_else(|| Fault::object("this event has no start"))?;
    let start = match (&span.start, instance) {
        (When::Date(_), Instance::Date(date)) => Some(When::Date(*date)),
        (When::Utc(_), Instance::Utc(at)) => Some(When::Utc(*at)),
        (When::Local(_, zone), Instance::Utc(at)) => zone.local(*at),
        (When::Floating(_), Instance::Floating(at)) => Some(When::Floating(*at)),
        _ => None,
    };
    match start.filter(|start| start.seconds() >= span.start.seconds()) {
        Some(start) => Ok((span, start)),
        None => Err(Fault::object(
            "the series has no such recurrence; take the id from events_find, or the series by the id without what stands behind #",
        )),
    }
}

/// Moves the values of EXDATE, RDATE or RECURRENCE-ID, the other parameters staying.
///
/// # Errors
/// [`Fault::Object`] if one cannot be moved.
pub fn moved_values(
    entry: &ICalendarEntry,
    by: chrono::TimeDelta,
    like: &When,
    zones: &Zones,
) -> Result<ICalendarEntry, Fault> {
    let mut moved = entry.clone();
    for value in &mut moved.values {
        let when = value.as_partial_date_time().and_then(|value| When::of_value(value, entry.tz_id(), zones));
        let when = when.and_then(|when| when.moved(by, like.zone())).ok_or_else(|| {
            Fault::object("this series has dates that cannot be moved with it; change single recurrences instead")
        })?;
        *value = when.value().into();
    }
    // calcard reads VALUE apart from the other parameters and writes it last.
    moved.params.sort_by_key(|ICalendarParameter { name, .. }| *name != ICalendarParameterName::Value);
    Ok(moved)
}

pub fn beyond() -> Fault {
    Fault::argument("start is beyond the calendar")
}
