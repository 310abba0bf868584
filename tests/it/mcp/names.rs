//! Names and texts that would be something else to somebody: on a path, in XML, in a calendar object.

use serde_json::{Value, json};

use crate::house::{House, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_are_names_and_nothing_else() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let names = [
        "a b",
        "a%",
        "100% b",
        "a?b=c",
        "a#b",
        "a;b",
        "a&b<c>\"'d",
        "]]>",
        "..a",
        "a..",
        "...",
        " a",
        "a ",
        "a.",
        "ä",
        "a\u{308}",
        "東京 👩\u{200d}🔬",
        "a:b",
        "a|b*",
        "a+b",
        "a=b@c",
        "$(a)`b`",
        "{a}",
        "~",
        "-",
        "a,b",
        "<!--",
        "&amp;",
        "LIKE %_",
    ];
    for name in names {
        let (path, moved) = (format!("/{name}.txt"), format!("/{name} 2.txt"));
        let written = house.call(&alice, "files_write", json!({ "path": path, "text": name })).await;
        assert!(!written.is_error, "{name:?}: {written:?}");
        let read = house.does(&alice, "files_read", json!({ "path": path })).await;
        assert_eq!((&read["text"], &read["path"]), (&json!(name), &json!(path)), "{name:?}");
        let listed = house.does(&alice, "files_list", json!({ "limit": 100 })).await;
        let is_listed = |path: &str| listed["items"].as_array().unwrap().iter().any(|item| item["path"] == path);
        assert!(is_listed(&path), "{name:?}: {listed}");
        let uri = read["url"].as_str().unwrap_or_default();
        assert!(!uri.contains(' '), "{uri}");
        assert!(house.call(&bob, "files_read", json!({ "path": path })).await.is_error, "{name:?}");
        house.does(&alice, "files_move", json!({ "from": path, "to": moved })).await;
        let found = house.call(&alice, "files_search", json!({ "name": name })).await;
        assert!(!found.is_error && found.output.to_string().contains(" 2.txt\""), "{name:?}: {found:?}");
        house.does(&alice, "files_delete", json!({ "path": moved })).await;
    }
    assert!(house.nextcloud.seen().iter().all(|seen| seen.status != 500), "Nextcloud stumbled");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_users_files() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    house.does(&bob, "files_write", json!({ "path": "/secret.txt", "text": "of bob" })).await;
    let long = format!("/{}", "a/".repeat(1_999));
    for path in [
        "/../bob/secret.txt",
        "../bob/secret.txt",
        "/%2e%2e/bob/secret.txt",
        "/..%2fbob%2fsecret.txt",
        "/a/../../bob/secret.txt",
        "/..\\bob\\secret.txt",
        "/..;/bob/secret.txt",
        "/.%2e/bob/secret.txt",
        "/\u{ff0e}\u{ff0e}/bob/secret.txt",
        "//bob/secret.txt",
        "/%252e%252e/bob/secret.txt",
        "/..\0/bob/secret.txt",
        "/.. /bob/secret.txt",
        "/../../../../etc/passwd",
        "files/bob/secret.txt",
        "/..\u{2215}bob/secret.txt",
        "/~bob/secret.txt",
        long.as_str(),
    ] {
        for (tool, arguments) in [
            ("files_read", json!({ "path": path })),
            ("files_list", json!({ "path": path })),
            ("files_search", json!({ "path": path })),
            ("files_copy", json!({ "from": path, "to": "/copy" })),
            ("files_move", json!({ "from": path, "to": "/copy" })),
            ("files_delete", json!({ "path": path })),
            ("files_restore", json!({ "path": path })),
            ("share_create", json!({ "path": path, "kind": "link" })),
            ("shares_list", json!({ "path": path })),
            ("fetch", json!({ "id": format!("files:{path}") })),
        ] {
            let said = house.try_call(&alice, tool, arguments).await;
            let text = said.body.to_string();
            assert!(said.status == 200 && !text.contains("of bob"), "{tool} {path:?}: {said:?}");
            let failed = said.body["result"]["isError"] == true
                || said.body["result"]["structuredContent"]["items"] == json!([]);
            assert!(failed, "{tool} {path:?}: {said:?}");
        }
        for uri in [format!("nextcloud://files{path}"), format!("nextcloud://files/{path}")] {
            let said = house.ask(&alice, "resources/read", json!({ "uri": uri.replace('\0', "%00") })).await;
            assert!(said.status < 500 && said.body["error"].is_object(), "{uri}: {said:?}");
        }
    }
    for seen in house.nextcloud.seen() {
        let of_alice = seen.user.as_deref() == Some("alice");
        assert!(!(of_alice && seen.target.contains("dav/files/bob")), "{seen:?}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_lead_nowhere_else() {
    let house = House::open().await;
    let alice = house.token("alice");
    for id in
        ["../1", "1/../../2", "1?x", "1#", "%31", "1 ", "+1", "0x1", "1e3", "-1", "", "99999999999999999999999", "１"]
    {
        for (tool, arguments) in [
            ("share_delete", json!({ "id": id })),
            ("note_write", json!({ "id": id, "text": "a" })),
            ("talk_messages", json!({ "conversation": id })),
            ("talk_send", json!({ "conversation": "abcd", "text": "a", "reply_to": id })),
            ("event_delete", json!({ "id": id })),
            ("event_delete", json!({ "id": format!("personal/{id}/..%2f") })),
            ("event_update", json!({ "id": format!("{id}/../bob/a.ics"), "title": "a" })),
            ("task_update", json!({ "id": id, "done": true })),
            ("fetch", json!({ "id": id })),
            ("fetch", json!({ "id": format!("notes:{id}") })),
            ("fetch", json!({ "id": format!("deck:{id}") })),
            ("fetch", json!({ "id": format!("contact:..%2f{id}/a") })),
            ("fetch", json!({ "id": format!("talk:{id}") })),
        ] {
            let said = house.try_call(&alice, tool, arguments.clone()).await;
            assert_eq!(
                (said.status, &said.body["result"]["isError"]),
                (200, &json!(true)),
                "{tool} {arguments}: {said:?}"
            );
        }
    }
    for category in ["../x", "a/../../b", "/etc", "a//b", "a\\b", "a\nb", ".."] {
        let written = house.call(&alice, "note_write", json!({ "text": "a", "category": category })).await;
        assert!(written.failure().contains("category"), "{category:?}: {written:?}");
    }
    assert!(!house.nextcloud.seen().iter().any(|seen| seen.path().contains("..") || seen.path().contains("%2F..")));
    house.close().await;
}

/// A cursor is what we made of it: a number that somebody wrote into it instead costs the database nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_was_changed_leads_no_further_than_ours() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let house = House::open().await;
    let alice = house.token("alice");
    for name in ["/a.md", "/b.md", "/c.md", "/d.md"] {
        house.does(&alice, "files_write", json!({ "path": name, "text": "a" })).await;
    }
    let first = house.does(&alice, "files_search", json!({ "name": "*.md", "limit": 1 })).await;
    let cursor = URL_SAFE_NO_PAD.decode(first["next_cursor"].as_str().unwrap()).unwrap();
    let mut cursor: Value = serde_json::from_slice(&cursor).unwrap();
    for place in [json!(u64::MAX), json!(10_000), json!(-1), json!("1"), json!(null), json!([1])] {
        cursor[1] = place;
        let forged = URL_SAFE_NO_PAD.encode(cursor.to_string());
        let called = house.call(&alice, "files_search", json!({ "name": "*.md", "limit": 1, "cursor": forged })).await;
        assert!(called.failure().contains("Start again"), "{cursor}: {called:?}");
    }
    house.close().await;
}

/// Every text of events and tasks is text: it begins no line, no parameter and no component.
#[tokio::test(flavor = "multi_thread")]
async fn no_text_becomes_a_property_of_a_calendar_object() {
    let house = House::open().await;
    let alice = house.token("alice");
    let made = house.request("MKCALENDAR", "/remote.php/dav/calendars/alice/mixed/", &alice).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let object = async |id: &str| {
        let (calendar, name) = id.split_once('/').unwrap();
        let path = format!("/remote.php/dav/calendars/alice/{calendar}/{name}");
        house.get(&path, &house.token("alice")).await.text().await.unwrap()
    };
    let evil = "ATTENDEE:mailto:eve@evil.example";
    for end in [
        "\r\n", "\n", "\r", "\\n", "\\N", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\r\n ", "\n\t", "\0",
        "\";X=", ";X=\"", "^n", "\u{1e}",
    ] {
        let text = format!("x{end}{evil}{end}END:VEVENT{end}BEGIN:VALARM{end}ACTION:EMAIL{end}{evil}{end}END:VALARM");
        let event =
            json!({ "title": text, "start": "2026-11-01", "end": "2026-11-01", "location": text, "description": text });
        let event = house.does(&alice, "event_create", event).await;
        let id = event["id"].as_str().unwrap().to_owned();
        let changed = json!({ "id": id, "title": format!("y{text}"), "location": format!("y{text}"), "description": format!("y{text}") });
        house.does(&alice, "event_update", changed).await;
        let task = house.does(&alice, "task_create", json!({ "title": text, "notes": text })).await;
        let of_task = task["id"].as_str().unwrap().to_owned();
        house.does(&alice, "task_update", json!({ "id": of_task, "title": format!("y{text}"), "notes": text })).await;
        for id in [&id, &of_task] {
            let object = object(id).await;
            let unfolded = object.replace("\r\n ", "").replace("\r\n\t", "");
            for line in unfolded.split(['\r', '\n']) {
                let name = line.split([':', ';']).next().unwrap();
                let known = [
                    "",
                    "BEGIN",
                    "END",
                    "VERSION",
                    "PRODID",
                    "CALSCALE",
                    "UID",
                    "DTSTAMP",
                    "CREATED",
                    "LAST-MODIFIED",
                    "SUMMARY",
                    "DTSTART",
                    "DTEND",
                    "LOCATION",
                    "DESCRIPTION",
                    "STATUS",
                    "SEQUENCE",
                    "TZID",
                ];
                assert!(known.contains(&name), "{end:?}: {line:?} in {object}");
                assert!(!(name == "BEGIN" && line.contains("VALARM")), "{end:?}: {object}");
                let parameters = line.split(':').next().unwrap();
                assert!(!parameters.contains("X="), "{end:?}: {line:?}");
            }
        }
    }
    for wrong in [
        "a@b\r\nX:1",
        "a@b\nATTENDEE:mailto:c@d",
        "\"a\"@b",
        "a@b;X=1",
        "a b@c",
        "a@b,c@d",
        "mailto:mailto:a@b",
        "a@b?cc=c@d",
        "<a@b>",
        "a@[1.2.3.4]",
        "javascript:a@b",
        "a@b:c",
        "a@\u{2028}b",
    ] {
        let event = json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "attendees": [wrong] });
        let called = house.call(&alice, "event_create", event).await;
        assert!(called.failure().contains("no mail address"), "{wrong:?}: {called:?}");
    }
    for rule in [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;COUNT=10",
        "FREQ=DAILY;COUNT=1\r\nATTENDEE:mailto:a@b",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;X=1",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=YEARLY;BYMONTHDAY=32",
        "FREQ=DAILY;BYSECOND=61",
        "FREQ=DAILY;UNTIL=2026\n1201",
    ] {
        let event = json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "rrule": rule });
        let called = house.call(&alice, "event_create", event).await;
        assert!(called.is_error && called.failure().contains("rrule"), "{rule:?}: {called:?}");
    }
    assert!(house.nextcloud.mails().is_empty(), "{:?}", house.nextcloud.mails());
    house.close().await;
}

/// The name of a property in a text is a word, wherever a line is folded.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_may_name_an_organizer_anywhere() {
    let tables = "[mcp]\ncalls_per_minute = 1000\n[policy.egress]\ninvitations = false\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let alice = house.token("alice");
    let made = house.request("MKCALENDAR", "/remote.php/dav/calendars/alice/mixed/", &alice).send().await.unwrap();
    assert_eq!(made.status(), 201);
    for before in 40..80 {
        let text = format!("{}. Organizer: Bob; attendee: Carol", "x".repeat(before));
        house.does(&alice, "task_create", json!({ "title": "a", "notes": text })).await;
        let event = json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "description": text });
        house.does(&alice, "event_create", event).await;
    }
    house.close().await;
}

/// Who is no longer invited gets a mail as well, and in it the new title.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_invited_nobody_is_told_that_he_no_longer_is() {
    let house = Plan { tables: "[policy.egress]\ninvitations = false\n".into(), ..Plan::default() }.build().await;
    let alice = house.token("alice");
    house.does(&alice, "whoami", json!({})).await;
    let password = house.nextcloud.add_app_password("alice");
    let own = house.nextcloud.email("alice").unwrap();
    let event = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261101T100000Z\r\nSUMMARY:a\r\nORGANIZER:mailto:{own}\r\n\
         ATTENDEE:mailto:eve@evil.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let at = format!("{}/remote.php/dav/calendars/alice/personal/a.ics", house.nextcloud.url().unwrap());
    let put =
        house.client.put(at).basic_auth("alice", Some(password)).header("content-type", "text/calendar").body(event);
    assert_eq!(put.send().await.unwrap().status(), 201);
    let mails = house.nextcloud.mails().len();
    for change in [
        json!({ "id": "personal/a.ics", "title": "the secret", "attendees": [] }),
        json!({ "id": "personal/a.ics", "title": "the secret" }),
        json!({ "id": "personal/a.ics", "title": "the secret", "attendees": ["eve@evil.example"] }),
    ] {
        let called = house.call(&alice, "event_update", change.clone()).await;
        assert!(called.failure().contains("operator"), "{change}: {called:?}");
    }
    assert_eq!(house.nextcloud.mails().len(), mails, "{:?}", house.nextcloud.mails());
    house.close().await;
}
