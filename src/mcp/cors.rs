//! Cross-origin requests to `/mcp`: web pages of welcome origins may read the answers, challenges included, and may ask beforehand without a
//! token. Outside the layer that answers errors, so that a page can read why it was refused.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, ORIGIN, WWW_AUTHENTICATE};
use http::{Method, Request, Response};
use tower::{Layer, ServiceExt as _};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::edge::Edge;
use crate::body::Body;
use crate::service::Guest;

/// The layer.
#[derive(Clone)]
pub struct CorsAtMcpLayer {
    edge: Option<Arc<Edge>>,
    cors: CorsLayer,
}

impl CorsAtMcpLayer {
    /// For the pages that the edge welcomes.
    #[must_use]
    pub fn new(edge: Option<Arc<Edge>>) -> Self {
        let welcome = edge.clone();
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| {
                welcome.as_ref().is_some_and(|edge| edge.welcomes(origin))
            }))
            .allow_methods([Method::POST])
            .allow_headers([
                AUTHORIZATION,
                CONTENT_TYPE,
                ACCEPT,
                HeaderName::from_static("mcp-protocol-version"),
                HeaderName::from_static("mcp-method"),
                HeaderName::from_static("mcp-name"),
                HeaderName::from_static("mcp-session-id"),
                HeaderName::from_static("last-event-id"),
            ])
            .expose_headers([WWW_AUTHENTICATE, HeaderName::from_static("mcp-session-id")])
            .max_age(Duration::from_mins(10));
        Self { edge, cors }
    }
}

/// The service.
#[derive(Clone)]
pub struct CorsAtMcp<S> {
    layer: CorsAtMcpLayer,
    inner: S,
}

/// The future of the layer that answers errors, passed on as it is: most requests are not for us.
type Responding = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

// === impl Layer ===

impl<S> Layer<S> for CorsAtMcpLayer {
    type Service = CorsAtMcp<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CorsAtMcp { layer: self.clone(), inner }
    }
}

// === impl Service ===

impl<S> tower::Service<Guest> for CorsAtMcp<S>
where
    S: tower::Service<Guest, Response = Response<Body>, Error = Infallible, Future = Responding>
        + Clone
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Responding;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Guest) -> Responding {
        let welcome = self.layer.edge.as_ref().is_some_and(|edge| {
            edge.is_for_us(request.uri().path())
                && request.headers().get(ORIGIN).is_some_and(|origin| edge.welcomes(origin))
        });
        if welcome {
            let inner = self.inner.clone().map_request(|request: Request<Body>| Box::new(request));
            return Box::pin(Layer::layer(&self.layer.cors, inner).oneshot(*request));
        }
        self.inner.call(request)
    }
}
