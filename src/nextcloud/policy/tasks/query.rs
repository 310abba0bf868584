//! The XML of a PROPFIND or a `calendar-query` (RFC 4791 §7.8), held to a grammar by resolved names: sabre steps over an element of another
//! namespace, and a filter that it steps over finds everything.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::nextcloud::dav_body::{self, AmbiguousBody};

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";

/// Of an object its text, and what one could overwrite it with.
const OF_OBJECTS: &[&str] = &["calendar-data", "getetag"];

/// Where in the grammar an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `propfind`.
    Properties,
    /// `calendar-query`.
    Query,
    /// `prop` of a `propfind`.
    AskedOfCollections,
    /// `prop` of a `calendar-query`.
    AskedOfTasks,
    /// The name of a property; nothing is in it, so that the objects which were found come as they are.
    Property,
    /// `filter`.
    Filter,
    /// `comp-filter` for VCALENDAR.
    Calendar,
    /// `comp-filter` for VTODO.
    Task,
    /// A condition on tasks.
    Condition,
}

/// Whether it asks by name for properties of collections, and for none of their objects.
///
/// # Errors
/// [`AmbiguousBody`].
pub(super) fn is_properties(body: &[u8]) -> Result<bool, AmbiguousBody> {
    let places = places(body)?;
    Ok(places.is_some_and(|places| count(&places, Place::AskedOfCollections) == 1))
}

/// Whether its filter finds tasks alone: one `filter`, in it VCALENDAR alone, in that VTODO alone.
///
/// # Errors
/// [`AmbiguousBody`].
pub(super) fn is_for_tasks(body: &[u8]) -> Result<bool, AmbiguousBody> {
    let places = places(body)?;
    Ok(places.is_some_and(|places| {
        let each_once = [Place::Filter, Place::Calendar, Place::Task].iter().all(|place| count(&places, *place) == 1);
        each_once && count(&places, Place::AskedOfTasks) <= 1
    }))
}

fn count(places: &[Place], wanted: Place) -> usize {
    places.iter().filter(|place| **place == wanted).count()
}

/// The place of each element; nothing if one has none.
fn places(body: &[u8]) -> Result<Option<Vec<Place>>, AmbiguousBody> {
    // Whatever libxml could read otherwise ends here, and what is too deep or too much.
    if !dav_body::read(body)?.hrefs.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?;
    let mut reader = NsReader::from_str(text);
    let (mut open, mut found) = (Vec::new(), Vec::new());
    loop {
        let (space, event) = reader.read_resolved_event().map_err(|_| AmbiguousBody::Malformed)?;
        let (start, closes) = match &event {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => return Ok(Some(found)),
            _ => continue,
        };
        let ResolveResult::Bound(space) = space else { return Ok(None) };
        let Some(place) = place(open.last().copied(), space.as_ref(), start) else { return Ok(None) };
        found.push(place);
        if !closes {
            open.push(place);
        }
    }
}

fn place(within: Option<Place>, space: &str, start: &BytesStart<'_>) -> Option<Place> {
    let name = start.local_name();
    match (within, space, name.as_ref()) {
        (None, DAV, "propfind") => Some(Place::Properties),
        (None, CALDAV, "calendar-query") => Some(Place::Query),
        (Some(Place::Properties), DAV, "prop") => Some(Place::AskedOfCollections),
        (Some(Place::AskedOfCollections), _, name) if !OF_OBJECTS.contains(&name) => Some(Place::Property),
        (Some(Place::Query), DAV, "prop") => Some(Place::AskedOfTasks),
        (Some(Place::AskedOfTasks), ..) => Some(Place::Property),
        (Some(Place::Query), CALDAV, "filter") => Some(Place::Filter),
        (Some(Place::Filter), CALDAV, "comp-filter") if is_called(start, "VCALENDAR") => Some(Place::Calendar),
        (Some(Place::Calendar), CALDAV, "comp-filter") if is_called(start, "VTODO") => Some(Place::Task),
        // Not `is-not-defined`, which here means the objects without a task.
        (Some(Place::Task), CALDAV, "prop-filter" | "time-range") => Some(Place::Condition),
        (Some(Place::Condition), CALDAV, "is-not-defined" | "text-match" | "time-range" | "param-filter") => {
            Some(Place::Condition)
        }
        _ => None,
    }
}

/// Whether its one attribute, beside namespaces, is this name.
fn is_called(start: &BytesStart<'_>, wanted: &str) -> bool {
    let mut own =
        start.attributes().filter_map(Result::ok).filter(|attribute| attribute.key.as_namespace_binding().is_none());
    let (Some(attribute), None) = (own.next(), own.next()) else { return false };
    attribute.key.as_ref() == "name"
        && attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).is_ok_and(|value| value == wanted)
}
