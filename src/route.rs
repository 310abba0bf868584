//! The first branch: pages that are open to everybody, and everything else, which needs a bearer token.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::Response;
use tower::Layer;

use crate::body::Body;
use crate::endpoint::well_known::WellKnown;
use crate::error::Error;
use crate::service::{Answering, Guest, Serve};

/// The layer: answers what is open, passes on the rest.
#[derive(Clone)]
pub struct OpenLayer(pub Arc<WellKnown>);

/// The service.
#[derive(Clone)]
pub struct Open<S>(Arc<(Arc<WellKnown>, S)>);

// === impl Layer ===

impl<S> Layer<S> for OpenLayer {
    type Service = Open<S>;

    fn layer(&self, protected: S) -> Self::Service {
        Open(Arc::new((self.0.clone(), protected)))
    }
}

// === impl Service ===

impl<S: Serve<Guest>> tower::Service<Guest> for Open<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Guest) -> Self::Future {
        // Exact paths only (checklist row 2).
        let (open, protected) = &*self.0;
        if let Some(response) = open.answer(request.method(), request.uri().path()) {
            return Box::pin(std::future::ready(Ok(response)));
        }
        protected.pass(request)
    }
}
