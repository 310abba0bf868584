//! The branch to `/mcp`, behind authentication: [`Authenticated`] → an answer of MCP. Whatever else is asked for goes on to authorization.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use parking_lot::Mutex;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt as _};

use super::audit::{Audit, READ};
use super::large::LargeMessages;
use super::message::{Message, NoMessage};
use super::nextcloud::{House, Nextcloud, Send as SendOn};
use super::signed::Signed;
use super::toolbox::Toolbox;
use crate::body::Body;
use crate::error::Error;
use crate::middleware::authenticate::Authenticated;
use crate::middleware::authorize::ReadingBudget;
use crate::service::{Answer, Answering, Serve};

/// The largest message.
pub const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// A word of the legacy era. We keep no sessions; what we send under it is explained in `elicitation/visits.rs`.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// What rmcp makes of a message, whatever the handler behind it.
pub type Protocol = BoxCloneSyncService<
    Request<Full<Bytes>>,
    Response<BoxBody<Bytes, std::convert::Infallible>>,
    std::convert::Infallible,
>;

/// The frontend.
pub struct Frontend {
    /// The path of the endpoint, with the root of our mount.
    pub path: String,
    /// Speaks the protocol.
    pub protocol: Protocol,
    /// Knows which scopes a tool needs.
    pub tools: Arc<Toolbox>,
    /// Where calls are noted that do not reach it.
    pub audit: Audit,
    /// For the messages.
    pub bodies: ReadingBudget,
    /// How many of them may be large, for each principal.
    pub large: LargeMessages,
    /// What the clients of all callers share.
    pub house: Arc<House>,
}

/// What a handler gets of its caller. It travels through rmcp in the extensions of the HTTP request, the only way that rmcp has.
#[derive(Clone)]
pub struct Bound {
    /// Nextcloud, in the caller's name.
    pub nextcloud: Nextcloud,
    /// Where a refusal goes that a client has to hear as HTTP.
    pub refusal: Slot<Error>,
    /// What the client is to bring along from now on.
    pub declared: Slot<String>,
    /// The span of the caller's request: handlers run in tasks of their own.
    pub span: tracing::Span,
}

/// Something on its way around rmcp, which has no words for it: a refusal, by which the whole request is answered, or a header.
#[derive(Clone)]
pub struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Slot<T> {
    /// The first one counts.
    pub fn set(&self, value: T) {
        self.0.lock().get_or_insert(value);
    }

    fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

/// rmcp's service over a handler: stateless in both eras, plain JSON where one message is all, and no checks that are ours.
pub fn protocol<H: ServerHandler + Clone + Send + Sync + 'static>(handler: H) -> Protocol {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(LARGEST_MESSAGE)
        // The edge has settled both, before authentication.
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let handler = Signed::new(handler);
    let sessions = Arc::new(NeverSessionManager::default());
    BoxCloneSyncService::new(StreamableHttpService::new(move || Ok(handler.clone()), sessions, config))
}

impl Frontend {
    async fn answer(&self, authenticated: Authenticated, send: SendOn) -> Answer {
        let (mut request, caller) = authenticated.into_parts();
        let body = std::mem::take(request.body_mut());
        let _large = self.large.enter(&caller.entry().identity().principal, &body)?;
        let (bytes, _held) = self.bodies.read(body).await?;
        match Message::read(&bytes) {
            // Before rmcp, for only HTTP can tell a client to ask for more.
            Ok(Message::Call(name)) => {
                if let Some(tool) = self.tools.find(&name) {
                    self.house.judge.tool(caller.entry(), tool.scopes).inspect_err(|error| {
                        self.audit.begin(caller.entry().identity(), tool.name, None).refused(error);
                    })?;
                }
            }
            Ok(Message::Read) => self.house.judge.tool(caller.entry(), &["files.read"]).inspect_err(|error| {
                self.audit.begin(caller.entry().identity(), READ, None).refused(error);
            })?,
            Ok(Message::Other) => {}
            Err(fault) => return Ok(fault.answer(&bytes)),
        }
        let (refusal, declared) = (Slot::default(), Slot::default());
        let nextcloud = Nextcloud::new(self.house.clone(), caller, send);
        let span = tracing::Span::current();
        let bound = Bound { nextcloud, refusal: refusal.clone(), declared: declared.clone(), span };
        // rmcp hands its handlers the head of the request, and nothing else of ours.
        request.extensions_mut().insert(bound);
        let request = request.map(|_| Full::new(bytes.clone()));
        let called_json = is_json(request.headers());
        let Ok(mut response) = self.protocol.clone().oneshot(request).await;
        if let Some(error) = refusal.take() {
            return Err(error);
        }
        // What rmcp says of JSON that it cannot read, in words of no protocol.
        if called_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Ok(NoMessage::Unreadable.answer(&bytes));
        }
        if let Some(id) = declared.take().and_then(|id: String| HeaderValue::try_from(id).ok()) {
            response.headers_mut().insert(SESSION_ID, id);
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response.map(Body::new))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The layer; without a frontend, everything goes on.
#[derive(Clone)]
pub struct FrontendLayer(Option<Arc<Frontend>>);

impl FrontendLayer {
    /// Branches off what is for the frontend.
    #[must_use]
    pub fn new(frontend: Option<Arc<Frontend>>) -> Self {
        Self(frontend)
    }
}

/// The service.
#[derive(Clone)]
pub struct Branch<S> {
    frontend: Option<Arc<Frontend>>,
    inner: S,
}

// === impl Layer ===

impl<S> Layer<S> for FrontendLayer {
    type Service = Branch<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Branch { frontend: self.0.clone(), inner }
    }
}

// === impl Service ===

impl<S: Serve<Authenticated> + Sync> tower::Service<Authenticated> for Branch<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, authenticated: Authenticated) -> Answering {
        match &self.frontend {
            Some(frontend) if authenticated.request().uri().path() == frontend.path => {
                let (frontend, inner) = (frontend.clone(), self.inner.clone());
                let send: SendOn = Arc::new(move |request| Box::pin(inner.clone().oneshot(request)));
                Box::pin(async move { frontend.answer(authenticated, send).await })
            }
            _ => self.inner.call(authenticated),
        }
    }
}
