//! A span for a request, if it is sampled. It names the route family, never the target: a query may hold secrets. Sampling is decided before
//! the span exists, so that an unsampled request costs nothing.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{Layer, Service};
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

use crate::middleware::authorize;

/// Which share of requests gets a span.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    threshold: u32,
}

impl Sampling {
    /// A ratio between 0 (none) and 1 (all).
    #[must_use]
    pub fn ratio(ratio: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1, so it fits")]
        Self { threshold: (ratio.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32 }
    }

    fn sampled(self) -> bool {
        self.threshold != 0 && rand::random::<u32>() <= self.threshold
    }
}

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct TraceLayer(pub Sampling);

/// The service.
#[derive(Debug, Clone)]
pub struct Trace<S> {
    sampling: Sampling,
    inner: S,
}

// === impl Layer ===

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Trace { sampling: self.0, inner }
    }
}

// === impl Service ===

impl<S, B, R> Service<Request<B>> for Trace<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = if self.sampling.sampled() {
            let method = if authorize::allows(request.method()) { request.method().as_str() } else { "other" };
            tracing::info_span!(target: "obo_proxy::request", "request", otel.kind = "server", http.request.method = method, family = tracing::field::Empty)
        } else {
            tracing::Span::none()
        };
        self.inner.call(request).instrument(span)
    }
}
