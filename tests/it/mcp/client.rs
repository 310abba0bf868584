//! A client of `/mcp` that does what a test says and nothing by itself.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::house::House;

/// The version of the modern era.
pub const MODERN: &str = "2026-07-28";
/// The newest version that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";

/// An answer.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// What came of a call of a tool.
#[derive(Debug)]
pub struct Called {
    /// `structuredContent`.
    pub output: Value,
    /// All content blocks.
    pub content: Vec<Value>,
    pub is_error: bool,
}

impl Called {
    /// The text of a failure, which has to be one.
    #[track_caller]
    pub fn failure(&self) -> &str {
        assert!(self.is_error, "{self:?}");
        self.content[0]["text"].as_str().unwrap()
    }
}

impl House {
    /// Sends one message, with the headers of its era.
    pub async fn say(&self, token: &str, version: &str, message: Value) -> Said {
        self.say_with(token, version, message, &[]).await
    }

    /// The same, with more headers.
    pub async fn say_with(&self, token: &str, version: &str, message: Value, more: &[(&str, &str)]) -> Said {
        let mut request = self
            .request("POST", "/mcp", token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", version)
            .header("mcp-method", message["method"].as_str().unwrap_or_default());
        let params = &message["params"];
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
            request = request.header("mcp-name", name);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = request.json(&message).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Said { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// Asks for something in the modern era, for a client that can show forms and URLs.
    pub async fn ask(&self, token: &str, method: &str, params: Value) -> Said {
        self.ask_as(token, method, params, json!({ "elicitation": { "form": {}, "url": {} } })).await
    }

    /// Asks for something in the modern era, with these capabilities of a client.
    pub async fn ask_as(&self, token: &str, method: &str, mut params: Value, capabilities: Value) -> Said {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": { "name": "it", "version": "1" },
        });
        self.say(token, MODERN, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await
    }

    /// Calls a tool in the legacy era, whose client cannot be asked anything; the transport has to succeed.
    pub async fn call(&self, token: &str, tool: &str, arguments: Value) -> Called {
        let said = self.try_call(token, tool, arguments).await;
        assert_eq!(said.status, 200, "{said:?}");
        let result = &said.body["result"];
        assert!(result.is_object(), "{said:?}");
        Called {
            output: result["structuredContent"].clone(),
            content: result["content"].as_array().cloned().unwrap_or_default(),
            is_error: result["isError"] == true,
        }
    }

    /// Calls a tool in the legacy era, whatever comes of it.
    pub async fn try_call(&self, token: &str, tool: &str, arguments: Value) -> Said {
        let params = json!({ "name": tool, "arguments": arguments });
        self.say(token, LEGACY, json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })).await
    }

    /// Calls a tool that has to succeed, and gives its `structuredContent`.
    pub async fn does(&self, token: &str, tool: &str, arguments: Value) -> Value {
        let called = self.call(token, tool, arguments).await;
        assert!(!called.is_error, "{tool}: {called:?}");
        let text: Value = serde_json::from_str(called.content[0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, called.output, "the text holds all of the structured content");
        called.output
    }
}
