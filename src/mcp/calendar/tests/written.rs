//! Whatever a caller writes stays what it is: text.

use proptest::prelude::*;

use super::*;

/// Anything, with what could matter to a reader of lines more often.
fn anything() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n ".to_owned()),
        Just("\\".to_owned()),
        Just("\\n".to_owned()),
        Just("\\;".to_owned()),
        Just(",".to_owned()),
        Just(";".to_owned()),
        Just(":".to_owned()),
        Just("\"".to_owned()),
        Just("^n".to_owned()),
        Just("\t".to_owned()),
        Just(" ".to_owned()),
        Just("\u{85}".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("END:VEVENT".to_owned()),
        Just("\r\nATTENDEE:mailto:eve@example.org\r\n".to_owned()),
        Just("\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20260101T000000Z\n".to_owned()),
        any::<String>(),
        "[a-zäß€𝄞]{0,90}",
    ];
    prop::collection::vec(odd, 0..8).prop_map(|parts| parts.concat())
}

fn said(text: &str) -> Option<String> {
    Some(text::clean(text)).filter(|text| !text.is_empty())
}

/// The names of the lines, none of which a value may add to.
fn names(object: &str) -> Vec<String> {
    let name = |line: String| line.split([':', ';']).next().unwrap_or_default().to_owned();
    lines(object).into_iter().map(name).collect()
}

proptest! {
    #[test]
    fn an_event_reads_as_it_was_built(title in anything(), place in anything(), about in anything()) {
        let new = NewEvent {
            title: &format!("x{title}"),
            start: "2026-11-24",
            end: "2026-11-25",
            location: Some(&place),
            description: Some(&about),
            ..NewEvent::default()
        };
        let object = compose(&new, None, "ev-1", NOW).unwrap();
        let event = one(&object);
        prop_assert_eq!(Some(event.title), said(new.title));
        prop_assert_eq!(event.location, said(&place));
        prop_assert_eq!(event.description, said(&about));
        prop_assert!(event.attendees.is_empty());
        prop_assert!(object.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
        let plain = NewEvent { title: "x", location: Some("x").filter(|_| said(&place).is_some()), description: Some("x").filter(|_| said(&about).is_some()), ..new };
        prop_assert_eq!(names(&object), names(&compose(&plain, None, "ev-1", NOW).unwrap()));
    }

    #[test]
    fn a_change_keeps_every_line_it_does_not_know(title in anything(), unknown in prop::collection::vec("X-[A-Z]{1,8}(;[A-Z]{1,5}=\"?[a-z:;,]{0,5}\"?)?:[^\\p{Cc}]{0,120}", 0..6)) {
        let before = event(&format!("DTSTART:20261124T090000Z\n{}\nX-LAST:1", unknown.join("\n")));
        let title = format!("x{title}");
        let after = change(before.as_bytes(), None, &Changes { title: Some(&title), ..Changes::default() }, &alice(), NOW).unwrap().unwrap();
        let kept: Vec<String> = lines(&after).into_iter().filter(|line| line.starts_with("X-")).collect();
        let known: Vec<String> = lines(&before).into_iter().filter(|line| line.starts_with("X-")).collect();
        prop_assert_eq!(kept, known);
        prop_assert_eq!(Some(one(&after).title), said(&title));
    }

    #[test]
    fn a_task_reads_as_it_was_built_and_changed(title in anything(), notes in anything()) {
        let title = format!("x{title}");
        let new = compose_task(&NewTask { title: &title, notes: Some(&notes), ..NewTask::default() }, "td-1", NOW).unwrap();
        let changed = change_task(new.as_bytes(), &TaskChanges { title: Some("y"), ..TaskChanges::default() }, NOW).unwrap().unwrap();
        let changed = change_task(changed.as_bytes(), &TaskChanges { title: Some(&title), ..TaskChanges::default() }, NOW).unwrap().unwrap();
        for object in [new, changed] {
            let task = tasks(&object).unwrap().remove(0);
            prop_assert_eq!(Some(task.title), said(&title));
            prop_assert_eq!(task.notes, said(&notes));
        }
    }

    #[test]
    fn no_object_and_no_argument_is_a_panic(object in anything(), line in anything()) {
        let object = event(&format!("DTSTART:20261124T090000Z\n{object}\n{line}"));
        let _ = events(&object);
        let _ = tasks(&object);
        let instance = Instance::parse("20261124T090000Z");
        let changes = Changes { start: Some("2026-11-25T09:00:00Z"), rrule: Some(&line), ..Changes::default() };
        let _ = change(object.as_bytes(), instance.as_ref(), &changes, &alice(), NOW);
        let _ = change(object.as_bytes(), None, &changes, &alice(), NOW);
        prop_assert!(ObjectId::parse(&line).map_or(true, |id| id.to_string() == line));
    }

    #[test]
    fn a_rule_that_is_taken_is_one_line(parts in prop::collection::vec("(FREQ|COUNT|INTERVAL|UNTIL|BYDAY|BYMONTHDAY|BYSETPOS|BYHOUR|WKST)=(DAILY|YEARLY|-?[0-9]{1,6}|[+-]?[1-9]?(MO|SU)|20[0-9]{6}(T[0-9]{6}Z?)?)", 1..5)) {
        let rule = parts.join(";");
        let new = NewEvent { title: "x", start: "2026-11-24", end: "2026-11-24", rrule: Some(&rule), ..NewEvent::default() };
        if let Ok(object) = compose(&new, None, "ev-1", NOW) {
            prop_assert_eq!(lines(&object).iter().filter(|line| line.starts_with("RRULE:")).count(), 1);
            prop_assert!(one(&object).recurring);
        }
    }
}
