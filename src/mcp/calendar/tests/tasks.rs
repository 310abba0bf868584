use super::*;

fn task(lines: &str) -> String {
    object(&format!("BEGIN:VTODO\nUID:td-1\nDTSTAMP:20261101T080000Z\n{}\nEND:VTODO", lines.trim()))
}

fn only(object: &str) -> Task {
    let mut all = tasks(object).unwrap();
    assert_eq!(all.len(), 1, "{object}");
    all.remove(0)
}

fn edit(object: &str, changes: &TaskChanges<'_>) -> Result<String, Fault> {
    change_task(object.as_bytes(), changes, NOW).map(Option::unwrap)
}

#[test]
fn a_recorded_task_is_read() {
    let task = only(&task("SUMMARY:Write report\nDUE;VALUE=DATE:20261130\nPRIORITY:1\nSTATUS:NEEDS-ACTION"));
    assert_eq!(
        (task.title.as_str(), task.due.as_deref(), task.priority),
        ("Write report", Some("2026-11-30"), Some(1))
    );
    assert!(!task.done && task.notes.is_none());
}

#[test]
fn a_new_task_reads_as_it_was_given() {
    let new = NewTask {
        title: "Write\r\nATTENDEE:x",
        due: Some("2026-11-30T12:00:00+01:00"),
        priority: Some(9),
        notes: Some("a;b,c\\n"),
    };
    let object = compose_task(&new, "td-1", NOW).unwrap();
    let read = only(&object);
    assert_eq!((read.title.as_str(), read.due.as_deref()), ("Write\nATTENDEE:x", Some("2026-11-30T11:00:00Z")));
    assert_eq!((read.priority, read.notes.as_deref(), read.uid.as_deref()), (Some(9), Some("a;b,c\\n"), Some("td-1")));
    assert_lines(&object, &["STATUS:NEEDS-ACTION", "DUE:20261130T110000Z", "DTSTAMP:20261120T120000Z"]);
    assert!(!crate::nextcloud::calendar_body::invites(object.as_bytes()).unwrap());
    for (new, word) in [
        (NewTask { title: "", ..new }, "title"),
        (NewTask { due: Some("soon"), ..new }, "due is neither"),
        (NewTask { priority: Some(10), ..new }, "priority"),
    ] {
        refused(compose_task(&new, "td-1", NOW), word);
    }
}

#[test]
fn a_task_is_completed_and_reopened() {
    let before = task("SUMMARY:x\nX-OC-HIDESUBTASKS:1\nRELATED-TO:td-0");
    let done = edit(&before, &TaskChanges { done: Some(true), ..TaskChanges::default() }).unwrap();
    let expected = ["STATUS:COMPLETED", "COMPLETED:20261120T120000Z", "PERCENT-COMPLETE:100", "SEQUENCE:1"];
    assert_lines(&done, &expected);
    assert_lines(&done, &["X-OC-HIDESUBTASKS:1", "RELATED-TO:td-0"]);
    assert!(only(&done).done);
    let open = edit(&done, &TaskChanges { done: Some(false), ..TaskChanges::default() }).unwrap();
    assert!(!only(&open).done && !open.contains("COMPLETED") && !open.contains("PERCENT"));
    let again = TaskChanges { done: Some(true), ..TaskChanges::default() };
    assert_eq!(change_task(done.as_bytes(), &again, NOW), Ok(None), "it is done");
    refused(change_task(done.as_bytes(), &TaskChanges::default(), NOW), "nothing to change");
    let started = task("SUMMARY:x\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:40");
    let still = TaskChanges { done: Some(false), title: Some("y"), ..TaskChanges::default() };
    assert_lines(&edit(&started, &still).unwrap(), &["STATUS:IN-PROCESS", "PERCENT-COMPLETE:40"]);
}

#[test]
fn what_is_cancelled_or_completed_without_a_status_is_done() {
    assert!(only(&task("STATUS:CANCELLED")).done);
    assert!(only(&task("COMPLETED:20261101T080000Z")).done);
    assert!(!only(&task("STATUS:IN-PROCESS")).done);
}

#[test]
fn completing_does_not_end_a_recurring_task() {
    let before = task("SUMMARY:x\nDTSTART:20261101T080000Z\nRRULE:FREQ=DAILY");
    refused(edit(&before, &TaskChanges { done: Some(true), ..TaskChanges::default() }), "recurs");
    edit(&before, &TaskChanges { title: Some("y"), ..TaskChanges::default() }).unwrap();
}

#[test]
fn fields_are_changed_and_taken_away() {
    let before = task(
        "SUMMARY:x\nDUE;TZID=Europe/Berlin:20261130T090000\nPRIORITY:5\nDESCRIPTION:z\nDTSTART;TZID=Europe/Berlin:20261120T090000",
    );
    let changes =
        TaskChanges { due: Some("2026-12-01T12:00:00Z"), priority: Some(0), notes: Some(""), ..TaskChanges::default() };
    let after = edit(&before, &changes).unwrap();
    assert_lines(&after, &["DUE;TZID=Europe/Berlin:20261201T130000"]);
    assert!(!after.contains("PRIORITY") && !after.contains("DESCRIPTION"));
    assert!(!edit(&before, &TaskChanges { due: Some(""), ..TaskChanges::default() }).unwrap().contains("DUE"));
    let due = |due| edit(&before, &TaskChanges { due: Some(due), ..TaskChanges::default() });
    refused(due("2026-12-01"), "give a time");
    refused(due("2026-11-01T12:00:00Z"), "starts only");
}
