//! Where a call ends: in time, in number and in size, and at what was granted and offered.

use std::time::Duration;

use serde_json::{Value, json};

use super::hostile::{answer, before, multistatus, response};
use crate::house::{House, Plan};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_takes_no_longer_than_it_may() {
    let house = Plan { tables: "[mcp]\ntool_timeout = \"300ms\"\n".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.nextcloud.hold();
    for (tool, arguments) in [("whoami", json!({})), ("files_write", json!({ "path": "/a", "text": "a" }))] {
        let late =
            tokio::time::timeout(Duration::from_secs(10), house.call(&token, tool, arguments)).await.expect("an end");
        assert!(late.failure().contains("too long"), "{late:?}");
    }
    let read = house.ask(&token, "resources/read", json!({ "uri": "nextcloud://files/a" }));
    let late = tokio::time::timeout(Duration::from_secs(10), read).await.expect("an end");
    assert!(late.body["error"]["message"].as_str().unwrap().contains("too long"), "{late:?}");
    house.nextcloud.release();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_read_no_more_often_than_a_tool_is_called() {
    let house = Plan { tables: "[mcp]\ncalls_per_minute = 2\n".into(), ..Plan::default() }.build().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let read = async |token: &str| {
        let said = house.ask(token, "resources/read", json!({ "uri": "nextcloud://files/none" })).await;
        said.body["error"]["message"].as_str().unwrap().to_owned()
    };
    for _ in 0..2 {
        assert!(read(&alice).await.contains("no such file"));
    }
    assert!(read(&alice).await.contains("Too many"));
    assert!(read(&bob).await.contains("no such file"), "each has his own");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_needs_its_scope_before_anything_is_sent() {
    let house = House::open().await;
    let token = house.token_with("alice", "notes.read");
    let said = house.ask(&token, "resources/read", json!({ "uri": "nextcloud://files/alice.txt" })).await;
    assert_eq!((said.status, &said.body["error"]), (403, &json!("insufficient_scope")), "{said:?}");
    let challenge = said.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("files.read") && challenge.contains("notes.read"), "{challenge}");
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_not_read_though_it_would_be_good() {
    let padded = format!(r#"{{"ocs":{{"data":[]}},"padding":"{}"}}"#, "x".repeat(9 * MIB));
    let (house, _) = before(Box::new(move |_, target| {
        target.contains("shares").then(|| answer("200 OK", "content-type: application/json\r\n", &padded))
    }))
    .await;
    let listed = house.call(&house.token("alice"), "shares_list", json!({})).await;
    assert!(listed.failure().contains("too large"), "{listed:?}");
    house.close().await;
}

/// Neither what a file is said to have nor what comes of it is more than one answer holds.
#[tokio::test(flavor = "multi_thread")]
async fn neither_images_nor_resources_are_larger_than_one_mebibyte() {
    for (said, given) in [(2 * MIB, 10), (10, 2 * MIB)] {
        let stat = multistatus(&response(
            "/remote.php/dav/files/alice/a",
            &format!("<oc:size>{said}</oc:size><d:getcontenttype>image/png</d:getcontenttype><d:resourcetype/>"),
        ));
        let (house, seen) = before(Box::new(move |method, target| match method {
            "PROPFIND" => Some(stat.clone()),
            _ if target.contains("files/alice") => Some(answer("200 OK", "", vec![b'x'; given])),
            _ => None,
        }))
        .await;
        let token = house.token("alice");
        let image = house.call(&token, "files_read", json!({ "path": "/a" })).await;
        assert!(image.content.iter().all(|block| block["type"] != "image"), "{said} {given}");
        assert!(image.content.iter().any(|block| block["type"] == "resource_link"), "{image:?}");
        let read = house.ask(&token, "resources/read", json!({ "uri": "nextcloud://files/a" })).await;
        assert!(read.body["error"]["message"].as_str().unwrap_or_default().contains("1 MiB"), "{said} {given}");
        let gets =
            seen.lock().iter().filter(|(method, target, _)| method == "GET" && target.contains("files/")).count();
        assert_eq!(gets, if said > given { 0 } else { 2 }, "what is known to be too large is not asked for");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_does_not_offer_is_not_fetched_either() {
    let house = Plan { tables: "[mcp]\ntools = [\"notes\"]\n".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    for id in [
        "files:/alice.txt",
        "event:personal/a.ics",
        "task:tasks/a.ics",
        "contact:contacts/a",
        "talk:abcd",
        "talk:abcd/1",
    ] {
        let fetched = house.call(&token, "fetch", json!({ "id": id })).await;
        assert!(fetched.failure().contains("does not offer"), "{id}: {fetched:?}");
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_single_reading_or_no_end_is_not_sent() {
    let house = House::open().await;
    let token = house.token("alice");
    for path in ["/100%", "/a?b", "/a#b", "/a;b"] {
        let found = house.call(&token, "files_search", json!({ "path": path })).await;
        assert!(found.failure().contains("cannot be searched"), "{path}: {found:?}");
    }
    for with in [json!({ "with": "b".repeat(1_001) }), json!({ "with": "bob", "note": "n".repeat(1_001) })] {
        let mut share = json!({ "path": "/alice.txt", "kind": "user" });
        share.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let shared = house.call(&token, "share_create", share).await;
        assert!(shared.failure().contains("too long"), "{shared:?}");
    }
    assert!(house.nextcloud.seen().iter().all(|seen| seen.method == "GET"), "{:?}", house.nextcloud.seen());
    house.close().await;
}

/// Between reading and writing somebody else wrote: whoever named an etag meant what he had read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_between_reading_and_adding_is_not_added_to() {
    let note = |etag: &str| json!({ "id": 1, "title": "a", "content": "a", "etag": etag }).to_string();
    let (old, new) = (note("old1"), note("new2"));
    let (house, seen) = before(Box::new(move |method, target| {
        let json = "content-type: application/json\r\n";
        match method {
            "PUT" => Some(answer("412 Precondition Failed", json, &new)),
            _ if target.contains("notes") => Some(answer("200 OK", json, &old)),
            _ => None,
        }
    }))
    .await;
    let token = house.token("alice");
    let add = |etag: Value| {
        let mut arguments = json!({ "id": "1", "text": "b", "append": true });
        if !etag.is_null() {
            arguments["etag"] = etag;
        }
        house.call(&token, "note_write", arguments)
    };
    let stale = add(json!("old1")).await;
    assert!(stale.failure().contains("new2"), "{stale:?}");
    assert_eq!(seen.lock().iter().filter(|(method, ..)| method == "PUT").count(), 1);
    let busy = add(Value::Null).await;
    assert!(busy.failure().contains("right now"), "{busy:?}");
    assert_eq!(seen.lock().iter().filter(|(method, ..)| method == "PUT").count(), 4, "and not for ever");
    house.close().await;
}
