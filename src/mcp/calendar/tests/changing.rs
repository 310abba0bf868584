use super::*;

const RICH: &str = "\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-LIC-LOCATION:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:ev-1
DTSTAMP:20261101T080000Z
SEQUENCE:3
DTSTART;X-ODD=\"a:b;c\";TZID=Europe/Berlin:20261124T090000
DTEND;TZID=Europe/Berlin:20261124T100000
SUMMARY;LANGUAGE=de:Besprechung
URL:https://example.org/a;b,c?d=\\e
X-MOZ-GENERATION:4
x-lower;p=1:Kept as it is\\, and \"odd\"
ATTACH;FMTTYPE=text/plain:https://example.org/x,y;z
CATEGORIES:A,B\\,C
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Alarm
END:VALARM
END:VEVENT";

fn edit(object: &str, changes: &Changes<'_>) -> Result<String, Fault> {
    change(object.as_bytes(), None, changes, &alice(), NOW).map(Option::unwrap)
}

#[test]
fn what_is_not_changed_stays_to_the_letter() {
    let before = object(RICH);
    let after = edit(&before, &Changes { title: Some("Neu"), ..Changes::default() }).unwrap();
    let (before, after) = (lines(&before), lines(&after));
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    assert_eq!(gone, ["DTSTAMP:20261101T080000Z", "SEQUENCE:3", "SUMMARY;LANGUAGE=de:Besprechung"]);
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(new, ["DTSTAMP:20261120T120000Z", "SEQUENCE:4", "SUMMARY:Neu", "LAST-MODIFIED:20261120T120000Z"]);
}

#[test]
fn an_event_that_moves_keeps_its_length_and_zone() {
    let before = object(RICH);
    for start in ["2026-11-25T14:00:00+01:00", "2026-11-25T13:00:00Z", "2026-11-25T14:00:00"] {
        let after = edit(&before, &Changes { start: Some(start), ..Changes::default() }).unwrap();
        let expected = ["DTSTART;TZID=Europe/Berlin:20261125T140000", "DTEND;TZID=Europe/Berlin:20261125T150000"];
        assert_lines(&after, &expected);
        assert_eq!(after.matches("BEGIN:VTIMEZONE").count(), 1);
    }
    let changes =
        Changes { start: Some("2026-11-25T14:00:00"), timezone: Some("America/New_York"), ..Changes::default() };
    let after = edit(&before, &changes).unwrap();
    assert_eq!(one(&after).start, "2026-11-25T14:00:00-05:00");
    assert_eq!(one(&after).end, "2026-11-25T15:00:00-05:00");
    assert_lines(&after, &["TZID:America/New_York"]);
}

#[test]
fn a_duration_is_kept_as_an_end() {
    let after = edit(
        &event("DTSTART:20261124T090000Z\nDURATION:PT90M"),
        &Changes { start: Some("2026-11-24T10:00:00Z"), ..Changes::default() },
    )
    .unwrap();
    assert_lines(&after, &["DTSTART:20261124T100000Z", "DTEND:20261124T113000Z"]);
    assert!(!after.contains("DURATION"));
}

#[test]
fn an_end_may_change_alone() {
    let end = |end| edit(&object(RICH), &Changes { end: Some(end), ..Changes::default() });
    assert_lines(&end("2026-11-24T11:00:00Z").unwrap(), &["DTEND;TZID=Europe/Berlin:20261124T120000"]);
    refused(end("2026-11-24T07:00:00Z"), "before start");
    refused(end("2026-11-24"), "two dates");
    let all_day = event("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261126");
    let after = edit(&all_day, &Changes { start: Some("2026-12-01"), ..Changes::default() }).unwrap();
    assert_lines(&after, &["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"]);
    refused(edit(&all_day, &Changes { start: Some("2026-12-01T09:00:00Z"), ..Changes::default() }), "give end");
    refused(edit(&all_day, &Changes { timezone: Some("Europe/Berlin"), ..Changes::default() }), "timezone");
}

#[test]
fn an_empty_text_takes_a_field_away() {
    let before =
        event("DTSTART:20261124T090000Z\nLOCATION:Room 1\nDESCRIPTION:x\nX-ALT-DESC;FMTTYPE=text/html:<b>x</b>");
    let changes = Changes { location: Some(""), description: Some("y"), ..Changes::default() };
    let after = edit(&before, &changes).unwrap();
    assert!(!after.contains("LOCATION") && !after.contains("X-ALT-DESC") && has(&after, "DESCRIPTION:y"));
    refused(edit(&before, &Changes { title: Some(""), ..Changes::default() }), "title");
    refused(edit(&before, &Changes::default()), "nothing to change");
}

#[test]
fn who_stays_invited_keeps_the_answer() {
    let before = event(
        "DTSTART:20261124T090000Z\nORGANIZER;CN=Alice:mailto:Alice@example.org\n\
         ATTENDEE;CN=Alice;PARTSTAT=ACCEPTED:mailto:alice@example.org\n\
         ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org\nATTENDEE:mailto:carol@example.org",
    );
    let given = ["bob@example.org".to_owned(), "dave@example.org".to_owned()];
    let after = edit(&before, &Changes { attendees: Some(&given), ..Changes::default() }).unwrap();
    assert_lines(
        &after,
        &[
            "ORGANIZER;CN=Alice:mailto:Alice@example.org",
            "ATTENDEE;CN=Alice;PARTSTAT=ACCEPTED:mailto:alice@example.org",
            "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org",
        ],
    );
    assert_eq!(one(&after).attendees, ["alice@example.org", "bob@example.org", "dave@example.org"]);
    let nobody = edit(&before, &Changes { attendees: Some(&[]), ..Changes::default() }).unwrap();
    assert!(!nobody.contains("ATTENDEE") && !nobody.contains("ORGANIZER"));
}

#[test]
fn only_who_organises_an_event_changes_it() {
    let by = |organizer: &str| event(&format!("DTSTART:20261124T090000Z\nORGANIZER:{organizer}"));
    let changes = Changes { title: Some("x"), ..Changes::default() };
    refused(edit(&by("mailto:bob@example.org"), &changes), "bob@example.org organises");
    refused(edit(&by("urn:x\\;y"), &changes), "somebody else organises");
    for own in ["mailto:ALICE@example.org", "/remote.php/dav/principals/users/alice"] {
        edit(&by(own), &changes).unwrap();
    }
}

#[test]
fn what_cannot_be_read_is_not_changed() {
    let changes = Changes { title: Some("x"), ..Changes::default() };
    for broken in [
        "",
        "BEGIN:VCALENDAR\r\nnonsense",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\n",
    ] {
        assert!(matches!(edit(broken, &changes), Err(Fault::Object(_))), "{broken:?}");
    }
    refused(edit(&event("SUMMARY:no start"), &changes), "no start");
    let large = event(&format!("DTSTART:20261124T090000Z\nX-A:{}", "a".repeat(LARGEST_OBJECT)));
    refused(edit(&large, &changes), "is not read");
    refused(events(&large), "is not read");
    let almost = event(&format!("DTSTART:20261124T090000Z\nX-A:{}", "a".repeat(LARGEST_OBJECT - 50_000)));
    let longer = "b".repeat(90_000);
    refused(edit(&almost, &Changes { description: Some(&longer), ..Changes::default() }), "would make");
    let good = event("DTSTART:20261124T090000Z");
    refused(edit(&format!("{good}{good}"), &changes), "readable");
    let within = object("BEGIN:VEVENT\nDTSTART:20261124T090000Z\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VEVENT");
    refused(edit(&within, &changes), "safely");
    let deep = format!("{}{}", "BEGIN:VEVENT\r\n".repeat(20), "END:VEVENT\r\n".repeat(20));
    refused(edit(&object(&deep), &changes), "readable");
    let bytes = b"BEGIN:VCALENDAR\r\nX:\xff\r\nEND:VCALENDAR\r\n";
    refused(change(bytes, None, &changes, &alice(), NOW), "readable");
}

#[test]
fn folds_within_a_letter_are_read() {
    let mut bytes = event("DTSTART:20261124T090000Z\nX-NOTE:a\u{e4}b").into_bytes();
    let at = bytes.windows(2).position(|pair| pair == "\u{e4}".as_bytes()).unwrap() + 1;
    bytes.splice(at..at, *b"\r\n ");
    let after =
        change(&bytes, None, &Changes { title: Some("x"), ..Changes::default() }, &alice(), NOW).unwrap().unwrap();
    assert_lines(&after, &["X-NOTE:a\u{e4}b"]);
}
