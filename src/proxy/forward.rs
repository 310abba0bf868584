//! Sends an exchanged request to Nextcloud and its answer back. One retry after a refused token; bodies stream; the target goes on byte for
//! byte.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::COOKIE;
use http::{Response, StatusCode};
use http_body::Body as _;
use tokio_util::sync::CancellationToken;

use super::leg::{self, Leg};
use super::rejection::{self, Judged};
use super::replay::{Replay, ReplayBudget};
use super::stream::Ending;
use super::{headers, inward, multistatus, tunnel};
use crate::body::Body;
use crate::error::Error;
use crate::metrics::{Metrics, Upstream};
use crate::middleware::exchange::{Exchanged, Grant};
use crate::oauth::TokenFault;
use crate::service::{Answer, Answering, Guest};
use crate::session::{Lease, Sessions};
use crate::token::Clock;
use crate::upstream::{Connector, NextcloudSettings, UpstreamBody};

/// Everything that the Nextcloud leg needs; one for each core, because connections do not cross runtimes.
pub struct Proxy {
    leg: Leg,
    budget: ReplayBudget,
    sessions: Option<Sessions>,
    metrics: Metrics,
    clock: Clock,
    stop: CancellationToken,
}

impl Proxy {
    /// A proxy with a pool of its own. Without `sessions` every request goes with its token alone.
    #[must_use]
    pub fn new(
        connector: Connector,
        settings: Arc<NextcloudSettings>,
        budget: ReplayBudget,
        sessions: Option<Sessions>,
        metrics: Metrics,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        let leg = Leg::new(connector, settings, metrics.upstream.clone(), metrics.upstream_seconds.clone());
        Self { leg, budget, sessions, metrics, clock, stop }
    }

    async fn forward(&self, exchanged: Exchanged) -> Answer {
        let (mut request, _, grant) = exchanged.into_parts();
        if self.leg.settings.largest_body.is_some_and(|largest| request.body().size_hint().lower() > largest) {
            return Err(Error::BodyTooLarge);
        }
        let wish = tunnel::wish(&mut request);
        let replay = if grant.replaceable() {
            self.budget.take(&mut request, self.leg.settings.idle_timeout).await?
        } else {
            Replay::Once(std::mem::replace(request.body_mut(), Body::empty()))
        };
        let method = request.method().clone();
        let settings = &self.leg.settings;
        headers::prepare(request.headers_mut(), settings, grant.caller().peer(), grant.authorization())?;
        multistatus::ask(&method, request.headers_mut(), settings);
        if wish.is_some() {
            tunnel::ask(request.headers_mut());
        }
        let replay = inward::replay(replay, &mut request, settings);
        self.leg.direct(&mut request)?;
        // Last of all: what a caller sent as `Cookie` is gone by now.
        let lease = self.lease(&grant).await;
        // Law 8: a body or a session may have been waited for, and the token purged meanwhile.
        if grant.entry().is_revoked() {
            return Err(Error::BadToken(TokenFault::Revoked));
        }
        request.headers_mut().extend(lease.as_ref().map(|lease| (COOKIE, lease.cookie().clone())));
        let mut answer = match replay {
            Replay::Kept(body, _permit) if grant.replaceable() => self.twice(request, body, &grant, lease).await?,
            Replay::Kept(body, _) => self.once(request, Body::full(body), &grant, lease).await?,
            Replay::Once(body) => self.once(request, body, &grant, lease).await?,
        };
        let granted = answer.status() == StatusCode::SWITCHING_PROTOCOLS && tunnel::grants(answer.headers());
        headers::clean(answer.headers_mut(), &self.leg.settings);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let joined = wish.is_some_and(|wish| tunnel::join(wish, &mut answer, granted, self.ending(&grant)));
            if !joined {
                return Err(Error::NextcloudUnreachable("it switched to a protocol that nobody asked for".to_owned()));
            }
            self.metrics.upstream.count(Upstream::Upgraded);
        }
        Ok(multistatus::answer(&method, answer, &self.leg.settings))
    }

    /// The upstream session that goes with the request's token.
    async fn lease(&self, grant: &Grant) -> Option<Lease> {
        self.sessions.as_ref()?.lease(grant.entry(), grant.exchanged()?).await
    }

    /// Sends a request that can be sent again, and does so once if Nextcloud refuses the token (nextcloud.md §1). Which of the two it refused,
    /// token or session, cannot be told, so both are dropped; the second attempt goes without a session, so that a second refusal is the
    /// token's alone, and no stale session holds off exchanges.
    async fn twice(&self, mut request: Guest, body: Bytes, grant: &Grant, lease: Option<Lease>) -> Answer {
        let again = leg::copy(&request, Body::full(body.clone()));
        *request.body_mut() = Body::full(body);
        let answer = self.leg.send(request).await?;
        match self.judge(answer, grant, lease.as_ref()).await? {
            Judged::Answer(answer) => return Ok(self.streamed(answer, grant, lease)),
            Judged::ReadAnswer(answer) => return Ok(answer.map(Body::full)),
            Judged::Rejected => {}
        }
        drop(lease);
        // Boxed: most requests never come here, and their futures need not be this large.
        Box::pin(self.again(again, grant.clone())).await
    }

    async fn again(&self, mut request: Guest, refused: Grant) -> Answer {
        tracing::debug!("Nextcloud refused an exchanged token; it is exchanged once more");
        let renewed = refused.replace().await?;
        request.headers_mut().remove(COOKIE);
        request.headers_mut().insert(http::header::AUTHORIZATION, renewed.authorization().clone());
        let answer = self.leg.send(request).await?;
        match self.judge(answer, &renewed, None).await? {
            Judged::Answer(answer) => {
                self.metrics.upstream.count(Upstream::Retried);
                Ok(self.streamed(answer, &renewed, None))
            }
            Judged::ReadAnswer(answer) => Ok(answer.map(Body::full)),
            Judged::Rejected => {
                renewed.forget();
                renewed.hold_off();
                self.metrics.upstream.count(Upstream::Rejected);
                Err(Error::NextcloudRejectedToken)
            }
        }
    }

    /// Sends a request that cannot be sent again.
    async fn once(&self, mut request: Guest, body: Body, grant: &Grant, lease: Option<Lease>) -> Answer {
        *request.body_mut() = body;
        let answer = self.leg.send(request).await?;
        match self.judge(answer, grant, lease.as_ref()).await? {
            Judged::Answer(answer) => Ok(self.streamed(answer, grant, lease)),
            Judged::ReadAnswer(answer) => Ok(answer.map(Body::full)),
            Judged::Rejected => {
                if grant.replaceable() {
                    grant.forget();
                }
                self.metrics.upstream.count(Upstream::Rejected);
                Err(Error::NextcloudRejectedToken)
            }
        }
    }

    /// Tells a refusal from an answer; either may end the session that the request went with.
    async fn judge(
        &self,
        answer: Response<UpstreamBody>,
        grant: &Grant,
        lease: Option<&Lease>,
    ) -> Result<Judged, Error> {
        let settings = &self.leg.settings;
        let judged = rejection::judge(answer, settings.idle_timeout, &settings.mount).await?;
        if let (Some(sessions), Some(lease), Some(token)) = (&self.sessions, lease, grant.exchanged()) {
            match &judged {
                Judged::Answer(answer) => sessions.observe(lease, token, answer),
                Judged::ReadAnswer(answer) => sessions.observe(lease, token, answer),
                Judged::Rejected => sessions.rejected(lease),
            }
        }
        Ok(judged)
    }

    fn streamed(&self, answer: Response<UpstreamBody>, grant: &Grant, lease: Option<Lease>) -> Response<Body> {
        self.leg.streamed(answer, || self.ending(grant), lease)
    }

    /// Ends when the caller's token is purged or expires, or when we stop.
    fn ending(&self, grant: &Grant) -> Ending {
        let (entry, stop) = (grant.entry().clone(), self.stop.clone());
        let left = grant.ends().since(self.clock.now());
        Box::pin(async move {
            tokio::select! {
                () = entry.revocation().cancelled() => {}
                () = tokio::time::sleep(left) => {}
                () = stop.cancelled() => {}
            }
        })
    }
}

/// The proxy as the innermost service of the stack.
#[derive(Clone)]
pub struct ProxyService(Arc<Proxy>);

impl ProxyService {
    /// Serves with this proxy.
    #[must_use]
    pub fn new(proxy: Arc<Proxy>) -> Self {
        Self(proxy)
    }
}

// === impl Service ===

impl tower::Service<Exchanged> for ProxyService {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchanged: Exchanged) -> Answering {
        let proxy = self.0.clone();
        Box::pin(async move { proxy.forward(exchanged).await })
    }
}
