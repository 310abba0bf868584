use super::*;

fn standup() -> NewEvent<'static> {
    NewEvent {
        title: "Stand-up",
        start: "2026-11-24T09:00:00+01:00",
        end: "2026-11-24T10:00:00+01:00",
        ..NewEvent::default()
    }
}

fn build(event: &NewEvent<'_>) -> Result<String, Fault> {
    compose(event, Some("alice@example.org"), "ev-1", NOW)
}

#[test]
fn an_event_with_an_offset_is_kept_in_utc() {
    let object = build(&standup()).unwrap();
    assert_lines(
        &object,
        &["UID:ev-1", "DTSTAMP:20261120T120000Z", "DTSTART:20261124T080000Z", "DTEND:20261124T090000Z"],
    );
    let event = one(&object);
    assert_eq!((event.start.as_str(), event.end.as_str()), ("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"));
    assert!(!event.recurring && event.instance.is_none() && !object.contains("VTIMEZONE"));
}

#[test]
fn an_event_with_a_zone_stays_in_it_and_brings_its_rules_along() {
    let berlin = NewEvent { timezone: Some("Europe/Berlin"), ..standup() };
    for event in [
        berlin,
        NewEvent { start: "2026-11-24T08:00:00Z", end: "2026-11-24T09:00:00Z", ..berlin },
        NewEvent { start: "2026-11-24T09:00:00", end: "2026-11-24T10:00", ..berlin },
    ] {
        let object = build(&event).unwrap();
        assert_lines(
            &object,
            &[
                "DTSTART;TZID=Europe/Berlin:20261124T090000",
                "DTEND;TZID=Europe/Berlin:20261124T100000",
                "TZID:Europe/Berlin",
                "BEGIN:DAYLIGHT",
                "TZOFFSETTO:+0200",
            ],
        );
        assert_eq!(one(&object).start, "2026-11-24T09:00:00+01:00");
    }
}

#[test]
fn the_rules_of_a_zone_go_on_as_long_as_a_series() {
    let series = NewEvent { timezone: Some("Europe/Berlin"), rrule: Some("FREQ=WEEKLY"), ..standup() };
    let object = build(&series).unwrap();
    let zone: Vec<String> = lines(&object).into_iter().filter(|line| line.starts_with("RRULE:FREQ=YEARLY")).collect();
    assert!(zone.len() == 2 && zone.iter().all(|rule| !rule.contains("UNTIL")), "{object}");
    let endless = NewEvent { rrule: Some("FREQ=YEARLY;INTERVAL=1000;COUNT=4294967295"), ..series };
    assert!(build(&endless).unwrap().len() < 4_000);
    // Where each year has transitions of its own.
    let long = NewEvent { rrule: Some("FREQ=DAILY;UNTIL=20991231"), timezone: Some("Africa/Casablanca"), ..standup() };
    assert!(build(&long).unwrap().matches("BEGIN:STANDARD").count() < 30);
}

#[test]
fn utc_as_a_zone_is_utc() {
    let object = build(&NewEvent { timezone: Some("UTC"), start: "2026-11-24T09:00:00", ..standup() }).unwrap();
    assert_lines(&object, &["DTSTART:20261124T090000Z"]);
}

#[test]
fn the_end_of_an_all_day_event_is_its_last_day() {
    for (end, written, shown) in [("2026-11-24", "20261125", "2026-11-24"), ("2026-11-26", "20261127", "2026-11-26")] {
        let object = build(&NewEvent { start: "2026-11-24", end, ..standup() }).unwrap();
        assert_lines(&object, &["DTSTART;VALUE=DATE:20261124", &format!("DTEND;VALUE=DATE:{written}")]);
        assert_eq!((one(&object).start.as_str(), one(&object).end.as_str()), ("2026-11-24", shown));
    }
}

#[test]
fn times_that_make_no_event_are_refused() {
    for (start, end, word) in [
        ("tomorrow", "2026-11-24", "start is neither"),
        ("2026-11-24T09:00:00", "2026-11-24T10:00:00", "offset"),
        ("2026-11-24", "2026-11-24T10:00:00Z", "two dates"),
        ("2026-11-24T10:00:00Z", "2026-11-24T09:00:00Z", "before start"),
        ("2026-11-24", "2026-11-23", "last day"),
        ("2026-02-30", "2026-03-01", "start is neither"),
        ("0001-01-01", "2026-03-01", "year"),
        ("9999-12-31", "9999-12-31", "year"),
        ("2026-11-24T10:00:00Z\r\nATTENDEE:x", "2026-11-24T11:00:00Z", "start is neither"),
    ] {
        refused(build(&NewEvent { start, end, ..standup() }), word);
    }
    let berlin = |start| NewEvent { start, end: "2026-03-29T04:00:00", timezone: Some("Europe/Berlin"), ..standup() };
    refused(build(&berlin("2026-03-29T02:30:00")), "does not exist");
    for timezone in ["Mars/Phobos", "", "Europe/Berlin\r\nX:y", "+01:00"] {
        refused(build(&NewEvent { timezone: Some(timezone), ..standup() }), "IANA");
    }
}

#[test]
fn of_two_times_when_clocks_are_set_back_the_first_is_meant() {
    let event = NewEvent {
        start: "2026-10-25T02:30:00",
        end: "2026-10-25T04:00:00",
        timezone: Some("Europe/Berlin"),
        ..standup()
    };
    assert_eq!(one(&build(&event).unwrap()).start, "2026-10-25T02:30:00+02:00");
}

#[test]
fn who_invites_is_the_organizer() {
    let attendees = ["bob@example.org".to_owned(), "ALICE@example.org".to_owned()];
    let object = build(&NewEvent { attendees: &attendees, ..standup() }).unwrap();
    assert_lines(
        &object,
        &[
            "ORGANIZER:mailto:alice@example.org",
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org",
        ],
    );
    assert_eq!(one(&object).attendees, ["bob@example.org"]);
    refused(compose(&NewEvent { attendees: &attendees, ..standup() }, None, "ev-1", NOW), "no mail address");
    assert!(!build(&standup()).unwrap().contains("ORGANIZER"));
}

#[test]
fn a_title_cannot_become_another_line() {
    let title = "x\r\nATTENDEE:mailto:eve@example.org\nEND:VEVENT\rBEGIN:VALARM";
    let event = NewEvent { title, location: Some(title), description: Some(title), ..standup() };
    let object = build(&event).unwrap();
    let read = one(&object);
    assert_eq!(read.title, "x\nATTENDEE:mailto:eve@example.org\nEND:VEVENT\nBEGIN:VALARM");
    assert_eq!(read.location.as_ref(), Some(&read.title));
    assert!(read.attendees.is_empty() && !object.contains("\r\nATTENDEE"), "{object}");
    assert!(!crate::nextcloud::calendar_body::invites(object.as_bytes()).unwrap());
    assert_eq!(one(&build(&NewEvent { title: "a\0b\u{7}c\u{85}\td", ..standup() }).unwrap()).title, "abc\td");
    refused(build(&NewEvent { title: " \n", ..standup() }), "title");
    refused(build(&NewEvent { title: &"x".repeat(2_001), ..standup() }), "too long");
}

#[test]
fn a_rule_is_proven() {
    let with =
        |rule: &'static str| build(&NewEvent { rrule: Some(rule), timezone: Some("Europe/Berlin"), ..standup() });
    for (rule, written) in [
        ("FREQ=WEEKLY;COUNT=4", "FREQ=WEEKLY;COUNT=4"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("freq=monthly;byday=+1mo;interval=02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24", "FREQ=YEARLY;BYMONTHDAY=24;BYMONTH=11"),
        ("FREQ=DAILY;UNTIL=20261231T080000Z", "FREQ=DAILY;UNTIL=20261231T080000Z"),
        ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231T225959Z"),
        ("FREQ=DAILY;UNTIL=20261231T090000", "FREQ=DAILY;UNTIL=20261231T080000Z"),
    ] {
        let object = with(rule).unwrap();
        assert!(has(&object, &format!("RRULE:{written}")) && one(&object).recurring, "{rule}\n{object}");
    }
    for rule in [
        "x",
        "COUNT=4",
        "FREQ=SOMETIMES",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-4",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;INTERVAL=70000",
        "FREQ=DAILY;COUNT=4;UNTIL=20261231T080000Z",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;BYHOUR=25",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=300",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;UNTIL=20200101T000000Z",
        "FREQ=DAILY;UNTIL=never",
        "FREQ=DAILY;X-NAME=1",
        "FREQ=DAILY;RSCALE=HEBREW",
        "FREQ=DAILY\r\nATTENDEE:mailto:eve@x",
        "FREQ=DAILY;COUNT=2:ATTENDEE",
        "FREQ=",
    ] {
        refused(with(rule), "rrule");
    }
    refused(build(&NewEvent { rrule: Some(&"FREQ=DAILY;".repeat(100)), ..standup() }), "too long");
}

#[test]
fn the_end_of_an_all_day_series_is_a_date() {
    let event = NewEvent {
        start: "2026-11-24",
        end: "2026-11-24",
        rrule: Some("FREQ=DAILY;UNTIL=20261231T080000Z"),
        ..standup()
    };
    assert_lines(&build(&event).unwrap(), &["RRULE:FREQ=DAILY;UNTIL=20261231"]);
}
