//! The server that the conformance suite expects to find: its tools, prompts and resources by name. They say nothing of Nextcloud; what is
//! tested is what stands around them.
#![allow(deprecated, reason = "the suite asks 2025-11-25 for what 2026-07-28 has deprecated")]

mod questions;
mod tools;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext, SubscriptionSink};
use rmcp::{ErrorData, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// A red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
/// No sound at all.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";
/// Lists and resources stay as they are.
const FRESH_FOR_MS: u64 = 60_000;

/// The server. Cloning shares it.
#[derive(Clone, Default)]
pub struct Fixture(Arc<Own>);

#[derive(Default)]
struct Own {
    listeners: Mutex<Vec<SubscriptionSink>>,
    saw_a_token: AtomicBool,
}

impl Fixture {
    /// Whether some call came with a credential in its HTTP headers.
    pub fn saw_a_token(&self) -> bool {
        self.0.saw_a_token.load(Ordering::SeqCst)
    }

    fn look(&self, context: &RequestContext<RoleServer>) {
        let parts = context.extensions.get::<Parts>().expect("the head of the HTTP request");
        if ["authorization", "cookie", "xauthorization"].iter().any(|name| parts.headers.contains_key(*name)) {
            self.0.saw_a_token.store(true, Ordering::SeqCst);
        }
    }

    async fn listeners(&self) -> Vec<SubscriptionSink> {
        self.0.listeners.lock().await.clone()
    }
}

/// Something of rmcp's, from how it looks on the wire.
fn read<T: DeserializeOwned>(wire: Value) -> T {
    serde_json::from_value(wire.clone()).unwrap_or_else(|error| panic!("{error}: {wire}"))
}

fn no_such(what: &str, name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no {what} {name}"), None)
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities: ServerCapabilities = read(json!({
            "tools": { "listChanged": true },
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "completions": {},
            "logging": {},
        }));
        ServerConfig::new(capabilities).with_server_info(Implementation::new("obo-proxy-conformance", "1"))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()).with_ttl_ms(FRESH_FOR_MS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.look(&context);
        if let Some(questions) = questions::of_tool(&request.name) {
            let capabilities = context.meta.client_capabilities().unwrap_or_default();
            let answers = request.input_responses.unwrap_or_default();
            return Ok(match questions.next(&answers, request.request_state.as_deref(), &capabilities)? {
                Some(ask) => ask.into(),
                None => tools::text(&format!("answered: {}", json!(answers))).into(),
            });
        }
        tools::call(self, request, context).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let argument = |name: &str| json!({ "name": name, "description": "said in the prompt", "required": true });
        let prompts = [
            ("test_simple_prompt", json!([])),
            ("test_prompt_with_arguments", json!([argument("arg1"), argument("arg2")])),
            ("test_prompt_with_embedded_resource", json!([argument("resourceUri")])),
            ("test_prompt_with_image", json!([])),
            (questions::PROMPT, json!([])),
        ];
        let prompts = prompts.map(|(name, arguments)| {
            read(json!({ "name": name, "description": "a prompt of the conformance suite", "arguments": arguments }))
        });
        Ok(ListPromptsResult::with_all_items(prompts.to_vec())
            .with_ttl_ms(FRESH_FOR_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.look(&context);
        let arguments = request.arguments.unwrap_or_default();
        let said = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let says = |content: Value| json!({ "role": "user", "content": content });
        let messages = match request.name.as_str() {
            "test_simple_prompt" => {
                json!([says(json!({ "type": "text", "text": "This is a simple prompt for testing." }))])
            }
            "test_prompt_with_arguments" => {
                let text = format!("Prompt with arguments: arg1='{}', arg2='{}'", said("arg1"), said("arg2"));
                json!([says(json!({ "type": "text", "text": text }))])
            }
            "test_prompt_with_embedded_resource" => {
                let resource = json!({ "uri": said("resourceUri"), "mimeType": "text/plain", "text": "embedded" });
                json!([
                    says(json!({ "type": "resource", "resource": resource })),
                    says(json!({ "type": "text", "text": "Read the embedded resource." })),
                ])
            }
            "test_prompt_with_image" => json!([
                says(json!({ "type": "image", "data": PNG, "mimeType": "image/png" })),
                says(json!({ "type": "text", "text": "Look at the image." })),
            ]),
            questions::PROMPT => {
                let capabilities = context.meta.client_capabilities().unwrap_or_default();
                let answers = request.input_responses.unwrap_or_default();
                let state = request.request_state.as_deref();
                if let Some(ask) = questions::of_prompt().next(&answers, state, &capabilities)? {
                    return Ok(ask.into());
                }
                json!([says(json!({ "type": "text", "text": format!("answered: {}", json!(answers)) }))])
            }
            name => return Err(no_such("prompt", name)),
        };
        Ok(GetPromptResult::new(read(messages)).into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources =
            [("static-text", "text/plain"), ("static-binary", "image/png"), ("watched-resource", "text/plain")];
        let resources = resources.map(|(name, kind)| {
            read(json!({ "uri": format!("test://{name}"), "name": name, "description": "fixed", "mimeType": kind }))
        });
        Ok(ListResourcesResult::with_all_items(resources.to_vec())
            .with_ttl_ms(FRESH_FOR_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = json!({
            "uriTemplate": "test://template/{id}/data", "name": "template", "description": "any id",
            "mimeType": "application/json",
        });
        Ok(ListResourceTemplatesResult::with_all_items(vec![read(template)])
            .with_ttl_ms(FRESH_FOR_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.look(&context);
        let uri = request.uri.as_str();
        let of_template = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = match (uri, of_template) {
            ("test://static-text" | "test://watched-resource", _) => {
                json!({ "uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource." })
            }
            ("test://static-binary", _) => json!({ "uri": uri, "mimeType": "image/png", "blob": PNG }),
            (_, Some(id)) => {
                let text = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }).to_string();
                json!({ "uri": uri, "mimeType": "application/json", "text": text })
            }
            _ => return Err(ErrorData::resource_not_found("there is no such resource", Some(json!({ "uri": uri })))),
        };
        Ok(ReadResourceResult::new(vec![read(contents)])
            .with_ttl_ms(FRESH_FOR_MS)
            .with_cache_scope(CacheScope::Public)
            .into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let values = ["one", "two", "three"].iter().filter(|value| value.starts_with(&request.argument.value));
        let values = values.map(|value| (*value).to_owned()).collect();
        CompletionInfo::new(values).map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.0.listeners.lock().await.push(context.sink().clone());
        context.cancelled().await;
        let gone = context.sink().id().clone();
        self.0.listeners.lock().await.retain(|sink| *sink.id() != gone);
        Ok(())
    }
}
