//! Deck, Talk and unified search beyond what was recorded.

use std::time::Duration;

use obo_proxy::dev::nextcloud::Generation;
use serde_json::Value;

use super::wire::House;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn boards_have_stacks_of_cards_and_are_their_owners_alone() {
    let house = House::of(Generation::V8_10).await;
    let deck = "/index.php/apps/deck/api/v1.0/boards";
    let post = async |path: &str, body: &str| {
        house.as_user("alice", "POST", &format!("{deck}{path}"), &JSON, body.to_owned()).await.json()
    };
    let board = post("", r#"{"title":"B","color":"00ff00"}"#).await["id"].as_u64().unwrap();
    let stack = post(&format!("/{board}/stacks"), r#"{"title":"S","order":1}"#).await["id"].as_u64().unwrap();
    let card = post(&format!("/{board}/stacks/{stack}/cards"), r#"{"title":"C","type":"plain"}"#).await;
    let stacks = house.as_user("alice", "GET", &format!("{deck}/{board}/stacks"), &[], "").await.json();
    assert_eq!(stacks[0]["cards"][0], card);
    for path in ["", "/stacks"] {
        assert_eq!(house.as_user("bob", "GET", &format!("{deck}/{board}{path}"), &[], "").await.status, 403);
    }
    assert_eq!(house.as_user("bob", "GET", deck, &[], "").await.json(), Value::Array(Vec::new()));
    let bearer = house.bearer("alice");
    assert_eq!(house.send("GET", deck, &[("authorization", &bearer)], "").await.status, 401, "its routes are #[CORS]");
}

#[tokio::test]
async fn who_waits_for_a_message_gets_it_when_it_is_said() {
    let house = House::of(Generation::V8_10).await;
    let talk = "/ocs/v2.php/apps/spreed/api";
    let made = house
        .as_user("alice", "POST", &format!("{talk}/v4/room?format=json"), &JSON, r#"{"roomType":1,"invite":"bob"}"#)
        .await;
    assert_eq!(made.status, 201);
    let token = made.json()["ocs"]["data"]["token"].as_str().unwrap().to_owned();
    let chat = format!("{talk}/v1/chat/{token}?format=json");
    let wait = format!("{chat}&lookIntoFuture=1&lastKnownMessageId=0&timeout=30");
    let (heard, said) = tokio::join!(house.as_user("bob", "GET", &wait, &[], ""), async {
        while !house.nextcloud.seen().iter().any(|seen| seen.target == wait) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        house.as_user("alice", "POST", &chat, &JSON, r#"{"message":"hello"}"#).await
    });
    assert_eq!((said.status, heard.json()["ocs"]["data"][0]["message"].as_str()), (201, Some("hello")));
    let nothing = format!("{chat}&lookIntoFuture=1&lastKnownMessageId=99&timeout=0");
    assert_eq!(house.as_user("bob", "GET", &nothing, &[], "").await.status, 304);
    assert_eq!(house.as_user("carol", "GET", &chat, &[], "").await.status, 404, "not a member");
}

#[tokio::test]
async fn each_search_provider_finds_in_its_own_things() {
    let house = House::of(Generation::V8_10).await;
    for (provider, term, title) in [
        ("files", "plan", Some("Plan.md")),
        ("contacts", "friend", Some("A friend of alice")),
        ("calendar", "event", Some("An event of alice")),
        ("notes", "welcome", Some("Welcome")),
        ("contacts", "bob", None),
        ("comments", "a", None),
    ] {
        let target = format!("/ocs/v2.php/search/providers/{provider}/search?format=json&term={term}");
        let answered = house.as_user("alice", "GET", &target, &[], "").await;
        assert_eq!(answered.status, 200, "{provider}");
        assert_eq!(answered.json()["ocs"]["data"]["entries"][0]["title"].as_str(), title, "{provider}");
    }
}

#[tokio::test]
async fn a_status_has_a_message_and_is_seen_by_others() {
    let house = House::of(Generation::V8_10).await;
    let status = "/ocs/v2.php/apps/user_status/api/v1";
    let get = async |user: &str, path: &str| {
        let answered = house.as_user(user, "GET", &format!("{status}/{path}?format=json"), &[], "").await;
        (answered.status, answered.json()["ocs"]["data"].clone())
    };
    assert_eq!(get("bob", "statuses/alice").await.0, 404);
    let body = r#"{"statusIcon":"🌴","message":"away"}"#;
    let set = format!("{status}/user_status/message/custom");
    assert_eq!(house.as_user("alice", "PUT", &set, &JSON, body).await.status, 200);
    let (code, seen) = get("bob", "statuses/alice").await;
    assert_eq!((code, &seen["message"], &seen["status"]), (200, &"away".into(), &"online".into()));
    assert_eq!(get("bob", "statuses").await.1.as_array().unwrap().len(), 1);
    house.as_user("alice", "DELETE", &format!("{status}/user_status/message"), &[], "").await;
    assert_eq!(get("alice", "user_status").await.1["message"], Value::Null);
}

#[tokio::test]
async fn notes_are_listed_by_category_and_what_is_old_by_its_number() {
    let house = House::of(Generation::V8_10).await;
    let notes = "/index.php/apps/notes/api/v1/notes";
    let made =
        house.as_user("alice", "POST", notes, &JSON, r#"{"title":"Milk","content":"x","category":"home/list"}"#).await;
    assert_eq!(made.status, 200);
    let list = async |query: &str| house.as_user("alice", "GET", &format!("{notes}?{query}"), &[], "").await.json();
    let titles = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|note| note["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&list("category=home/list").await), ["Milk"]);
    assert_eq!(titles(&list("category=").await), ["Welcome"]);
    assert_eq!(titles(&list("category=home").await), Vec::<String>::new());
    let without = list("category=home/list&exclude=content,etag").await;
    assert!(without[0]["content"].is_null() && without[0]["etag"].is_null() && without[0]["id"].is_u64());
    let pruned = list("category=home/list&pruneBefore=99999999999").await;
    assert_eq!(pruned[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id"]);
}
