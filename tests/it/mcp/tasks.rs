//! Tasks by tools that may reach nothing but tasks.

use serde_json::{Value, json};

use crate::house::House;

const SCOPES: &str = "openid tasks.read tasks.write";

/// A house in which alice has a calendar that holds tasks and events.
async fn open() -> House {
    let house = House::open().await;
    let all = house.token("alice");
    let made = house.request("MKCALENDAR", "/remote.php/dav/calendars/alice/mixed/", &all).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let event = json!({ "calendar": "mixed", "title": "Secret event", "start": "2026-12-01", "end": "2026-12-01" });
    house.does(&all, "event_create", event).await;
    house
}

async fn titles(house: &House, token: &str, arguments: Value) -> Vec<String> {
    let answer = house.does(token, "tasks_find", arguments).await;
    answer["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_task_is_created_found_completed_and_reopened() {
    let house = open().await;
    let token = house.token_with("alice", SCOPES);
    let new = json!({ "title": "Write report", "due": "2026-11-30", "priority": 1, "notes": "for Bob" });
    let created = house.does(&token, "task_create", new).await;
    assert_eq!((created["list"].as_str(), created["status"].as_str()), (Some("mixed"), Some("open")));
    house.does(&token, "task_create", json!({ "title": "Some day" })).await;
    house.does(&token, "task_create", json!({ "title": "Before", "due": "2026-11-01T09:00:00Z" })).await;

    assert_eq!(titles(&house, &token, json!({})).await, ["Before", "Write report", "Some day"]);
    assert_eq!(titles(&house, &token, json!({ "due_before": "2026-11-30T00:00:00+01:00" })).await, ["Before"]);
    assert_eq!(titles(&house, &token, json!({ "query": "bob REPORT", "list": "mixed" })).await, ["Write report"]);
    let first = house.does(&token, "tasks_find", json!({ "limit": 1 })).await;
    let rest = json!({ "limit": 5, "cursor": first["next_cursor"] });
    assert_eq!(titles(&house, &token, rest).await, ["Write report", "Some day"]);

    let id = &created["id"];
    let done = house.does(&token, "task_update", json!({ "id": id, "done": true, "etag": created["etag"] })).await;
    assert_eq!(
        (done["status"].as_str(), done["due"].as_str(), done["priority"].as_i64()),
        (Some("done"), Some("2026-11-30"), Some(1))
    );
    assert_eq!(titles(&house, &token, json!({ "status": "done" })).await, ["Write report"]);
    assert_eq!(titles(&house, &token, json!({ "status": "open" })).await, ["Before", "Some day"]);
    assert_eq!(titles(&house, &token, json!({ "status": "all" })).await.len(), 3);
    let stale = house.call(&token, "task_update", json!({ "id": id, "title": "x", "etag": created["etag"] })).await;
    assert!(stale.failure().contains(done["etag"].as_str().unwrap()), "{stale:?}");
    let open = house.does(&token, "task_update", json!({ "id": id, "done": false, "priority": 0, "due": "" })).await;
    assert_eq!((open["status"].as_str(), open.get("due"), open.get("priority")), (Some("open"), None, None));
    house.close().await;
}

#[tokio::test]
async fn tasks_of_other_clients_keep_what_is_in_them() {
    let house = open().await;
    let all = house.token("alice");
    let object = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VTODO\r\nUID:another-uid\r\nDTSTAMP:20261101T080000Z\r\n\
                  SUMMARY:Write report\r\nRELATED-TO:parent\r\nX-OC-HIDESUBTASKS:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    let path = "/remote.php/dav/calendars/alice/mixed/td-1.ics";
    let put =
        house.request("PUT", path, &all).header("content-type", "text/calendar").body(object).send().await.unwrap();
    assert_eq!(put.status(), 201);
    let token = house.token_with("alice", SCOPES);
    house.does(&token, "task_update", json!({ "id": "mixed/td-1.ics", "done": true })).await;
    let object = house.get(path, &all).await.text().await.unwrap();
    for line in
        ["RELATED-TO:parent", "X-OC-HIDESUBTASKS:1", "STATUS:COMPLETED", "PERCENT-COMPLETE:100", "UID:another-uid"]
    {
        assert!(object.contains(line), "{line} in\n{object}");
    }
    house.close().await;
}

#[tokio::test]
async fn tools_for_tasks_reach_no_event() {
    let house = open().await;
    let all = house.token("alice");
    let events = house
        .does(&all, "events_find", json!({ "start": "2026-11-30T00:00:00Z", "end": "2026-12-03T00:00:00Z" }))
        .await;
    let event = events["items"][0]["id"].as_str().unwrap();
    let token = house.token_with("alice", SCOPES);
    assert!(titles(&house, &token, json!({ "status": "all" })).await.is_empty());
    let there = house.call(&token, "task_update", json!({ "id": event, "title": "x" })).await;
    assert!(there.failure().contains("no task of this id"), "{there:?}");
    let where_none = json!({ "title": "x", "list": "personal" });
    let refused = house.call(&token, "task_create", where_none).await;
    assert!(refused.failure().contains("holds no tasks"), "{refused:?}");
    let not_theirs = house.try_call(&token, "event_delete", json!({ "id": event })).await;
    assert_eq!(not_theirs.status, 403);
    for path in ["/remote.php/dav/calendars/alice/mixed/", "/remote.php/dav/calendars/alice/"] {
        assert_eq!(house.request("PROPFIND", path, &token).header("depth", "1").send().await.unwrap().status(), 403);
    }
    house.close().await;
}

#[tokio::test]
async fn who_has_no_task_list_is_told_what_to_do() {
    let house = House::open().await;
    let token = house.token_with("alice", SCOPES);
    let nowhere = house.call(&token, "task_create", json!({ "title": "x" })).await;
    assert!(nowhere.failure().contains("Tasks app"), "{nowhere:?}");
    assert!(titles(&house, &token, json!({})).await.is_empty());
    for (arguments, word) in [
        (json!({ "id": "nowhere/x.ics", "title": "x" }), "no task list nowhere"),
        (json!({ "id": "personal/x.ics", "title": "x" }), "no task of this id"),
        (json!({ "id": "x", "title": "x" }), "tasks_find"),
        (json!({ "id": "personal/x.ics", "priority": "high" }), "schema"),
    ] {
        let called = house.call(&token, "task_update", arguments).await;
        assert!(called.failure().contains(word), "{called:?}");
    }
    house.close().await;
}
