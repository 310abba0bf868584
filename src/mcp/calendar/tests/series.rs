use super::*;

const SERIES: &str = "\
BEGIN:VEVENT
UID:ev-1
DTSTAMP:20261101T080000Z
DTSTART;TZID=Europe/Berlin:20261005T090000
DTEND;TZID=Europe/Berlin:20261005T100000
RRULE:FREQ=WEEKLY;UNTIL=20261130T080000Z;WKST=MO
EXDATE;TZID=Europe/Berlin:20261012T090000,20261019T090000
EXDATE:20261109T080000Z
RDATE:20261101T080000Z
SUMMARY:Stand-up
END:VEVENT
BEGIN:VEVENT
UID:ev-1
DTSTAMP:20261101T080000Z
RECURRENCE-ID;TZID=Europe/Berlin:20261026T090000
DTSTART;TZID=Europe/Berlin:20261026T090000
DTEND;TZID=Europe/Berlin:20261026T100000
SUMMARY:Renamed
END:VEVENT
BEGIN:VEVENT
UID:ev-1
DTSTAMP:20261101T080000Z
RECURRENCE-ID:20261102T080000Z
DTSTART;TZID=Europe/Berlin:20261103T150000
DTEND;TZID=Europe/Berlin:20261103T160000
SUMMARY:Moved
END:VEVENT";

fn edit(object: &str, changes: &Changes<'_>) -> Result<String, Fault> {
    change(object.as_bytes(), None, changes, &alice(), NOW).map(Option::unwrap)
}

fn to(start: &str) -> Changes<'_> {
    Changes { start: Some(start), ..Changes::default() }
}

#[test]
fn what_names_its_recurrences_moves_with_a_series() {
    let after = edit(&object(SERIES), &to("2026-10-05T11:30:00")).unwrap();
    assert_lines(
        &after,
        &[
            "DTSTART;TZID=Europe/Berlin:20261005T113000",
            "DTEND;TZID=Europe/Berlin:20261005T123000",
            "RRULE:FREQ=WEEKLY;UNTIL=20261130T103000Z;WKST=MO",
            "RDATE:20261101T103000Z",
            "EXDATE;TZID=Europe/Berlin:20261012T113000,20261019T113000",
            // 09:00 in Berlin after the clocks were set back.
            "EXDATE:20261109T103000Z",
            // Changed only in its title: it moves along.
            "RECURRENCE-ID;TZID=Europe/Berlin:20261026T113000",
            "DTSTART;TZID=Europe/Berlin:20261026T113000",
            "DTEND;TZID=Europe/Berlin:20261026T123000",
            // Given a time of its own: it keeps that.
            "RECURRENCE-ID:20261102T103000Z",
            "DTSTART;TZID=Europe/Berlin:20261103T150000",
        ],
    );
    assert_eq!(after.matches("SEQUENCE:1").count(), 3);
}

#[test]
fn a_series_without_days_in_its_rule_moves_to_another_day() {
    let after = edit(&object(SERIES), &to("2026-10-06T09:00:00")).unwrap();
    assert_lines(
        &after,
        &[
            "RRULE:FREQ=WEEKLY;UNTIL=20261201T080000Z;WKST=MO",
            "EXDATE;TZID=Europe/Berlin:20261013T090000,20261020T090000",
        ],
    );
}

#[test]
fn what_is_in_utc_moves_by_the_clock_on_the_wall_too() {
    let zoned = "DTSTART;TZID=Europe/Berlin:20261005T090000\nRRULE:FREQ=DAILY\nEXDATE:20261024T070000Z";
    // The day after, clocks are set back.
    assert_lines(&edit(&event(zoned), &to("2026-10-06T09:00:00")).unwrap(), &["EXDATE:20261025T080000Z"]);
}

#[test]
fn a_rule_that_names_days_is_asked_for_anew() {
    let before = event("DTSTART:20261005T090000Z\nDTEND:20261005T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO");
    refused(edit(&before, &to("2026-10-06T09:00:00Z")), "give rrule as well");
    let changes = Changes { rrule: Some("FREQ=WEEKLY;BYDAY=TU"), ..to("2026-10-06T09:00:00Z") };
    assert_lines(&edit(&before, &changes).unwrap(), &["RRULE:FREQ=WEEKLY;BYDAY=TU", "DTSTART:20261006T090000Z"]);
    edit(&before, &to("2026-10-05T11:00:00Z")).unwrap();
    let timed = event("DTSTART:20261005T090000Z\nRRULE:FREQ=DAILY;BYHOUR=9,15");
    refused(edit(&timed, &to("2026-10-05T10:00:00Z")), "give rrule as well");
}

#[test]
fn a_series_that_names_its_recurrences_keeps_its_zone() {
    let changes = Changes { timezone: Some("America/New_York"), ..to("2026-10-05T09:00:00") };
    refused(edit(&object(SERIES), &changes), "another time zone");
    let plain = event("DTSTART:20261005T090000Z\nDTEND:20261005T100000Z\nRRULE:FREQ=WEEKLY;COUNT=4");
    let after = edit(&plain, &Changes { timezone: Some("Europe/Berlin"), ..to("2026-10-05T09:00:00") }).unwrap();
    assert_lines(&after, &["DTSTART;TZID=Europe/Berlin:20261005T090000", "RRULE:FREQ=WEEKLY;COUNT=4"]);
    let left_out = event("DTSTART:20261005T090000Z\nRRULE:FREQ=WEEKLY\nEXDATE:20261012T090000Z");
    refused(
        edit(&left_out, &Changes { timezone: Some("Europe/Berlin"), ..to("2026-10-05T09:00:00") }),
        "another time zone",
    );
    let until = event("DTSTART:20261005T090000Z\nRRULE:FREQ=WEEKLY;UNTIL=20261130T090000Z");
    refused(edit(&until, &Changes { end: Some("2026-10-05"), ..to("2026-10-05") }), "another time zone");
}

#[test]
fn periods_among_the_dates_of_a_series_do_not_move() {
    let before = event("DTSTART:20261005T090000Z\nRDATE;VALUE=PERIOD:20261007T090000Z/PT1H");
    refused(edit(&before, &to("2026-10-05T10:00:00Z")), "cannot be moved");
}

#[test]
fn an_empty_rule_ends_the_recurrence() {
    let after = edit(&object(SERIES), &Changes { rrule: Some(""), ..Changes::default() }).unwrap();
    let event = one(&after);
    assert!(!event.recurring && event.title == "Stand-up");
    for gone in ["RRULE:FREQ=WEEKLY", "EXDATE", "RECURRENCE-ID"] {
        assert!(!after.contains(gone), "{gone}");
    }
}

#[test]
fn other_changes_of_a_series_leave_its_recurrences_alone() {
    let before = object(SERIES);
    let after = edit(&before, &Changes { title: Some("Neu"), ..Changes::default() }).unwrap();
    let gone: Vec<String> = lines(&before).into_iter().filter(|line| !has(&after, line)).collect();
    assert_eq!(gone, ["SUMMARY:Stand-up"], "the overrides keep their DTSTAMP as well");
    let titles: Vec<String> = events(&after).unwrap().into_iter().map(|event| event.title).collect();
    assert_eq!(titles, ["Neu", "Renamed", "Moved"]);
}
