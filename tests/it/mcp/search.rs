//! `search`: over all apps, with the scopes that there are.

use serde_json::{Value, json};

use crate::house::{House, Plan};

fn all<'v>(page: &'v Value, name: &str) -> Vec<&'v str> {
    page["results"].as_array().unwrap().iter().map(|hit| hit[name].as_str().unwrap()).collect()
}

/// A card on a board of alice's.
async fn card(house: &House, token: &str) -> String {
    let post = async |path: &str, body: Value| -> Value {
        let target = format!("/index.php/apps/deck/api/v1.0/boards{path}");
        house.request("POST", &target, token).json(&body).send().await.unwrap().json().await.unwrap()
    };
    let board = post("", json!({ "title": "House of alice", "color": "ff0000" })).await["id"].clone();
    let stack = post(&format!("/{board}/stacks"), json!({ "title": "To do", "order": 1 })).await["id"].clone();
    let card = json!({ "title": "Roof of alice", "type": "plain", "order": 1, "description": "Leaks." });
    let card = post(&format!("/{board}/stacks/{stack}/cards"), card).await["id"].clone();
    format!("deck:{board}/{card}")
}

/// A task of alice's.
async fn task(house: &House, token: &str) {
    let list = "/remote.php/dav/calendars/alice/todo";
    assert_eq!(house.request("MKCALENDAR", list, token).send().await.unwrap().status(), 201);
    let task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t1\r\nDTSTAMP:20261101T080000Z\r\n\
        SUMMARY:Paint for alice\r\nDESCRIPTION:The fence\r\nPRIORITY:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    let put =
        house.request("PUT", &format!("{list}/paint.ics"), token).header("content-type", "text/calendar").body(task);
    assert_eq!(put.send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn everything_is_found_and_each_hit_can_be_fetched() {
    let house = House::open().await;
    let token = house.token("alice");
    let card = card(&house, &token).await;
    task(&house, &token).await;
    let note = house.does(&token, "note_write", json!({ "title": "About alice", "text": "# Hi" })).await["id"].clone();
    house.does(&token, "talk_send", json!({ "conversation": "team0001", "text": "alice was here" })).await;
    let page = house.does(&token, "search", json!({ "query": "alice", "limit": 100 })).await;
    assert!(page.get("next_cursor").is_none(), "{page}");
    for (id, app, title, text) in [
        ("files:/alice.txt", "files", "alice.txt", "This file belongs to alice.\n"),
        (note.as_str().unwrap(), "notes", "About alice", "# Hi"),
        ("event:personal/alice-event.ics", "calendar", "An event of alice", "From: 2026-11-23T09:00:00Z"),
        ("task:todo/paint.ics", "tasks", "Paint for alice", "The fence"),
        ("contact:contacts/alice-contact", "contacts", "A friend of alice", "Phone: +49 151 7654321"),
        (card.as_str(), "deck", "Roof of alice", "Leaks."),
    ] {
        let hits = page["results"].as_array().unwrap();
        let hit = hits.iter().find(|hit| hit["id"] == id).unwrap_or_else(|| panic!("{id} is not in {page}"));
        assert_eq!((&hit["app"], &hit["title"]), (&json!(app), &json!(title)));
        assert!(hit["url"].as_str().unwrap().starts_with("http://"), "{hit}");
        let read = house.does(&token, "fetch", json!({ "id": id })).await;
        assert_eq!((&read["id"], &read["title"]), (&json!(id), &json!(title)));
        assert!(read["text"].as_str().unwrap().contains(text), "{read}");
        assert!(read["url"].as_str().unwrap().starts_with(&house.url), "{read}");
    }
    let said = page["results"].as_array().unwrap().iter().find(|hit| hit["app"] == "talk").unwrap();
    assert_eq!((&said["title"], &said["snippet"]), (&json!("Alice T in Team"), &json!("alice was here")));
    let read = house.does(&token, "fetch", json!({ "id": said["id"] })).await;
    assert_eq!((&read["text"], &read["metadata"]["conversation"]), (&json!("alice was here"), &json!("team0001")));
    house.close().await;
}

#[tokio::test]
async fn hits_come_only_from_apps_whose_reading_was_granted() {
    let house = House::open().await;
    let token = house.token_with("alice", "openid files.read notes.write");
    let page = house.does(&token, "search", json!({ "query": "alice", "limit": 100 })).await;
    let mut apps = all(&page, "app");
    apps.sort_unstable();
    apps.dedup();
    assert_eq!(apps, ["files", "notes"], "{page}");
    for seen in house.nextcloud.seen().iter().filter(|seen| seen.target.contains("/search?")) {
        assert!(seen.target.contains("/files/search") || seen.target.contains("/notes/search"), "{}", seen.target);
    }
    house.close().await;
}

#[tokio::test]
async fn an_app_that_is_named_has_to_be_granted_and_so_has_one_at_all() {
    let house = House::open().await;
    let token = house.token_with("alice", "openid files.read");
    for (arguments, scope) in [
        (json!({ "query": "a", "apps": ["files", "calendar"] }), "calendar.read"),
        (json!({ "query": "a", "apps": ["talk"] }), "talk.read"),
        (json!({ "query": "a", "apps": ["deck"] }), "deck.read"),
    ] {
        let said = house.try_call(&token, "search", arguments).await;
        assert_eq!(said.status, 403, "{said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("insufficient_scope") && challenge.contains("files.read"), "{challenge}");
        assert!(challenge.contains(scope), "{challenge}");
    }
    let none = house.token_with("alice", "openid");
    let said = house.try_call(&none, "search", json!({ "query": "a" })).await;
    assert_eq!(said.status, 403, "{said:?}");
    for (id, scope) in [
        ("files:/alice.txt", "files.read"),
        ("event:personal/alice-event.ics", "calendar.read"),
        ("task:todo/paint.ics", "tasks.read"),
        ("contact:contacts/alice-contact", "contacts.read"),
        ("talk:team0001/1", "talk.read"),
        ("deck:1/1", "deck.read"),
    ] {
        let said = house.try_call(&none, "fetch", json!({ "id": id })).await;
        assert_eq!(said.status, 403, "{id}: {said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(scope), "{id}: {challenge}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_is_refused_is_left_out_unless_it_is_all_that_was_asked() {
    let tables = "[policy.search]\ncontacts = \"special.read\"\n".into();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let token = house.token_with("alice", "openid files.read contacts.read");
    for asked in [json!({ "query": "alice" }), json!({ "query": "alice", "apps": ["files", "contacts"] })] {
        let page = house.does(&token, "search", asked).await;
        assert!(!all(&page, "app").is_empty() && all(&page, "app").iter().all(|app| *app == "files"), "{page}");
    }
    let said = house.try_call(&token, "search", json!({ "query": "alice", "apps": ["contacts"] })).await;
    assert_eq!(said.status, 403, "{said:?}");
    assert!(said.headers["www-authenticate"].to_str().unwrap().contains("special.read"), "{said:?}");
    house.close().await;
}

#[tokio::test]
async fn nobody_finds_what_is_anothers() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    house.does(&alice, "note_write", json!({ "title": "Secret of alice", "text": "x" })).await;
    house.does(&alice, "talk_send", json!({ "conversation": "solo0001", "text": "Secret of alice" })).await;
    let page = house.does(&bob, "search", json!({ "query": "of alice", "limit": 100 })).await;
    assert_eq!(page, json!({ "results": [] }));
    let page = house.does(&bob, "search", json!({ "query": "bob", "apps": ["contacts", "calendar"] })).await;
    assert!(!all(&page, "id").is_empty() && all(&page, "id").iter().all(|id| id.contains("bob")), "{page}");
    house.close().await;
}

#[tokio::test]
async fn several_apps_make_one_list_that_is_read_page_by_page() {
    let house = House::open().await;
    let token = house.token("alice");
    for number in 0..30 {
        house.nextcloud.put_file("alice", &format!("page{number:02}.txt"), "x").await.unwrap();
    }
    for number in 0..3 {
        house.does(&token, "note_write", json!({ "title": format!("Note {number}"), "text": "page" })).await;
    }
    let asked = json!({ "query": "page", "apps": ["notes", "files"], "limit": 8 });
    let (mut seen, mut cursor) = (Vec::new(), None);
    for round in 0..6 {
        let mut asked = asked.clone();
        if let Some(cursor) = cursor.take() {
            asked["cursor"] = cursor;
        }
        let page = house.does(&token, "search", asked).await;
        if round == 0 {
            assert_eq!(all(&page, "app")[..4], ["files", "notes", "files", "notes"]);
        }
        seen.extend(all(&page, "id").into_iter().map(str::to_owned));
        cursor = page.get("next_cursor").cloned();
        if cursor.is_none() {
            break;
        }
    }
    assert!(cursor.is_none(), "it ends");
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((count, seen.len()), (33, 33), "each once: {seen:?}");
    let first = house.does(&token, "search", asked).await["next_cursor"].clone();
    for wrong in [
        json!({ "query": "other", "apps": ["notes", "files"], "cursor": first }),
        json!({ "query": "page", "cursor": "x" }),
    ] {
        let called = house.call(&token, "search", wrong).await;
        assert!(called.failure().contains("Start again"), "{called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn an_app_that_is_not_there_is_left_out_and_said_when_it_was_named() {
    let change = |options: &mut obo_proxy::dev::nextcloud::Options| {
        options.without_apps = vec!["notes".into(), "spreed".into(), "deck".into()];
    };
    let house = Plan { nextcloud: Some(Box::new(change)), ..Plan::default() }.build().await;
    let token = house.token("alice");
    let page = house.does(&token, "search", json!({ "query": "alice" })).await;
    assert!(all(&page, "app").contains(&"files"), "{page}");
    assert!(
        !house.nextcloud.seen().iter().any(|seen| seen.target.contains("/notes/search")),
        "nobody asks what is not there"
    );
    for app in ["notes", "talk", "deck"] {
        let called = house.call(&token, "search", json!({ "query": "alice", "apps": ["files", app] })).await;
        assert!(called.failure().contains(app), "{called:?}");
    }
    let called = house.call(&token, "fetch", json!({ "id": "deck:1" })).await;
    assert!(called.failure().contains("does not have the Deck app"), "{called:?}");
    house.close().await;
}

#[tokio::test]
async fn what_the_operator_does_not_offer_is_neither_searched_nor_fetched() {
    let house = Plan { tables: "[mcp]\ntools = [\"files\"]\n".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    let page = house.does(&token, "search", json!({ "query": "alice", "limit": 100 })).await;
    assert!(all(&page, "app").iter().all(|app| ["files", "deck"].contains(app)), "{page}");
    for (tool, arguments) in [
        ("search", json!({ "query": "alice", "apps": ["contacts"] })),
        ("fetch", json!({ "id": "contact:contacts/alice-contact" })),
        ("fetch", json!({ "id": "notes:1" })),
    ] {
        let called = house.call(&token, tool, arguments).await;
        assert!(called.failure().contains("does not offer"), "{called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_a_name_hides_is_not_shown_and_is_no_id() {
    let house = House::open().await;
    let token = house.token("alice");
    house.nextcloud.put_file("alice", "hidden\u{202e}txt.exe", "x").await.unwrap();
    let page = house.does(&token, "search", json!({ "query": "hidden", "apps": ["files"] })).await;
    let hit = &page["results"][0];
    assert_eq!(hit["title"], "hiddentxt.exe", "{page}");
    assert!(hit["id"].as_str().unwrap().starts_with("link:/f/"), "{page}");
    let read = house.does(&token, "fetch", json!({ "id": hit["id"] })).await;
    assert!(read["url"].as_str().unwrap().starts_with(&format!("{}/f/", house.url)), "{read}");
    house.close().await;
}

#[tokio::test]
async fn bad_input_is_told() {
    let house = House::open().await;
    let token = house.token("alice");
    for (arguments, words) in [
        (json!({ "query": " " }), "1 to 500"),
        (json!({ "query": "x".repeat(501) }), "1 to 500"),
        (json!({}), "query"),
        (json!({ "query": "x", "apps": ["mail"] }), "mail"),
        (json!({ "query": "x", "limit": 101 }), "1 to 100"),
        (json!({ "query": "x", "surprise": 1 }), "surprise"),
    ] {
        let called = house.call(&token, "search", arguments).await;
        assert!(called.failure().contains(words), "{called:?}");
    }
    let strange = house.does(&token, "search", json!({ "query": "a&limit=1#%/../\u{0}\r\nX: y" })).await;
    assert_eq!(strange, json!({ "results": [] }));
    house.close().await;
}
