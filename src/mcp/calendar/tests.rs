//! What is built, read and changed, as text.

mod building;
mod changing;
mod series;
mod single;
mod tasks;
mod written;

use super::*;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000;

fn alice() -> Vec<String> {
    vec!["mailto:alice@example.org".into(), "/remote.php/dav/principals/users/alice/".into()]
}

/// A VCALENDAR around these lines.
fn object(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{}\r\nEND:VCALENDAR\r\n",
        lines.trim().replace('\n', "\r\n")
    )
}

/// An event of these lines, which has a UID.
fn event(lines: &str) -> String {
    object(&format!("BEGIN:VEVENT\nUID:ev-1\nDTSTAMP:20261101T080000Z\n{}\nEND:VEVENT", lines.trim()))
}

/// The one event of an object.
fn one(object: &str) -> Event {
    let mut all = events(object).unwrap();
    assert_eq!(all.len(), 1, "{object}");
    all.remove(0)
}

/// The lines of an object, unfolded.
fn lines(object: &str) -> Vec<String> {
    object.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
}

fn has(object: &str, line: &str) -> bool {
    lines(object).iter().any(|known| known == line)
}

#[track_caller]
fn assert_lines(object: &str, expected: &[&str]) {
    for line in expected {
        assert!(has(object, line), "{line} is not in\n{object}");
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Fault>, word: &str) {
    let fault = result.unwrap_err().to_string();
    assert!(fault.contains(word), "{fault}");
}
