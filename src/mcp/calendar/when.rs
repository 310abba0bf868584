//! When something is: a date, or a time in one of the three forms of RFC 5545 §3.3.5, and how the tools write it (RFC 3339).

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarEntry, ICalendarParameter, ICalendarProperty, ICalendarValue, ICalendarValueType};
use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta, TimeZone, Timelike, Utc,
};

use super::Fault;
use super::id::Instance;
pub use super::zone::{Zone, Zones};

/// A point in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A whole day.
    Date(NaiveDate),
    /// UTC.
    Utc(DateTime<Utc>),
    /// Local time with a zone.
    Local(NaiveDateTime, Zone),
    /// Local time, wherever one is.
    Floating(NaiveDateTime),
}

// === impl When ===

impl When {
    /// Reads an argument: a date; RFC 3339 with its offset, which becomes local time of `zone` if there is one and UTC otherwise; or
    /// local time of `zone` without an offset.
    ///
    /// # Errors
    /// [`Fault::Argument`] naming the argument.
    pub fn parse(name: &str, text: &str, zone: Option<&Zone>) -> Result<Self, Fault> {
        let text = text.trim();
        let when = Self::parse_form(name, text, zone)?;
        match when.naive().year() {
            1900..=2200 => Ok(when),
            _ => Err(Fault::argument(format!("{name}: the year has to be within 1900 and 2200"))),
        }
    }

    fn parse_form(name: &str, text: &str, zone: Option<&Zone>) -> Result<Self, Fault> {
        let naive = || {
            ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        };
        if text.len() == 10
            && let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        {
            return Ok(Self::Date(date));
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            let at = at.with_timezone(&Utc).with_nanosecond(0).unwrap_or_default();
            return Ok(zone.and_then(|zone| zone.local(at)).unwrap_or(Self::Utc(at)));
        }
        match (naive(), zone) {
            (Some(at), Some(zone)) => Self::of_zone(at, zone).ok_or_else(|| {
                Fault::argument(format!(
                    "{name}: {text} does not exist in {}, for the clock is set forward then",
                    zone.id()
                ))
            }),
            (Some(_), None) => {
                Err(Fault::argument(format!("{name}: give the offset as well, such as {text}Z, or a timezone")))
            }
            (None, _) => Err(Fault::argument(format!(
                "{name} is neither RFC 3339, such as 2026-11-24T09:00:00+01:00, nor a date, such as 2026-11-24"
            ))),
        }
    }

    /// Local time of a zone; none where the clock leaps over it.
    fn of_zone(at: NaiveDateTime, zone: &Zone) -> Option<Self> {
        match zone.tz() {
            Some(tz) if tz.is_utc() => Some(Self::Utc(at.and_utc())),
            // Of two, RFC 5545 §3.3.5 means the first.
            Some(tz) => tz.from_local_datetime(&at).earliest().map(|_| Self::Local(at, zone.clone())),
            None => Some(Self::Local(at, zone.clone())),
        }
    }

    /// Reads the first value of a property.
    #[must_use]
    pub fn read(entry: &ICalendarEntry, zones: &Zones) -> Option<Self> {
        let value = entry.values.first().and_then(ICalendarValue::as_partial_date_time)?;
        Self::of_value(value, entry.tz_id(), zones)
    }

    /// One value of a property with the `TZID` of that property.
    #[must_use]
    pub fn of_value(value: &PartialDateTime, tz_id: Option<&str>, zones: &Zones) -> Option<Self> {
        let read = value.to_date_time()?;
        if !value.has_time() {
            return Some(Self::Date(read.date_time.date()));
        }
        Some(match (read.offset, tz_id) {
            (Some(offset), _) => Self::Utc((read.date_time - offset).and_utc()),
            (None, Some(id)) => Self::Local(read.date_time, zones.find(id)),
            (None, None) => Self::Floating(read.date_time),
        })
    }

    /// As a property of an object.
    #[must_use]
    pub fn entry(&self, property: ICalendarProperty) -> ICalendarEntry {
        let entry = ICalendarEntry::new(property).with_value(self.value());
        match self {
            Self::Date(_) => entry.with_param(ICalendarParameter::value(ICalendarValueType::Date)),
            Self::Local(_, zone) => entry.with_param(ICalendarParameter::tzid(zone.id().to_owned())),
            Self::Utc(_) | Self::Floating(_) => entry,
        }
    }

    /// As a value, without its zone.
    #[must_use]
    pub fn value(&self) -> PartialDateTime {
        match self {
            Self::Date(date) => {
                PartialDateTime::from_date_timestamp(date.and_time(NaiveTime::MIN).and_utc().timestamp())
            }
            Self::Utc(at) => PartialDateTime::from_utc_timestamp(at.timestamp()),
            Self::Local(at, _) | Self::Floating(at) => PartialDateTime::from_naive_timestamp(at.and_utc().timestamp()),
        }
    }

    /// RFC 3339 with the offset of its zone at that time; a date; a time without an offset where there is none.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        match self {
            Self::Date(date) => date.format("%Y-%m-%d").to_string(),
            Self::Utc(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::Floating(at) => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            Self::Local(at, zone) => match zone.at(*at) {
                Some(at) => {
                    let offset = at.offset().fix();
                    at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, true)
                }
                None => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            },
        }
    }

    /// Seconds since 1970; a date is its midnight in UTC, and so is what has no zone.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        match self {
            Self::Utc(at) => at.timestamp(),
            Self::Local(at, zone) => zone.at(*at).map_or(at.and_utc().timestamp(), |at| at.timestamp()),
            Self::Date(_) | Self::Floating(_) => self.naive().and_utc().timestamp(),
        }
    }

    /// As a recurrence is called; none where the zone is unknown.
    #[must_use]
    pub fn instance(&self) -> Option<Instance> {
        match self {
            Self::Date(date) => Some(Instance::Date(*date)),
            Self::Utc(at) => Some(Instance::Utc(*at)),
            Self::Local(at, zone) => zone.at(*at).map(|at| Instance::Utc(at.with_timezone(&Utc))),
            Self::Floating(at) => Some(Instance::Floating(*at)),
        }
    }

    /// What the clock on the wall shows, where it is.
    #[must_use]
    pub fn naive(&self) -> NaiveDateTime {
        match self {
            Self::Date(date) => date.and_time(NaiveTime::MIN),
            Self::Utc(at) => at.naive_utc(),
            Self::Local(at, _) | Self::Floating(at) => *at,
        }
    }

    /// Its zone.
    #[must_use]
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Local(_, zone) => Some(zone),
            Self::Date(_) | Self::Utc(_) | Self::Floating(_) => None,
        }
    }

    /// Whether it is a whole day.
    #[must_use]
    pub fn is_date(&self) -> bool {
        matches!(self, Self::Date(_))
    }

    /// Whether both are of one form, so that one can be moved to the other by the clock on the wall.
    #[must_use]
    pub fn same_form(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(_, one), Self::Local(_, other)) => one.id() == other.id(),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// Moved by the clock on the wall of `zone`, or its own; `None` beyond the calendar, and where that clock leaps over it.
    #[must_use]
    pub fn moved(&self, by: TimeDelta, zone: Option<&Zone>) -> Option<Self> {
        match self {
            Self::Date(date) => date.checked_add_signed(TimeDelta::days(by.num_days())).map(Self::Date),
            Self::Floating(at) => at.checked_add_signed(by).map(Self::Floating),
            Self::Local(at, own) => Self::of_zone(at.checked_add_signed(by)?, own),
            Self::Utc(at) => {
                let Some(zone) = zone.filter(|zone| zone.tz().is_some()) else {
                    return at.checked_add_signed(by).map(Self::Utc);
                };
                let moved = zone.local(*at)?.naive().checked_add_signed(by)?;
                zone.at(moved).map(|at| Self::Utc(at.with_timezone(&Utc)))
            }
        }
    }

    /// Later by real time, not by the clock on the wall: an hour stays an hour over a change of clocks.
    #[must_use]
    pub fn later(&self, by: TimeDelta) -> Option<Self> {
        match self {
            Self::Local(at, zone) if zone.tz().is_some() => {
                let end = zone.at(*at)?.checked_add_signed(by)?.with_timezone(&Utc);
                zone.local(end)
            }
            _ => self.moved(by, None),
        }
    }

    /// The same moment in another form: that of `like`. A date stays a date.
    #[must_use]
    pub fn like(&self, like: &Self) -> Self {
        match (self, like) {
            (Self::Utc(at), Self::Local(_, zone)) => zone.local(*at).unwrap_or_else(|| self.clone()),
            _ => self.clone(),
        }
    }
}

/// A moment as a property in UTC: DTSTAMP and its kind.
#[must_use]
pub fn stamp(property: ICalendarProperty, seconds: i64) -> ICalendarEntry {
    ICalendarEntry::new(property).with_value(PartialDateTime::from_utc_timestamp(seconds))
}
