//! What a handler gets, and when it ends: no credential, and not longer than its client waits.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use obo_proxy::mcp::frontend;
use parking_lot::Mutex;
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ServerConfig};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::client::{LEGACY, MODERN};
use crate::house::{House, Plan};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes down all that it is handed.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<Vec<Parts>>>);

impl ServerHandler for Spy {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::default()
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.0.lock().push(context.extensions.get::<Parts>().unwrap().clone());
        Ok(CallToolResult::success(Vec::new()).into())
    }
}

/// Law 2: what a handler knows it could tell.
#[tokio::test]
async fn no_handler_gets_to_see_a_credential() {
    let spy = Spy::default();
    let house = Plan { protocol: Some(frontend::protocol(spy.clone())), ..Plan::default() }.build().await;
    let token = house.token("alice");
    for version in [LEGACY, MODERN] {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": {} } });
        if version == MODERN {
            message["params"]["_meta"] = meta;
        }
        assert_eq!(house.say(&token, version, message).await.status, 200);
    }
    let seen = spy.0.lock().clone();
    assert_eq!(seen.len(), 2);
    for parts in seen {
        assert!(!parts.headers.contains_key("authorization"), "{:?}", parts.headers);
        let all: Vec<&[u8]> = parts.headers.values().map(http::HeaderValue::as_bytes).collect();
        let signature = token.rsplit('.').next().unwrap();
        assert!(!String::from_utf8_lossy(&all.concat()).contains(signature));
        assert!(!format!("{parts:?}").contains(signature));
    }
    house.close().await;
}

/// A client of the modern era cancels by going away: what its tool asked of Nextcloud ends as well, in whichever era.
#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_to_nextcloud_along() {
    let tool = ("tools/call", "whoami", json!({ "name": "whoami", "arguments": {} }));
    let resource = ("resources/read", "nextcloud://files/Readme.md", json!({ "uri": "nextcloud://files/Readme.md" }));
    for (version, (method, name, params)) in
        [(LEGACY, &tool), (MODERN, &tool), (LEGACY, &resource), (MODERN, &resource)]
    {
        let stalled = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Some(format!("http://{}", stalled.local_addr().unwrap()));
        let house = Plan { upstream, ..Plan::default() }.build().await;
        let mut client = TcpStream::connect(house.running.address).await.unwrap();
        client.write_all(&said(&house, version, method, name, params.clone())).await.unwrap();

        let (mut nextcloud, _) = tokio::time::timeout(PATIENCE, stalled.accept()).await.expect("it asks").unwrap();
        let mut head = [0; 64 * 1024];
        let read = tokio::time::timeout(PATIENCE, nextcloud.read(&mut head)).await.unwrap().unwrap();
        assert!(head[..read].starts_with(b"GET /ocs/"), "{version} {method}");
        drop(client);
        let end = tokio::time::timeout(PATIENCE, nextcloud.read(&mut head)).await;
        assert!(matches!(end, Ok(Ok(0) | Err(_))), "{version} {method}: {end:?}");
        house.close().await;
    }
}

/// And the room that it took is free for the next one.
#[tokio::test]
async fn a_client_that_went_away_takes_no_room() {
    let tables = "[mcp]\ncalls_at_once = 1\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.nextcloud.hold();
    let mut client = TcpStream::connect(house.running.address).await.unwrap();
    let whoami = json!({ "name": "whoami", "arguments": {} });
    client.write_all(&said(&house, MODERN, "tools/call", "whoami", whoami)).await.unwrap();
    while house.nextcloud.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Refused for want of room, or because there is no such argument; Nextcloud is not asked.
    let refused = || house.call(&token, "whoami", json!({ "no": "such" }));
    assert!(refused().await.failure().contains("at once"));
    drop(client);
    let freed = async {
        while refused().await.failure().contains("at once") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, freed).await.expect("room");
    house.close().await;
}

/// A message as it stands on the wire.
fn said(house: &House, version: &str, method: &str, name: &str, mut params: serde_json::Value) -> Vec<u8> {
    if version == MODERN {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         mcp-protocol-version: {version}\r\nmcp-method: {method}\r\nmcp-name: {name}\r\ncontent-length: {}\r\n\r\n{body}",
        house.running.address,
        house.token("alice"),
        body.len()
    )
    .into_bytes()
}
