//! What passes the tasks door, and everything near it that does not.

use super::*;
use crate::nextcloud::target::Target;
use crate::token::ScopeSet;

const HOME: &str = "/remote.php/dav/calendars/alice/";
const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";
const OBJECT: &str = "/remote.php/dav/calendars/alice/personal/1.ics";

fn door(method: &str, path: &str, headers: &[(&'static str, &'static str)]) -> Option<Door> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let (method, target) = (Method::from_bytes(method.as_bytes()).unwrap(), Target::parse(path).unwrap());
    Door::of(&Route::fold(&method, &target), &method, target.query(), &map).ok()
}

fn passes(door: Door, body: &str) -> bool {
    match door.judge(body.as_bytes()) {
        Ok(judged) => judged.is_ok(),
        Err(_) => false,
    }
}

#[test]
fn a_tool_for_tasks_lists_asks_and_writes() {
    for (method, path, headers, passes) in [
        ("PROPFIND", HOME, &[("depth", "1")][..], Door::Properties),
        ("PROPFIND", "/remote.php/caldav/calendars/alice", &[("depth", "0")], Door::Properties),
        ("PROPFIND", CALENDAR, &[("depth", "1")], Door::Properties),
        ("REPORT", CALENDAR, &[("depth", "1")], Door::Query),
        ("PUT", OBJECT, &[("if-none-match", "*")], Door::Object),
        ("PUT", OBJECT, &[("if-match", "\"3f80888b\"")], Door::Object),
    ] {
        assert_eq!(door(method, path, headers), Some(passes), "{method} {path}");
    }
}

#[test]
fn nothing_else_is_done_at_the_calendars() {
    let everything = [("depth", "1"), ("if-none-match", "*")];
    for method in [
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
        "PATCH",
        "DELETE",
        "PROPPATCH",
        "MKCOL",
        "MKCALENDAR",
        "COPY",
        "MOVE",
        "LOCK",
        "ACL",
    ] {
        for path in [HOME, CALENDAR, OBJECT] {
            assert_eq!(door(method, path, &everything), None, "{method} {path}");
        }
    }
    for (method, paths) in [
        ("PROPFIND", &["/remote.php/dav/calendars", "/remote.php/caldav", OBJECT][..]),
        ("REPORT", &[HOME, OBJECT]),
        ("PUT", &[HOME, CALENDAR, "/remote.php/dav/calendars/alice/personal/a/b.ics"]),
    ] {
        for path in paths {
            assert_eq!(door(method, path, &everything), None, "{method} {path}");
        }
    }
    for own in ["inbox", "outbox", "trashbin", "notifications", "Outbox", "%69nbox"] {
        let calendar = format!("/remote.php/dav/calendars/alice/{own}");
        assert_eq!(door("PROPFIND", &calendar, &everything), None, "{own}");
        assert_eq!(door("REPORT", &calendar, &everything), None, "{own}");
        assert_eq!(door("PUT", &format!("{calendar}/1.ics"), &everything), None, "{own}");
    }
    // Another family is not this door's to judge, and is not let through by it.
    assert_eq!(door("PROPFIND", "/remote.php/dav/files/alice/", &everything), None);
    assert_eq!(door("PROPFIND", "/remote.php/dav/calendars/alice/?expand", &everything), None);
}

#[test]
fn a_read_is_shallow_and_says_so() {
    for headers in
        [&[][..], &[("depth", "infinity")], &[("depth", "1,noroot")], &[("depth", "0"), ("depth", "infinity")]]
    {
        assert_eq!(door("PROPFIND", HOME, headers), None, "{headers:?}");
        assert_eq!(door("REPORT", CALENDAR, headers), None, "{headers:?}");
    }
}

#[test]
fn a_write_is_of_something_new_or_of_what_was_read() {
    for headers in [
        &[][..],
        &[("if-match", "*")],
        &[("if-match", "\"*\"")],
        &[("if-match", "\"a\", \"b\"")],
        &[("if-match", "\"a\",*")],
        &[("if-match", "\"a\""), ("if-match", "\"b\"")],
        &[("if-match", "W/\"a\"")],
        &[("if-match", "a")],
        &[("if-match", "\"\"")],
        &[("if-match", "\"")],
        &[("if-none-match", "\"a\"")],
        &[("if-none-match", "*"), ("if-none-match", "\"a\"")],
        &[("if-none-match", "*"), ("if-match", "\"a\"")],
    ] {
        assert_eq!(door("PUT", OBJECT, headers), None, "{headers:?}");
    }
    for (name, value) in [
        ("destination", "/remote.php/dav/calendars/alice/personal/2.ics"),
        ("if", "(<urn:a>)"),
        ("content-range", "bytes 0-1/2"),
    ] {
        assert_eq!(door("PUT", OBJECT, &[("if-none-match", "*"), (name, value)]), None, "{name}");
    }
}

#[test]
fn tasks_open_the_door_and_a_table_without_them_does_not() {
    let mut policy = Policy::default();
    assert_eq!(policy.tasks(Door::Query), Err(Refusal::NotOpened));
    policy.table.set(Row::Tasks, Access::Read, ScopeSet::parse("tasks.read"));
    policy.table.set(Row::Tasks, Access::Write, ScopeSet::parse("tasks.write"));
    for (door, scope) in [(Door::Properties, "tasks.read"), (Door::Query, "tasks.read"), (Door::Object, "tasks.write")]
    {
        assert_eq!(policy.tasks(door).unwrap().scopes().to_string(), scope);
    }
}

fn propfind(asked: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">{asked}</d:propfind>"
    )
}

#[test]
fn properties_are_those_of_collections() {
    for good in ["<d:prop><d:displayname/><c:supported-calendar-component-set/></d:prop>", "<d:prop/>"] {
        assert!(passes(Door::Properties, &propfind(good)), "{good}");
    }
    for bad in [
        "<d:prop><c:calendar-data/></d:prop>",
        "<d:prop><x:calendar-data xmlns:x=\"urn:x\"/></d:prop>",
        "<d:prop><d:getetag/></d:prop>",
        "<d:allprop/>",
        "<d:propname/>",
        "<d:prop/><d:include><c:calendar-data/></d:include>",
        "<d:prop/><d:prop/>",
        "<c:prop/>",
        "<d:prop><c:x><c:calendar-data/></c:x></d:prop>",
        "",
    ] {
        assert!(!passes(Door::Properties, &propfind(bad)), "{bad}");
    }
    assert!(!passes(Door::Properties, ""));
    assert!(!passes(Door::Properties, &query("<d:prop/>", TASKS)));
    assert!(!passes(Door::Query, &propfind("<d:prop/>")));
}

const TASKS: &str = "<c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VTODO\"/></c:comp-filter>";

fn query(asked: &str, filter: &str) -> String {
    format!(
        "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">{asked}<c:filter>{filter}</c:filter></c:calendar-query>"
    )
}

fn within_calendar(inside: &str) -> String {
    query(
        "<d:prop><d:getetag/><c:calendar-data/></d:prop>",
        &format!("<c:comp-filter name=\"VCALENDAR\">{inside}</c:comp-filter>"),
    )
}

#[test]
fn a_query_finds_tasks() {
    for good in [
        "",
        "<c:time-range start=\"20261201T000000Z\" end=\"20261210T000000Z\"/>",
        "<c:prop-filter name=\"COMPLETED\"><c:is-not-defined/></c:prop-filter>",
        "<c:prop-filter name=\"STATUS\"><c:text-match negate-condition=\"yes\">COMPLETED</c:text-match></c:prop-filter>",
        "<c:prop-filter name=\"UID\"><c:text-match collation=\"i;octet\">a&amp;b</c:text-match></c:prop-filter>",
    ] {
        let body = within_calendar(&format!("<c:comp-filter name=\"VTODO\">{good}</c:comp-filter>"));
        assert!(passes(Door::Query, &body), "{good}");
    }
    assert!(passes(Door::Query, &query("", TASKS)));
}

#[test]
fn a_query_finds_nothing_but_tasks() {
    for bad in [
        "",
        "<c:comp-filter name=\"VEVENT\"/>",
        "<c:comp-filter name=\"vtodo\"/>",
        "<c:comp-filter name=\"VTODO\"><c:is-not-defined/></c:comp-filter>",
        "<c:comp-filter name=\"VTODO\"/><c:comp-filter name=\"VEVENT\"/>",
        "<c:comp-filter name=\"VTODO\"/><c:comp-filter name=\"VTODO\"/>",
        "<c:comp-filter name=\"VTODO\" test=\"anyof\"/>",
        "<c:comp-filter x:name=\"VTODO\" xmlns:x=\"urn:x\"/>",
        "<c:comp-filter/>",
        // Another namespace: sabre steps over it, and nothing is left of the filter.
        "<d:comp-filter name=\"VTODO\"/>",
        "<comp-filter name=\"VTODO\"/>",
        "<c:comp-filter name=\"VTODO\" xmlns:c=\"urn:x\"/>",
        "<c:prop-filter name=\"VERSION\"/><c:comp-filter name=\"VTODO\"/>",
        "<c:is-not-defined/><c:comp-filter name=\"VTODO\"/>",
        "<c:comp-filter name=\"VTODO\"><c:comp-filter name=\"VALARM\"/></c:comp-filter>",
        "<c:comp-filter name=\"VTODO\"><c:prop-filter name=\"X\"><c:comp-filter name=\"VEVENT\"/></c:prop-filter></c:comp-filter>",
    ] {
        assert!(!passes(Door::Query, &within_calendar(bad)), "{bad}");
    }
    for (asked, filter) in [
        ("<d:prop/>", "<c:comp-filter name=\"VEVENT\"><c:comp-filter name=\"VTODO\"/></c:comp-filter>"),
        ("<d:prop/>", ""),
        ("<d:prop/>", &format!("{TASKS}{TASKS}")),
        ("<d:prop/>", &format!("{TASKS}<c:comp-filter name=\"VCALENDAR\"/>")),
        ("<c:filter/>", TASKS),
        ("<d:prop/><d:prop/>", TASKS),
        ("<d:allprop/>", TASKS),
        (
            "<d:prop><c:calendar-data><c:expand start=\"20261201T000000Z\" end=\"20261210T000000Z\"/></c:calendar-data></d:prop>",
            TASKS,
        ),
        ("<d:prop><c:calendar-data><c:comp name=\"VCALENDAR\"><c:allcomp/></c:comp></c:calendar-data></d:prop>", TASKS),
        ("<d:href>/remote.php/dav/calendars/alice/personal/1.ics</d:href>", TASKS),
        ("<d:prop><d:href/></d:prop>", TASKS),
    ] {
        assert!(!passes(Door::Query, &query(asked, filter)), "{asked} {filter}");
    }
    for root in ["sync-collection", "calendar-multiget", "free-busy-query", "expand-property", "propfind"] {
        let body = query("<d:prop/>", TASKS).replace("calendar-query", root);
        assert!(!passes(Door::Query, &body), "{root}");
    }
    assert!(!passes(Door::Query, &query("<d:prop/>", TASKS).replace("urn:ietf:params:xml:ns:caldav", "urn:x")));
    let renamed = query("<d:prop/>", TASKS)
        .replace("<c:calendar-query", "<calendar-query")
        .replace("</c:calendar-query", "</calendar-query");
    assert!(!passes(Door::Query, &renamed.replace("<calendar-query", "<calendar-query xmlns=\"urn:x\"")));
    let entity = format!("<!DOCTYPE x [<!ENTITY t \"VTODO\">]>{}", query("<d:prop/>", TASKS));
    assert_eq!(Door::Query.judge(entity.as_bytes()), Err(AmbiguousBody::DocumentType));
}

fn calendar(inside: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{inside}END:VCALENDAR\r\n")
}

fn task(inside: &str) -> String {
    calendar(&format!("BEGIN:VTODO\r\nUID:td-1\r\nSUMMARY:Write report\r\n{inside}END:VTODO\r\n"))
}

#[test]
fn a_task_is_written() {
    for good in [
        "",
        "DUE;VALUE=DATE:20261130\r\nPRIORITY:1\r\nSTATUS:NEEDS-ACTION\r\n",
        "DESCRIPTION:BEGIN:VEVENT\\nATTENDEE:mailto:x@y\r\n",
        "DESCRIPTION:a long text\r\n  that is folded\r\n\tBEGIN:VEVENT\r\n",
        "X-A;X-B=\"c:d\":e\r\n",
        "g.X-A:e\r\n",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n",
        "begin:valarm\r\nAction:audio\r\nend:valarm\r\n",
    ] {
        assert!(passes(Door::Object, &task(good)), "{good:?}");
    }
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
    assert!(passes(Door::Object, &calendar(&format!("{zone}BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n"))));
    // As it was recorded (calendar.http, entry 77), and without an end of the last line.
    assert!(passes(Door::Object, &task("").replace('\r', "")));
    assert!(passes(Door::Object, task("").trim_end()));
    // A series and its exceptions.
    assert!(passes(Door::Object, &calendar(&"BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n".repeat(2))));
}

#[test]
fn nothing_but_a_task_is_written() {
    let event = "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n";
    for bad in [
        event.to_owned(),
        "BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n".to_owned() + event,
        "BEGIN:VJOURNAL\r\nUID:1\r\nEND:VJOURNAL\r\n".to_owned(),
        "BEGIN:VFREEBUSY\r\nUID:1\r\nEND:VFREEBUSY\r\n".to_owned(),
        "BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nBEGIN:VJOURNAL\r\nUID:1\r\nEND:VJOURNAL\r\n".to_owned(),
        "BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nBEGIN:VFREEBUSY\r\nUID:1\r\nEND:VFREEBUSY\r\n".to_owned(),
        "BEGIN:VTIMEZONE\r\nTZID:x\r\nEND:VTIMEZONE\r\n".to_owned(),
        "BEGIN:VTIMEZONE\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VTIMEZONE\r\n".to_owned(),
        "BEGIN:X-THING\r\nEND:X-THING\r\n".to_owned(),
        String::new(),
    ] {
        assert!(!passes(Door::Object, &calendar(&bad)), "{bad:?}");
    }
    for bad in [
        event,
        "BEG\r\n IN:VEVENT\r\nEND:VEVENT\r\n",
        "g.BEGIN:VEVENT\r\n",
        "BEGIN;X=y:VALARM\r\nEND:VALARM\r\n",
        "BEGIN:VALARM \r\nEND:VALARM \r\n",
        "BEGIN:VALARM\r\n",
        "END:VEVENT\r\n",
        "SUMMARY\r\n",
        "X;Y\r\n",
        ":x\r\n",
        "SUM MARY:x\r\n",
        "SUM\u{1}MARY:x\r\n",
        "\r\n",
        "\r\n X-A:b\r\n",
        "g.BEGIN:VALARM\r\nEND:VALARM\r\n",
        "SUMMARY:a\rX-B:c\r\n",
        "SUMMARY:a\r\r\n",
        "END:VTODO\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n",
        "END:VTODO\r\nEND:VCALENDAR\r\nX-A:b\r\nBEGIN:VTODO\r\n",
    ] {
        assert!(!passes(Door::Object, &task(bad)), "{bad:?}");
    }
    let twice = task("") + &task("");
    for bad in [twice.as_str(), "BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n", " BEGIN:VCALENDAR\r\nEND:VCALENDAR", "X:y", ""]
    {
        assert!(!passes(Door::Object, bad), "{bad:?}");
    }
    assert!(!passes(Door::Object, &task("").replace("END:VCALENDAR\r\n", "")));
    assert!(!passes(Door::Object, &("X-A:b\r\n".to_owned() + &task(""))));
    assert_eq!(Door::Object.judge(b"[\"vcalendar\",[],[]]"), Err(AmbiguousBody::Kind));
    assert_eq!(Door::Object.judge(b"BEGIN:VCALENDAR\xff"), Err(AmbiguousBody::Encoding));
}

#[test]
fn a_task_invites_and_mails_nobody() {
    for bad in [
        "ATTENDEE:mailto:x@y\r\n",
        "ORGANIZER:mailto:x@y\r\n",
        "att\r\n endee;CN=x:mailto:x@y\r\n",
        "BEGIN:VALARM\r\nACTION:EMAIL\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nACTION:EMAIL\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACTION;X=y:DISPLAY\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACTION;X=\":\":EMAIL\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\ng.ACTION:EMAIL\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACT\r\n ION:EM\r\n AIL\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACTION:PROCEDURE\r\nEND:VALARM\r\n",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nATTENDEE:mailto:x@y\r\nEND:VALARM\r\n",
    ] {
        assert!(!passes(Door::Object, &task(bad)), "{bad:?}");
    }
}
