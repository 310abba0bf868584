//! The tags of `If` name paths that Nextcloud looks at (law 7, RFC 4918 §10.4): what it says to a guessed etag is a reading.

use super::{asks_for, ends, passes, with};
use crate::house::House;
use crate::hygiene::before;
use crate::wire::{Upstream, ask, request};

const PUT: &str = "PUT /remote.php/dav/calendars/alice/personal/1.ics";
const OK: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

fn put(tag: &str) -> String {
    format!("{PUT}\nIf: <{tag}> ([\"guess\"])")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_not_guessed_at_through_the_calendar_scope_however_its_path_is_written() {
    let house = House::open().await;
    for tag in [
        "/remote.php/dav/files/bob/x".to_owned(),
        "/remote.php/dav/%66iles/bob/x".into(),
        "/remote.php/webdav/x".into(),
        format!("{}/remote.php/dav/files/bob/x", house.url),
    ] {
        let answer = ends(&house, "calendar.write", &put(&tag), "x", 403, "insufficient_scope").await;
        asks_for(&answer, "calendar.write files.read", &tag);
        passes(&house, "calendar.write files.read", &put(&tag), "x").await;
    }
    // Any of them, behind any list.
    let head = format!(
        "{PUT}\nIf: </remote.php/dav/calendars/alice/a> (Not <DAV:no-lock>) ([\"a\"]) </remote.php/dav/files/bob/x> ([\"b\"])"
    );
    ends(&house, "calendar.write", &head, "x", 403, "insufficient_scope").await;
    // One challenge for target, destination and tag.
    let head = "MOVE /remote.php/dav/calendars/alice/personal/1.ics\nDestination: /remote.php/dav/files/alice/y\n\
        If: </remote.php/dav/addressbooks/users/alice/contacts/1.vcf> ([\"a\"])";
    let answer = ends(&house, "calendar.write", head, "", 403, "insufficient_scope").await;
    asks_for(&answer, "calendar.write files.write contacts.read", head);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_on_the_never_list_or_with_another_reading_is_refused_in_every_mode() {
    for tables in ["", "[policy]\nenforcement = \"off\"\n"] {
        let house = with(tables).await;
        let all = "calendar.write files.write";
        for tag in
            ["/ocs/v2.php/core/getapppassword", "/index.php/settings/users", "/remote.php/dav/comments/deckCard/1"]
        {
            ends(&house, all, &put(tag), "x", 403, "forbidden_route").await;
        }
        ends(&house, all, &put("/mcp"), "x", 404, "invalid_request").await;
        let (file, own) = ("/remote.php/dav/files/bob/x", "/remote.php/dav/calendars/alice/a");
        for tag in [
            "/remote.php/dav/calendars/../files/bob/x",
            "/remote.php/dav/calendars/%2e%2e/files/bob/x",
            "/remote.php/dav//files/bob/x",
            "/remote.php/dav/calendars%2falice",
            "/remote.php/dav/%2566iles/bob/x",
            "/remote.php/dav/files/bob/x?y",
            "https://evil.example/remote.php/dav/files/bob/x",
            "//evil.example/remote.php/dav/files/bob/x",
            "remote.php/dav/files/bob/x",
            "urn:a",
        ] {
            ends(&house, all, &put(tag), "x", 400, "invalid_request").await;
        }
        for field in [
            format!("If: <{file}>"),
            format!("If: <{own}>([\"a\"]) <{file}> ([\"b\"])"),
            format!("If: <{own}> (<urn:a> <urn:/../../../files/bob/x>) <{own}> ([\"b\"])"),
            format!("If: ([\"a\"]) <{file}> ([\"b\"])"),
            format!("If: (<urn:a> <{file}> ([\"b\"])"),
            format!("If: ([\"a <{file}> ([\"b\"])"),
            format!("If: x<{file}> ([\"b\"])"),
            format!("If: ([\"a\"])\nIf: <{file}> ([\"b\"])"),
            "If: ([\"a\"])\nIf: ([\"b\"])".into(),
        ] {
            ends(&house, all, &format!("{PUT}\n{field}"), "x", 400, "invalid_request").await;
        }
        house.close().await;
    }
}

/// What a sync client sends with the last step of an upload in chunks, and a client with a lock.
#[tokio::test(flavor = "multi_thread")]
async fn honest_conditions_arrive() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let token = house.token_with("alice", "files.write");
    let file = "/remote.php/dav/files/alice/a%20(1).txt";
    for (sent, arrives) in [
        (format!("<{file}> ([\"5d1c\"])"), format!("<{file}> ([\"5d1c\"])")),
        (format!("<{}{file}> (<opaquelocktoken:a-b>)", house.url), format!("<{file}> (<opaquelocktoken:a-b>)")),
        ("(<opaquelocktoken:a> <urn:b> Not [\"c d\"])".into(), "(<opaquelocktoken:a> <urn:b> Not [\"c d\"])".into()),
        ("([\"a\"])".into(), "([\"a\"])".into()),
    ] {
        let fields = format!("Destination: {file}\r\nIf: {sent}\r\n");
        let line = "MOVE /remote.php/dav/uploads/alice/1/.file";
        assert_eq!(ask(&house, request(&house, line, &token, &fields)).await.status, 201, "{sent}");
        assert!(upstream.last().contains(&format!("\nif: {arrives}").to_ascii_lowercase()), "{}", upstream.last());
    }
    house.close().await;
}
