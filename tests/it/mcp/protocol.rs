//! Both eras on one endpoint, stateless.

use serde_json::{Value, json};

use super::client::{LEGACY, MODERN};
use crate::house::House;

#[tokio::test]
async fn a_client_of_either_era_learns_who_it_is() {
    let house = House::open().await;
    let token = house.token("alice");
    let initialized = house
        .say(
            &token,
            LEGACY,
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "it", "version": "1" } } }),
        )
        .await;
    assert_eq!(initialized.body["result"]["protocolVersion"], LEGACY, "{initialized:?}");
    assert_eq!(house.does(&token, "whoami", json!({})).await["user_id"], "alice");

    let discovered = house.ask(&token, "server/discover", json!({})).await;
    assert!(
        discovered.body["result"]["supportedVersions"].as_array().unwrap().contains(&json!(MODERN)),
        "{discovered:?}"
    );
    let called = house.ask(&token, "tools/call", json!({ "name": "whoami", "arguments": {} })).await;
    assert_eq!(called.body["result"]["structuredContent"]["user_id"], "alice", "{called:?}");
    assert_eq!(called.headers["cache-control"], "no-store");
    house.close().await;
}

#[tokio::test]
async fn bad_input_is_a_clear_error_and_never_a_500() {
    let house = House::open().await;
    let token = house.token("alice");
    let post = |body: &'static str| {
        house
            .request("POST", "/mcp", &token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
            .send()
    };
    for (body, status, code) in [
        ("{", 400, -32_700),
        ("", 400, -32_700),
        ("[]", 400, -32_600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, 400, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","name":"x"}}"#, 400, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_such_tool"}}"#, 200, -32_602),
    ] {
        let answer = post(body).await.unwrap();
        assert_eq!(answer.status(), status, "{body}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
    let wrong = house.call(&token, "whoami", json!({ "surprise": 1 })).await;
    assert!(wrong.failure().contains("surprise"), "{wrong:?}");
    house.close().await;
}
