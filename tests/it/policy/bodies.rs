//! Paths in bodies (law 7, checklist row 55): what smuggling was tried, and that honest bodies arrive whole.

use super::{Wire, asks_for, ends, passes, told, wire};
use crate::house::House;
use crate::hygiene::before;
use crate::wire::{Upstream, ask};

const CALENDAR: &str = "REPORT /remote.php/dav/calendars/alice/personal/\nDepth: 1\nContent-Type: application/xml";
const SEARCH: &str = "SEARCH /remote.php/dav/\nContent-Type: text/xml";

fn multiget(hrefs: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><c:calendar-multiget xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">\
         <d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    )
}

fn search(scope: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><d:searchrequest xmlns:d=\"DAV:\"><d:basicsearch><d:select><d:prop><d:displayname/></d:prop></d:select>\
         <d:from>{scope}</d:from><d:where/></d:basicsearch></d:searchrequest>"
    )
}

fn scope(path: &str) -> String {
    format!("<d:scope><d:href>{path}</d:href><d:depth>infinity</d:depth></d:scope>")
}

/// The hole that was found: a contact's telephone number through the calendar scope.
#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_not_read_through_the_calendar_scope_however_its_path_is_written() {
    let house = House::open().await;
    let contact = "/remote.php/dav/addressbooks/users/alice/contacts/1.vcf";
    for href in [
        format!("<d:href>{contact}</d:href>"),
        format!("<d:href><![CDATA[{contact}]]></d:href>"),
        "<d:href>/remote.php/dav/<![CDATA[address]]>books/users/alice/contacts/1.vcf</d:href>".into(),
        "<d:href>/remote.php/dav/&#97;ddressbooks/users/alice/contacts/1.vcf</d:href>".into(),
        "<d:href>/remote.php/dav/%61ddressbooks/users/alice/contacts/1.vcf</d:href>".into(),
        "<d:href>/remote.php/carddav/addressbooks/alice/contacts/1.vcf</d:href>".into(),
        format!("<d:href>{}{contact}</d:href>", house.url),
        format!("<href xmlns=\"DAV:\">{contact}</href>"),
        format!("<z:href xmlns:z=\"DAV:\">{contact}</z:href>"),
        format!("<d:HREF>{contact}</d:HREF>"),
        format!("<d:x><d:y xmlns:d=\"urn:other\"><d:href>{contact}</d:href></d:y></d:x>"),
        format!("<d:href>/remote.php/dav/calendars/alice/personal/1.ics</d:href><d:href>{contact}</d:href>"),
    ] {
        let answer = ends(&house, "calendar.read", CALENDAR, &multiget(&href), 403, "insufficient_scope").await;
        asks_for(&answer, "calendar.read contacts.read", &href);
        passes(&house, "calendar.read contacts.read", CALENDAR, &multiget(&href)).await;
    }
    let principals = CALENDAR.replace("calendars/alice/personal", "principals/users/alice");
    let all = "nc.read calendar.read contacts.read";
    ends(&house, all, &principals, &multiget(&format!("<d:href>{contact}</d:href>")), 403, "forbidden_route").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_another_reading_is_400_whatever_the_scopes() {
    let house = House::open().await;
    let all = "calendar.write contacts.write files.write";
    let event = "/remote.php/dav/calendars/alice/personal/1.ics";
    for body in [
        multiget("<d:href>/remote.php/dav/files/<!-- x -->alice/x</d:href>"),
        multiget("<d:href>/remote.php/dav/<?x y?>files/alice/x</d:href>"),
        multiget("<d:href>/remote.php/dav/<d:x/>files/alice/x</d:href>"),
        multiget("<d:href>&dav;</d:href>"),
        multiget("<d:href>contacts/1.vcf</d:href>"),
        multiget("<d:href>../../addressbooks/users/alice/contacts/1.vcf</d:href>"),
        multiget("<d:href>/remote.php/dav/calendars/../addressbooks/users/alice/contacts/1.vcf</d:href>"),
        multiget("<d:href>/remote.php/dav/calendars/%2e%2e/addressbooks/users/alice/contacts/1.vcf</d:href>"),
        multiget("<d:href>/remote.php/dav//addressbooks/users/alice/contacts/1.vcf</d:href>"),
        multiget("<d:href>/remote.php/dav/calendars%2falice/x</d:href>"),
        multiget("<d:href>/remote.php/dav/%2561ddressbooks/users/alice</d:href>"),
        multiget("<d:href>http://evil.example/remote.php/dav/calendars/alice/x</d:href>"),
        multiget("<d:href>//evil.example/remote.php/dav/calendars/alice/x</d:href>"),
        multiget("<d:href/>"),
        format!("<!DOCTYPE x [<!ENTITY e \"{event}\">]>{}", multiget("<d:href>&e;</d:href>")),
        multiget("").replace("utf-8", "utf-7"),
        format!("\u{feff}{}", multiget("")),
        multiget("</d:oops>"),
        format!("{}<x/>", multiget("")),
        "no xml".into(),
        String::new(),
    ] {
        ends(&house, all, CALENDAR, &body, 400, "invalid_request").await;
    }
    let event = multiget(&format!("<d:href>{event}</d:href>"));
    passes(&house, all, CALENDAR, &event).await;
    for coding in ["gzip", "deflate", "identity", "br"] {
        ends(&house, all, &format!("{CALENDAR}\nContent-Encoding: {coding}"), &event, 400, "invalid_request").await;
    }
    // What is on the never-list is on it here as well.
    let never = multiget("<d:href>/remote.php/dav/comments/deckCard/1</d:href>");
    ends(&house, all, CALENDAR, &never, 403, "forbidden_route").await;
    ends(&house, all, CALENDAR, "<d:expand-property xmlns:d=\"DAV:\"/>", 403, "forbidden_route").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_stays_below_the_files_of_one_person() {
    let house = House::open().await;
    passes(&house, "files.read", SEARCH, &search(&scope("/files/alice"))).await;
    passes(&house, "files.read", SEARCH, &search(&scope("/files/alice/a%20b"))).await;
    ends(&house, "calendar.read", SEARCH, &search(&scope("/files/alice")), 403, "insufficient_scope").await;
    for refused in [
        String::new(),
        scope("/"),
        scope("/files"),
        scope("/calendars/alice"),
        scope("/addressbooks/users/alice"),
        scope("/trashbin/alice"),
        scope("/files/alice") + &scope("/files/bob"),
        scope("/files/alice") + "<x:href xmlns:x=\"urn:x\">/calendars/alice</x:href>",
    ] {
        ends(&house, "files.write calendar.write contacts.write", SEARCH, &search(&refused), 403, "forbidden_route")
            .await;
    }
    for ambiguous in ["files/alice", "/files/../calendars/alice", "/files/%2e%2e/calendars", "http://x/files/alice", ""]
    {
        ends(&house, "files.read", SEARCH, &search(&scope(ambiguous)), 400, "invalid_request").await;
    }
    let coded = format!("{SEARCH}\nContent-Encoding: identity");
    ends(&house, "files.read", &coded, &search(&scope("/files/alice")), 400, "invalid_request").await;
    let elsewhere = SEARCH.replace("/dav/", "/dav/files/alice/");
    ends(&house, "files.read", &elsewhere, &search(&scope("/files/alice")), 403, "forbidden_route").await;
    house.close().await;
}

/// Somebody else's files: Nextcloud says no, and it is Nextcloud that knows who the caller is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_anothers_files_is_nextclouds_to_refuse() {
    let house = House::open().await;
    let (answer, reached) = told(&house, "files.read", SEARCH, &search(&scope("/files/bob"))).await;
    assert_eq!((answer.status, reached), (500, true));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_read_arrives_whole() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        while let Some(head) = wire.head().await {
            let body = wire.body(&head).await;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            wire.write([answer.as_bytes(), &body].concat()).await;
        }
    })
    .await;
    let house = before(&upstream).await;
    let token = house.token_with("alice", "calendar.read");
    // Small ones are kept for a retry, large ones are not; a chunked one gets a length.
    for padding in [0, 100, 70_000, 900_000] {
        let body = multiget(&format!("<!-- {} -->", "x".repeat(padding)));
        let answer = ask(&house, wire(&house, CALENDAR, &token, &body)).await;
        assert_eq!((answer.status, String::from_utf8_lossy(&answer.body)), (200, body.as_str().into()));
        let (half, rest) = body.split_at(body.len() / 2);
        let chunks = format!("{:x}\r\n{half}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", half.len(), rest.len());
        let head = format!("{CALENDAR}\nTransfer-Encoding: chunked");
        let answer = ask(&house, wire(&house, &head, &token, "") + &chunks).await;
        assert_eq!((answer.status, String::from_utf8_lossy(&answer.body)), (200, body.as_str().into()));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_a_mebibyte_is_not_read() {
    let house = House::open().await;
    let token = house.token_with("alice", "calendar.read");
    let head = format!("{CALENDAR}\nContent-Length: {}", 1024 * 1024 + 1);
    let answer = ask(&house, wire(&house, &head, &token, "")).await;
    assert_eq!((answer.status, answer.error().as_str()), (413, "invalid_request"));
    let mut chunked = Wire::to(&house).await;
    chunked.write(wire(&house, &format!("{CALENDAR}\nTransfer-Encoding: chunked"), &token, "")).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..17 {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut chunked.stream, chunk.as_bytes()).await;
    }
    assert_eq!(chunked.answer().await.map(|answer| answer.status), Some(413));
    assert!(house.nextcloud.seen().is_empty());
    // A file may be as large as it likes: nobody reads it.
    passes(&house, "files.write", "PUT /remote.php/dav/files/alice/large", &"x".repeat(1_100_000)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_takes_no_file_along_that_its_writer_may_not_read() {
    let house = House::open().await;
    let json = "\nContent-Type: application/json";
    let file = r#"{"subject":"x","attachments":[{"type":"cloud","fileName":"/alice.txt"}]}"#;
    for way in
        ["POST /apps/mail/api/outbox", "PUT /index.php/apps/mail/api/drafts/5", "POST /ocs/v2.php/apps/mail/api/outbox"]
    {
        let head = format!("{way}{json}");
        let answer = ends(&house, "mail.write", &head, file, 403, "insufficient_scope").await;
        asks_for(&answer, "files.read mail.write", way);
        ends(&house, "files.read", &head, file, 403, "insufficient_scope").await;
        passes(&house, "mail.write files.read", &head, file).await;
        passes(&house, "mail.write", &head, r#"{"attachments":[{"type":"local","id":5}]}"#).await;
        ends(&house, "mail.write files.read", &head, r#"{"attachments":"x"}"#, 400, "invalid_request").await;
    }
    let form = "POST /apps/mail/api/outbox\nContent-Type: application/x-www-form-urlencoded";
    ends(&house, "mail.write", form, "attachments[0][type]=cloud", 400, "invalid_request").await;
    ends(&house, "mail.write", "POST /apps/mail/api/outbox?attachments[0][type]=cloud", "", 400, "invalid_request")
        .await;
    passes(&house, "mail.write", "POST /apps/mail/api/outbox/5", "").await;
    passes(&house, "mail.write", "DELETE /apps/mail/api/outbox/5", "").await;
    house.close().await;
}

/// Nextcloud merges parameters of the body over those of the path, whatever the method.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_by_the_provider_in_its_path() {
    let house = House::open().await;
    let search = "GET /ocs/v2.php/search/providers/contacts/search?term=x";
    let json = "\nContent-Type: application/json";
    for body in
        [r#"{"providerId":"files"}"#, r#"{"term":"x","provider\u0049d":"files"}"#, r#"{"providerId":"contacts"}"#]
    {
        ends(&house, "contacts.read", &format!("{search}{json}"), body, 400, "invalid_request").await;
    }
    ends(
        &house,
        "contacts.read",
        &format!("{search}\nContent-Type: application/x+json"),
        r#"{"providerId":"files"}"#,
        400,
        "invalid_request",
    )
    .await;
    ends(&house, "contacts.read", search, "providerId=files", 400, "invalid_request").await;
    ends(&house, "contacts.read", &format!("{search}&providerId=files"), "", 400, "invalid_request").await;
    passes(&house, "contacts.read", &format!("{search}{json}"), r#"{"limit":5}"#).await;
    passes(&house, "contacts.read", search, "").await;
    house.close().await;
}
