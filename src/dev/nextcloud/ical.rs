//! iCalendar (RFC 5545) and vCard (RFC 6350) as lines in components: what sabre keeps, checks and rewrites.
//!
//! When something happens is asked of `calcard`, which knows recurrences and time zones.

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendar, ICalendarComponentType};

/// More occurrences of one object are not looked at.
const OCCURRENCES: usize = 5_000;

/// `BEGIN:X` to `END:X`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub name: String,
    pub lines: Vec<Line>,
    pub components: Vec<Component>,
}

/// `NAME;PARAMETERS:VALUE`, unfolded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// In capitals, without a group.
    pub name: String,
    /// With the semicolon in front of each.
    pub parameters: String,
    pub value: String,
}

/// One time at which a component happens, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Which of the components of the calendar.
    pub component: usize,
    pub start: i64,
    pub end: i64,
}

// === impl Line ===

impl Line {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), parameters: String::new(), value: value.to_owned() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = text.char_indices().find_map(|(at, letter)| {
            quoted ^= letter == '"';
            (letter == ':' && !quoted).then_some(at)
        })?;
        let (head, value) = (text.get(..colon)?, text.get(colon + 1..)?);
        let (name, parameters) = head.split_at(head.find(';').unwrap_or(head.len()));
        let name = name.rsplit('.').next().unwrap_or(name);
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let good = !name.is_empty() && name.chars().all(plain);
        good.then(|| Self { name: name.to_ascii_uppercase(), parameters: parameters.into(), value: value.into() })
    }

    /// A parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let each = self.parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        each.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
    }
}

// === impl Component ===

impl Component {
    /// Parses one component, the root.
    ///
    /// # Errors
    /// What is wrong with it, in sabre's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut open: Vec<Component> = Vec::new();
        for (number, line) in unfolded(text) {
            let invalid = || {
                format!("Invalid Mimedir file. Line starting at {number} did not follow iCalendar/vCard conventions")
            };
            let line = Line::parse(&line).ok_or_else(invalid)?;
            match line.name.as_str() {
                "BEGIN" => {
                    let name = line.value.trim().to_ascii_uppercase();
                    open.push(Self { name, lines: Vec::new(), components: Vec::new() });
                }
                "END" => {
                    let closed = open.pop().filter(|closed| closed.name.eq_ignore_ascii_case(line.value.trim()));
                    let closed = closed.ok_or_else(|| "Invalid MimeDir file. Expected another END".to_owned())?;
                    match open.last_mut() {
                        Some(parent) => parent.components.push(closed),
                        None => return Ok(closed),
                    }
                }
                _ => match open.last_mut() {
                    Some(component) => component.lines.push(line),
                    None => return Err("This parser only supports VCARD and VCALENDAR files".into()),
                },
            }
        }
        Err("End of document reached prematurely".into())
    }

    /// The first line of a name.
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(|line| line.value.as_str())
    }

    /// Lines of at most 75 octets, ended by CRLF.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        self.write_into(&mut text);
        text
    }

    fn write_into(&self, text: &mut String) {
        text.push_str(&format!("BEGIN:{}\r\n", self.name));
        for line in &self.lines {
            let mut length = 0;
            for letter in format!("{}{}:{}", line.name, line.parameters, line.value).chars() {
                if length + letter.len_utf8() > 75 {
                    text.push_str("\r\n ");
                    length = 1;
                }
                length += letter.len_utf8();
                text.push(letter);
            }
            text.push_str("\r\n");
        }
        self.components.iter().for_each(|component| component.write_into(text));
        text.push_str(&format!("END:{}\r\n", self.name));
    }

    /// The components that happen: events, tasks, journals.
    pub(super) fn happening(&self) -> impl Iterator<Item = (usize, &Component)> {
        let kinds = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"];
        self.components.iter().enumerate().filter(move |(_, component)| kinds.contains(&component.name.as_str()))
    }

    /// When they happen, recurrences expanded; floating times are taken as UTC.
    pub(super) fn occurrences(&self) -> Vec<Occurrence> {
        // To calcard an override of another SEQUENCE than its series is none; sabre goes by RECURRENCE-ID alone.
        let mut plain = self.clone();
        plain.components.iter_mut().for_each(|component| component.lines.retain(|line| line.name != "SEQUENCE"));
        let Ok(calendar) = ICalendar::parse(plain.write()) else {
            return Vec::new();
        };
        // The n-th happening component there is the n-th one here.
        let theirs = calendar.components.iter().enumerate().filter(|(_, component)| {
            matches!(
                component.component_type,
                ICalendarComponentType::VEvent
                    | ICalendarComponentType::VTodo
                    | ICalendarComponentType::VJournal
                    | ICalendarComponentType::VFreebusy
            )
        });
        let pairs: Vec<(usize, usize)> =
            theirs.map(|(id, _)| id).zip(self.happening().map(|(index, _)| index)).collect();
        let expanded = calendar.expand_dates(Tz::Floating, OCCURRENCES);
        let mut all: Vec<Occurrence> = expanded
            .events
            .iter()
            .filter_map(|event| {
                let id = usize::try_from(event.comp_id).ok()?;
                let component = pairs.iter().find(|(theirs, _)| *theirs == id)?.1;
                let (start, end) = event.timestamps();
                Some(Occurrence { component, start, end })
            })
            .collect();
        all.sort_by_key(|occurrence| occurrence.start);
        all
    }
}

/// When a line of a time is, in seconds since 1970, by the zone that it names.
pub(super) fn moment(line: &Line) -> Option<i64> {
    let mut start = line.clone();
    start.name = "DTSTART".into();
    let event = Component { name: "VEVENT".into(), lines: vec![start], components: Vec::new() };
    let calendar = Component { name: "VCALENDAR".into(), lines: Vec::new(), components: vec![event] };
    calendar.occurrences().first().map(|occurrence| occurrence.start)
}

/// Lines with their numbers, folded ones put together (RFC 5545 §3.1).
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((number + 1, line.to_owned())),
        }
    }
    lines
}

/// `20261201T080000Z` in seconds since 1970; a date is its midnight.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let of_day =
        if text.get(8..9) == Some("T") { number(9, 11)? * 3600 + number(11, 13)? * 60 + number(13, 15)? } else { 0 };
    Some(days(year, month, day) * 86_400 + of_day)
}

/// `20261201T080000Z`.
pub(super) fn timestamp(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{}T{:02}{:02}{:02}Z", date(days * 86_400), rest / 3600, rest / 60 % 60, rest % 60)
}

/// `20261201`.
pub(super) fn date(seconds: i64) -> String {
    // Howard Hinnant's civil_from_days.
    let shifted = seconds.div_euclid(86_400) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

/// Days since 1970 of a civil date: its inverse.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(rule: &str) -> Vec<String> {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTART:20260105T090000Z\r\n\
             DTEND:20260105T100000Z\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let calendar = Component::parse(&text).unwrap();
        calendar.occurrences().iter().map(|occurrence| date(occurrence.start)).collect()
    }

    #[test]
    fn recurrences_are_expanded() {
        for (rule, dates) in [
            ("FREQ=DAILY;COUNT=3", "20260105 20260106 20260107"),
            ("FREQ=DAILY;INTERVAL=10;UNTIL=20260126T000000Z", "20260105 20260115 20260125"),
            ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", "20260105 20260107 20260112 20260114"),
            ("FREQ=MONTHLY;COUNT=3", "20260105 20260205 20260305"),
            ("FREQ=MONTHLY;BYDAY=1MO;COUNT=3", "20260105 20260202 20260302"),
            ("FREQ=YEARLY;COUNT=2", "20260105 20270105"),
        ] {
            assert_eq!(starts(rule).join(" "), dates, "{rule}");
        }
    }

    #[test]
    fn a_changed_recurrence_takes_the_place_of_the_one_in_the_series() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nSEQUENCE:1\r\nDTSTART;TZID=Europe/Berlin:20261019T090000\r\n\
                    RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x\r\nSEQUENCE:2\r\n\
                    RECURRENCE-ID;TZID=Europe/Berlin:20261026T090000\r\nDTSTART:20261027T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let calendar = Component::parse(text).unwrap();
        let starts: Vec<String> = calendar.occurrences().iter().map(|found| timestamp(found.start)).collect();
        assert_eq!(starts, ["20261019T070000Z", "20261027T090000Z"]);
        let original = calendar.components[1].line("RECURRENCE-ID").and_then(moment);
        assert_eq!(original.map(timestamp).as_deref(), Some("20261026T080000Z"));
    }

    #[test]
    fn times_and_dates_go_both_ways() {
        for text in ["19700101T000000Z", "20000229T235959Z", "20261201T080000Z", "21000301T000001Z"] {
            assert_eq!(timestamp(seconds(text).unwrap()), text);
        }
        assert_eq!(seconds("20261201"), seconds("20261201T000000Z"));
    }

    #[test]
    fn lines_are_unfolded_and_folded() {
        let long = "x".repeat(200);
        let text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nitem1.NOTE;X=\"a:b\":{long}\r\nEND:VCARD\r\n");
        let card = Component::parse(&text).unwrap();
        assert_eq!(card.line("NOTE").unwrap().parameter("x"), Some("a:b"));
        assert_eq!(Component::parse(&card.write()).unwrap(), card);
        assert!(card.write().lines().all(|line| line.len() <= 75));
    }
}
