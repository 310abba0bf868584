//! `whoami`.

use serde_json::json;

use crate::house::{House, Plan};

#[tokio::test]
async fn the_user_learns_who_it_is_and_what_can_be_done() {
    let house = House::open().await;
    let who = house.does(&house.token("alice"), "whoami", json!({})).await;
    assert_eq!(
        (&who["user_id"], &who["display_name"], &who["email"]),
        (&json!("alice"), &json!("Alice T"), &json!("alice@ex.org"))
    );
    assert_eq!(who["apps"], json!(["files", "notes", "calendar", "tasks", "contacts", "talk", "deck"]));
    assert_eq!(who["timezone"], "UTC", "that of Nextcloud, for alice has set none");
    let few = house.does(&house.token_with("alice", "openid files.read"), "whoami", json!({})).await;
    assert!(few["scopes"].as_array().unwrap().contains(&json!("files.read")), "{few}");
    assert!(!few["scopes"].as_array().unwrap().contains(&json!("files.write")), "{few}");
    house.close().await;
}

#[tokio::test]
async fn apps_are_those_that_are_there_and_offered() {
    let change = |options: &mut obo_proxy::dev::nextcloud::Options| {
        options.without_apps = vec!["spreed".into(), "calendar".into()]
    };
    let tables = "[mcp]\ntools = [\"files\", \"calendar\", \"talk\"]\n".into();
    let house = Plan { nextcloud: Some(Box::new(change)), tables, ..Plan::default() }.build().await;
    let who = house.does(&house.token("alice"), "whoami", json!({})).await;
    assert_eq!(
        who["apps"],
        json!(["files", "calendar", "deck"]),
        "calendars are Nextcloud's own, whatever app shows them"
    );
    house.close().await;
}
