//! The admin listener: liveness, readiness, metrics. Read only, its `Host` checked (checklist rows 4, 9, 33), decided by path alone.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::header::{ALLOW, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::body::Body;
use crate::metrics::Metrics;
use crate::oauth::Issuers;

/// Answers `/livez`, `/readyz` and `/metrics`.
#[derive(Clone)]
pub struct Admin(Arc<Parts>);

struct Parts {
    issuers: Issuers,
    metrics: Metrics,
    hosts: Vec<String>,
    draining: Arc<AtomicBool>,
}

impl Admin {
    /// `hosts` are the names, without port, by which the listener may be addressed.
    #[must_use]
    pub fn new(issuers: Issuers, metrics: Metrics, hosts: Vec<String>, draining: Arc<AtomicBool>) -> Self {
        Self(Arc::new(Parts { issuers, metrics, hosts, draining }))
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !self.addressed_rightly(request) {
            return text(StatusCode::FORBIDDEN, "this listener is not known by that name (admin.allowed_hosts)\n");
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "read only\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" => self.ready(),
            "/metrics" => match self.0.metrics.render() {
                Ok(metrics) => text(StatusCode::OK, metrics),
                Err(error) => {
                    tracing::error!(%error, "metrics cannot be rendered");
                    text(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be rendered\n")
                }
            },
            _ => text(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n"),
        }
    }

    /// Ready: not draining, and some issuer's keys are known. A provider that is down later takes nobody's cached token away.
    fn ready(&self) -> Response<Body> {
        if self.0.draining.load(Ordering::Acquire) {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
        }
        if self.0.issuers.iter().any(|issuer| issuer.keys.ready()) {
            text(StatusCode::OK, "ready\n")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, "no identity provider has answered yet\n")
        }
    }

    fn addressed_rightly<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        match (request.uri().authority(), hosts.next(), hosts.next()) {
            (_, _, Some(_)) => false,
            (Some(authority), None, None) => self.knows(authority.as_str()),
            (None, Some(host), None) => host.to_str().is_ok_and(|host| self.knows(host)),
            (Some(authority), Some(host), None) => {
                host.to_str().is_ok_and(|host| host == authority.as_str() && self.knows(host))
            }
            (None, None, None) => false,
        }
    }

    fn knows(&self, authority: &str) -> bool {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => authority,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        self.0.hosts.iter().any(|host| host == "*" || host.eq_ignore_ascii_case(name))
    }
}

fn text(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

// === impl Service ===

impl<B> tower::Service<Request<B>> for Admin {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        std::future::ready(Ok(self.answer(&request)))
    }
}
