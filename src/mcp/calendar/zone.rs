//! Time zones: by their IANA name, as a caller gives it, and as an object defines them (RFC 5545 §3.6.5).

use std::str::FromStr;

use calcard::common::timezone::Tz;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};

use super::Fault;
use super::document::Component;
use super::when::When;

/// A VTIMEZONE tells of at most this many years, and its last rules go on for ever.
const MOST_YEARS: i64 = 20;
const YEAR: i64 = 366 * 86_400;

/// A zone under the name that an object gives it.
#[derive(Debug, Clone)]
pub struct Zone {
    id: String,
    /// None if nobody knows what the name means.
    tz: Option<Tz>,
}

/// The zones that an object defines, and all of IANA's.
pub struct Zones(TzResolver<String>);

// === impl Zone ===

impl Zone {
    /// Reads the argument `timezone`.
    ///
    /// # Errors
    /// [`Fault::Argument`].
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let known = (text.len() <= 64).then(|| Tz::from_str(text).ok()).flatten();
        match known {
            Some(tz @ Tz::Tz(iana)) => Ok(Self { id: iana.name().to_owned(), tz: Some(tz) }),
            Some(Tz::Fixed(_) | Tz::Floating) | None => {
                Err(Fault::argument("timezone: this is no IANA zone; give one such as Europe/Berlin or UTC"))
            }
        }
    }

    /// Its name, the TZID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the name means, if anybody knows.
    #[must_use]
    pub fn tz(&self) -> Option<Tz> {
        self.tz
    }

    /// The moment at which the clocks there show `local`, the first of two; the one after the gap where they leap over it.
    #[must_use]
    pub fn at(&self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        let tz = self.tz?;
        let after_gap = || tz.from_local_datetime(&local.checked_add_signed(TimeDelta::hours(1))?).earliest();
        tz.from_local_datetime(&local).earliest().or_else(after_gap)
    }

    /// What the clocks there show.
    #[must_use]
    pub fn local(&self, at: DateTime<Utc>) -> Option<When> {
        let tz = self.tz?;
        Some(if tz.is_utc() { When::Utc(at) } else { When::Local(at.with_timezone(&tz).naive_local(), self.clone()) })
    }

    /// Its VTIMEZONE, for an event that starts at `from` and may go on until `until`. `calcard` makes it from IANA's data; none where
    /// the zone is unknown.
    #[must_use]
    pub fn component(&self, from: i64, until: i64) -> Option<Component> {
        let from = from.saturating_sub(YEAR);
        let until = until.clamp(from.saturating_add(3 * YEAR), from.saturating_add(MOST_YEARS * YEAR));
        let mut calendar = ICalendar { components: vec![ICalendarComponent::new(ICalendarComponentType::VCalendar)] };
        calendar.add_timezone(&self.id, from, until)?;
        let whole = Component::parse(calendar.to_string().as_bytes()).ok()?;
        whole.inside("VTIMEZONE").next().cloned()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Zone {}

// === impl Zones ===

impl Zones {
    /// Those of an object.
    #[must_use]
    pub fn of(calendar: &ICalendar) -> Self {
        Self(calendar.build_owned_tz_resolver())
    }

    /// The zone of a TZID.
    #[must_use]
    pub fn find(&self, id: &str) -> Zone {
        Zone { id: id.to_owned(), tz: self.0.resolve(id) }
    }
}
