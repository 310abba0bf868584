//! Changing an event that Nextcloud holds: the given fields, and nothing else.

use calcard::icalendar::{ICalendarComponentType, ICalendarEntry, ICalendarProperty};

use super::compose::define_zone;
use super::document::Component;
use super::series::Move;
use super::span::{Span, parse_end};
use super::when::{When, Zone, Zones};
use super::{Fault, Instance, address, fields, instance, rule, text};

/// The fields to change, as they came; an empty text takes a field away, an empty `rrule` ends the recurrence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// What it is called.
    pub title: Option<&'a str>,
    /// Where it moves; it keeps its length unless `end` is given as well.
    pub start: Option<&'a str>,
    /// As a date the last day.
    pub end: Option<&'a str>,
    /// In which zone `start` and `end` are; without it, in the one in which the event is.
    pub timezone: Option<&'a str>,
    /// Where.
    pub location: Option<&'a str>,
    /// What about.
    pub description: Option<&'a str>,
    /// All who are invited from now on.
    pub attendees: Option<&'a [String]>,
    /// RFC 5545 RRULE.
    pub rrule: Option<&'a str>,
}

// === impl Changes ===

impl Changes<'_> {
    fn is_empty(&self) -> bool {
        let texts = [self.title, self.start, self.end, self.timezone, self.location, self.description, self.rrule];
        texts.iter().all(Option::is_none) && self.attendees.is_none()
    }
}

/// Changes an event, a series or, with `instance`, one recurrence of it. `addresses` are those by which Nextcloud knows the user, mail
/// addresses first; only who organises an event may change it. `None` if it is that way already.
///
/// # Errors
/// [`Fault`].
pub fn change(
    object: &[u8],
    instance: Option<&Instance>,
    changes: &Changes<'_>,
    addresses: &[String],
    now: i64,
) -> Result<Option<String>, Fault> {
    if changes.is_empty() {
        return Err(Fault::argument("nothing to change: give at least one field"));
    }
    let (mut calendar, zones) = open(object, "VEVENT", &ICalendarComponentType::VEvent)?;
    let mut own = match instance {
        Some(instance) => recurrence(&calendar, instance, &zones)?,
        None => series(&calendar)?,
    };
    may_change(&own, addresses)?;
    let before = own.clone();
    if instance.is_some() && changes.rrule.is_some() {
        return Err(Fault::argument("rrule belongs to the whole series: give the id without what stands behind #"));
    }
    set_texts(&mut own, changes)?;
    let span = set_times(&mut own, changes, &zones)?;
    set_rule(&mut own, changes, &span.start)?;
    if let Some(attendees) = changes.attendees {
        fields::set_attendees(&mut own, attendees, address::mail(addresses))?;
    }
    if own == before {
        return Ok(None);
    }
    fields::stamp_changed(&mut own, now);
    if instance.is_none() && instance::recurs(&before) {
        follow(&mut calendar, &before, &mut own, &span.start, now, &zones)?;
    }
    replace(&mut calendar, own, instance, &zones);
    let until = span.start.seconds().saturating_add(5 * 366 * 86_400);
    define_zone(&mut calendar, span.start.zone(), span.start.seconds(), until);
    calendar.write().map(Some)
}

/// Takes one recurrence out of a series.
///
/// # Errors
/// [`Fault`].
pub fn without_instance(object: &[u8], instance: &Instance, now: i64) -> Result<String, Fault> {
    let (mut calendar, zones) = open(object, "VEVENT", &ICalendarComponentType::VEvent)?;
    let is_it = |component: &Component| {
        component.name() == "VEVENT" && instance::of(component, &zones).as_ref() == Some(instance)
    };
    let mut found = false;
    for master in calendar.inside_mut("VEVENT").filter(|component| instance::is_master(component)) {
        instance::exclude(master, instance, &zones)?;
        fields::stamp_changed(master, now);
        found = true;
    }
    if !found {
        // Only single recurrences of a foreign series are here.
        return Err(Fault::object(
            "this is all that is here of the event: delete it by its id without what stands behind #",
        ));
    }
    calendar.retain_inside(|component| !is_it(component));
    calendar.write()
}

/// Reads an object twice, as lines and by `calcard`: where they do not see the same in it, it is not changed.
pub(super) fn open(object: &[u8], name: &str, kind: &ICalendarComponentType) -> Result<(Component, Zones), Fault> {
    let calendar = Component::parse(object)?;
    let read = calendar.read_all();
    let seen = read.components.iter().filter(|component| component.component_type == *kind).count();
    if seen == 0 || seen != calendar.inside(name).count() {
        return Err(Fault::object(format!("there is no {name} under this id, or none that can be changed safely")));
    }
    Ok((calendar, Zones::of(&read)))
}

fn series(calendar: &Component) -> Result<Component, Fault> {
    calendar.inside("VEVENT").find(|component| instance::is_master(component)).cloned().ok_or_else(|| {
        Fault::object("only single recurrences of this series are here; take the id of one from events_find")
    })
}

fn recurrence(calendar: &Component, wanted: &Instance, zones: &Zones) -> Result<Component, Fault> {
    let changed = calendar.inside("VEVENT").find(|component| instance::of(component, zones).as_ref() == Some(wanted));
    match changed {
        Some(changed) => Ok(changed.clone()),
        None => instance::override_of(&series(calendar)?, wanted, zones),
    }
}

/// Puts the component where it was taken from; a newly changed recurrence goes behind the others.
fn replace(calendar: &mut Component, own: Component, wanted: Option<&Instance>, zones: &Zones) {
    let is_it = |component: &Component| match wanted {
        Some(wanted) => instance::of(component, zones).as_ref() == Some(wanted),
        None => instance::is_master(component),
    };
    let mut own = Some(own);
    if let Some(place) = calendar.inside_mut("VEVENT").find(|component| is_it(component))
        && let Some(own) = own.take()
    {
        *place = own;
    }
    if let Some(own) = own {
        calendar.push(own);
    }
}

/// RFC 6638 §3.2.2.1: what an attendee changes would be undone or never reach the others.
fn may_change(component: &Component, addresses: &[String]) -> Result<(), Fault> {
    let read = component.properties();
    match read.property(&ICalendarProperty::Organizer).and_then(address::named) {
        Some(organizer) if !fields::is_user(organizer, addresses) => {
            let shown = address::parse(organizer).unwrap_or_else(|_| "somebody else".to_owned());
            Err(Fault::object(format!("{shown} organises this event, and only they can change it; ask them")))
        }
        Some(_) | None => Ok(()),
    }
}

fn set_texts(own: &mut Component, changes: &Changes<'_>) -> Result<(), Fault> {
    if let Some(title) = changes.title {
        fields::set_text(own, ICalendarProperty::Summary, text::title(title)?);
    }
    if let Some(location) = changes.location {
        fields::set_text(own, ICalendarProperty::Location, text::line("location", location)?);
    }
    if let Some(description) = changes.description {
        fields::set_description(own, text::prose("description", description)?);
    }
    Ok(())
}

/// The new time of the event, or the one it has.
fn set_times(own: &mut Component, changes: &Changes<'_>, zones: &Zones) -> Result<Span, Fault> {
    let old = Span::read(&own.properties(), zones).ok_or_else(|| Fault::object("this event has no start"))?;
    let given = changes.timezone.map(Zone::parse).transpose()?;
    let zone = given.as_ref().or(old.start.zone());
    if changes.start.is_none() && changes.end.is_none() {
        return match given {
            Some(_) => Err(Fault::argument("timezone says how start is meant: give start and end as well")),
            None => Ok(old),
        };
    }
    let start = match changes.start {
        Some(start) => When::parse("start", start, zone)?,
        None => old.start.clone(),
    };
    let span = match changes.end {
        Some(end) => Span { end: parse_end(end, &start, zone)?, start },
        None if start.is_date() != old.start.is_date() => {
            return Err(Fault::argument("give end as well where an all-day event gets a time, or loses it"));
        }
        None => old.starting(start).ok_or_else(instance::beyond)?,
    };
    if span != old {
        fields::set_span(own, &span);
    }
    Ok(span)
}

fn set_rule(own: &mut Component, changes: &Changes<'_>, start: &When) -> Result<(), Fault> {
    let Some(given) = changes.rrule else { return Ok(()) };
    if !given.trim().is_empty() {
        let rule = rule::parse(given, start)?;
        own.set(&ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule));
        return Ok(());
    }
    for property in [ICalendarProperty::Rrule, ICalendarProperty::Rdate, ICalendarProperty::Exdate] {
        own.remove(&property);
    }
    Ok(())
}

/// What names the recurrences of a series follows it.
fn follow(
    calendar: &mut Component,
    before: &Component,
    own: &mut Component,
    start: &When,
    now: i64,
    zones: &Zones,
) -> Result<(), Fault> {
    if !instance::recurs(own) {
        calendar.retain_inside(|component| component.name() != "VEVENT" || instance::is_master(component));
        return Ok(());
    }
    let Some(old) = Span::read(&before.properties(), zones).map(|span| span.start).filter(|old| old != start) else {
        return Ok(());
    };
    let ruled = own.lines(&ICalendarProperty::Rrule).ne(before.lines(&ICalendarProperty::Rrule));
    let way = Move::new(&old, start);
    way.series(own, ruled, zones)?;
    let mut changed = calendar.inside_mut("VEVENT").filter(|component| !instance::is_master(component));
    changed.try_for_each(|component| way.recurrence(component, now, zones))
}
