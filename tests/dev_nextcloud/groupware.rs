//! Calendars and address books beyond what was recorded, and the hazard in their reports.

use obo_proxy::dev::nextcloud::Generation;

use super::recording::Answered;
use super::wire::House;

pub const CALENDARS: &str = "/remote.php/dav/calendars/alice";
pub const BOOK: &str = "/remote.php/dav/addressbooks/users/alice/contacts";

pub fn event(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T080000Z\r\n\
         DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn multiget(report: &str, data: &str, href: &str) -> String {
    format!(
        "<x:{report} xmlns:d=\"DAV:\" xmlns:x=\"urn:ietf:params:xml:ns:caldav\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\">\
         <d:prop><d:getetag/>{data}</d:prop><d:href>{href}</d:href></x:{report}>"
    )
}

pub async fn put(house: &House, path: &str, body: String) -> Answered {
    house.as_user("alice", "PUT", &format!("{CALENDARS}/{path}"), &[("content-type", "text/calendar")], body).await
}

pub async fn found(house: &House, calendar: &str, filter: &str) -> Vec<String> {
    let body = format!(
        "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:getetag/></d:prop>\
         <c:filter><c:comp-filter name=\"VCALENDAR\">{filter}</c:comp-filter></c:filter></c:calendar-query>"
    );
    let answered = house.as_user("alice", "REPORT", &format!("{CALENDARS}/{calendar}/"), &[("depth", "1")], body).await;
    assert_eq!(answered.status, 207, "{}", answered.text());
    let text = answered.text();
    let hrefs = text.split("<d:href>").skip(1).map(|rest| rest.split('<').next().unwrap().rsplit('/').next().unwrap());
    hrefs.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_contact_is_read_through_a_calendar_report() {
    let house = House::of(Generation::V8_10).await;
    let contact = format!("{BOOK}/alice-contact.vcf");
    let body = multiget("calendar-multiget", "<c:address-data/>", &contact);
    for place in ["/remote.php/dav/principals/users/alice/", &format!("{CALENDARS}/personal/"), "/remote.php/dav/"] {
        let answered = house.as_user("alice", "REPORT", place, &[("depth", "1")], body.clone()).await;
        assert_eq!(answered.status, 207, "{place}");
        assert!(answered.text().contains("+49 151 7654321"), "{place}: {}", answered.text());
        let foreign = house.as_user("bob", "REPORT", "/remote.php/dav/principals/users/bob/", &[], body.clone()).await;
        assert!(foreign.text().contains("HTTP/1.1 404 Not Found"), "{}", foreign.text());
        assert!(!foreign.text().contains("+49"), "only what one may read");
    }
    // The other way round, from another calendar, and in an absolute form.
    let event = format!("http://nextcloud.test{CALENDARS}/personal/alice-event.ics");
    let body = multiget("calendar-multiget", "<x:calendar-data/>", &event);
    let answered = house.as_user("alice", "REPORT", &format!("{BOOK}/"), &[("depth", "1")], body).await;
    assert!(answered.text().contains("SUMMARY:An event of alice"), "{}", answered.text());
    let file = multiget("calendar-multiget", "", "/remote.php/dav/files/alice/alice.txt");
    let answered = house.as_user("alice", "REPORT", &format!("{CALENDARS}/personal/"), &[], file).await;
    assert!(answered.text().contains("getetag>&quot;"), "{}", answered.text());
}

#[tokio::test]
async fn time_ranges_look_at_every_occurrence() {
    let house = House::of(Generation::V8_10).await;
    assert_eq!(house.as_user("alice", "MKCALENDAR", &format!("{CALENDARS}/c"), &[], "").await.status, 201);
    for (name, rule) in [
        ("daily", "RRULE:FREQ=DAILY;UNTIL=20261205T235959Z\r\n"),
        ("weekly", "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=6\r\n"),
        ("monthly", "RRULE:FREQ=MONTHLY;INTERVAL=2;COUNT=3\r\n"),
        ("yearly", "RRULE:FREQ=YEARLY\r\nEXDATE:20271201T090000Z\r\n"),
        ("once", ""),
    ] {
        assert_eq!(put(&house, &format!("c/{name}.ics"), event(name, rule)).await.status, 201, "{name}");
    }
    for (start, end, names) in [
        ("20261203T000000Z", "20261204T000000Z", vec!["daily.ics", "weekly.ics"]),
        (
            "20261201T090000Z",
            "20261201T093000Z",
            vec!["daily.ics", "monthly.ics", "once.ics", "weekly.ics", "yearly.ics"],
        ),
        ("20261201T100000Z", "20261201T110000Z", vec![]),
        ("20261217T000000Z", "20261218T000000Z", vec!["weekly.ics"]),
        ("20261222T000000Z", "20261223T000000Z", vec![]),
        ("20270401T000000Z", "20270402T000000Z", vec!["monthly.ics"]),
        ("20271201T000000Z", "20271202T000000Z", vec![]),
        ("20281201T000000Z", "20281202T000000Z", vec!["yearly.ics"]),
    ] {
        let filter =
            format!("<c:comp-filter name=\"VEVENT\"><c:time-range start=\"{start}\" end=\"{end}\"/></c:comp-filter>");
        assert_eq!(found(&house, "c", &filter).await, names, "{start}");
    }
    let by_uid = "<c:comp-filter name=\"VEVENT\"><c:prop-filter name=\"UID\"><c:text-match>once</c:text-match>\
                  </c:prop-filter></c:comp-filter>";
    assert_eq!(found(&house, "c", by_uid).await, ["once.ics"]);
    let no_rule = "<c:comp-filter name=\"VEVENT\"><c:prop-filter name=\"RRULE\"><c:is-not-defined/></c:prop-filter>\
                   </c:comp-filter>";
    assert_eq!(found(&house, "c", no_rule).await, ["once.ics"]);
}

#[tokio::test]
async fn an_expanded_recurrence_comes_in_utc_without_its_rule() {
    let house = House::of(Generation::V8_10).await;
    let body = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20261101T080000Z\r\n\
                DTSTART;TZID=Europe/Berlin:20261020T090000\r\nDTEND;TZID=Europe/Berlin:20261020T100000\r\n\
                RRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(put(&house, "personal/e.ics", body.into()).await.status, 201);
    let query = "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><c:calendar-data>\
                 <c:expand start=\"20261020T000000Z\" end=\"20261030T000000Z\"/></c:calendar-data></d:prop><c:filter>\
                 <c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\"><c:time-range start=\"20261020T000000Z\" \
                 end=\"20261030T000000Z\"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>";
    let text = house.as_user("alice", "REPORT", &format!("{CALENDARS}/personal/"), &[], query).await.text();
    // Summer time ends between the two.
    for line in [
        "DTSTART:20261020T070000Z",
        "DTSTART:20261027T080000Z",
        "DTEND:20261027T090000Z",
        "RECURRENCE-ID:20261020T070000Z",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!((text.matches("BEGIN:VEVENT").count(), text.contains("RRULE")), (2, false), "{text}");
}

#[tokio::test]
async fn who_synchronises_is_told_what_changed() {
    let house = House::of(Generation::V8_10).await;
    assert_eq!(house.as_user("alice", "MKCALENDAR", &format!("{CALENDARS}/s"), &[], "").await.status, 201);
    let sync = async |token: &str| {
        let body = format!(
            "<d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>\
             <d:prop><d:getetag/></d:prop></d:sync-collection>"
        );
        let answered = house.as_user("alice", "REPORT", &format!("{CALENDARS}/s/"), &[], body).await;
        let text = answered.text();
        let token =
            text.split("sync-token>").nth(1).unwrap_or_default().split('<').next().unwrap_or_default().to_owned();
        (answered.status, text, token)
    };
    put(&house, "s/a.ics", event("a", "")).await;
    let (_, text, first) = sync("").await;
    assert!(text.contains("/a.ics"));
    put(&house, "s/b.ics", event("b", "")).await;
    house.as_user("alice", "DELETE", &format!("{CALENDARS}/s/a.ics"), &[], "").await;
    let (_, text, second) = sync(&first).await;
    assert!(
        text.contains("/a.ics</d:href><d:status>HTTP/1.1 404 Not Found")
            && text.contains("/b.ics</d:href><d:propstat>")
    );
    assert!(!sync(&second).await.1.contains(".ics"));
    assert_eq!(sync("http://sabre.io/ns/sync/999").await.0, 403);
    assert_eq!(sync("nonsense").await.0, 403);
}

#[tokio::test]
async fn objects_are_checked_as_sabre_does() {
    let house = House::of(Generation::V8_10).await;
    assert_eq!(put(&house, "personal/a.ics", event("a", "")).await.status, 201);
    let todo = event("t", "").replace("VEVENT", "VTODO");
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:x\r\nEND:VCARD\r\n";
    for (case, name, body, status) in [
        ("again", "a.ics", event("a", ""), 204),
        ("the same UID under another name", "b.ics", event("a", ""), 400),
        ("a task among events", "t.ics", todo, 403),
        ("a contact", "c.ics", card.to_owned(), 415),
        ("no UID", "n.ics", event("a", "").replace("UID:a\r\n", ""), 415),
        ("not closed", "o.ics", event("a", "").replace("END:VCALENDAR\r\n", ""), 415),
    ] {
        assert_eq!(put(&house, &format!("personal/{name}"), body).await.status, status, "{case}");
    }
    assert_eq!(put(&house, "contact_birthdays/a.ics", event("z", "")).await.status, 403, "read only");
    assert_eq!(put(&house, "none/a.ics", event("z", "")).await.status, 404);
    let bob = format!("{CALENDARS}/personal/b.ics");
    assert_eq!(house.as_user("bob", "PUT", &bob, &[], event("z", "")).await.status, 404);
    let vcard4 = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:v\r\nFN:V\r\nEND:VCARD\r\n";
    assert_eq!(house.as_user("alice", "PUT", &format!("{BOOK}/v.vcf"), &[], vcard4).await.status, 201);
    assert!(house.as_user("alice", "GET", &format!("{BOOK}/v.vcf"), &[], "").await.text().contains("VERSION:3.0"));
}

#[tokio::test]
async fn a_client_finds_its_way_from_the_root_to_the_homes() {
    let house = House::of(Generation::V8_10).await;
    let ask = async |path: &str, properties: &str| {
        let body = format!(
            "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
             xmlns:k=\"urn:ietf:params:xml:ns:carddav\"><d:prop>{properties}</d:prop></d:propfind>"
        );
        house.as_user("alice", "PROPFIND", path, &[("depth", "0")], body).await.text()
    };
    let principal = "/remote.php/dav/principals/users/alice/";
    for start in ["/remote.php/dav/", "/remote.php/dav/calendars/alice/", principal] {
        let text = ask(start, "<d:current-user-principal/>").await;
        assert!(text.contains(&format!("<d:current-user-principal><d:href>{principal}</d:href>")), "{start}: {text}");
    }
    let text = ask(principal, "<c:calendar-home-set/><k:addressbook-home-set/><c:schedule-outbox-URL/>").await;
    for home in ["calendars/alice/", "addressbooks/users/alice/", "calendars/alice/outbox/"] {
        assert!(text.contains(&format!("<d:href>/remote.php/dav/{home}</d:href>")), "{text}");
    }
}

#[tokio::test]
async fn address_books_are_made_and_searched() {
    let house = House::of(Generation::V8_10).await;
    let home = "/remote.php/dav/addressbooks/users/alice";
    let make = "<d:mkcol xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\"><d:set><d:prop><d:resourcetype>\
                <d:collection/><c:addressbook/></d:resourcetype><d:displayname>Friends</d:displayname></d:prop></d:set>\
                </d:mkcol>";
    assert_eq!(house.as_user("alice", "MKCOL", &format!("{home}/friends"), &[], make).await.status, 201);
    assert_eq!(house.as_user("alice", "MKCOL", &format!("{home}/friends"), &[], make).await.status, 405);
    assert_eq!(house.as_user("alice", "MKCOL", &format!("{home}/plain"), &[], "").await.status, 403);
    let shown = house
        .as_user(
            "alice",
            "PROPFIND",
            &format!("{home}/friends/"),
            &[("depth", "0")],
            "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:displayname/></d:prop></d:propfind>",
        )
        .await;
    assert!(shown.text().contains("<d:displayname>Friends</d:displayname>"));
    for (test, hits) in [("allof", 0), ("anyof", 1)] {
        let query = format!(
            "<c:addressbook-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\"><d:prop><d:getetag/></d:prop>\
             <c:filter test=\"{test}\"><c:prop-filter name=\"FN\"><c:text-match>friend</c:text-match></c:prop-filter>\
             <c:prop-filter name=\"EMAIL\"><c:text-match>friend</c:text-match></c:prop-filter></c:filter></c:addressbook-query>"
        );
        let answered = house.as_user("alice", "REPORT", &format!("{BOOK}/"), &[], query).await;
        assert_eq!(answered.text().matches("<d:response>").count(), hits, "{test}");
    }
}

#[tokio::test]
async fn a_calendar_is_shared_and_published_by_post() {
    let house = House::of(Generation::V8_10).await;
    let calendar = format!("{CALENDARS}/personal/");
    let share = |element: &str, access: &str| {
        format!(
            "<o:share xmlns:d=\"DAV:\" xmlns:o=\"http://owncloud.org/ns\"><o:{element}>\
             <d:href>principal:principals/users/bob</d:href>{access}</o:{element}></o:share>"
        )
    };
    let shown = "/remote.php/dav/calendars/bob/personal_shared_by_alice/alice-event.ics";
    let get = async || house.as_user("bob", "GET", shown, &[], "").await.status;
    let write = async || house.as_user("bob", "PUT", shown, &[], event("alice-event", "")).await.status;
    assert_eq!(get().await, 404);
    assert_eq!(house.as_user("alice", "POST", &calendar, &[], share("set", "")).await.status, 200);
    assert_eq!((get().await, write().await), (200, 403));
    assert_eq!(house.as_user("alice", "POST", &calendar, &[], share("set", "<o:read-write/>")).await.status, 200);
    assert_eq!(write().await, 204);
    assert_eq!(house.as_user("alice", "POST", &calendar, &[], share("remove", "")).await.status, 200);
    assert_eq!(get().await, 404);
    assert_eq!(house.as_user("bob", "POST", &calendar, &[], share("set", "")).await.status, 404, "it is not bob's");
    let publish = "<c:publish-calendar xmlns:c=\"http://calendarserver.org/ns/\"/>";
    assert_eq!(house.as_user("alice", "POST", &calendar, &[], publish).await.status, 202);
    let asked = "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"http://calendarserver.org/ns/\"><d:prop><c:publish-url/></d:prop></d:propfind>";
    let told = house.as_user("alice", "PROPFIND", &calendar, &[("depth", "0")], asked).await.text();
    assert!(told.contains("<cs:publish-url><d:href>http://nextcloud.test/remote.php/dav/public-calendars/"), "{told}");
}

#[tokio::test]
async fn the_old_endpoints_lead_to_the_same_without_users_above_people() {
    let house = House::of(Generation::V8_10).await;
    let get = async |path: &str| house.as_user("alice", "GET", path, &[], "").await.text();
    for service in ["caldav", "calendar"] {
        let text = get(&format!("/remote.php/{service}/calendars/alice/personal/alice-event.ics")).await;
        assert!(text.contains("An event of alice"), "{service}: {text}");
    }
    for service in ["carddav", "contacts"] {
        let text = get(&format!("/remote.php/{service}/addressbooks/alice/contacts/alice-contact.vcf")).await;
        assert!(text.contains("A friend of alice"), "{service}: {text}");
    }
    let asked = "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><c:calendar-home-set/>\
                 <d:current-user-principal/></d:prop></d:propfind>";
    let told =
        house.as_user("alice", "PROPFIND", "/remote.php/caldav/principals/alice/", &[("depth", "0")], asked).await;
    for href in ["principals/alice/", "calendars/alice/"] {
        assert!(told.text().contains(&format!("<d:href>/remote.php/caldav/{href}</d:href>")), "{}", told.text());
    }
}
