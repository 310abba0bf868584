//! Laws 2, 5 and 8 at `/mcp`, and the scopes of each tool: by no road does one person's call reach what is another's, or what was not granted.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::client::{LEGACY, MODERN};
use crate::house::{House, Plan};

const STRICT: &str = "[policy]\nimplicit_scopes = []\n";

/// Each tool with arguments that are good, and the scopes that it needs.
pub fn tools() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let window = json!({ "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z" });
    vec![
        ("whoami", json!({}), &["nc.read"]),
        ("search", json!({ "query": "a" }), &["nc.read"]),
        ("fetch", json!({ "id": "files:/a" }), &["nc.read"]),
        ("files_list", json!({}), &["files.read"]),
        ("files_search", json!({ "name": "a" }), &["files.read"]),
        ("files_read", json!({ "path": "/a" }), &["files.read"]),
        ("files_write", json!({ "path": "/a", "text": "a" }), &["files.write"]),
        ("files_mkdir", json!({ "path": "/a" }), &["files.write"]),
        ("files_move", json!({ "from": "/a", "to": "/b" }), &["files.write"]),
        ("files_copy", json!({ "from": "/a", "to": "/b" }), &["files.write"]),
        ("files_delete", json!({ "path": "/a" }), &["files.write"]),
        ("files_restore", json!({ "path": "/a" }), &["files.write"]),
        ("shares_list", json!({}), &["files.read", "shares.read"]),
        ("share_create", json!({ "path": "/a", "kind": "link" }), &["files.read", "shares.write"]),
        ("share_delete", json!({ "id": "1" }), &["shares.write"]),
        ("calendars_list", json!({}), &["calendar.read"]),
        ("events_find", window, &["calendar.read"]),
        ("event_create", json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01" }), &["calendar.write"]),
        ("event_update", json!({ "id": "personal/a.ics", "title": "a" }), &["calendar.write"]),
        ("event_delete", json!({ "id": "personal/a.ics" }), &["calendar.write"]),
        ("tasks_find", json!({}), &["tasks.read"]),
        ("task_create", json!({ "title": "a" }), &["tasks.write"]),
        ("task_update", json!({ "id": "tasks/a.ics", "done": true }), &["tasks.write"]),
        ("contacts_search", json!({ "query": "a" }), &["contacts.read"]),
        ("notes_find", json!({}), &["notes.read"]),
        ("note_write", json!({ "text": "a" }), &["notes.write"]),
        ("talk_conversations", json!({}), &["talk.read"]),
        ("talk_messages", json!({ "conversation": "abcd" }), &["talk.read"]),
        ("talk_send", json!({ "conversation": "abcd", "text": "a" }), &["talk.write"]),
    ]
}

fn scopes_of(challenge: &str) -> Vec<&str> {
    let (_, rest) = challenge.split_once("scope=\"").unwrap();
    let mut scopes: Vec<&str> = rest.split('"').next().unwrap().split(' ').collect();
    scopes.sort_unstable();
    scopes
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_scope_of_a_tool_is_missing_the_call_ends_before_anything_is_sent() {
    let house = Plan { tables: STRICT.into(), ..Plan::default() }.build().await;
    let listed = house.ask(&house.token("alice"), "tools/list", json!({})).await;
    let listed: Vec<&str> =
        listed.body["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let mut known: Vec<&str> = tools().iter().map(|(name, ..)| *name).collect();
    known.sort_unstable();
    assert_eq!(listed, known, "each tool is tried");
    for (tool, arguments, needed) in tools() {
        for missing in needed {
            // Beside what is needed otherwise there is one that has nothing to do with it.
            let others: Vec<&str> =
                needed.iter().copied().filter(|scope| scope != missing).chain(["deck.read"]).collect();
            let said = house.try_call(&house.token_with("alice", &others.join(" ")), tool, arguments.clone()).await;
            assert_eq!((said.status, &said.body["error"]), (403, &json!("insufficient_scope")), "{tool}: {said:?}");
            let challenge = said.headers["www-authenticate"].to_str().unwrap();
            let told = scopes_of(challenge);
            let mut implied: Vec<&str> = needed.to_vec();
            implied.push("deck.read");
            for scope in implied {
                assert!(told.contains(&scope), "{tool}: {challenge}");
            }
            assert!(
                told.iter().all(|scope| needed.contains(scope)
                    || *scope == "deck.read"
                    || needed.iter().any(|needed| needed.replace(".write", ".read") == *scope)),
                "{tool}: {challenge}"
            );
        }
    }
    assert!(house.nextcloud.seen().is_empty());
    assert_eq!(house.metric("obo_exchanges_total{outcome=\"ok\"}").await, 0.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_more_than_its_scopes_each_tool_begins() {
    let house = Plan { tables: STRICT.into(), ..Plan::default() }.build().await;
    for (tool, arguments, needed) in tools() {
        let token = house.token_with("alice", &[needed, &["nc.read"][..]].concat().join(" "));
        let said = house.try_call(&token, tool, arguments).await;
        // `fetch` needs the scope of what it reads as well, and `search` that of one app at least.
        let expected = if matches!(tool, "fetch" | "search") { 403 } else { 200 };
        assert_eq!(said.status, expected, "{tool}: {said:?}");
    }
    house.close().await;
}

/// A name may be written in several ways. Whatever is called, its scopes are held; nothing of it is a fault of ours.
#[tokio::test(flavor = "multi_thread")]
async fn by_no_road_is_a_tool_called_without_its_scopes() {
    let house = Plan { tables: STRICT.into(), ..Plan::default() }.build().await;
    let token = house.token_with("alice", "nc.read");
    let meta = format!(
        r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientCapabilities":{{}}}}"#
    );
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let long = "x".repeat(3 * 1024 * 1024);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"files_write","arguments":{"path":"/a","text":"a"}}}"#;
    let bodies = [
        call.to_owned(),
        call.replace("tools/call", r"tools\/call"),
        call.replace("tools/call", r"\u0074ools/call"),
        call.replace("files_write", r"files\u005fwrite"),
        call.replace(r#""method""#, r#""\u006dethod""#),
        call.replace(r#""name""#, r#""n\u0061me""#),
        call.replace(r#""id":1,"#, ""),
        call.replace(r#""id":1"#, r#""id":null"#),
        call.replace(r#""id":1"#, r#""id":{"a":[]}"#),
        call.replace(r#""id":1"#, r#""id":1.5"#),
        call.replace(r#""id":1"#, r#""id":1,"id":2"#),
        call.replace(r#""params":{"#, r#""params":{"name":"whoami","#),
        call.replace(r#"}}}"#, r#"},"name":"whoami"}}"#),
        call.replace(r#""params":{"#, r#""params":{"task":{},"#),
        call.replace(r#""params":{"#, r#""params":{"_meta":{"progressToken":1},"#),
        call.replace(r#""params":{"#, r#""params":{"_meta":null,"#),
        call.replace(r#"{"jsonrpc""#, r#"{"result":{},"jsonrpc""#),
        call.replace(r#"{"jsonrpc""#, r#"{"error":{"code":1,"message":""},"jsonrpc""#),
        call.replace(r#""name":"files_write""#, r#""name":["files_write"]"#),
        call.replace(r#""name":"files_write""#, r#""name":" files_write""#),
        call.replace(r#""name":"files_write""#, r#""name":"files_write\u0000""#),
        call.replace(r#""name":"files_write""#, r#""name":"FILES_WRITE""#),
        call.replace(r#"{"path":"/a","text":"a"}"#, "null"),
        call.replace(r#"{"path":"/a","text":"a"}"#, "[]"),
        call.replace(r#"{"path":"/a","text":"a"}"#, r#"["/a","a"]"#),
        call.replace(r#"{"path":"/a","text":"a"}"#, r#""{}""#),
        call.replace(r#"{"path":"/a","text":"a"}"#, &format!(r#"{{"path":{deep}}}"#)),
        call.replace(r#"{"path":"/a","text":"a"}"#, &format!(r#"{{"path":"{long}"}}"#)),
        call.replace(r#"{"path":"/a","text":"a"}"#, r#"{"path":"/a","path":"/b","text":"a"}"#),
        format!("[{call}]"),
        format!("{call}{call}"),
        format!("\u{feff}{call}"),
        call.replace(r#""params":{"#, &format!(r#""params":{{{meta},"#)),
    ];
    for body in &bodies {
        for version in ["", LEGACY, "2025-03-26", MODERN] {
            for name in ["", "whoami", "files_write"] {
                let mut request = house
                    .request("POST", "/mcp", &token)
                    .header("content-type", "application/json")
                    .header("accept", "application/json, text/event-stream")
                    .header("mcp-session-id", "\u{7f}../../x\"'".replace('\u{7f}', ""))
                    .header("last-event-id", "99999999999999999999");
                if !version.is_empty() {
                    request = request.header("mcp-protocol-version", version).header("mcp-method", "tools/call");
                }
                if !name.is_empty() {
                    request = request.header("mcp-name", name);
                }
                let answer = request.body(body.clone()).send().await.unwrap();
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap();
                let shown: String = body.chars().take(200).collect();
                assert!(status < 500, "{version} {name} {shown}: {status} {text}");
                assert!(text.len() < 20_000, "{shown}: {} bytes of answer", text.len());
            }
        }
    }
    let seen: Vec<_> = house.nextcloud.seen().into_iter().filter(|seen| seen.method != "GET").collect();
    assert!(seen.is_empty(), "{seen:?}");
    assert_eq!(house.nextcloud.file("alice", "/a").await, None);
    house.close().await;
}

/// What a caller writes wrongly is not told back to him at any length.
#[tokio::test(flavor = "multi_thread")]
async fn huge_arguments_make_no_huge_errors() {
    let house = House::open().await;
    let token = house.token("alice");
    let long = "x".repeat(3 * 1024 * 1024);
    for (tool, arguments) in [
        ("whoami", json!({ long.clone(): 1 })),
        ("files_read", json!({ "path": "/a", "offset": long })),
        ("files_read", json!({ "path": long })),
        ("share_create", json!({ "path": "/a", "kind": long })),
        ("talk_send", json!({ "conversation": "abcd", "text": "a", "reply_to": long })),
        ("fetch", json!({ "id": long })),
        ("search", json!({ "query": "a", "cursor": long })),
        ("event_create", json!({ "title": "a", "start": long, "end": "2026-11-01" })),
        ("event_create", json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "timezone": long })),
        ("event_create", json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "rrule": long })),
        ("event_create", json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "attendees": [long] })),
        ("event_create", json!({ "title": "a", "start": "2026-11-01", "end": "2026-11-01", "calendar": long })),
        ("files_write", json!({ "path": "/a", "text": "a", "etag": long })),
        ("files_search", json!({ "mime": long })),
        ("tasks_find", json!({ "list": long })),
        ("tasks_find", json!({ "due_before": long })),
        ("contacts_search", json!({ "query": long })),
        ("notes_find", json!({ "category": long })),
        ("notes_find", json!({ "query": long })),
        ("note_write", json!({ "id": long, "text": "a" })),
    ] {
        let called = house.call(&token, tool, arguments).await;
        let words = called.failure();
        assert!(words.len() < 2_000, "{tool}: {} bytes: {}", words.len(), &words[..200]);
    }
    let said =
        house.ask(&token, "resources/read", json!({ "uri": format!("nextcloud://files/{}", "a".repeat(6_000)) })).await;
    assert!(said.status < 500 && said.body.to_string().len() < 20_000, "{}", said.status);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_audit_and_off_a_tool_begins_and_egress_stays_shut() {
    for mode in ["audit", "off"] {
        let tables = format!("{}enforcement = \"{mode}\"\n[policy.egress]\npublic_links = false\n", STRICT);
        let house = Plan { tables, ..Plan::default() }.build().await;
        let token = house.token_with("alice", "deck.read");
        assert_eq!(house.does(&token, "whoami", json!({})).await["user_id"], "alice", "{mode}");
        house.does(&token, "files_write", json!({ "path": "/a", "text": "a" })).await;
        let link = house.call(&token, "share_create", json!({ "path": "/a", "kind": "link" })).await;
        assert!(link.failure().contains("operator"), "{mode}: {link:?}");
        let mail = json!({ "path": "/a", "kind": "email", "with": "x@example.org" });
        assert!(house.call(&token, "share_create", mail).await.is_error, "{mode}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_exchanged_token_decides_a_tool_is_refused_by_it_and_told_over_http() {
    let issuer_lines = "profile = \"generic\"\nscopes_from = \"exchanged\"\ndefault_scopes = [\"nc.read\"]".to_owned();
    let house = Plan { issuer_lines, tables: STRICT.into(), ..Plan::default() }.build().await;
    house.provider.tamper_exchange(|answer| {
        answer.claims.insert("scope".into(), json!("nc.read"));
        answer.response.insert("scope".into(), json!("nc.read"));
    });
    let token = house.token("alice");
    assert_eq!(house.does(&token, "whoami", json!({})).await["user_id"], "alice");
    let said = house.try_call(&token, "files_write", json!({ "path": "/a", "text": "a" })).await;
    assert_eq!((said.status, &said.body["error"]), (403, &json!("insufficient_scope")), "{said:?}");
    assert!(scopes_of(said.headers["www-authenticate"].to_str().unwrap()).contains(&"files.write"), "{said:?}");
    assert_eq!(house.nextcloud.file("alice", "/a").await, None);
    house.close().await;
}

/// Law 5: two people of one client, in turns and at once; a second person whose token is of the same kind is never the first.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_of_one_client_never_meet() {
    let house = Plan { sessions: true, ..Plan::default() }.build().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    house.does(&alice, "files_mkdir", json!({ "path": "/of alice" })).await;
    for name in ["1", "2", "3"] {
        house.does(&alice, "files_write", json!({ "path": format!("/of alice/{name}"), "text": "hers" })).await;
    }
    let first = house.does(&alice, "files_list", json!({ "path": "/of alice", "limit": 1 })).await;
    let cursor = first["next_cursor"].clone();
    let taken = house.call(&bob, "files_list", json!({ "path": "/of alice", "limit": 1, "cursor": cursor })).await;
    assert!(taken.failure().contains("There is no"), "a cursor is no right: {taken:?}");
    let rounds = (0..12).map(|round| {
        let (token, user) = if round % 2 == 0 { (&alice, "alice") } else { (&bob, "bob") };
        let house = &house;
        async move {
            let said = house.does(token, "whoami", json!({})).await;
            assert_eq!(said["user_id"], user);
            let listed = house.does(token, "files_list", json!({})).await.to_string();
            assert_eq!(listed.contains("of alice"), user == "alice", "{listed}");
        }
    });
    futures_util::future::join_all(rounds).await;
    for seen in house.nextcloud.seen() {
        let (user, path) = (seen.user.clone().unwrap_or_default(), seen.path().to_owned());
        assert!(!path.contains("/files/") || path.contains(&format!("/files/{user}")), "{user}: {path}");
    }
    house.close().await;
}

/// Law 8: what a tool began in the name of a token that is purged meanwhile is not gone on with.
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_whose_token_is_purged_under_way_sends_nothing_more() {
    let house = House::open().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.sign().unwrap();
    house.nextcloud.hold();
    let calling = house.try_call(&token, "files_write", json!({ "path": "/late", "text": "a" }));
    let purging = async {
        while house.nextcloud.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        house.purge_session(&sid);
        house.nextcloud.release();
    };
    let (said, ()) = tokio::join!(calling, purging);
    assert_eq!(said.status, 401, "{said:?}");
    assert!(house.nextcloud.seen().iter().all(|seen| seen.method == "GET"), "{:?}", house.nextcloud.seen());
    assert_eq!(house.nextcloud.file("alice", "/late").await, None);
    assert_eq!(house.try_call(&token, "whoami", json!({})).await.status, 401);
    house.close().await;
}

/// All messages share one budget of bytes: whoever begins many large ones and ends none has a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_cannot_take_the_room_of_all() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let mut stalled = Vec::new();
    for framing in ["content-length: 4194304", "transfer-encoding: chunked"].repeat(8) {
        let mut stream = TcpStream::connect(house.running.address).await.unwrap();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {alice}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n",
            house.running.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        if framing.starts_with("transfer") {
            stream.write_all(b"400000\r\n").await.unwrap();
        }
        // Whoever is refused is read no further.
        let begun = vec![b' '; 4_194_303];
        let _ = tokio::time::timeout(Duration::from_secs(2), stream.write_all(&begun)).await;
        stalled.push(stream);
    }
    let text = "x".repeat(1_000_000);
    house.does(&bob, "files_write", json!({ "path": "/large.txt", "text": text })).await;
    assert_eq!(house.does(&alice, "whoami", json!({})).await["user_id"], "alice", "what is small passes beside it");
    drop(stalled);
    house.close().await;
}
