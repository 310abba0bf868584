//! `talk_conversations`, `talk_messages`, `talk_send`.

use serde_json::{Value, json};

use crate::house::{House, Plan};

fn all<'v>(page: &'v Value, name: &str) -> Vec<&'v str> {
    page["items"].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn conversations_are_those_of_the_user_with_what_is_unread() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let page = house.does(&alice, "talk_conversations", json!({})).await;
    let mut ids = all(&page, "id");
    ids.sort_unstable();
    assert_eq!(ids, ["direct01", "notice01", "solo0001", "team0001"]);
    let team = page["items"].as_array().unwrap().iter().find(|item| item["id"] == "team0001").unwrap();
    assert_eq!((&team["name"], &team["kind"], &team["unread"]), (&json!("Team"), &json!("group"), &json!(2)));
    assert_eq!(team["url"], format!("{}/index.php/call/team0001", house.url));
    assert!(team["last_activity"].as_str().unwrap().ends_with('Z'));
    let direct = page["items"].as_array().unwrap().iter().find(|item| item["id"] == "direct01").unwrap();
    assert_eq!((&direct["name"], &direct["kind"]), (&json!("Bob T"), &json!("one-to-one")));

    let unread = house.does(&alice, "talk_conversations", json!({ "unread": true })).await;
    assert!(all(&unread, "id").iter().all(|id| ["team0001", "direct01"].contains(id)), "{unread}");
    assert_eq!(all(&unread, "id").len(), 2);
    assert!(!all(&house.does(&bob, "talk_conversations", json!({})).await, "id").contains(&"solo0001"));

    let first = house.does(&alice, "talk_conversations", json!({ "limit": 3 })).await;
    let next = json!({ "limit": 3, "cursor": first["next_cursor"] });
    let second = house.does(&alice, "talk_conversations", next.clone()).await;
    let mut both = [all(&first, "id"), all(&second, "id")].concat();
    both.sort_unstable();
    assert_eq!((both, second.get("next_cursor")), (ids, None));
    let called = house.call(&alice, "talk_conversations", json!({ "unread": true, "cursor": next["cursor"] })).await;
    assert!(called.failure().contains("Start again"), "{called:?}");
    house.close().await;
}

#[tokio::test]
async fn messages_come_newest_first_with_names_for_placeholders_and_without_what_happened() {
    let house = House::open().await;
    let token = house.token("alice");
    let page = house.does(&token, "talk_messages", json!({ "conversation": "team0001" })).await;
    assert_eq!(all(&page, "text"), ["@Alice T please read the plan", "Plan.md", "Welcome to the **team**"]);
    assert_eq!(all(&page, "author"), ["Bob T", "Bob T", "Alice T"]);
    assert!(page.get("next_cursor").is_none(), "that was all: {page}");

    let mut seen = Vec::new();
    let mut asked = json!({ "conversation": "talk:team0001", "limit": 1 });
    for _ in 0..3 {
        let page = house.does(&token, "talk_messages", asked.clone()).await;
        seen.extend(all(&page, "id").into_iter().map(str::to_owned));
        asked["cursor"] = page["next_cursor"].clone();
    }
    assert_eq!(seen, all(&page, "id"));
    let last = house.does(&token, "talk_messages", asked).await;
    assert_eq!(last, json!({ "items": [] }), "what is left only happened");
    house.close().await;
}

#[tokio::test]
async fn reading_marks_nothing_as_read_and_shows_nobody_online() {
    let house = House::open().await;
    let token = house.token("alice");
    house.does(&token, "talk_messages", json!({ "conversation": "team0001" })).await;
    for seen in house.nextcloud.seen().iter().filter(|seen| seen.target.contains("/chat/")) {
        for part in ["lookIntoFuture=0", "setReadMarker=0", "noStatusUpdate=1", "markNotificationsAsRead=0"] {
            assert!(seen.target.contains(part), "{}", seen.target);
        }
    }
    let page = house.does(&token, "talk_conversations", json!({ "unread": true })).await;
    assert!(all(&page, "id").contains(&"team0001"), "{page}");
    house.close().await;
}

#[tokio::test]
async fn messages_since_a_time_are_those_since_then() {
    let house = House::open().await;
    let token = house.token("alice");
    for (since, count) in [("2020-01-01T00:00:00+02:00", 3), ("2100-01-01T00:00:00Z", 0)] {
        let page = house.does(&token, "talk_messages", json!({ "conversation": "team0001", "since": since })).await;
        assert_eq!(all(&page, "id").len(), count, "{since}");
    }
    for since in ["yesterday", "2026-11-21"] {
        let called = house.call(&token, "talk_messages", json!({ "conversation": "team0001", "since": since })).await;
        assert!(called.failure().contains("RFC 3339"), "{called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn an_answer_holds_no_more_text_than_it_may() {
    let house = House::open().await;
    let token = house.token("alice");
    for letter in ["a", "b"] {
        let text = letter.repeat(15_000);
        house.does(&token, "talk_send", json!({ "conversation": "solo0001", "text": text })).await;
    }
    house.does(&token, "talk_send", json!({ "conversation": "solo0001", "text": "c".repeat(25_000) })).await;
    let mut asked = json!({ "conversation": "solo0001" });
    for (letter, length) in [('c', 20_000), ('b', 15_000), ('a', 15_000)] {
        let page = house.does(&token, "talk_messages", asked.clone()).await;
        assert_eq!(all(&page, "text").len(), 1);
        let text = all(&page, "text")[0].to_owned();
        let run = text.chars().take_while(|one| *one == letter).count();
        assert_eq!((run, text.contains("[cut")), (length, length == 20_000), "{letter}");
        asked["cursor"] = page["next_cursor"].clone();
    }
    house.close().await;
}

#[tokio::test]
async fn a_message_is_sent_and_answers_another() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let sent = house.does(&bob, "talk_send", json!({ "conversation": "direct01", "text": "Where is it?" })).await;
    let id = sent["id"].as_str().unwrap();
    assert_eq!(sent["url"], format!("{}/index.php/call/direct01#message_{id}", house.url));
    house.does(&alice, "talk_send", json!({ "conversation": "direct01", "text": "Here {file}", "reply_to": id })).await;
    let page = house.does(&bob, "talk_messages", json!({ "conversation": "direct01", "limit": 2 })).await;
    assert_eq!(all(&page, "text"), ["Here {file}", "Where is it?"]);
    for (arguments, words) in [
        (json!({ "conversation": "direct01", "text": "x", "reply_to": "999999" }), "reply_to"),
        (json!({ "conversation": "direct01", "text": "x", "reply_to": "x" }), "reply_to"),
        (json!({ "conversation": "direct01", "text": " \n" }), "empty"),
        (json!({ "conversation": "direct01", "text": "ä".repeat(32_001) }), "32000"),
        (json!({ "conversation": "notice01", "text": "x" }), "reading only"),
        (json!({ "conversation": "nowhere0", "text": "x" }), "in no conversation"),
        (json!({ "conversation": "../room", "text": "x" }), "no id of a conversation"),
        (json!({ "conversation": "direct01/share", "text": "x" }), "no id of a conversation"),
    ] {
        let called = house.call(&bob, "talk_send", arguments).await;
        assert!(called.failure().contains(words), "{called:?}");
    }
    assert_eq!(house.does(&bob, "talk_messages", json!({ "conversation": "direct01", "limit": 2 })).await, page);
    house.close().await;
}

#[tokio::test]
async fn the_person_is_asked_before_a_message_is_sent() {
    let house = House::open().await;
    let token = house.token("alice");
    let arguments = json!({ "name": "talk_send", "arguments": { "conversation": "team0001", "text": "Bye" } });
    let asked = house.ask(&token, "tools/call", arguments).await;
    let request = &asked.body["result"]["inputRequests"]["confirm"]["params"]["message"];
    let question = request.as_str().unwrap_or_else(|| panic!("{asked:?}"));
    assert!(question.contains("Team") && question.contains("Bye"), "{question}");
    let page = house.does(&token, "talk_messages", json!({ "conversation": "team0001", "limit": 1 })).await;
    assert_ne!(all(&page, "text"), ["Bye"], "nothing is sent before");
    house.close().await;
}

#[tokio::test]
async fn nobody_reads_or_writes_where_they_are_not() {
    let house = House::open().await;
    let bob = house.token("bob");
    for (tool, arguments) in [
        ("talk_messages", json!({ "conversation": "solo0001" })),
        ("talk_send", json!({ "conversation": "solo0001", "text": "x" })),
        ("fetch", json!({ "id": "talk:solo0001" })),
    ] {
        let called = house.call(&bob, tool, arguments).await;
        assert!(called.failure().contains("in no conversation"), "{called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn sending_has_a_scope_of_its_own_and_the_operators_switch_binds_it() {
    let house = House::open().await;
    let token = house.token_with("alice", "openid talk.read");
    house.does(&token, "talk_messages", json!({ "conversation": "team0001" })).await;
    let said = house.try_call(&token, "talk_send", json!({ "conversation": "team0001", "text": "x" })).await;
    assert_eq!(said.status, 403, "{said:?}");
    let challenge = said.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("talk.read") && challenge.contains("talk.write"), "{challenge}");
    house.close().await;

    let house = Plan { tables: "[policy.egress]\nmessages = false\n".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    let called = house.call(&token, "talk_send", json!({ "conversation": "team0001", "text": "x" })).await;
    assert!(called.failure().contains("operator"), "{called:?}");
    house.close().await;
}

#[tokio::test]
async fn without_the_app_it_is_said() {
    let change = |options: &mut obo_proxy::dev::nextcloud::Options| options.without_apps = vec!["spreed".into()];
    let house = Plan { nextcloud: Some(Box::new(change)), ..Plan::default() }.build().await;
    let token = house.token("alice");
    for (tool, arguments) in [
        ("talk_conversations", json!({})),
        ("talk_messages", json!({ "conversation": "team0001" })),
        ("talk_send", json!({ "conversation": "team0001", "text": "x" })),
        ("fetch", json!({ "id": "talk:team0001" })),
    ] {
        let called = house.call(&token, tool, arguments).await;
        assert!(called.failure().contains("does not have the Talk app"), "{called:?}");
    }
    house.close().await;
}
