//! Talk as its documentation has it: rooms, history, replies, what happened, and what is unread.

use obo_proxy::dev::nextcloud::Generation;
use serde_json::{Value, json};

use super::recording::Answered;
use super::wire::House;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const ROOMS: &str = "/ocs/v2.php/apps/spreed/api/v4/room?format=json";

async fn chat(house: &House, user: &str, token: &str, query: &str) -> Answered {
    let target = format!("/ocs/v2.php/apps/spreed/api/v1/chat/{token}?format=json&{query}");
    house.as_user(user, "GET", &target, &[], "").await
}

async fn say(house: &House, user: &str, token: &str, fields: Value) -> Answered {
    let target = format!("/ocs/v2.php/apps/spreed/api/v1/chat/{token}?format=json");
    house.as_user(user, "POST", &target, &JSON, fields.to_string()).await
}

fn data(answered: &Answered) -> Value {
    answered.json()["ocs"]["data"].clone()
}

async fn room(house: &House, user: &str, token: &str) -> Option<Value> {
    let rooms = data(&house.as_user(user, "GET", ROOMS, &[], "").await);
    rooms.as_array().unwrap().iter().find(|room| room["token"] == token).cloned()
}

fn texts(answered: &Answered) -> Vec<String> {
    let messages = data(answered);
    messages.as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn two_people_share_rooms_from_the_start_and_a_third_sees_none() {
    let house = House::of(Generation::V8_10).await;
    let tokens = async |user: &str| {
        let rooms = data(&house.as_user(user, "GET", ROOMS, &[], "").await);
        let rooms = rooms.as_array().unwrap().iter().map(|room| room["token"].as_str().unwrap().to_owned());
        rooms.collect::<Vec<_>>()
    };
    assert_eq!(tokens("alice").await, ["team0001", "direct01", "notice01", "solo0001"]);
    assert_eq!(tokens("bob").await, ["team0001", "direct01", "notice01"]);
    assert_eq!(tokens("carol").await, Vec::<String>::new());
    for (user, name, other) in [("alice", "bob", "Bob T"), ("bob", "alice", "Alice T")] {
        let room = room(&house, user, "direct01").await.unwrap();
        assert_eq!((&room["name"], &room["displayName"], &room["type"]), (&name.into(), &other.into(), &1.into()));
    }
}

#[tokio::test]
async fn history_comes_newest_first_and_page_by_page() {
    let house = House::of(Generation::V8_10).await;
    for number in 1..=5 {
        say(&house, "alice", "solo0001", json!({ "message": format!("thought {number}") })).await;
    }
    let first = chat(&house, "alice", "solo0001", "lookIntoFuture=0&limit=2").await;
    assert_eq!(texts(&first), ["thought 5", "thought 4"]);
    let last = first.headers["x-chat-last-given"].to_str().unwrap().to_owned();
    assert_eq!(data(&first)[1]["id"].to_string(), last);
    let page = async |more: &str| {
        chat(&house, "alice", "solo0001", &format!("lookIntoFuture=0&lastKnownMessageId={last}&limit=2{more}")).await
    };
    assert_eq!(texts(&page("").await), ["thought 3", "thought 2"]);
    assert_eq!(texts(&page("&includeLastKnown=1").await), ["thought 4", "thought 3"]);
    let all = chat(&house, "alice", "solo0001", "lookIntoFuture=0").await;
    assert_eq!(texts(&all).last().unwrap(), "{actor} created the conversation");
    let first = data(&all)[5]["id"].to_string();
    let before = chat(&house, "alice", "solo0001", &format!("lookIntoFuture=0&lastKnownMessageId={first}")).await;
    assert_eq!((before.status, before.text().as_str()), (304, ""), "nothing is older");
    assert_eq!(chat(&house, "bob", "solo0001", "lookIntoFuture=0").await.status, 404, "bob is not in it");
    assert_eq!(chat(&house, "bob", "nowhere0", "lookIntoFuture=0").await.status, 404);
}

#[tokio::test]
async fn what_stands_for_something_else_is_told_beside_the_text() {
    let house = House::of(Generation::V8_10).await;
    let messages = data(&chat(&house, "alice", "team0001", "lookIntoFuture=0").await);
    let [mention, file, plain, created] = messages.as_array().unwrap().as_slice() else { panic!("{messages}") };
    assert_eq!(mention["message"], "{mention-user1} please read the plan");
    assert_eq!(mention["messageParameters"]["mention-user1"]["id"], "alice");
    assert_eq!((&file["message"], &file["messageParameters"]["file"]["name"]), (&"{file}".into(), &"Plan.md".into()));
    assert_eq!(plain["messageParameters"], json!([]), "of an empty map PHP makes a list");
    assert_eq!((&plain["actorId"], &mention["actorId"]), (&"alice".into(), &"bob".into()));
    assert_eq!(
        (&created["messageType"], &created["systemMessage"]),
        (&"system".into(), &"conversation_created".into())
    );
    assert_eq!(
        (&created["messageParameters"]["actor"]["name"], &created["isReplyable"]),
        (&"Alice T".into(), &false.into())
    );
}

#[tokio::test]
async fn an_answer_names_what_it_answers() {
    let house = House::of(Generation::V8_10).await;
    let asked =
        data(&say(&house, "alice", "direct01", json!({ "message": "  @bob where?  ", "referenceId": "r1" })).await);
    assert_eq!((&asked["message"], &asked["referenceId"]), (&"{mention-user1} where?".into(), &"r1".into()));
    let answered = say(&house, "bob", "direct01", json!({ "message": "here", "replyTo": asked["id"] })).await;
    assert_eq!((answered.status, &data(&answered)["parent"]["id"]), (201, &asked["id"]));
    let again =
        data(&say(&house, "alice", "direct01", json!({ "message": "ok", "replyTo": data(&answered)["id"] })).await);
    assert_eq!((&again["parent"]["message"], &again["parent"]["parent"]), (&"here".into(), &Value::Null));
    let created = data(&chat(&house, "alice", "direct01", "lookIntoFuture=0").await)[4]["id"].clone();
    for (token, fields, status) in [
        ("direct01", json!({ "message": "no", "replyTo": 999_999 }), 400),
        ("direct01", json!({ "message": "no", "replyTo": created }), 400),
        ("direct01", json!({ "message": "  " }), 400),
        ("direct01", json!({}), 400),
        ("direct01", json!({ "message": "x".repeat(32_001) }), 413),
        ("notice01", json!({ "message": "no" }), 403),
        ("nowhere0", json!({ "message": "no" }), 404),
    ] {
        assert_eq!(say(&house, "alice", token, fields).await.status, status, "{token}");
    }
    assert_eq!(say(&house, "bob", "solo0001", json!({ "message": "no" })).await.status, 404);
}

#[tokio::test]
async fn what_is_unread_is_counted_until_it_was_seen() {
    let house = House::of(Generation::V8_10).await;
    let unread = async |user: &str| {
        let room = room(&house, user, "team0001").await.unwrap();
        (room["unreadMessages"].as_u64().unwrap(), room["unreadMention"].as_bool().unwrap())
    };
    assert_eq!(unread("alice").await, (2, true), "what bob said");
    assert_eq!(unread("bob").await, (0, false));
    chat(&house, "alice", "team0001", "lookIntoFuture=0").await;
    assert_eq!(unread("alice").await, (2, true), "history is not reading");
    let last = room(&house, "alice", "team0001").await.unwrap()["lastMessage"]["id"].clone();
    chat(&house, "alice", "team0001", &format!("lookIntoFuture=1&timeout=0&setReadMarker=0&lastKnownMessageId={last}"))
        .await;
    assert_eq!(unread("alice").await, (2, true), "it was not to be marked");
    chat(&house, "alice", "team0001", &format!("lookIntoFuture=1&timeout=0&lastKnownMessageId={last}")).await;
    assert_eq!(unread("alice").await, (0, false));
    say(&house, "alice", "team0001", json!({ "message": "done" })).await;
    assert_eq!((unread("alice").await, unread("bob").await), ((0, false), (1, false)));
}
