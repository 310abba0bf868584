//! Shares by tools, and what keeps them in the house.

use serde_json::{Value, json};

use crate::house::{House, Plan};

const SHARER: &str = "openid nc.read shares.write files.write";

async fn with_a_file(house: &House) -> String {
    let alice = house.token_with("alice", SHARER);
    house.does(&alice, "files_mkdir", json!({ "path": "/seq" })).await;
    house.does(&alice, "files_write", json!({ "path": "/seq/a & b.txt", "text": "hello" })).await;
    alice
}

#[tokio::test]
async fn a_file_is_shared_seen_by_both_and_shared_no_longer() {
    let house = House::open().await;
    let alice = with_a_file(&house).await;
    let bob = house.token_with("bob", SHARER);
    let path = "/seq/a & b.txt";
    let shared = house.does(&alice, "share_create", json!({ "path": path, "kind": "user", "with": "bob" })).await;
    assert_eq!(
        (&shared["kind"], &shared["with"], &shared["permissions"]),
        (&json!("user"), &json!("bob"), &json!(["read"]))
    );
    let link = json!({ "path": path, "kind": "link", "expires": "2030-01-31", "note": "look" });
    let link = house.does(&alice, "share_create", link).await;
    assert_eq!((&link["kind"], &link["expires"], &link["with"]), (&json!("link"), &json!("2030-01-31"), &Value::Null));
    assert!(link["url"].as_str().unwrap().contains("/s/"), "{link}");

    let of_path = house.does(&alice, "shares_list", json!({ "path": path })).await;
    let own = house.does(&alice, "shares_list", json!({})).await;
    assert_eq!((of_path["items"].as_array().unwrap().len(), &of_path["items"]), (2, &own["items"]));
    assert_eq!((&own["items"][0]["id"], &own["items"][0]["path"]), (&shared["id"], &json!(path)));
    let first = house.does(&alice, "shares_list", json!({ "limit": 1 })).await;
    let second = house.does(&alice, "shares_list", json!({ "limit": 1, "cursor": first["next_cursor"] })).await;
    assert_eq!((&second["items"][0]["id"], &second["next_cursor"]), (&link["id"], &Value::Null));

    let received = house.does(&bob, "shares_list", json!({ "received": true })).await;
    let one = &received["items"][0];
    assert_eq!((&one["id"], &one["path"], &one["with"]), (&shared["id"], &json!("/a & b.txt"), &json!("alice")));
    assert_eq!(house.does(&bob, "files_read", json!({ "path": "/a & b.txt" })).await["text"], "hello");
    assert_eq!(house.does(&bob, "shares_list", json!({})).await["items"], json!([]), "none of his own");
    let listed = house.does(&alice, "files_list", json!({ "path": "/seq" })).await;
    assert_eq!(listed["items"][0]["shared"], true);

    let not_his = house.call(&bob, "share_delete", json!({ "id": link["id"] })).await;
    assert!(not_his.failure().contains("There is no share"), "{not_his:?}");
    house.does(&alice, "share_delete", json!({ "id": shared["id"] })).await;
    let again = house.call(&alice, "share_delete", json!({ "id": shared["id"] })).await;
    assert!(again.failure().contains("shares_list"), "{again:?}");
    assert!(house.call(&bob, "files_read", json!({ "path": "/a & b.txt" })).await.is_error);
    house.close().await;
}

#[tokio::test]
async fn whoever_lets_others_write_has_to_be_able_to_write() {
    let house = House::open().await;
    with_a_file(&house).await;
    let reader = house.token_with("alice", "openid nc.read shares.write files.read");
    let folder =
        |permissions: Value| json!({ "path": "/seq", "kind": "user", "with": "bob", "permissions": permissions });
    let made = house.does(&reader, "share_create", folder(json!(["read", "share"]))).await;
    assert_eq!(made["permissions"], json!(["read", "share"]));
    house.does(&reader, "share_delete", json!({ "id": made["id"] })).await;
    for permission in ["update", "create", "delete"] {
        let said = house.try_call(&reader, "share_create", folder(json!(["read", permission]))).await;
        assert_eq!(said.status, 403, "{permission}: {said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("files.write") && challenge.contains("shares.write"), "{challenge}");
    }
    let writer = house.token_with("alice", SHARER);
    let made = house.does(&writer, "share_create", folder(json!(["read", "update", "create"]))).await;
    assert_eq!(made["permissions"], json!(["read", "update", "create"]));
    house.close().await;
}

#[tokio::test]
async fn a_token_without_the_scopes_is_told_all_of_them_at_once() {
    let house = House::open().await;
    for (tool, granted, needed) in [
        ("shares_list", "openid notes.read", &["shares.read", "files.read"][..]),
        ("shares_list", "openid notes.read shares.write", &["files.read"]),
        ("share_create", "openid notes.read files.read", &["shares.write", "files.read"]),
        ("share_create", "openid notes.read", &["shares.write", "files.read"]),
        ("share_delete", "openid notes.read shares.read", &["shares.write"]),
    ] {
        let said = house.try_call(&house.token_with("alice", granted), tool, json!({})).await;
        assert_eq!(said.status, 403, "{tool}: {said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("notes.read"), "what was granted is asked for again: {challenge}");
        assert!(needed.iter().all(|scope| challenge.contains(scope)), "{tool}: {challenge}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_is_switched_off_says_so_and_nothing_leaves() {
    let tables = "[policy.egress]\npublic_links = false\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let alice = with_a_file(&house).await;
    for arguments in [
        json!({ "path": "/seq", "kind": "link" }),
        json!({ "path": "/seq", "kind": "email", "with": "eve@example.org" }),
    ] {
        let called = house.call(&alice, "share_create", arguments.clone()).await;
        assert!(called.failure().contains("switched off on this server"), "{arguments}: {called:?}");
        assert!(called.failure().contains("Do not try again"), "{called:?}");
    }
    house.does(&alice, "share_create", json!({ "path": "/seq", "kind": "user", "with": "bob" })).await;
    let own = house.does(&alice, "shares_list", json!({})).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
    house.close().await;

    let tables = "[policy.egress]\nmessages = false\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let alice = with_a_file(&house).await;
    let mail = json!({ "path": "/seq", "kind": "email", "with": "eve@example.org" });
    let called = house.call(&alice, "share_create", mail).await;
    assert!(called.failure().contains("sending messages is switched off"), "{called:?}");
    house.does(&alice, "share_create", json!({ "path": "/seq", "kind": "link" })).await;
    house.close().await;
}

#[tokio::test]
async fn a_person_who_can_be_asked_is_asked_before_something_is_shared() {
    let house = House::open().await;
    let alice = with_a_file(&house).await;
    let arguments = json!({ "path": "/seq", "kind": "link", "note": "look" });
    let asked = house.ask(&alice, "tools/call", json!({ "name": "share_create", "arguments": arguments })).await;
    let result = &asked.body["result"];
    assert_eq!(result["resultType"], "input_required", "{asked:?}");
    let question = result["inputRequests"].to_string();
    assert!(question.contains("public link") && question.contains("/seq") && question.contains("look"), "{question}");
    assert_eq!(house.does(&alice, "shares_list", json!({})).await["items"], json!([]), "nothing was shared yet");
    house.close().await;
}

#[tokio::test]
async fn what_cannot_be_shared_says_why() {
    let house = House::open().await;
    let alice = with_a_file(&house).await;
    for (arguments, words) in [
        (json!({ "path": "/none", "kind": "link" }), "does not exist"),
        (json!({ "path": "/seq", "kind": "user", "with": "nobody" }), "valid account"),
        (json!({ "path": "/seq", "kind": "user" }), "with is missing"),
        (json!({ "path": "/seq", "kind": "email", "with": " " }), "with is missing"),
        (json!({ "path": "/seq", "kind": "link", "with": "bob" }), "leave with out"),
        (json!({ "path": "/seq", "kind": "federated", "with": "a@b" }), "federated"),
        (json!({ "path": "/seq", "kind": "link", "expires": "31.12.2030" }), "2026-12-31"),
        (json!({ "path": "/seq", "kind": "link", "expires": "2030-02-30" }), "2026-12-31"),
        (json!({ "path": "/seq", "kind": "link", "permissions": ["admin"] }), "admin"),
        (json!({ "path": "/seq", "kind": "user", "with": "bob\u{0}" }), "control characters"),
        (json!({ "path": "/../x", "kind": "link" }), "'..'"),
        (json!({ "kind": "link" }), "path"),
    ] {
        let called = house.call(&alice, "share_create", arguments.clone()).await;
        assert!(called.failure().contains(words), "{arguments}: {called:?}");
    }
    for id in ["", "x", "-1", "../shares/1", "1/../2", "99999999999999999999999"] {
        let called = house.call(&alice, "share_delete", json!({ "id": id })).await;
        assert!(called.failure().contains("number of a share"), "{id}: {called:?}");
    }
    for arguments in [json!({ "path": "/none" }), json!({ "path": "/seq", "received": true })] {
        assert!(house.call(&alice, "shares_list", arguments.clone()).await.is_error, "{arguments}");
    }
    house.close().await;
}
