//! Streamable HTTP as both eras have it: headers against bodies, versions, statuses, sizes.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::client::{LEGACY, MODERN};
use crate::house::{House, Plan};

/// `_meta` of the modern era.
fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn message(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "one", "method": method, "params": params })
}

fn whoami(version: &str) -> Value {
    message("tools/call", json!({ "name": "whoami", "arguments": {}, "_meta": meta(version) }))
}

impl House {
    /// A POST with the two headers that every message has.
    fn post(&self, token: &str) -> RequestBuilder {
        self.request("POST", "/mcp", token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    }

    /// A message of the modern era without its headers but the version's.
    fn modern(&self, token: &str) -> RequestBuilder {
        self.post(token).header("mcp-protocol-version", MODERN)
    }
}

/// The status, and the code of an error if there is one.
async fn outcome(request: RequestBuilder) -> (u16, i64, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, body["error"]["code"].as_i64().unwrap_or_default(), body)
}

#[tokio::test]
async fn a_client_that_names_no_version_is_of_an_old_era_and_served() {
    let house = House::open().await;
    let token = house.token("alice");
    for request in [message("tools/list", json!({})), message("ping", json!({}))] {
        let (status, code, body) = outcome(house.post(&token).json(&request)).await;
        assert_eq!((status, code), (200, 0), "{body}");
        assert!(body["result"].get("resultType").is_none() && body["result"].get("_meta").is_none(), "{body}");
    }
    house.close().await;
}

#[tokio::test]
async fn initialize_answers_a_version_that_it_knows_and_begins_no_session() {
    let house = House::open().await;
    let token = house.token("alice");
    for (asked, answered) in [
        (LEGACY, LEGACY),
        ("2025-06-18", "2025-06-18"),
        ("2024-11-05", "2024-11-05"),
        ("1999-01-01", LEGACY),
        ("2099-01-01", LEGACY),
        (MODERN, LEGACY),
    ] {
        let params =
            json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "it", "version": "1" } });
        let answer = house.post(&token).json(&message("initialize", params)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().get("mcp-session-id")), (200, None), "{asked}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["result"]["protocolVersion"], answered, "{asked}");
        assert_eq!(body["result"]["serverInfo"]["name"], "obo-proxy");
    }
    house.close().await;
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_those_that_are_known() {
    let house = House::open().await;
    let token = house.token("alice");
    let request = house
        .post(&token)
        .header("mcp-protocol-version", "2099-01-01")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "whoami");
    let (status, code, body) = outcome(request.json(&whoami("2099-01-01"))).await;
    assert_eq!((status, code), (400, -32_022), "{body}");
    let supported = body["error"]["data"]["supported"].as_array().unwrap();
    assert!(supported.contains(&json!(MODERN)) && supported.contains(&json!(LEGACY)), "{body}");
    assert_eq!((&body["error"]["data"]["requested"], &body["id"]), (&json!("2099-01-01"), &json!("one")));

    let request = house.post(&token).header("mcp-protocol-version", "2099-01-01");
    let (status, ..) = outcome(request.json(&message("tools/list", json!({})))).await;
    assert_eq!(status, 400, "in the header alone");
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

#[tokio::test]
async fn headers_that_say_something_else_than_the_body_are_refused_before_a_tool_runs() {
    let house = House::open().await;
    let token = house.token("alice");
    let named = |method: &'static str, name: &'static str| {
        let request = house.modern(&token);
        let request = if method.is_empty() { request } else { request.header("mcp-method", method) };
        if name.is_empty() { request } else { request.header("mcp-name", name) }
    };
    for (method, name) in [
        ("tools/list", "whoami"),
        ("tools/call", "search"),
        ("tools/call", ""),
        ("", "whoami"),
        ("tools/call", "=?base64?c2VhcmNo?="),
        ("tools/call", "=?base64?!!!?="),
    ] {
        let (status, code, body) = outcome(named(method, name).json(&whoami(MODERN))).await;
        assert_eq!((status, code), (400, -32_020), "{method} {name}: {body}");
    }
    let (status, code, body) = outcome(named("tools/call", "whoami").json(&whoami(LEGACY))).await;
    assert_eq!((status, code), (400, -32_020), "two versions: {body}");
    let old = house.post(&token).header("mcp-method", "tools/call").header("mcp-name", "whoami");
    let (status, code, body) = outcome(old.json(&whoami(MODERN))).await;
    assert_eq!((status, code), (400, -32_020), "the version in the body alone: {body}");
    assert!(house.nextcloud.seen().is_empty(), "none of them ran");

    for name in ["whoami", "=?base64?d2hvYW1p?="] {
        let (status, _, body) = outcome(named("tools/call", name).json(&whoami(MODERN))).await;
        assert_eq!((status, &body["result"]["structuredContent"]["user_id"]), (200, &json!("alice")), "{name}: {body}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_modern_message_without_its_meta_is_refused() {
    let house = House::open().await;
    let token = house.token("alice");
    let version = "io.modelcontextprotocol/protocolVersion";
    for meta in [None, Some(json!({})), Some(json!({ version: MODERN }))] {
        let mut params = json!({});
        if let Some(meta) = meta {
            params["_meta"] = meta;
        }
        let request = house.modern(&token).header("mcp-method", "tools/list").json(&message("tools/list", params));
        let (status, code, body) = outcome(request).await;
        assert_eq!((status, code, &body["id"]), (400, -32_602, &json!("one")), "{body}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_is_not_declared_is_not_there() {
    let house = House::open().await;
    let token = house.token("alice");
    let gone = ["prompts/list", "prompts/get", "completion/complete", "logging/setLevel", "tasks/list", "no/such"];
    let params = || json!({ "name": "x", "level": "info", "uri": "x", "ref": { "type": "ref/prompt", "name": "x" }, "argument": { "name": "x", "value": "" } });
    for method in gone.into_iter().chain(["ping", "resources/subscribe", "subscriptions/listen"]) {
        let mut params = params();
        params["notifications"] = json!({});
        params["_meta"] = meta(MODERN);
        let request = house.modern(&token).header("mcp-method", method).header("mcp-name", "x");
        let (status, code, body) = outcome(request.json(&message(method, params))).await;
        assert_eq!((status, code, &body["id"]), (404, -32_601, &json!("one")), "{method}: {body}");
    }
    for method in gone {
        let (status, code, body) = outcome(house.post(&token).json(&message(method, params()))).await;
        assert_eq!((status, code, &body["id"]), (200, -32_601, &json!("one")), "{method}: {body}");
    }
    house.close().await;
}

/// The only resources are files.
#[tokio::test]
async fn without_the_tools_of_files_there_are_no_resources() {
    let house = Plan { tables: "[mcp]\ntools = [\"notes\"]\n".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    let discovered = house.ask(&token, "server/discover", json!({})).await;
    assert!(discovered.body["result"]["capabilities"].get("resources").is_none(), "{discovered:?}");
    for method in ["resources/list", "resources/templates/list", "resources/read"] {
        let said = house.ask(&token, method, json!({ "uri": "nextcloud://files/a" })).await;
        assert_eq!((said.status, &said.body["error"]["code"]), (404, &json!(-32_601)), "{method}: {said:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn notifications_are_accepted_and_answered_by_nothing() {
    let house = House::open().await;
    let token = house.token("alice");
    for method in ["notifications/initialized", "notifications/cancelled", "notifications/of/ours"] {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": "one" } });
        let answer = house.post(&token).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{method}");
        assert_eq!(answer.text().await.unwrap(), "", "{method}");
    }
    // An answer to a question that was never asked.
    let (status, code, body) =
        outcome(house.post(&token).json(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))).await;
    assert_eq!((status, code), (400, -32_600), "{body}");
    house.close().await;
}

/// There are no sessions and no streams to take up again: whoever speaks of them is served as if they had not.
#[tokio::test]
async fn a_session_or_an_event_that_somebody_remembers_means_nothing() {
    let house = House::open().await;
    let token = house.token("alice");
    let request = house.post(&token).header("mcp-session-id", "bobs").header("last-event-id", "7");
    let answer = request.json(&message("tools/list", json!({}))).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("mcp-session-id")), (200, None));
    let request = house.request("GET", "/mcp", &token).header("mcp-session-id", "bobs").header("last-event-id", "7");
    assert_eq!(request.send().await.unwrap().status(), 405);
    house.close().await;
}

/// `pad` bytes of white space behind a message.
fn padded(pad: usize) -> Vec<u8> {
    let mut body = message("tools/list", json!({})).to_string().into_bytes();
    body.resize(body.len() + pad, b' ');
    body
}

#[tokio::test]
async fn a_message_of_more_than_four_mebibytes_is_too_large_however_it_comes() {
    const LIMIT: usize = 4 * 1024 * 1024;
    let house = House::open().await;
    let token = house.token("alice");
    let fits = padded(0).len();
    let (status, ..) = outcome(house.post(&token).body(padded(LIMIT - fits))).await;
    assert_eq!(status, 200);
    let refused = |answer: Response| async move {
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        assert_eq!((status, &body["error"]), (413, &json!("invalid_request")), "{body}");
    };
    refused(house.post(&token).body(padded(LIMIT - fits + 1)).send().await.unwrap()).await;
    let mut raw = format!(
        "POST /mcp HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        house.running.address
    )
    .into_bytes();
    for chunk in padded(LIMIT - fits + 1).chunks(64 * 1024) {
        raw.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        raw.extend(chunk);
        raw.extend(b"\r\n");
    }
    raw.extend(b"0\r\n\r\n");
    let answer = house.raw(raw).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{}", &answer[..answer.len().min(200)]);
    house.close().await;
}

#[tokio::test]
async fn a_body_that_is_not_called_json_is_not_read_as_such() {
    let house = House::open().await;
    let token = house.token("alice");
    let body = || message("tools/list", json!({})).to_string();
    let typed = |kind: Option<&'static str>| {
        let request = house.request("POST", "/mcp", &token);
        let request = if let Some(kind) = kind { request.header("content-type", kind) } else { request };
        request.body(body()).send()
    };
    for kind in [Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx"), None] {
        assert_eq!(typed(kind).await.unwrap().status(), 415, "{kind:?}");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(typed(Some(kind)).await.unwrap().status(), 200, "{kind}");
    }
    house.close().await;
}

/// claude.ai has sent `*/*`, and one kind alone; both mean that they take what comes.
#[tokio::test]
async fn a_client_that_takes_anything_or_one_kind_is_answered() {
    let house = House::open().await;
    let token = house.token("alice");
    for (accept, status) in [
        (Some("*/*"), 200),
        (Some("application/json"), 200),
        (Some("text/event-stream"), 200),
        (None, 200),
        (Some("text/html"), 406),
        (Some("application/json;q=0"), 406),
    ] {
        let request = house.request("POST", "/mcp", &token).header("content-type", "application/json");
        let request = if let Some(accept) = accept { request.header("accept", accept) } else { request };
        let answer = request.body(message("tools/list", json!({})).to_string()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{accept:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn nesting_without_end_is_an_error_and_not_the_end_of_a_thread() {
    let house = House::open().await;
    let token = house.token("alice");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for inner in [deep("[", "]"), deep("{\"a\":", "}")] {
        for body in [
            inner.clone(),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{"a":{inner}}}}}}}"#
            ),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{inner}}}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":{inner},"method":"tools/list"}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","more":{inner}}}"#),
        ] {
            let (status, code, answer) = outcome(house.post(&token).body(body.clone())).await;
            assert_eq!(status, 400, "{}: {answer}", &body[..60]);
            assert!([-32_700, -32_600, -32_602].contains(&code), "{}: {answer}", &body[..60]);
        }
    }
    assert_eq!(house.does(&token, "whoami", json!({})).await["user_id"], "alice");
    house.close().await;
}

#[tokio::test]
async fn a_message_of_no_known_shape_is_answered_under_its_id() {
    let house = House::open().await;
    let token = house.token("alice");
    for (body, code, id) in [
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":5}"#, -32_602, json!(7)),
        (
            r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"whoami","arguments":[]}}"#,
            -32_602,
            json!("x"),
        ),
        (r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":5}}"#, -32_602, json!("x")),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}"#, -32_602, json!(null)),
        (r#"{"jsonrpc":"1.0","id":7,"method":"tools/list"}"#, -32_600, json!(7)),
        (r#"{"jsonrpc":"2.0","id":7,"#, -32_700, json!(null)),
    ] {
        let (status, found, answer) = outcome(house.post(&token).body(body)).await;
        assert_eq!((status, found, &answer["id"]), (400, code, &id), "{body}: {answer}");
    }
    house.close().await;
}

#[tokio::test]
async fn every_result_of_the_modern_era_says_which_server_it_is_from() {
    let house = House::open().await;
    let token = house.token("alice");
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "whoami", "arguments": {} })),
        ("tools/call", json!({ "name": "whoami", "arguments": { "wrong": 1 } })),
    ] {
        let said = house.ask(&token, method, params).await;
        let result = &said.body["result"];
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "obo-proxy", "{method}: {said:?}");
        assert_eq!(result["resultType"], "complete", "{method}");
    }
    for method in ["server/discover", "tools/list"] {
        let said = house.ask(&token, method, json!({})).await;
        let result = &said.body["result"];
        assert_eq!(result["cacheScope"], "private", "{said:?}");
        assert!(result["ttlMs"].is_u64(), "{said:?}");
    }
    house.close().await;
}
