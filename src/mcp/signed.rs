//! Every result of the modern era says which server it is from, as it should (MCP 2026-07-28, basic, `_meta`;
//! rmcp does so for `server/discover` alone). Around any handler, and without an opinion of its own.
#![expect(deprecated, reason = "what a handler does for the era before is passed on as well")]

use std::borrow::Cow;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, DiscoverResult,
    GetPromptRequestParams, GetPromptResponse, InitializeRequestParams, InitializeResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig, SetLevelRequestParams,
    SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};
use serde_json::Value;

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The handler within.
#[derive(Clone)]
pub struct Signed<H> {
    inner: H,
    signature: Value,
}

/// What goes into the results of one request; nothing in the era before.
struct Signature(Option<Value>);

impl<H: ServerHandler> Signed<H> {
    /// Signs the results of this handler.
    #[must_use]
    pub fn new(inner: H) -> Self {
        let signature = serde_json::to_value(inner.get_info().server_info).unwrap_or_default();
        Self { inner, signature }
    }

    fn signature(&self, context: &RequestContext<RoleServer>) -> Signature {
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        Signature(modern.then(|| self.signature.clone()))
    }
}

impl Signature {
    fn put(self, meta: &mut Option<MetaObject>) {
        if let Some(signature) = self.0 {
            meta.get_or_insert_default().insert(SERVER_INFO.to_owned(), signature);
        }
    }
}

/// What rmcp hands out whole, and what may be a question instead.
macro_rules! signed {
    ($method:ident($request:ty) -> $result:ty) => {
        async fn $method(&self, request: $request, context: RequestContext<RoleServer>) -> Result<$result, ErrorData> {
            let signature = self.signature(&context);
            let mut result = self.inner.$method(request, context).await?;
            signature.put(&mut result.meta);
            Ok(result)
        }
    };
    ($method:ident($request:ty) -> $response:ident?) => {
        async fn $method(
            &self,
            request: $request,
            context: RequestContext<RoleServer>,
        ) -> Result<$response, ErrorData> {
            let signature = self.signature(&context);
            let mut response = self.inner.$method(request, context).await?;
            match &mut response {
                $response::Complete(result) => signature.put(&mut result.meta),
                $response::InputRequired(question) => signature.put(&mut question.meta),
                _ => {}
            }
            Ok(response)
        }
    };
}

macro_rules! passed {
    ($method:ident($request:ty) -> $result:ty) => {
        async fn $method(&self, request: $request, context: RequestContext<RoleServer>) -> Result<$result, ErrorData> {
            self.inner.$method(request, context).await
        }
    };
}

impl<H: ServerHandler> ServerHandler for Signed<H> {
    signed!(list_tools(Option<PaginatedRequestParams>) -> ListToolsResult);
    signed!(list_prompts(Option<PaginatedRequestParams>) -> ListPromptsResult);
    signed!(list_resources(Option<PaginatedRequestParams>) -> ListResourcesResult);
    signed!(list_resource_templates(Option<PaginatedRequestParams>) -> ListResourceTemplatesResult);
    signed!(complete(CompleteRequestParams) -> CompleteResult);
    signed!(call_tool(CallToolRequestParams) -> CallToolResponse?);
    signed!(get_prompt(GetPromptRequestParams) -> GetPromptResponse?);
    signed!(read_resource(ReadResourceRequestParams) -> ReadResourceResponse?);

    passed!(initialize(InitializeRequestParams) -> InitializeResult);
    passed!(set_level(SetLevelRequestParams) -> ());
    passed!(subscribe(SubscribeRequestParams) -> ());
    passed!(unsubscribe(UnsubscribeRequestParams) -> ());

    fn get_info(&self) -> ServerConfig {
        self.inner.get_info()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.inner.get_tool(name)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.inner.supported_protocol_versions()
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        self.inner.discover(context).await
    }

    async fn ping(&self, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.inner.ping(context).await
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.inner.accepted_subscription_filter(requested)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.inner.listen(context).await
    }
}
