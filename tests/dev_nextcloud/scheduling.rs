//! What leaves by a calendar, and how tasks and contacts are found: as sabre does it, beyond what was recorded.

use obo_proxy::dev::nextcloud::{Generation, Mail};

use super::groupware::{BOOK, CALENDARS, event, found, put};
use super::wire::House;

const PEOPLE: &str =
    "ORGANIZER:mailto:alice@ex.org\r\nATTENDEE:mailto:alice@ex.org\r\nATTENDEE;CN=\"X: Y\":mailto:x@out.example\r\n";

fn sent(house: &House) -> Vec<(String, &'static str)> {
    let mails = house.nextcloud.mails().into_iter();
    mails.map(|Mail { from, to, about }| (format!("{from} to {to}"), about)).collect()
}

#[tokio::test]
async fn an_event_with_attendees_mails_them_and_comes_without_an_etag() {
    let house = House::of(Generation::V8_10).await;
    let answered = put(&house, "personal/i.ics", event("i", PEOPLE)).await;
    assert_eq!(answered.status, 201);
    assert!(!answered.headers.contains_key("etag") && !answered.headers.contains_key("oc-etag"));
    assert_eq!(sent(&house), [("alice to x@out.example".to_owned(), "invitation")]);
    let kept = house.as_user("alice", "GET", &format!("{CALENDARS}/personal/i.ics"), &[], "").await;
    assert!(
        kept.text().contains("ATTENDEE;CN=\"X: Y\";SCHEDULE-STATUS=1.1:mailto:x@out.example\r\n"),
        "{}",
        kept.text()
    );
    assert!(kept.text().contains("ATTENDEE:mailto:alice@ex.org\r\n"), "{}", kept.text());
    let alone = put(&house, "personal/alone.ics", event("alone", "")).await;
    assert!(alone.headers.contains_key("etag"), "what was kept as it came has one");
}

#[tokio::test]
async fn who_is_no_longer_invited_is_told() {
    let house = House::of(Generation::V8_10).await;
    let both = format!("{PEOPLE}ATTENDEE:mailto:z@out.example\r\n");
    put(&house, "personal/i.ics", event("i", &both)).await;
    assert_eq!(put(&house, "personal/i.ics", event("i", PEOPLE)).await.status, 204);
    let path = format!("{CALENDARS}/personal/i.ics");
    assert_eq!(house.as_user("alice", "DELETE", &path, &[], "").await.status, 204);
    let (x, z) = ("alice to x@out.example".to_owned(), "alice to z@out.example".to_owned());
    let told = [
        (x.clone(), "invitation"),
        (z.clone(), "invitation"),
        (z, "cancellation"),
        (x.clone(), "invitation"),
        (x, "cancellation"),
    ];
    assert_eq!(sent(&house), told);
    let foreign = "ORGANIZER:mailto:other@out.example\r\nATTENDEE:mailto:x@out.example\r\n";
    put(&house, "personal/f.ics", event("f", foreign)).await;
    house.as_user("alice", "DELETE", &format!("{CALENDARS}/personal/f.ics"), &[], "").await;
    assert_eq!(sent(&house).len(), 5, "what others organise is theirs to mail");
}

#[tokio::test]
async fn tasks_are_found_by_what_they_say_and_do_not_say() {
    let house = House::of(Generation::V8_10).await;
    assert_eq!(house.as_user("alice", "MKCALENDAR", &format!("{CALENDARS}/todo"), &[], "").await.status, 201);
    for (uid, lines) in [
        ("open-1", "SUMMARY:Paint\r\nSTATUS:NEEDS-ACTION\r\nDUE;VALUE=DATE:20261130\r\n"),
        ("done-1", "SUMMARY:Buy paint\r\nSTATUS:COMPLETED\r\nCOMPLETED:20261120T080000Z\r\n"),
        ("open-11", "SUMMARY:Write\r\n"),
    ] {
        let task = event(uid, lines)
            .replace("VEVENT", "VTODO")
            .replace("DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n", "");
        assert_eq!(put(&house, &format!("todo/{uid}.ics"), task).await.status, 201);
    }
    let text = |name: &str, attributes: &str, text: &str| {
        format!("<c:prop-filter name=\"{name}\"><c:text-match {attributes}>{text}</c:text-match></c:prop-filter>")
    };
    let without = |name: &str| format!("<c:prop-filter name=\"{name}\"><c:is-not-defined/></c:prop-filter>");
    for (filter, names) in [
        (without("COMPLETED"), &["open-1.ics", "open-11.ics"][..]),
        (without("STATUS"), &["open-11.ics"]),
        (text("STATUS", "", "NEEDS-ACTION"), &["open-1.ics"]),
        (text("STATUS", "negate-condition=\"yes\"", "COMPLETED"), &["open-1.ics"]),
        (text("SUMMARY", "", "PAINT"), &["done-1.ics", "open-1.ics"]),
        (text("SUMMARY", "collation=\"i;octet\"", "Paint"), &["open-1.ics"]),
        // Of CardDAV alone: here whatever contains the text is found.
        (text("UID", "match-type=\"equals\"", "open-1"), &["open-1.ics", "open-11.ics"]),
        (format!("{}{}", without("COMPLETED"), text("SUMMARY", "", "paint")), &["open-1.ics"]),
    ] {
        let filter = format!("<c:comp-filter name=\"VTODO\">{filter}</c:comp-filter>");
        assert_eq!(found(&house, "todo", &filter).await, names, "{filter}");
    }
}

#[tokio::test]
async fn contacts_are_found_by_any_of_what_they_say() {
    let house = House::of(Generation::V8_10).await;
    for (uid, lines) in [
        ("ann", "FN:Ann Archer\r\nEMAIL;TYPE=work:ann@ex.org\r\nORG:Bows;Sales\r\n"),
        ("ben", "FN:Ben Bow\r\nTEL:+49 30 1234\r\n"),
        ("cat", "FN:Cat\r\nNOTE:bows to nobody\r\n"),
    ] {
        let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\n{lines}END:VCARD\r\n");
        let path = format!("{BOOK}/{uid}.vcf");
        assert_eq!(house.as_user("alice", "PUT", &path, &[("content-type", "text/vcard")], card).await.status, 201);
    }
    let find = async |term: &str, how: &str, limit: &str| {
        let filters: String = ["FN", "EMAIL", "TEL", "ORG"]
            .map(|name| {
                let test =
                    format!("<c:text-match collation=\"i;unicode-casemap\" match-type=\"{how}\">{term}</c:text-match>");
                format!("<c:prop-filter name=\"{name}\">{test}</c:prop-filter>")
            })
            .concat();
        let body = format!(
            "<c:addressbook-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\"><d:prop><d:getetag/><c:address-data/></d:prop>\
             <c:filter test=\"anyof\">{filters}</c:filter>{limit}</c:addressbook-query>"
        );
        let text = house.as_user("alice", "REPORT", &format!("{BOOK}/"), &[("depth", "1")], body).await.text();
        let found = text.split("UID:").skip(1).map(|rest| rest.get(..3).unwrap().to_owned());
        found.collect::<Vec<_>>()
    };
    for (term, how, names) in [
        ("bow", "contains", &["ann", "ben"][..]),
        ("1234", "contains", &["ben"]),
        ("ann@ex", "starts-with", &["ann"]),
        ("cat", "equals", &["cat"]),
        ("nobody", "contains", &[]),
    ] {
        assert_eq!(find(term, how, "").await, names, "{term}");
    }
    assert_eq!(find("bow", "contains", "<c:limit><c:nresults>1</c:nresults></c:limit>").await.len(), 1);
}

#[tokio::test]
async fn the_inbox_names_the_default_calendar_wherever_the_home_is_listed() {
    let house = House::of(Generation::V8_10).await;
    let ask = "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop>\
               <c:schedule-default-calendar-URL/></d:prop></d:propfind>";
    for (path, depth) in [("", "1"), ("inbox/", "0")] {
        let told = house.as_user("alice", "PROPFIND", &format!("{CALENDARS}/{path}"), &[("depth", depth)], ask).await;
        let default = format!("<cal:schedule-default-calendar-URL><d:href>{CALENDARS}/personal/</d:href>");
        assert_eq!(told.text().matches(&default).count(), 1, "{}", told.text());
    }
}
