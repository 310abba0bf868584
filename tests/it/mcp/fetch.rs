//! `fetch`: one hit as text.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_long_text_is_cut_and_says_how_to_read_on() {
    let house = House::open().await;
    let token = house.token("alice");
    house.nextcloud.put_file("alice", "long.md", "ü".repeat(30_000)).await.unwrap();
    house.nextcloud.put_file("alice", "just.md", "ü".repeat(20_000)).await.unwrap();
    house.nextcloud.put_file("alice", "empty.md", "").await.unwrap();
    let long = house.does(&token, "fetch", json!({ "id": "files:/long.md" })).await;
    assert_eq!(long["text"].as_str().unwrap(), "ü".repeat(20_000));
    assert_eq!(long["metadata"]["next_offset"], 20_000);
    assert!(long["metadata"]["hint"].as_str().unwrap().contains("files_read"), "{}", long["metadata"]);
    assert_eq!(long["metadata"]["size"], 60_000);
    let just = house.does(&token, "fetch", json!({ "id": "files:/just.md" })).await;
    assert_eq!((just["text"].as_str().unwrap().len(), just["metadata"].get("next_offset")), (40_000, None));
    assert_eq!(house.does(&token, "fetch", json!({ "id": "files:/empty.md" })).await["text"], "");
    let note = house.does(&token, "note_write", json!({ "title": "Long", "text": "a".repeat(20_001) })).await;
    let note = house.does(&token, "fetch", json!({ "id": note["id"] })).await;
    assert_eq!(note["metadata"]["next_offset"], 20_000);
    house.close().await;
}

#[tokio::test]
async fn what_is_no_text_is_not_given_as_one() {
    let house = House::open().await;
    let token = house.token("alice");
    house.nextcloud.put_file("alice", "photo.png", vec![0x89_u8, b'P', b'N', b'G', 0]).await.unwrap();
    let image = house.does(&token, "fetch", json!({ "id": "files:/photo.png" })).await;
    assert!(image["text"].as_str().unwrap().contains("no text"), "{image}");
    let folder = house.does(&token, "fetch", json!({ "id": "files:/Documents" })).await;
    assert!(folder["text"].as_str().unwrap().contains("files_list"), "{folder}");
    house.close().await;
}

#[tokio::test]
async fn an_event_is_read_with_the_recurrences_that_differ() {
    let house = House::open().await;
    let token = house.token("alice");
    let event = |extra: &str, start: &str, title: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:w\r\nDTSTAMP:20261101T080000Z\r\n{extra}\r\nDTSTART:{start}\r\nDURATION:PT1H\r\n\
             SUMMARY:{title}\r\nLOCATION:Room 1\u{202e}\r\nDESCRIPTION:First line\\nSecond line\r\nEND:VEVENT\r\n"
        )
    };
    let object = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}{}END:VCALENDAR\r\n",
        event("RRULE:FREQ=WEEKLY", "20261202T090000Z", "Weekly"),
        event("RECURRENCE-ID:20261209T090000Z", "20261209T140000Z", "Weekly, later"),
    );
    let put = house.request("PUT", "/remote.php/dav/calendars/alice/personal/w.ics", &token);
    assert_eq!(put.header("content-type", "text/calendar").body(object).send().await.unwrap().status(), 201);
    let series = house.does(&token, "fetch", json!({ "id": "event:personal/w.ics" })).await;
    let text = series["text"].as_str().unwrap();
    for part in
        ["From: 2026-12-02T09:00:00Z", "Where: Room 1\n", "First line\nSecond line", "From: 2026-12-09T14:00:00Z"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((&series["title"], &series["metadata"]["event_id"]), (&json!("Weekly"), &json!("personal/w.ics")));
    for (instance, title) in [("20261209T090000Z", "Weekly, later"), ("20261216T090000Z", "Weekly")] {
        let one = house.does(&token, "fetch", json!({ "id": format!("event:personal/w.ics#{instance}") })).await;
        assert_eq!(one["title"], title, "{instance}");
        assert!(!one["text"].as_str().unwrap().contains("Changed recurrence"), "{one}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_conversation_is_read_as_people_read_it() {
    let house = House::open().await;
    let token = house.token("alice");
    let read = house.does(&token, "fetch", json!({ "id": "talk:team0001" })).await;
    assert_eq!(
        (&read["title"], &read["url"]),
        (&json!("Team"), &json!(format!("{}/index.php/call/team0001", house.url)))
    );
    let text = read["text"].as_str().unwrap();
    let (welcome, plan) = (text.find("Alice T (").unwrap(), text.find("): @Alice T please read the plan").unwrap());
    assert!(welcome < plan && !text.contains("created the conversation"), "{text}");
    house.close().await;
}

#[tokio::test]
async fn a_board_is_its_stacks_and_their_cards() {
    let house = House::open().await;
    let token = house.token("alice");
    let boards = "/index.php/apps/deck/api/v1.0/boards";
    let post = async |target: String, body| {
        let answer = house.request("POST", &target, &token).json(&body).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["id"].clone()
    };
    let board = post(boards.to_owned(), json!({ "title": "House", "color": "ff0000" })).await;
    let stack = post(format!("{boards}/{board}/stacks"), json!({ "title": "To do", "order": 1 })).await;
    let card = json!({ "title": "Roof", "type": "plain", "order": 1 });
    let card = post(format!("{boards}/{board}/stacks/{stack}/cards"), card).await;
    let read = house.does(&token, "fetch", json!({ "id": format!("deck:{board}") })).await;
    assert_eq!(
        (&read["title"], &read["text"]),
        (&json!("House"), &json!(format!("To do\n- Roof (deck:{board}/{card})\n")))
    );
    let called = house.call(&house.token("bob"), "fetch", json!({ "id": format!("deck:{board}") })).await;
    assert!(called.failure().contains("no such board"), "{called:?}");
    house.close().await;
}

#[tokio::test]
async fn what_only_people_can_open_says_so() {
    let house = House::open().await;
    let read = house.does(&house.token("alice"), "fetch", json!({ "id": "link:/apps/other/1#x" })).await;
    assert_eq!(read["url"], format!("{}/apps/other/1#x", house.url));
    assert!(read["text"].as_str().unwrap().contains("cannot read this"), "{read}");
    house.close().await;
}

#[tokio::test]
async fn an_id_that_is_none_or_of_nothing_is_told() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    for id in ["", "12", "files:/../bob/bob.txt", "link:https://evil.example/", "event:../bob/x.ics", "notes:1/../2"] {
        let called = house.call(&alice, "fetch", json!({ "id": id })).await;
        assert!(called.failure().contains("no id of a search result"), "{id}: {called:?}");
    }
    for id in [
        "files:/nothing.txt",
        "notes:999999",
        "event:personal/nothing.ics",
        "event:nothing/x.ics",
        "contact:contacts/nobody",
        "contact:contacts/</c:text-match>",
        "contact:nothing/x",
        "talk:team0001/999999",
        "talk:nowhere0",
    ] {
        let called = house.call(&alice, "fetch", json!({ "id": id })).await;
        assert!(called.failure().contains(" no "), "{id}: {called:?}");
    }
    for id in ["files:/alice.txt", "event:personal/alice-event.ics", "contact:contacts/alice-contact"] {
        assert!(!house.call(&alice, "fetch", json!({ "id": id })).await.is_error, "{id}");
        assert!(house.call(&bob, "fetch", json!({ "id": id })).await.is_error, "{id}");
    }
    house.close().await;
}
