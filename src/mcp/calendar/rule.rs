//! Recurrence rules (RFC 5545 §3.3.10) that a caller gives. They are proven by `calcard`, and written as it understood them; none is
//! expanded.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::datecalc::rrule::RRule;
use calcard::icalendar::{ICalendar, ICalendarFrequency, ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue};
use chrono::{NaiveTime, TimeDelta, Utc};

use super::Fault;
use super::when::{When, Zones};

const LONGEST: usize = 400;
/// What a rule may say. RSCALE and SKIP (RFC 7529) are nothing that Nextcloud knows.
const PARTS: &[&str] = &[
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];
/// Parts that name days; those of them that name times of day come first.
const NAMING: (&[&str], &[&str]) =
    (&["BYHOUR", "BYMINUTE", "BYSECOND"], &["BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"]);

/// Reads a rule for an event that starts at `start`. UNTIL is brought into the form that the start demands: a date for an all-day
/// event, else UTC, where a date means all of that day.
///
/// # Errors
/// [`Fault::Argument`] with what is wrong.
pub fn parse(text: &str, start: &When) -> Result<ICalendarRecurrenceRule, Fault> {
    let text = text.trim();
    let text = text.strip_prefix("RRULE:").unwrap_or(text).to_ascii_uppercase();
    let fault =
        |what: &str| Fault::argument(format!("rrule: {what}; give RFC 5545, such as FREQ=WEEKLY;BYDAY=MO;COUNT=10"));
    if text.len() > LONGEST {
        return Err(fault("it is too long"));
    }
    let parts = split(&text).ok_or_else(|| fault("each part is NAME=VALUE, once"))?;
    if let Some((name, _)) = parts.iter().find(|(name, _)| !PARTS.contains(&name.as_str())) {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        return Err(fault(&format!("{name} is not known")));
    }
    let mut rule = read(&text).ok_or_else(|| fault("FREQ or a value is no good"))?;
    // What calcard did not understand it left out or cut.
    let written = split(&rule.to_string()).unwrap_or_default();
    if let Some((name, _)) = parts.iter().find(|part| !written.contains(part)) {
        return Err(fault(&format!("the value of {name} is no good")));
    }
    if matches!(rule.freq, ICalendarFrequency::Secondly | ICalendarFrequency::Minutely) {
        return Err(fault("FREQ has to be HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"));
    }
    if rule.until.is_some() && rule.count.is_some() {
        return Err(fault("UNTIL and COUNT exclude each other"));
    }
    rule.until = rule
        .until
        .as_ref()
        .map(|until| until_like(until, start).ok_or_else(|| fault("UNTIL is no time")))
        .transpose()?;
    prove(&rule, start).ok_or_else(|| fault("a value is outside its range, or UNTIL is before start"))?;
    Ok(rule)
}

/// Its parts in order of their names, each value without `+` and leading zeros; none where a part is twice or no part.
fn split(text: &str) -> Option<Vec<(String, Vec<String>)>> {
    let mut parts = Vec::new();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if value.is_empty() || parts.iter().any(|(known, _)| known == name) {
            return None;
        }
        let plain = |value: &str| value.trim().trim_start_matches('+').trim_start_matches('0').to_owned();
        parts.push((name.to_owned(), value.split(',').map(plain).collect()));
    }
    Some(parts)
}

fn read(text: &str) -> Option<ICalendarRecurrenceRule> {
    let text = text.replace(['+', ' '], "");
    let object = ICalendar::parse(format!("BEGIN:VEVENT\r\nRRULE:{text}\r\nEND:VEVENT\r\n")).ok()?;
    let entry = object.components.first()?.property(&ICalendarProperty::Rrule)?;
    match entry.values.first() {
        Some(ICalendarValue::RecurrenceRule(rule)) => Some((**rule).clone()),
        _ => None,
    }
}

/// §3.3.10: UNTIL is a date if DTSTART is one, in UTC if it has a zone, local if it has none.
fn until_like(until: &PartialDateTime, start: &When) -> Option<PartialDateTime> {
    let read = until.to_date_time()?;
    let of_day = NaiveTime::from_hms_opt(23, 59, 59)?;
    let local = if until.has_time() { read.date_time } else { read.date_time.date().and_time(of_day) };
    let until = match (start, read.offset) {
        (When::Date(_), _) => When::Date(read.date_time.date()),
        (When::Local(_, zone), None) => When::Utc(zone.at(local)?.with_timezone(&Utc)),
        (When::Floating(_), _) => When::Floating(local),
        (When::Utc(_), None) | (_, Some(_)) => When::Utc(local.and_utc()),
    };
    Some(until.value())
}

/// Ranges of all values, by `calcard`.
fn prove(rule: &ICalendarRecurrenceRule, start: &When) -> Option<()> {
    let at = start.value().to_date_time_with_tz(Tz::UTC)?;
    // Whether UNTIL is of the right form was settled before; here all is UTC.
    let until =
        rule.until.as_ref().map(|until| PartialDateTime { tz_hour: Some(0), tz_minute: Some(0), ..until.clone() });
    let rule = ICalendarRecurrenceRule { until, ..rule.clone() };
    RRule::from_floating_ical(&rule)?.validate(at).ok().map(|_| ())
}

/// When the last recurrence is about, seconds since 1970: for how long its zone has to be told.
#[must_use]
pub fn horizon(rule: &ICalendarRecurrenceRule, start: &When) -> i64 {
    let years: i64 = match (rule.freq, rule.count) {
        (_, None) => 5,
        (ICalendarFrequency::Yearly, Some(count)) => i64::from(count),
        (_, Some(count)) => i64::from(count) / 12,
    };
    let by_count = years.saturating_mul(i64::from(rule.interval.unwrap_or(1))).saturating_mul(366 * 86_400);
    let until =
        rule.until.as_ref().and_then(PartialDateTime::to_date_time).map(|until| until.date_time.and_utc().timestamp());
    until.unwrap_or_else(|| start.seconds().saturating_add(by_count))
}

/// The rule of a series that moves from `old` to `new`, as text behind `RRULE:`.
///
/// # Errors
/// [`Fault::Argument`] if the rule names days or times that the new start is not on.
pub fn moved(line: &str, old: &When, new: &When, by: TimeDelta, zones: &Zones) -> Result<String, Fault> {
    let names = |parts: &[&str]| {
        let value = line.split_once(':').map_or("", |(_, value)| value);
        value
            .split(';')
            .any(|part| parts.iter().any(|name| part.trim().to_ascii_uppercase().starts_with(&format!("{name}="))))
    };
    let (times, days) = NAMING;
    let other_day = old.naive().date() != new.naive().date();
    let other_time = old.naive().time() != new.naive().time();
    if (other_time && names(times)) || (other_day && names(days)) {
        return Err(Fault::argument(
            "the series recurs on days that its rule names; give rrule as well, for the new start, or change one recurrence by its id",
        ));
    }
    let parts: Option<Vec<String>> = line.split(';').map(|part| moved_part(part, old, by, zones)).collect();
    parts.map(|parts| parts.join(";")).ok_or_else(|| Fault::argument("start is beyond the calendar"))
}

fn moved_part(part: &str, old: &When, by: TimeDelta, zones: &Zones) -> Option<String> {
    // The first part stands behind the name of the property.
    let at = part.rfind(':').map_or(0, |colon| colon + 1);
    let (head, rest) = part.split_at(at);
    let Some(until) = rest.trim().to_ascii_uppercase().strip_prefix("UNTIL=").map(str::to_owned) else {
        return Some(part.to_owned());
    };
    let read = read(&format!("FREQ=DAILY;UNTIL={until}"))?.until?;
    let until = When::of_value(&read, None, zones)?.moved(by, old.zone())?;
    let rule = ICalendarRecurrenceRule { until: Some(until.value()), ..ICalendarRecurrenceRule::default() };
    let written = rule.to_string();
    let (_, until) = written.split_once("UNTIL=")?;
    Some(format!("{head}UNTIL={until}"))
}
