//! `notes_find`, `note_write`, and a note by `fetch`.

use serde_json::{Value, json};

use crate::house::{House, Plan};

async fn written(house: &House, token: &str, arguments: Value) -> String {
    house.does(token, "note_write", arguments).await["id"].as_str().unwrap().to_owned()
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_note_is_written_found_read_extended_and_replaced() {
    let house = House::open().await;
    let token = house.token("alice");
    let made = house.does(&token, "note_write", json!({ "text": "# Shopping\n- milk", "category": "home" })).await;
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("notes:"), "{made}");
    assert_eq!(made["url"], format!("{}/index.php/apps/notes/note/{}", house.url, &id[6..]));

    let found = house.does(&token, "notes_find", json!({ "query": "milk" })).await;
    assert_eq!(titles(&found), ["Shopping"], "the first line is the title, and words are found in the text: {found}");
    let item = &found["items"][0];
    assert_eq!((&item["id"], &item["category"], &item["url"]), (&made["id"], &json!("home"), &made["url"]));
    assert!(item["modified"].as_str().unwrap().ends_with('Z'), "{item}");
    assert!(found.get("next_cursor").is_none());

    let added = house.does(&token, "note_write", json!({ "id": id, "text": "- bread", "append": true })).await;
    assert_ne!(added["etag"], made["etag"]);
    let read = house.does(&token, "fetch", json!({ "id": id })).await;
    assert_eq!((&read["title"], &read["text"]), (&json!("Shopping"), &json!("# Shopping\n- milk\n- bread")));
    assert_eq!((&read["metadata"]["etag"], &read["metadata"]["category"]), (&added["etag"], &json!("home")));
    assert_eq!(read["metadata"]["path"], "/Notes/home/Shopping.md");

    let arguments =
        json!({ "id": &id[6..], "text": "nothing", "title": "Done", "category": "", "etag": added["etag"] });
    assert_eq!(written(&house, &token, arguments).await, id, "by its bare number as well");
    let read = house.does(&token, "fetch", json!({ "id": id })).await;
    assert_eq!(
        (&read["title"], &read["text"], &read["metadata"]["category"]),
        (&json!("Done"), &json!("nothing"), &Value::Null)
    );
    house.close().await;
}

#[tokio::test]
async fn a_note_that_changed_meanwhile_is_not_overwritten_and_its_new_etag_is_told() {
    let house = House::open().await;
    let token = house.token("alice");
    let made = house.does(&token, "note_write", json!({ "title": "Plan", "text": "one" })).await;
    let now = house.does(&token, "note_write", json!({ "id": made["id"], "text": "two" })).await;
    for append in [false, true] {
        let arguments = json!({ "id": made["id"], "text": "three", "append": append, "etag": made["etag"] });
        let called = house.call(&token, "note_write", arguments).await;
        assert!(called.failure().contains(now["etag"].as_str().unwrap()), "{called:?}");
    }
    let read = house.does(&token, "fetch", json!({ "id": made["id"] })).await;
    assert_eq!(read["text"], "two");
    house.close().await;
}

#[tokio::test]
async fn two_who_add_at_the_same_time_both_have_added() {
    let house = House::open().await;
    let token = house.token("alice");
    let id = written(&house, &token, json!({ "title": "Log", "text": "begun" })).await;
    // Both have read before either writes.
    house.nextcloud.slow_head(std::time::Duration::from_millis(150));
    let add = |text: &'static str| house.does(&token, "note_write", json!({ "id": id, "text": text, "append": true }));
    let (one, other) = tokio::join!(add("one"), add("other"));
    house.nextcloud.slow_head(std::time::Duration::ZERO);
    assert_ne!(one["etag"], other["etag"]);
    let text = house.does(&token, "fetch", json!({ "id": id })).await["text"].clone();
    assert!(["begun\none\nother", "begun\nother\none"].contains(&text.as_str().unwrap()), "{text}");
    house.close().await;
}

#[tokio::test]
async fn notes_come_newest_first_and_page_by_page() {
    let house = House::open().await;
    let token = house.token("alice");
    for number in 1..=5 {
        written(&house, &token, json!({ "title": format!("n{number}"), "text": "counted", "category": "many" })).await;
    }
    let asked = json!({ "category": "many", "limit": 2 });
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    for page in 0..3 {
        let mut asked = asked.clone();
        if page > 0 {
            asked["cursor"] = cursor.clone();
        }
        let found = house.does(&token, "notes_find", asked).await;
        seen.extend(titles(&found).into_iter().map(str::to_owned));
        cursor = found["next_cursor"].clone();
    }
    assert_eq!(seen, ["n5", "n4", "n3", "n2", "n1"]);
    assert_eq!(cursor, Value::Null, "the last page has no next one");
    let first = house.does(&token, "notes_find", asked).await["next_cursor"].clone();
    for wrong in [json!({ "cursor": first }), json!({ "category": "many", "cursor": "x" })] {
        let called = house.call(&token, "notes_find", wrong).await;
        assert!(called.failure().contains("Start again"), "{called:?}");
    }
    let both = house.does(&token, "notes_find", json!({ "category": "many", "query": "n3 counted" })).await;
    assert!(titles(&both).len() <= 1, "{both}");
    assert_eq!(titles(&house.does(&token, "notes_find", json!({ "category": "none" })).await), [""; 0]);
    house.close().await;
}

#[tokio::test]
async fn a_list_of_notes_does_not_carry_their_texts_and_words_are_looked_up_where_they_lie() {
    let house = House::open().await;
    let token = house.token("alice");
    written(&house, &token, json!({ "text": "milk" })).await;
    house.nextcloud.forget_seen();
    house.does(&token, "notes_find", json!({ "query": "milk" })).await;
    let seen = house.nextcloud.seen();
    let lists: Vec<_> = seen.iter().filter(|seen| seen.target.contains("/notes/api/v1/notes")).collect();
    assert!(lists.iter().all(|seen| seen.target.contains("exclude=content")), "{lists:?}");
    assert!(seen.iter().any(|seen| seen.target.contains("/providers/notes/search")), "{seen:?}");
    house.close().await;
}

#[tokio::test]
async fn nobody_reads_or_writes_anothers_notes() {
    let house = House::open().await;
    let alice = house.token("alice");
    let id = written(&house, &alice, json!({ "title": "Secret", "text": "of alice" })).await;
    let bob = house.token("bob");
    let found = house.does(&bob, "notes_find", json!({ "query": "alice" })).await;
    assert_eq!(titles(&found), [""; 0]);
    for (tool, arguments) in [
        ("fetch", json!({ "id": id })),
        ("note_write", json!({ "id": id, "text": "x" })),
        ("note_write", json!({ "id": id, "text": "x", "append": true })),
    ] {
        let called = house.call(&bob, tool, arguments).await;
        assert!(called.failure().contains("There is no note"), "{called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_scope_that_is_missing_is_told_with_those_there_are() {
    let house = House::open().await;
    let token = house.token_with("alice", "openid notes.read");
    house.does(&token, "notes_find", json!({})).await;
    let said = house.try_call(&token, "note_write", json!({ "text": "x" })).await;
    assert_eq!(said.status, 403, "{said:?}");
    let challenge = said.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("notes.read") && challenge.contains("notes.write"), "{challenge}");
    let none = house.token_with("alice", "openid files.read");
    for (tool, arguments) in [("notes_find", json!({})), ("fetch", json!({ "id": "notes:1" }))] {
        let said = house.try_call(&none, tool, arguments).await;
        assert_eq!(said.status, 403, "{tool}: {said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("insufficient_scope") && challenge.contains("notes.read"), "{challenge}");
    }
    house.close().await;
}

#[tokio::test]
async fn bad_input_is_told_and_nothing_is_written() {
    let house = House::open().await;
    let token = house.token("alice");
    let before = house.does(&token, "notes_find", json!({})).await;
    for (arguments, words) in [
        (json!({ "text": "x", "append": true }), "need the id"),
        (json!({ "text": "x", "etag": "a" }), "need the id"),
        (json!({ "id": "files:/a.md", "text": "x" }), "none of a note"),
        (json!({ "id": "../1", "text": "x" }), "none of a note"),
        (json!({ "id": "999999", "text": "x" }), "There is no note"),
        (json!({ "id": "1", "text": "x", "etag": "\", *" }), "etag"),
        (json!({ "id": 1, "text": "x" }), "note_write"),
        (json!({}), "text"),
    ] {
        let called = house.call(&token, "note_write", arguments).await;
        assert!(called.failure().contains(words), "{called:?}");
    }
    for arguments in [json!({ "limit": 0 }), json!({ "limit": 101 }), json!({ "surprise": 1 })] {
        assert!(house.call(&token, "notes_find", arguments).await.is_error);
    }
    assert_eq!(house.does(&token, "notes_find", json!({})).await, before);
    house.close().await;
}

#[tokio::test]
async fn without_the_app_it_is_said() {
    let change = |options: &mut obo_proxy::dev::nextcloud::Options| options.without_apps = vec!["notes".into()];
    let house = Plan { nextcloud: Some(Box::new(change)), ..Plan::default() }.build().await;
    let token = house.token("alice");
    for (tool, arguments) in [
        ("notes_find", json!({})),
        ("note_write", json!({ "text": "x" })),
        ("note_write", json!({ "id": "1", "text": "x" })),
        ("fetch", json!({ "id": "notes:1" })),
    ] {
        let called = house.call(&token, tool, arguments).await;
        assert!(called.failure().contains("does not have the Notes app"), "{called:?}");
    }
    house.close().await;
}
