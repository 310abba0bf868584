//! Calendars and events by tools, in the user's own calendars.

use serde_json::{Value, json};

use crate::house::{House, Plan};

const SCOPES: &str = "openid calendar.read calendar.write";

/// A weekly event in Berlin, over the change of clocks.
async fn weekly(house: &House, token: &str) -> Value {
    let arguments = json!({
        "title": "Stand-up", "start": "2026-10-12T09:00:00", "end": "2026-10-12T09:30:00", "timezone": "Europe/Berlin",
        "rrule": "FREQ=WEEKLY;COUNT=5", "location": "Room 1",
    });
    house.does(token, "event_create", arguments).await
}

fn window(start: &str, end: &str) -> Value {
    json!({ "start": start, "end": end })
}

async fn found(house: &House, token: &str, arguments: Value) -> Vec<(String, String)> {
    let answer = house.does(token, "events_find", arguments).await;
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    answer["items"].as_array().unwrap().iter().map(|item| (text(item, "title"), text(item, "start"))).collect()
}

fn starts(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(_, start)| start.as_str()).collect()
}

#[tokio::test]
async fn an_event_is_created_found_in_an_expanded_recurrence_and_moved() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let created = weekly(&house, &token).await;
    assert_eq!((created["calendar"].as_str(), created["recurring"].as_bool()), (Some("personal"), Some(true)));
    assert_eq!(created["start"], "2026-10-12T09:00:00+02:00");

    let all = || window("2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z");
    let expanded = house.does(&token, "events_find", all()).await;
    let items = expanded["items"].as_array().unwrap();
    let shown: Vec<&str> = items.iter().map(|item| item["start"].as_str().unwrap()).collect();
    let expected = [
        "2026-10-12T07:00:00Z",
        "2026-10-19T07:00:00Z",
        "2026-10-26T08:00:00Z",
        "2026-11-02T08:00:00Z",
        "2026-11-09T08:00:00Z",
    ];
    assert_eq!(shown, expected);
    let one = items[1]["id"].as_str().unwrap();
    assert_eq!(one, format!("{}#20261019T070000Z", created["id"].as_str().unwrap()));
    assert_eq!((items[1]["location"].as_str(), &items[1]["etag"]), (Some("Room 1"), &created["etag"]));

    let moved = house
        .does(&token, "event_update", json!({ "id": one, "start": "2026-10-19T15:00:00+02:00", "title": "Later" }))
        .await;
    assert_eq!(
        (moved["start"].as_str(), moved["end"].as_str()),
        (Some("2026-10-19T15:00:00+02:00"), Some("2026-10-19T15:30:00+02:00"))
    );
    assert_eq!(moved["id"], one);
    let after = found(&house, &token, all()).await;
    assert_eq!(after[1], ("Later".to_owned(), "2026-10-19T13:00:00Z".to_owned()));
    assert_eq!(after.len(), 5);

    let series =
        house.does(&token, "event_update", json!({ "id": created["id"], "start": "2026-10-12T11:00:00" })).await;
    assert_eq!(series["start"], "2026-10-12T11:00:00+02:00");
    let after = found(&house, &token, all()).await;
    let expected = [
        "2026-10-12T09:00:00Z",
        "2026-10-19T13:00:00Z",
        "2026-10-26T10:00:00Z",
        "2026-11-02T10:00:00Z",
        "2026-11-09T10:00:00Z",
    ];
    assert_eq!(starts(&after), expected);

    house
        .does(&token, "event_delete", json!({ "id": format!("{}#20261026T100000Z", created["id"].as_str().unwrap()) }))
        .await;
    assert_eq!(found(&house, &token, all()).await.len(), 4);
    house.does(&token, "event_delete", json!({ "id": created["id"] })).await;
    assert!(found(&house, &token, all()).await.is_empty());
    let again = house.call(&token, "event_delete", json!({ "id": created["id"] })).await;
    assert!(again.failure().contains("events_find"), "{again:?}");
    house.close().await;
}

#[tokio::test]
async fn what_the_tools_write_is_what_other_clients_read() {
    let house = House::open().await;
    let token = house.token("alice");
    let created = weekly(&house, &token).await;
    let path = format!("/remote.php/dav/calendars/alice/{}", created["id"].as_str().unwrap());
    let object = house.get(&path, &token).await.text().await.unwrap();
    for line in
        ["DTSTART;TZID=Europe/Berlin:20261012T090000\r\n", "TZID:Europe/Berlin\r\n", "RRULE:FREQ=WEEKLY;COUNT=5\r\n"]
    {
        assert!(object.contains(line), "{line} in\n{object}");
    }
    // What another client adds stays.
    let object = object.replace("SUMMARY:", "X-OTHER;A=\"b:c\":d\\,e\r\nSUMMARY:");
    let put =
        house.request("PUT", &path, &token).header("content-type", "text/calendar").body(object).send().await.unwrap();
    assert_eq!(put.status(), 204);
    house.does(&token, "event_update", json!({ "id": created["id"], "title": "New" })).await;
    let object = house.get(&path, &token).await.text().await.unwrap();
    // An event that was called off does not take place.
    let window = || window("2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z");
    assert_eq!(found(&house, &token, window()).await.len(), 5);
    let off = object.replace("SUMMARY:", "STATUS:CANCELLED\r\nSUMMARY:");
    let put = house.request("PUT", &path, &token).header("content-type", "text/calendar").body(off).send().await;
    assert_eq!(put.unwrap().status(), 204);
    assert!(found(&house, &token, window()).await.is_empty());
    assert!(object.contains("X-OTHER;A=\"b:c\":d\\,e\r\n") && object.contains("SUMMARY:New\r\n"), "{object}");
    house.close().await;
}

#[tokio::test]
async fn who_is_invited_gets_a_mail_and_operators_can_forbid_that() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let event = || json!({ "title": "Talk", "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z", "attendees": ["bob@example.org"] });
    let created = house.does(&token, "event_create", event()).await;
    assert_eq!(created["attendees"], json!(["bob@example.org"]));
    assert_eq!(house.nextcloud.mails().len(), 1);
    let titled = json!({ "id": created["id"], "title": "x\r\nATTENDEE:mailto:eve@example.org" });
    assert_eq!(house.does(&token, "event_update", titled).await["title"], "x ATTENDEE:mailto:eve@example.org");
    assert!(house.nextcloud.mails().iter().all(|mail| !format!("{mail:?}").contains("eve")));
    let nobody = house
        .call(
            &token,
            "event_create",
            json!({ "title": "x", "start": "2026-12-01", "end": "2026-12-01", "attendees": ["Bob <bob@x>"] }),
        )
        .await;
    assert!(nobody.failure().contains("no mail address"), "{nobody:?}");
    house.close().await;

    let house = Plan { tables: "[policy.egress]\ninvitations = false".to_owned(), ..Plan::default() }.build().await;
    let token = house.token_with("alice", SCOPES);
    let refused = house.call(&token, "event_create", event()).await;
    assert!(refused.failure().contains("does not allow"), "{refused:?}");
    assert!(house.nextcloud.mails().is_empty());
    house.does(&token, "event_create", json!({ "title": "Alone", "start": "2026-12-01", "end": "2026-12-01" })).await;
    house.close().await;
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused_with_the_new_etag() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let created = weekly(&house, &token).await;
    let change = |etag: &Value, title: &str| json!({ "id": created["id"], "etag": etag, "title": title });
    let second = house.does(&token, "event_update", change(&created["etag"], "a")).await;
    assert_ne!(second["etag"], created["etag"]);
    for (tool, arguments) in [
        ("event_update", change(&created["etag"], "b")),
        ("event_delete", json!({ "id": created["id"], "etag": created["etag"] })),
    ] {
        let stale = house.call(&token, tool, arguments).await;
        assert!(stale.failure().contains(second["etag"].as_str().unwrap()), "{stale:?}");
        assert!(stale.failure().contains("events_find"), "{stale:?}");
    }
    let once_more = house.does(&token, "event_update", change(&second["etag"], "a")).await;
    assert_eq!(once_more["etag"], second["etag"], "it was that way already");
    house.does(&token, "event_delete", json!({ "id": created["id"], "etag": second["etag"] })).await;
    house.close().await;
}

#[tokio::test]
async fn calendars_are_listed_with_what_may_be_written() {
    let house = House::open().await;
    let listed = house.does(&house.token_with("alice", "openid calendar.read"), "calendars_list", json!({})).await;
    assert_eq!(
        listed["items"],
        json!([
            { "id": "contact_birthdays", "name": "Contact birthdays", "kind": ["events"], "writable": false },
            { "id": "personal", "name": "Personal", "kind": ["events"], "writable": true },
        ])
    );
    let token = house.token_with("alice", SCOPES);
    let there = house
        .call(
            &token,
            "event_create",
            json!({ "calendar": "contact_birthdays", "title": "x", "start": "2026-12-01", "end": "2026-12-01" }),
        )
        .await;
    assert!(there.failure().contains("calendars_list"), "{there:?}");
    let nowhere = house
        .call(
            &token,
            "events_find",
            json!({ "calendar": "nowhere", "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z" }),
        )
        .await;
    assert!(nowhere.failure().contains("calendars_list"), "{nowhere:?}");
    house.close().await;
}

#[tokio::test]
async fn pages_of_events_are_in_order_and_words_choose() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    weekly(&house, &token).await;
    let lunch = json!({ "title": "Lunch", "start": "2026-10-20", "end": "2026-10-22", "description": "with Bob" });
    assert_eq!(house.does(&token, "event_create", lunch).await["end"], "2026-10-22");
    let mut arguments = json!({ "start": "2026-10-01T00:00:00Z", "end": "2026-11-20T00:00:00+01:00", "limit": 2 });
    let mut seen = Vec::new();
    loop {
        let page = house.does(&token, "events_find", arguments.clone()).await;
        assert!(page["items"].as_array().unwrap().len() <= 2);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["start"].as_str().unwrap().to_owned()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    let expected = [
        "2026-10-12T07:00:00Z",
        "2026-10-19T07:00:00Z",
        "2026-10-20",
        "2026-10-26T08:00:00Z",
        "2026-11-02T08:00:00Z",
        "2026-11-09T08:00:00Z",
    ];
    assert_eq!(seen, expected);
    arguments["query"] = "bob lunch".into();
    let other = house.call(&token, "events_find", arguments.clone()).await;
    assert!(other.failure().contains("cursor"), "{other:?}");
    arguments.as_object_mut().unwrap().remove("cursor");
    assert_eq!(starts(&found(&house, &token, arguments).await), ["2026-10-20"]);
    house.close().await;
}

#[tokio::test]
async fn bad_arguments_are_told_and_reach_nobody() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let event = |change: Value| {
        let mut event = json!({ "title": "x", "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z" });
        event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        event
    };
    house.does(&token, "calendars_list", json!({})).await;
    house.nextcloud.forget_seen();
    for (tool, arguments, word) in [
        ("events_find", json!({ "start": "tomorrow", "end": "2026-12-01T00:00:00Z" }), "start is neither"),
        ("events_find", window("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"), "after start"),
        ("events_find", window("2026-12-02T00:00:00Z", "2056-12-01T00:00:00Z"), "400 days"),
        (
            "events_find",
            json!({ "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z", "calendar": "../bob" }),
            "calendars_list",
        ),
        ("events_find", json!({ "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z", "limit": 0 }), "limit"),
        ("event_create", event(json!({ "surprise": 1 })), "surprise"),
        ("event_create", event(json!({ "rrule": "FREQ=SECONDLY", "calendar": "personal" })), "rrule"),
        ("event_create", event(json!({ "timezone": "Mars/Phobos", "calendar": "personal" })), "IANA"),
        ("event_create", event(json!({ "calendar": "personal/x" })), "calendars_list"),
        ("event_update", json!({ "id": "../bob/personal/bob-event.ics", "title": "x" }), "events_find"),
        ("event_update", json!({ "id": "personal/%2e%2e/x.ics", "title": "x" }), "events_find"),
        ("event_delete", json!({ "id": "personal" }), "events_find"),
        ("event_delete", json!({ "id": "personal/x.ics#yesterday" }), "events_find"),
    ] {
        let called = house.call(&token, tool, arguments.clone()).await;
        assert!(called.failure().contains(word), "{tool} {arguments}: {called:?}");
    }
    let written = house.nextcloud.seen().into_iter().filter(|seen| !format!("{seen:?}").contains("GET")).count();
    assert_eq!(written, 0, "{:?}", house.nextcloud.seen());
    let created = weekly(&house, &token).await;
    let orphan = json!({ "id": format!("{}#20261013T070000Z", created["id"].as_str().unwrap()), "title": "x" });
    for tool in ["event_update", "event_delete"] {
        let mut arguments = orphan.clone();
        if tool == "event_delete" {
            arguments.as_object_mut().unwrap().remove("title");
        }
        let called = house.call(&token, tool, arguments).await;
        assert!(called.failure().contains("no such recurrence"), "{tool}: {called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_reaches_another_persons_events_or_goes_beyond_the_scopes() {
    let house = House::open().await;
    let created = weekly(&house, &house.token_with("alice", SCOPES)).await;
    let bob = house.token_with("bob", SCOPES);
    let window = window("2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z");
    assert!(found(&house, &bob, window.clone()).await.is_empty());
    let read = house.call(&bob, "event_update", json!({ "id": created["id"], "title": "x" })).await;
    assert!(read.failure().contains("no event of this id"), "{read:?}");

    let reader = house.token_with("alice", "openid calendar.read");
    assert_eq!(found(&house, &reader, window.clone()).await.len(), 5);
    let said = house.try_call(&reader, "event_delete", json!({ "id": created["id"] })).await;
    assert_eq!(said.status, 403, "{said:?}");
    assert!(said.headers["www-authenticate"].to_str().unwrap().contains("calendar.write"), "{said:?}");
    let other = house.token_with("alice", "openid tasks.read tasks.write contacts.read files.read");
    assert_eq!(house.try_call(&other, "events_find", window).await.status, 403);
    house.close().await;
}

#[tokio::test]
async fn every_write_is_of_what_was_read_or_of_nothing() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let created = weekly(&house, &token).await;
    house.does(&token, "event_update", json!({ "id": created["id"], "title": "x" })).await;
    house.does(&token, "event_delete", json!({ "id": created["id"] })).await;
    let writes: Vec<_> =
        house.nextcloud.seen().into_iter().filter(|seen| matches!(seen.method.as_str(), "PUT" | "DELETE")).collect();
    let condition = |at: usize, name: &str| writes[at].header(name).map(str::to_owned);
    assert_eq!(writes.len(), 3);
    assert_eq!(condition(0, "if-none-match").as_deref(), Some("*"));
    assert_eq!(condition(1, "if-match"), created["etag"].as_str().map(|etag| format!("\"{etag}\"")));
    assert!(condition(2, "if-match").is_some());
    house.close().await;
}

#[tokio::test]
async fn the_person_is_asked_before_an_events_people_get_mail() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let call = async |tool: &str, arguments: &Value, answer: Value| {
        let mut params = json!({ "name": tool, "arguments": arguments });
        params.as_object_mut().unwrap().extend(answer.as_object().cloned().unwrap_or_default());
        house.ask(&token, "tools/call", params).await.body["result"].take()
    };
    let yes = |asked: &Value| json!({ "requestState": asked["requestState"], "inputResponses": { "confirm": { "action": "accept", "content": {} } } });
    let mut event =
        json!({ "title": "Talk\nTo: nobody", "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z" });
    let alone = call("event_create", &event, json!({})).await;
    assert!(alone["structuredContent"]["id"].is_string(), "nobody hears of it: {alone}");

    event["attendees"] = json!(["bob@example.org"]);
    let asked = call("event_create", &event, json!({})).await;
    let message = asked["inputRequests"]["confirm"]["params"]["message"].as_str().unwrap_or_else(|| panic!("{asked}"));
    assert!(message.ends_with("Title: Talk To: nobody\nStart: 2026-12-01T09:00:00Z\nTo: bob@example.org"), "{message}");
    assert!(house.nextcloud.mails().is_empty());
    let created = call("event_create", &event, yes(&asked)).await;
    let id = &created["structuredContent"]["id"];
    assert_eq!(house.nextcloud.mails().len(), 1, "{created}");

    for (tool, arguments) in [
        ("event_update", json!({ "id": id, "title": "x" })),
        ("event_update", json!({ "id": id, "attendees": [] })),
        ("event_delete", json!({ "id": id })),
    ] {
        let before = house.nextcloud.mails().len();
        let asked = call(tool, &arguments, json!({})).await;
        assert!(
            asked["inputRequests"]["confirm"].to_string().contains("bob@example.org"),
            "{tool} {arguments}: {asked}"
        );
        assert_eq!(house.nextcloud.mails().len(), before);
        if arguments["title"].is_string() {
            let done = call(tool, &arguments, yes(&asked)).await;
            assert_eq!(done["structuredContent"]["title"], "x", "{done}");
        }
    }
    house.close().await;
}
