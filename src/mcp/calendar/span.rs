//! From when until when: DTSTART with DTEND or DURATION (RFC 5545 §3.6.1).

use calcard::icalendar::{ICalendarComponent, ICalendarProperty, ICalendarValue};
use chrono::TimeDelta;

use super::Fault;
use super::when::{When, Zone, Zones};

/// The time of an event. Its end is exclusive, as in the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub start: When,
    pub end: Option<When>,
}

// === impl Span ===

impl Span {
    /// Reads it from an event; none without a start.
    pub fn read(component: &ICalendarComponent, zones: &Zones) -> Option<Self> {
        let start = component.property(&ICalendarProperty::Dtstart).and_then(|entry| When::read(entry, zones))?;
        let given = component.property(&ICalendarProperty::Dtend).and_then(|entry| When::read(entry, zones));
        let duration = component.property(&ICalendarProperty::Duration).and_then(|entry| match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => duration.to_time_delta(),
            _ => None,
        });
        let end = given.or_else(|| duration.and_then(|duration| start.later(duration)));
        Some(Self { start, end })
    }

    /// Reads the arguments `start` and `end`. Where they are dates, `end` is the last day.
    ///
    /// # Errors
    /// [`Fault::Argument`].
    pub fn parse(start: &str, end: &str, zone: Option<&Zone>) -> Result<Self, Fault> {
        let start = When::parse("start", start, zone)?;
        let end = parse_end(end, &start, zone)?;
        Ok(Self { start, end })
    }

    /// How long it is: in days where these are dates.
    pub fn length(&self) -> TimeDelta {
        let end = self.end.as_ref().map(When::seconds);
        let whole = TimeDelta::days(i64::from(self.start.is_date()));
        end.and_then(|end| TimeDelta::try_seconds(end.saturating_sub(self.start.seconds()))).unwrap_or(whole)
    }

    /// The same length from another start.
    pub fn starting(&self, start: When) -> Option<Self> {
        let end = match self.end {
            Some(_) => Some(start.later(self.length())?),
            None => None,
        };
        Some(Self { start, end })
    }

    /// The end as the tools show it: the last day, or a time.
    pub fn shown_end(&self) -> String {
        match (&self.start, &self.end) {
            (start @ When::Date(_), Some(end @ When::Date(_))) => {
                let last = end.moved(TimeDelta::days(-1), None).filter(|last| last.seconds() > start.seconds());
                last.as_ref().unwrap_or(start).rfc3339()
            }
            (_, Some(end)) => end.rfc3339(),
            (start, None) => start.rfc3339(),
        }
    }
}

/// Reads `end`. It is exclusive then, and none where it is the start.
pub fn parse_end(text: &str, start: &When, zone: Option<&Zone>) -> Result<Option<When>, Fault> {
    let end = When::parse("end", text, zone)?;
    if end.is_date() != start.is_date() {
        return Err(Fault::argument("start and end: give two dates for an all-day event, or two times"));
    }
    if end.seconds() < start.seconds() {
        return Err(Fault::argument("end is before start; for an all-day event it is the last day"));
    }
    if end.is_date() {
        return Ok(end.moved(TimeDelta::days(1), None));
    }
    Ok((end.seconds() > start.seconds()).then_some(end))
}
