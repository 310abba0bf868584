//! The first branch: pages that are open to everybody, and everything else, which needs a bearer token.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{BoxError, Layer, ServiceExt as _};

use crate::body::Body;
use crate::endpoint::well_known::WellKnown;
use crate::service::Serve;

/// The layer: answers what is open, passes on the rest.
#[derive(Clone)]
pub struct OpenLayer(pub Arc<WellKnown>);

/// The service.
#[derive(Clone)]
pub struct Open<S> {
    open: Arc<WellKnown>,
    protected: S,
}

// === impl Layer ===

impl<S> Layer<S> for OpenLayer {
    type Service = Open<S>;

    fn layer(&self, protected: S) -> Self::Service {
        Open { open: self.0.clone(), protected }
    }
}

// === impl Service ===

impl<S: Serve<Request<Body>>> tower::Service<Request<Body>> for Open<S> {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Exact paths only (checklist row 2).
        if let Some(response) = self.open.answer(request.method(), request.uri().path()) {
            return Box::pin(std::future::ready(Ok(response)));
        }
        let protected = self.protected.clone();
        Box::pin(async move { Ok(protected.oneshot(request).await?) })
    }
}
