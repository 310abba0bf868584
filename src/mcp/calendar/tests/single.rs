use super::*;

const SERIES: &str = "\
DTSTART;TZID=Europe/Berlin:20261124T090000
DTEND;TZID=Europe/Berlin:20261124T100000
RRULE:FREQ=WEEKLY;COUNT=4
EXDATE;TZID=Europe/Berlin:20261208T090000
SUMMARY:Stand-up
X-OWN:kept
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
END:VALARM";

fn instance(text: &str) -> Instance {
    Instance::parse(text).unwrap()
}

fn edit(object: &str, which: &str, changes: &Changes<'_>) -> Result<String, Fault> {
    change(object.as_bytes(), Some(&instance(which)), changes, &alice(), NOW).map(Option::unwrap)
}

fn titled(title: &str) -> Changes<'_> {
    Changes { title: Some(title), ..Changes::default() }
}

#[test]
fn an_expanded_answer_is_one_event_for_each_recurrence() {
    // The answer of Nextcloud 32.0.1 to a REPORT with expand, recorded.
    let answer = object(
        "BEGIN:VEVENT\nUID:ev-1\nDTSTAMP:20261101T080000Z\nDTSTART:20261201T080000Z\nDTEND:20261201T090000Z\n\
         SUMMARY:Stand-up\nLOCATION:Room 1\nRECURRENCE-ID:20261201T080000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:ev-1\nDTSTAMP:20261101T080000Z\nDTSTART:20261208T080000Z\nDTEND:20261208T090000Z\n\
         SUMMARY:Stand-up\nLOCATION:Room 1\nRECURRENCE-ID:20261208T080000Z\nEND:VEVENT",
    );
    let events = events(&answer).unwrap();
    let shown: Vec<(&str, Option<String>)> = events
        .iter()
        .map(|event| (event.start.as_str(), event.instance.map(|instance| instance.to_string())))
        .collect();
    assert_eq!(
        shown,
        [
            ("2026-12-01T08:00:00Z", Some("20261201T080000Z".to_owned())),
            ("2026-12-08T08:00:00Z", Some("20261208T080000Z".to_owned())),
        ]
    );
    assert!(events.iter().all(|event| event.recurring && event.location.as_deref() == Some("Room 1")));
}

#[test]
fn one_recurrence_is_changed_beside_its_series() {
    let before = event(SERIES);
    let changes = Changes { start: Some("2026-12-01T14:00:00"), ..titled("Later") };
    let after = edit(&before, "20261201T080000Z", &changes).unwrap();
    assert!(lines(&before).iter().all(|line| has(&after, line)), "the series stays as it is");
    let changed = &events(&after).unwrap()[1];
    assert_eq!((changed.title.as_str(), changed.start.as_str()), ("Later", "2026-12-01T14:00:00+01:00"));
    assert_eq!(changed.end, "2026-12-01T15:00:00+01:00");
    assert_lines(&after, &["RECURRENCE-ID;TZID=Europe/Berlin:20261201T090000", "SEQUENCE:1"]);
    assert_eq!((after.matches("X-OWN:kept").count(), after.matches("BEGIN:VALARM").count()), (2, 2));
    assert_eq!((after.matches("RRULE:FREQ=W").count(), after.matches("EXDATE").count()), (1, 1));
    let again = edit(&after, "20261201T080000Z", &titled("Later still")).unwrap();
    assert_eq!(events(&again).unwrap().len(), 2);
    assert_lines(&again, &["SUMMARY:Later still", "SEQUENCE:2", "DTSTART;TZID=Europe/Berlin:20261201T140000"]);
}

#[test]
fn one_recurrence_is_left_out() {
    let changed = edit(&event(SERIES), "20261201T080000Z", &titled("Later")).unwrap();
    let after = without_instance(changed.as_bytes(), &instance("20261201T080000Z"), NOW).unwrap();
    let expected = [
        "EXDATE;TZID=Europe/Berlin:20261208T090000",
        "EXDATE;TZID=Europe/Berlin:20261201T090000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "SEQUENCE:1",
    ];
    assert_lines(&after, &expected);
    assert!(!after.contains("RECURRENCE-ID") && events(&after).unwrap().len() == 1);
    let all_day = event("DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY");
    let after = without_instance(all_day.as_bytes(), &instance("20261126"), NOW).unwrap();
    assert_lines(&after, &["EXDATE;VALUE=DATE:20261126"]);
}

#[test]
fn a_recurrence_that_cannot_be_is_refused() {
    for (lines, which) in [
        (SERIES, "20261201"),
        (SERIES, "20201201T080000Z"),
        ("DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY", "20261126T000000Z"),
        ("DTSTART:20261124T090000\nRRULE:FREQ=DAILY", "20261126T090000Z"),
        ("DTSTART;TZID=Nowhere:20261124T090000\nRRULE:FREQ=DAILY", "20261126T090000Z"),
    ] {
        refused(edit(&event(lines), which, &titled("x")), "no such recurrence");
        refused(without_instance(event(lines).as_bytes(), &instance(which), NOW), "no such recurrence");
    }
    refused(edit(&event("DTSTART:20261124T090000Z"), "20261124T090000Z", &titled("x")), "does not recur");
    let rule = Changes { rrule: Some("FREQ=DAILY"), ..Changes::default() };
    refused(edit(&event(SERIES), "20261201T080000Z", &rule), "whole series");
}

#[test]
fn of_a_foreign_series_only_single_recurrences_may_be_here() {
    let part = event("DTSTART:20261201T150000Z\nRECURRENCE-ID:20261201T080000Z\nSUMMARY:x");
    assert_lines(&edit(&part, "20261201T080000Z", &titled("y")).unwrap(), &["SUMMARY:y"]);
    refused(change(part.as_bytes(), None, &titled("y"), &alice(), NOW), "only single recurrences");
    refused(without_instance(part.as_bytes(), &instance("20261201T080000Z"), NOW), "all that is here");
}
