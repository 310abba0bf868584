//! Passes an [`Untouched`] request on to Nextcloud and its answer back, as they are but for hygiene. Nothing is judged or tried again: there is
//! no token that could be exchanged for a better one, and Nextcloud's challenges are meant for the caller.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Response, StatusCode};
use http_body::Body as _;
use tokio_util::sync::CancellationToken;

use super::leg::Leg;
use super::stream::Ending;
use super::{headers, inward, multistatus, tunnel};
use crate::body::Body;
use crate::error::Error;
use crate::metrics::{Metrics, Upstream};
use crate::middleware::untouched::Untouched;
use crate::service::{Answer, Answering};
use crate::upstream::{Connector, NextcloudSettings};

/// The way of requests without a token; one for each core. Its connections are its own: none of them ever carried, or will carry, a token.
pub struct UntouchedProxy {
    leg: Leg,
    metrics: Metrics,
    stop: CancellationToken,
}

impl UntouchedProxy {
    /// A proxy with a pool of its own.
    #[must_use]
    pub fn new(
        connector: Connector,
        settings: Arc<NextcloudSettings>,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        let leg = Leg::new(connector, settings, metrics.untouched.clone(), metrics.untouched_seconds.clone());
        Self { leg, metrics, stop }
    }

    async fn forward(&self, untouched: Untouched) -> Answer {
        let (mut request, peer) = untouched.into_parts();
        let settings = &self.leg.settings;
        if settings.largest_body.is_some_and(|largest| request.body().size_hint().lower() > largest) {
            return Err(Error::BodyTooLarge);
        }
        let wish = tunnel::wish(&mut request);
        let method = request.method().clone();
        headers::prepare_untouched(request.headers_mut(), settings, peer)?;
        multistatus::ask(&method, request.headers_mut(), settings);
        if wish.is_some() {
            tunnel::ask(request.headers_mut());
        }
        let body = std::mem::replace(request.body_mut(), Body::empty());
        *request.body_mut() = inward::body(body, &mut request, settings);
        self.leg.direct(&mut request)?;
        let answer = self.leg.send(request).await?;
        let mut answer: Response<Body> = self.leg.streamed(answer, || self.ending(), None);
        let granted = answer.status() == StatusCode::SWITCHING_PROTOCOLS && tunnel::grants(answer.headers());
        headers::clean_untouched(answer.headers_mut(), settings);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let joined = wish.is_some_and(|wish| tunnel::join(wish, &mut answer, granted, self.ending()));
            if !joined {
                return Err(Error::NextcloudUnreachable("it switched to a protocol that nobody asked for".to_owned()));
            }
            self.metrics.untouched.count(Upstream::Upgraded);
        }
        Ok(multistatus::answer(&method, answer, settings))
    }

    /// Ends when we stop: there is no token that could end before.
    fn ending(&self) -> Ending {
        Box::pin(self.stop.clone().cancelled_owned())
    }
}

/// The proxy as a service.
#[derive(Clone)]
pub struct UntouchedService(Arc<UntouchedProxy>);

impl UntouchedService {
    /// Serves with this proxy.
    #[must_use]
    pub fn new(proxy: Arc<UntouchedProxy>) -> Self {
        Self(proxy)
    }
}

// === impl Service ===

impl tower::Service<Untouched> for UntouchedService {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, untouched: Untouched) -> Answering {
        let proxy = self.0.clone();
        Box::pin(async move { proxy.forward(untouched).await })
    }
}
