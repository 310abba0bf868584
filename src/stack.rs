//! THE tower stacks. Read the builder from top to bottom: that is the order in which a request passes. Responses pass in reverse.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{Request, Response};
use tokio::sync::Semaphore;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder};
use tower_http::ServiceBuilderExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::body::Body;
use crate::endpoint::well_known::WellKnown;
use crate::mcp::confirm::{ConfirmLayer, Pages};
use crate::mcp::cors::CorsAtMcpLayer;
use crate::mcp::edge::{Edge, EdgeLayer};
use crate::mcp::frontend::{Frontend, FrontendLayer};
use crate::metrics::Metrics;
use crate::middleware::authenticate::{AuthenticateLayer, Authentication};
use crate::middleware::authorize::{Authorization, AuthorizeLayer};
use crate::middleware::exchange::{Exchange, ExchangeLayer};
use crate::middleware::respond::{self, Challenges, RespondLayer};
use crate::middleware::trace::{Sampling, TraceLayer};
use crate::middleware::untouched::UntouchedLayer;
use crate::nextcloud::mount::Mount;
use crate::proxy::{Proxy, ProxyService, UntouchedService};
use crate::route::OpenLayer;

/// What the public stack is made of. Each core has its own copy, so that cores do not contend for reference counts.
#[derive(Clone)]
pub struct PublicParts {
    /// Which requests get a span.
    pub sampling: Sampling,
    /// What every 401 names.
    pub challenges: Challenges,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// How many requests may be in the house, whatever core they came in by.
    pub guests: Arc<Semaphore>,
    /// The open pages.
    pub open: Arc<WellKnown>,
    /// Where we are mounted.
    pub mount: Arc<Mount>,
    /// Passes on what bears no token; none, if that is refused.
    pub untouched: Option<UntouchedService>,
    /// Who may call `/mcp`; none, if there is no such page.
    pub edge: Option<Arc<Edge>>,
    /// Where people answer questions; none, if there are no such pages.
    pub pages: Option<Arc<Pages>>,
    /// Answers at `/mcp`, if there is such a page.
    pub frontend: Option<Arc<Frontend>>,
    /// Proves tokens.
    pub authentication: Arc<Authentication>,
    /// Settles routes.
    pub authorization: Arc<Authorization>,
    /// Gets credentials for Nextcloud.
    pub exchange: Arc<Exchange>,
    /// Talks to Nextcloud.
    pub proxy: Arc<Proxy>,
}

/// The stack of the public listener, for one connection from this peer.
pub fn public<B>(
    parts: &PublicParts,
    peer: IpAddr,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<B>
where
    B: Into<Body> + Send + 'static,
{
    ServiceBuilder::new()
        // Before tracing, so that no span and no log line can hold a credential.
        .sensitive_request_headers(Arc::from([AUTHORIZATION, COOKIE, HeaderName::from_static("xauthorization")]))
        // Around everything that takes time. Names the route family, never the target: a query may hold secrets.
        .layer(TraceLayer(parts.sampling))
        // Outside the panic catcher, whose own body type ends here.
        .map_response_body(Body::from)
        // A panic costs the request that caused it and no other.
        .layer(CatchPanicLayer::custom(respond::panicked))
        .map_request(|request: Request<B>| Box::new(request.map(Into::into)))
        // Web pages that may call /mcp may read what they are told, refusals included: so outside of what answers those.
        .layer(CorsAtMcpLayer::new(parts.edge.clone()))
        // Below this line a service may fail; above it there are only responses.
        .layer(RespondLayer::new(parts.challenges.clone(), parts.metrics.clone()))
        // A full house says so at once; nobody queues. Inside respond, which tells the caller; outside everything that costs.
        .load_shed()
        .layer(GlobalConcurrencyLimitLayer::with_semaphore(parts.guests.clone()))
        // What we tell everybody. Before the road forks, or Nextcloud would be asked for pages of ours.
        .layer(OpenLayer(parts.open.clone()))
        // By which name, from which page and how /mcp is called: before anybody looks at a token, or a rebound name would learn from a 401.
        .layer(EdgeLayer::new(parts.edge.clone()))
        // Pages for people, who have no bearer token but a browser, and sign in. Before whatever wants a token.
        .layer(ConfirmLayer::new(parts.pages.clone()))
        // Request → Untouched, if the operator lets that pass. The last line that a request without a token may pass; before authentication,
        // which refuses everything that is neither untouched nor a bearer.
        .layer(UntouchedLayer::new(parts.untouched.clone(), parts.mount.clone(), peer))
        // Request → Authenticated. First of the three: nothing is decided for, and nothing is told to, a stranger.
        .layer(AuthenticateLayer::new(parts.authentication.clone(), peer))
        // Authenticated → an answer of MCP, at /mcp. It sends requests of its own on behalf of the caller, down the rest of this stack.
        .layer(FrontendLayer::new(parts.frontend.clone()))
        // Authenticated → Authorized. Before the exchange: a forbidden route must not cost the provider anything.
        .layer(AuthorizeLayer::new(parts.authorization.clone()))
        // Authorized → Exchanged. Last: what it mints can be spent at Nextcloud.
        .layer(ExchangeLayer::new(parts.exchange.clone()))
        .service(ProxyService::new(parts.proxy.clone()))
}
