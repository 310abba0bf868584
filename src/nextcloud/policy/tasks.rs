//! The tasks door: a request that a tool of ours wrote may pass with `tasks.*` where `calendar.*` would be needed, and is held to tasks.
//!
//! Whoever may write any calendar object may write an event that invites somebody (nextcloud.md §4), so no plain route is opened by
//! `tasks.*`. This door is for our own requests, and does not trust them: a fault in a tool must not open what it was not granted. What
//! passes is named; everything else is refused, in every mode of enforcement, for no scope is missing.
//!
//! | request | on | body |
//! |---|---|---|
//! | PROPFIND, `Depth` 0 or 1 | the home, or a calendar | `prop` that asks for no object and for no etag (`query`) |
//! | REPORT | a calendar | a `calendar-query` for nothing but VTODO (`query`) |
//! | PUT, either `If-None-Match: *` or one etag in `If-Match` | an object in a calendar | a VCALENDAR of nothing but VTODO (`object`) |
//!
//! That a write replaces a task and no event is what the etag is for: of an event none can be learnt through this door.

mod object;
mod query;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Access, Needs, Policy, Refusal, Row};
use crate::nextcloud::dav_body::AmbiguousBody;
use crate::nextcloud::family::Family;
use crate::nextcloud::route::{Owner, Route};

/// What is in a home beside calendars: the scheduling boxes, the bin of deleted objects, what others offer to share.
const BOXES: &[&str] = &["inbox", "outbox", "trashbin", "notifications"];
/// Other paths, conditions or parts of a body: none of our tools needs one.
const FOREIGN_HEADERS: &[&str] = &["destination", "if", "content-range"];
const DEPTH: HeaderName = HeaderName::from_static("depth");

/// A request that may pass the door, but for its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// PROPFIND.
    Properties,
    /// REPORT.
    Query,
    /// PUT.
    Object,
}

// === impl Door ===

impl Door {
    /// What a request does by its head. Its body is still to be held to it, by [`Door::judge`].
    ///
    /// # Errors
    /// [`Refusal::NotTasks`].
    pub fn of(route: &Route<'_>, method: &Method, query: Option<&str>, headers: &HeaderMap) -> Result<Self, Refusal> {
        let plain = query.is_none() && !FOREIGN_HEADERS.iter().any(|name| headers.contains_key(*name));
        let door = match (method.as_str(), place(route)) {
            ("PROPFIND", Some(Place::Home | Place::Calendar)) if is_shallow(headers) => Self::Properties,
            ("REPORT", Some(Place::Calendar)) if is_shallow(headers) => Self::Query,
            ("PUT", Some(Place::Object)) if is_conditional(headers) => Self::Object,
            _ => return Err(Refusal::NotTasks),
        };
        if plain { Ok(door) } else { Err(Refusal::NotTasks) }
    }

    /// Holds the body to what the request does.
    ///
    /// # Errors
    /// [`AmbiguousBody`] if it has more than one reading; within, [`Refusal::NotTasks`].
    pub fn judge(self, body: &[u8]) -> Result<Result<(), Refusal>, AmbiguousBody> {
        let passes = match self {
            Self::Properties => query::is_properties(body)?,
            Self::Query => query::is_for_tasks(body)?,
            Self::Object => object::is_task(body)?,
        };
        Ok(if passes { Ok(()) } else { Err(Refusal::NotTasks) })
    }

    fn access(self) -> Access {
        match self {
            Self::Properties | Self::Query => Access::Read,
            Self::Object => Access::Write,
        }
    }
}

impl Policy {
    /// What a request through the door needs in the place of what its family needs.
    ///
    /// # Errors
    /// [`Refusal::NotOpened`], if this deployment has no row for tasks.
    pub fn tasks(&self, door: Door) -> Result<Needs, Refusal> {
        self.table.needs(Row::Tasks, door.access()).ok_or(Refusal::NotOpened)
    }
}

enum Place {
    Home,
    Calendar,
    Object,
}

/// What the path names, if it is somebody's and no box.
fn place(route: &Route<'_>) -> Option<Place> {
    if route.family() != Family::Calendars || !matches!(route.owner(), Some(Owner::Named(_))) {
        return None;
    }
    let mut parts = route.path_in_family().split('/');
    let calendar = parts.next().unwrap_or_default();
    if BOXES.iter().any(|own| own.eq_ignore_ascii_case(calendar)) {
        return None;
    }
    match (parts.next(), parts.next()) {
        (None, _) if calendar.is_empty() => Some(Place::Home),
        (None, _) => Some(Place::Calendar),
        (Some(_), None) => Some(Place::Object),
        (Some(_), Some(_)) => None,
    }
}

/// One `Depth`, 0 or 1. Said aloud: sabre goes by another one for each method where nothing is said.
fn is_shallow(headers: &HeaderMap) -> bool {
    matches!(only(headers, &DEPTH), Some(b"0" | b"1"))
}

/// A new object, or a change of the one that was read; never whatever is there.
fn is_conditional(headers: &HeaderMap) -> bool {
    match (headers.contains_key(IF_MATCH), headers.contains_key(IF_NONE_MATCH)) {
        (true, false) => only(headers, &IF_MATCH).is_some_and(is_one_etag),
        (false, true) => only(headers, &IF_NONE_MATCH) == Some(b"*"),
        _ => false,
    }
}

fn is_one_etag(value: &[u8]) -> bool {
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside.is_some_and(|tag| !tag.is_empty() && !tag.iter().any(|byte| matches!(byte, b'"' | b',' | b'*')))
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests;
