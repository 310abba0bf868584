//! That the server which the suite is sent to works at all: this runs with every `cargo test`, the suite only where it is to be had.

use serde_json::{Value, json};

use crate::Served;
use crate::fixture::Fixture;

pub async fn test() {
    let fixture = Fixture::default();
    let served = Served::open(Some(fixture.clone())).await;
    a_tool_answers_without_a_token_of_the_client(&served).await;
    progress_is_streamed(&served).await;
    an_evil_page_is_refused_through_the_forwarder(&served).await;
    assert!(!fixture.saw_a_token(), "no handler gets to see a token");
    served.house.close().await;
    println!("conformance: the server for the suite works (scripts/conformance runs it)");
}

async fn call(served: &Served, origin: Option<&str>, params: Value) -> reqwest::Response {
    let mut request = served.house.client.post(&served.url).header("accept", "application/json, text/event-stream");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })).send().await.unwrap()
}

async fn a_tool_answers_without_a_token_of_the_client(served: &Served) {
    let answer: Value = call(served, None, json!({ "name": "test_simple_text" })).await.json().await.unwrap();
    assert_eq!(answer["result"]["content"][0]["type"], "text", "{answer}");
}

async fn progress_is_streamed(served: &Served) {
    let params = json!({ "name": "test_tool_with_progress", "_meta": { "progressToken": "one" } });
    let answer = call(served, None, params).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = answer.text().await.unwrap();
    assert_eq!(text.matches("notifications/progress").count(), 3, "{text}");
}

async fn an_evil_page_is_refused_through_the_forwarder(served: &Served) {
    let answer = call(served, Some("http://evil.example"), json!({ "name": "test_simple_text" })).await;
    assert_eq!(answer.status(), 403);
}
