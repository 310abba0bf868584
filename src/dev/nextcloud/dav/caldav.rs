//! What makes a calendar object, and calendar-query (RFC 4791 §7.8) with its filters and expansion.

use std::collections::BTreeSet;

use super::super::groupware::{Collection, Object};
use super::super::ical::{Component, Line, Occurrence, date, moment, seconds, timestamp};
use super::super::instance::Instance;
use super::DavError;
use super::filter::text_matches;
use super::pim_properties::text;
use super::xml::{CAL, Element};

/// Who rewrote it.
pub(super) const PRODID: &str = "-//Sabre//Sabre VObject 4.5.6//EN";

/// Checks what is to be put into a calendar.
pub(super) fn object(calendar: &Collection, name: &str, data: String) -> Result<Object, DavError> {
    let unsupported = |text: String| DavError::new(415, "Sabre\\DAV\\Exception\\UnsupportedMediaType", text);
    let root = Component::parse(&data).map_err(|fault| {
        unsupported(format!("This resource only supports valid iCalendar 2.0 data. Parse error: {fault}"))
    })?;
    if root.name != "VCALENDAR" {
        return Err(unsupported("This collection can only support iCalendar objects.".into()));
    }
    let invalid = |text: &str| unsupported(format!("Validation error in iCalendar: {text}"));
    let mut happening = root.happening().map(|(_, component)| component);
    let first = happening.next().ok_or_else(|| invalid("An iCalendar object must have at least 1 component."))?;
    if !calendar.components.is_empty() && !calendar.components.contains(&first.name) {
        let allowed = calendar.components.join(", ");
        let text = format!("iCalendar objects must at least have a component of type {allowed}");
        return Err(DavError::new(403, "Sabre\\CalDAV\\Exception\\InvalidComponentType", text));
    }
    let uid = first.value("UID").ok_or_else(|| invalid("UID MUST appear exactly once in a component"))?;
    if happening.any(|other| other.name != first.name || other.value("UID") != Some(uid)) {
        return Err(invalid("A calendar object on a CalDAV server may only have components with the same UID."));
    }
    if first.name == "VEVENT" && first.value("DTSTART").and_then(seconds).is_none() {
        return Err(invalid("DTSTART MUST appear exactly once in a VEVENT component"));
    }
    if calendar.objects.iter().any(|(other, object)| other != name && object.uid == uid) {
        let text = "Calendar object with uid already exists in this calendar collection.";
        return Err(DavError::bad_request(text));
    }
    Ok(Object::new(data.clone(), &first.name, uid))
}

/// Mails an invitation to each attendee of an event that this person organises, and a cancellation to each who is no longer one. What
/// was sent is noted at the attendees (RFC 6638 §7.3), so that what is kept is no longer what was put.
pub(super) fn schedule(instance: &Instance, uid: &str, before: Option<&Object>, after: Object) -> (Object, bool) {
    let was = before.map(|object| invited(instance, uid, &object.data)).unwrap_or_default();
    let now = invited(instance, uid, &after.data);
    was.difference(&now).for_each(|address| instance.outbox().send(uid, address, "cancellation"));
    now.iter().for_each(|address| instance.outbox().send(uid, address, "invitation"));
    let (false, Ok(mut root)) = (now.is_empty(), Component::parse(&after.data)) else { return (after, false) };
    for line in root.components.iter_mut().flat_map(|component| &mut component.lines) {
        if line.name == "ATTENDEE" && now.contains(&address(line)) && line.parameter("SCHEDULE-STATUS").is_none() {
            line.parameters.push_str(";SCHEDULE-STATUS=1.1");
        }
    }
    (Object::new(root.write(), &after.component, &after.uid), true)
}

/// Mails a cancellation to each attendee of an event that this person organised.
pub(super) fn cancel(instance: &Instance, uid: &str, object: &Object) {
    invited(instance, uid, &object.data)
        .iter()
        .for_each(|address| instance.outbox().send(uid, address, "cancellation"));
}

/// Whom this person invites: the attendees of what they organise, but themselves.
fn invited(instance: &Instance, uid: &str, data: &str) -> BTreeSet<String> {
    let Ok(root) = Component::parse(data) else { return BTreeSet::new() };
    let own = instance.accounts().get(uid).map(|account| account.email.to_ascii_lowercase()).unwrap_or_default();
    let organised = root.happening().map(|(_, component)| component);
    let organised = organised.filter(|one| one.line("ORGANIZER").is_some_and(|line| address(line) == own));
    let attendees = organised.flat_map(|one| &one.lines).filter(|line| line.name == "ATTENDEE").map(address);
    attendees.filter(|attendee| *attendee != own).collect()
}

fn address(line: &Line) -> String {
    line.value.to_ascii_lowercase().trim_start_matches("mailto:").to_owned()
}

/// Whether an object is what a `filter` asks for.
pub(super) fn matches(object: &Object, filter: &Element) -> bool {
    let Ok(root) = Component::parse(&object.data) else { return false };
    let occurrences = root.occurrences();
    let filters: Vec<&Element> = filter.children.iter().filter(|child| child.name.is(CAL, "comp-filter")).collect();
    filters.iter().all(|filter| {
        filter.attribute("name").is_some_and(|name| name.eq_ignore_ascii_case(&root.name))
            && inner(&root, &occurrences, filter)
    })
}

/// What stands in a `comp-filter`, about a component that has its name.
fn inner(component: &Component, occurrences: &[Occurrence], filter: &Element) -> bool {
    filter.children.iter().all(|test| match test.name.local.as_str() {
        "comp-filter" => {
            let name = test.attribute("name").unwrap_or_default();
            let mut named =
                component.components.iter().enumerate().filter(|(_, inner)| inner.name.eq_ignore_ascii_case(name));
            if test.child(CAL, "is-not-defined").is_some() {
                return named.next().is_none();
            }
            named.any(|(index, found)| {
                let theirs: Vec<Occurrence> =
                    occurrences.iter().filter(|occurrence| occurrence.component == index).copied().collect();
                inner(found, &theirs, test)
            })
        }
        "prop-filter" => property(component, test),
        "time-range" => in_range(component, occurrences, range(test)),
        _ => true,
    })
}

fn property(component: &Component, filter: &Element) -> bool {
    let name = filter.attribute("name").unwrap_or_default().to_ascii_uppercase();
    let mut lines = component.lines.iter().filter(|line| line.name == name);
    if filter.child(CAL, "is-not-defined").is_some() {
        return lines.next().is_none();
    }
    lines.any(|line| {
        filter.children.iter().all(|test| match test.name.local.as_str() {
            "text-match" => text_matches(test, &line.value),
            "time-range" => {
                let (start, end) = range(test);
                seconds(&line.value).is_some_and(|at| at >= start && at < end)
            }
            "param-filter" => {
                let value = line.parameter(test.attribute("name").unwrap_or_default());
                match test.child(CAL, "text-match") {
                    Some(test) => value.is_some_and(|value| text_matches(test, value)),
                    None => value.is_some() != test.child(CAL, "is-not-defined").is_some(),
                }
            }
            _ => true,
        })
    })
}

/// `start` and `end` of an element; what is missing is open.
fn range(element: &Element) -> (i64, i64) {
    let time = |name: &str| element.attribute(name).and_then(seconds);
    (time("start").unwrap_or(i64::MIN), time("end").unwrap_or(i64::MAX))
}

/// RFC 4791 §9.9. A task without any time is always there.
fn in_range(component: &Component, occurrences: &[Occurrence], (start, end): (i64, i64)) -> bool {
    if occurrences.is_empty() {
        let due = component.value("DUE").or_else(|| component.value("COMPLETED")).and_then(seconds);
        return component.name == "VTODO" && due.is_none_or(|due| due >= start && due < end);
    }
    occurrences.iter().any(|occurrence| overlaps(occurrence, start, end))
}

fn overlaps(occurrence: &Occurrence, start: i64, end: i64) -> bool {
    let instant = occurrence.end <= occurrence.start;
    occurrence.start < end && (occurrence.end > start || (instant && occurrence.start >= start))
}

/// `calendar-data` as the request wants it: as it is, or expanded (RFC 4791 §9.6.5).
pub(super) fn data(object: &Object, asked: &Element) -> String {
    let expand = asked.find(CAL, "calendar-data").and_then(|data| data.child(CAL, "expand"));
    let (Some(expand), Ok(root)) = (expand, Component::parse(&object.data)) else {
        return text(&object.data);
    };
    let (start, end) = range(expand);
    let mut expanded = Component {
        name: "VCALENDAR".into(),
        lines: vec![Line::new("VERSION", "2.0"), Line::new("PRODID", PRODID), Line::new("CALSCALE", "GREGORIAN")],
        components: Vec::new(),
    };
    let occurrences = root.occurrences();
    let hits = occurrences.iter().filter(|occurrence| overlaps(occurrence, start, end));
    expanded.components.extend(hits.filter_map(|hit| Some(instance_of(root.components.get(hit.component)?, hit))));
    text(&expanded.write())
}

/// When events keep their owner busy, in a `VFREEBUSY`.
pub(super) fn busy(objects: &[Object], root: &Element) -> String {
    let (start, end) = root.child(CAL, "time-range").map_or((i64::MIN, i64::MAX), range);
    let mut lines = Vec::new();
    for (name, at) in [("DTSTART", start), ("DTEND", end)] {
        if at != i64::MIN && at != i64::MAX {
            lines.push(Line::new(name, &timestamp(at)));
        }
    }
    let events = objects.iter().filter(|object| object.component == "VEVENT");
    for hit in events.filter_map(|event| Component::parse(&event.data).ok()).flat_map(|event| event.occurrences()) {
        if overlaps(&hit, start, end) {
            lines.push(Line::new("FREEBUSY", &format!("{}/{}", timestamp(hit.start), timestamp(hit.end))));
        }
    }
    let free_busy = Component { name: "VFREEBUSY".into(), lines, components: Vec::new() };
    let lines = vec![Line::new("VERSION", "2.0"), Line::new("PRODID", PRODID)];
    Component { name: "VCALENDAR".into(), lines, components: vec![free_busy] }.write()
}

/// One occurrence as a component of its own, in UTC.
fn instance_of(component: &Component, occurrence: &Occurrence) -> Component {
    const DROPPED: [&str; 5] = ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"];
    let whole_day = component.line("DTSTART").and_then(|line| line.parameter("VALUE")) == Some("DATE");
    let time = |name: &str, at: i64| {
        let parameters = if whole_day { ";VALUE=DATE".to_owned() } else { String::new() };
        Line { name: name.into(), parameters, value: if whole_day { date(at) } else { timestamp(at) } }
    };
    let mut lines: Vec<Line> = component
        .lines
        .iter()
        .filter(|line| !DROPPED.contains(&line.name.as_str()))
        .map(|line| match line.name.as_str() {
            "DTSTART" => time("DTSTART", occurrence.start),
            name @ ("DTEND" | "DUE") => time(name, occurrence.end),
            _ => line.clone(),
        })
        .collect();
    let original = component.line("RECURRENCE-ID").and_then(moment);
    if original.is_some() || component.line("RRULE").is_some() || component.line("RDATE").is_some() {
        lines.push(time("RECURRENCE-ID", original.unwrap_or(occurrence.start)));
    }
    Component { name: component.name.clone(), lines, components: component.components.clone() }
}
