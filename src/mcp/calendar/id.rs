//! What an event, a task or a calendar is called towards the assistant.
//!
//! A calendar is called as its folder in the calendar home (`personal`), an object as its path from there (`personal/x.ics`), one
//! recurrence of it with its original start behind `#` (RFC 5545 §3.8.4.4): `personal/x.ics#20261201T080000Z`, or `#20261201` where the
//! event is all-day. Ids are taken as strictly as they are given: two segments, no dots alone, nothing that a server reads as another
//! separator; towards Nextcloud each segment is percent-encoded.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Fault;
use crate::mcp::shown;

const LONGEST_SEGMENT: usize = 255;
/// RFC 3986 §2.3: what need not be encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A calendar or task list of the caller's home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarId(String);

/// One object of a calendar, or one recurrence of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    calendar: CalendarId,
    name: String,
    instance: Option<Instance>,
}

/// Which recurrence, by its original start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instance {
    /// Of an all-day event.
    Date(NaiveDate),
    /// Of an event with a time.
    Utc(DateTime<Utc>),
    /// Of an event whose time is the same on every clock.
    Floating(NaiveDateTime),
}

// === impl CalendarId ===

impl CalendarId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`Fault::Argument`].
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if is_segment(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::argument("this is no id of a calendar or task list; calendars_list names them"))
    }

    /// Of the `href` of a collection in a home, whose segments are `home`.
    #[must_use]
    pub fn of_href(href: &str, home: &[&str]) -> Option<Self> {
        match inside(href, home)?.as_slice() {
            [calendar] => Self::parse(calendar).ok(),
            _ => None,
        }
    }

    /// As a path segment, percent-encoded.
    #[must_use]
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.0, SEGMENT).to_string()
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CalendarId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

// === impl ObjectId ===

impl ObjectId {
    /// A new object of a calendar, under its UID.
    #[must_use]
    pub fn of_uid(calendar: CalendarId, uid: &str) -> Self {
        Self { calendar, name: format!("{uid}.ics"), instance: None }
    }

    /// Reads an id, with or without the `event:` or `task:` that stands before it in the answers of `search`.
    ///
    /// # Errors
    /// [`Fault::Argument`].
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let plain = text.strip_prefix("event:").or_else(|| text.strip_prefix("task:")).unwrap_or(text);
        Self::read(plain).ok_or_else(|| {
            Fault::argument(
                "this is no id of an event or task; take it as it stands in the answer of events_find or tasks_find",
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (path, instance) = match text.rsplit_once('#') {
            Some((path, instance)) => (path, Some(Instance::parse(instance)?)),
            None => (text, None),
        };
        let (calendar, name) = path.split_once('/')?;
        is_segment(name).then_some(())?;
        Some(Self { calendar: CalendarId::parse(calendar).ok()?, name: name.to_owned(), instance })
    }

    /// Of the `href` of an object in a home, whose segments are `home`. An object whose name is no segment cannot be named.
    #[must_use]
    pub fn of_href(href: &str, home: &[&str]) -> Option<Self> {
        match inside(href, home)?.as_slice() {
            [calendar, name] if is_segment(name) => {
                Some(Self { calendar: CalendarId::parse(calendar).ok()?, name: name.clone(), instance: None })
            }
            _ => None,
        }
    }

    /// The same object, or another recurrence of it.
    #[must_use]
    pub fn with_instance(&self, instance: Option<Instance>) -> Self {
        Self { instance, ..self.clone() }
    }

    /// Its calendar.
    #[must_use]
    pub fn calendar(&self) -> &CalendarId {
        &self.calendar
    }

    /// Which recurrence is meant, if one is.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        self.instance.as_ref()
    }

    /// The name of its resource.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path from the calendar home, percent-encoded.
    #[must_use]
    pub fn encoded(&self) -> String {
        format!("{}/{}", self.calendar.encoded(), utf8_percent_encode(&self.name, SEGMENT))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.calendar, self.name)?;
        self.instance.map_or(Ok(()), |instance| write!(formatter, "#{instance}"))
    }
}

// === impl Instance ===

impl Instance {
    /// Reads what stands behind `#`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, 'T' | 'Z'));
        if !digits(text) {
            return None;
        }
        match text.len() {
            8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Self::Date),
            15 => NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().map(Self::Floating),
            16 => NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|at| Self::Utc(at.and_utc())),
            _ => None,
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(formatter, "{}", date.format("%Y%m%d")),
            Self::Utc(at) => write!(formatter, "{}", at.format("%Y%m%dT%H%M%SZ")),
            Self::Floating(at) => write!(formatter, "{}", at.format("%Y%m%dT%H%M%S")),
        }
    }
}

/// Whether Nextcloud and everything before it can read this as one name only.
fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_SEGMENT
        && text != "."
        && text != ".."
        && !text.chars().any(|letter| matches!(letter, '/' | '\\' | '%' | '#' | '?' | ';'))
        // An id is passed on as it is shown.
        && shown::path(text) == text
}

/// The decoded segments of an `href` behind those of the home. Servers encode them each in their own way (RFC 3986 §2.1).
fn inside(href: &str, home: &[&str]) -> Option<Vec<String>> {
    let path = href.strip_prefix('/')?;
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(|text| text.into_owned());
    let all: Vec<String> = path.strip_suffix('/').unwrap_or(path).split('/').map(decoded).collect::<Option<_>>()?;
    let (start, rest) = all.split_at_checked(home.len())?;
    start.iter().eq(home.iter()).then(|| rest.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_search_gave_is_one() {
        let plain = ObjectId::parse("personal/x.ics").unwrap();
        for found in ["event:personal/x.ics", "task:personal/x.ics"] {
            assert_eq!(ObjectId::parse(found).unwrap(), plain);
        }
        assert_ne!(ObjectId::parse("event:task:personal/x.ics").ok(), Some(plain), "one prefix, once");
        assert!(ObjectId::parse("event:").is_err());
    }

    #[test]
    fn an_id_reads_as_it_is_written() {
        for text in [
            "personal/x.ics",
            "personal/x.ics#20261201T080000Z",
            "personal/x.ics#20261201",
            "personal/x.ics#20261201T080000",
            "a b/ü&=@.ics",
        ] {
            assert_eq!(ObjectId::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_id_cannot_lead_out_of_the_calendar() {
        for text in [
            "",
            "x.ics",
            "personal/",
            "/x.ics",
            "../x.ics",
            "personal/..",
            "personal/.",
            "./x.ics",
            "personal/../x.ics",
            "personal/a/b.ics",
            "personal//x.ics",
            "personal/x%2fy.ics",
            "personal/%2e%2e",
            "personal/a\\x.ics",
            "personal/x.ics\0",
            "personal/x\r\n.ics",
            "personal/x\u{202e}sci.ics",
            "personal/x.ics?y",
            "personal/x;y.ics",
            "personal/x.ics#",
            "personal/x.ics#today",
            "personal/x.ics#20261301",
            "personal/x.ics#20261201T080000Z#20261201",
            "personal/x.ics#+2261201",
        ] {
            assert!(ObjectId::parse(text).is_err(), "{text:?}");
        }
        assert!(ObjectId::parse(&format!("personal/{}", "x".repeat(256))).is_err());
    }

    #[test]
    fn towards_nextcloud_an_id_is_encoded() {
        let id = ObjectId::parse("a b/ü&x.ics#20261201").unwrap();
        assert_eq!(id.encoded(), "a%20b/%C3%BC%26x.ics");
    }

    #[test]
    fn an_href_becomes_an_id_only_inside_the_home() {
        let home = ["remote.php", "dav", "calendars", "alice"];
        let of = |href: &str| ObjectId::of_href(href, &home).map(|id| id.to_string());
        assert_eq!(of("/remote.php/dav/calendars/%61lice/personal/x.ics").as_deref(), Some("personal/x.ics"));
        assert_eq!(of("/remote.php/dav/calendars/alice/a%20b/x.ics").as_deref(), Some("a b/x.ics"));
        for href in [
            "/remote.php/dav/calendars/bob/a/x.ics",
            "/remote.php/dav/calendars/alice/a/",
            "/remote.php/dav/calendars/alice/a/b/c.ics",
            "/remote.php/dav/calendars/alice/a/%2e%2e",
            "/remote.php/dav/calendars/alice/a/x%2fy.ics",
            "/remote.php/dav/calendars/alice/a/%ff.ics",
            "/remote.php/dav/calendars/alice/a%2fx.ics",
            "/remote.php/dav/calendars/alice%2fa/x.ics",
            "remote.php/dav/calendars/alice/a/x.ics",
            "",
        ] {
            assert_eq!(of(href), None, "{href}");
        }
        let of = |href: &str| CalendarId::of_href(href, &home).map(|id| id.to_string());
        assert_eq!(of("/remote.php/dav/calendars/alice/personal/").as_deref(), Some("personal"));
        assert_eq!(of("/remote.php/dav/calendars/alice/"), None);
    }
}
