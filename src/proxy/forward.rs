//! Sends an exchanged request to Nextcloud and its answer back. One retry after a refused token; bodies stream; the target goes on byte for
//! byte.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio_util::sync::CancellationToken;

use super::headers;
use super::rejection::{self, Judged};
use super::replay::{Replay, ReplayBudget};
use super::stream::{Download, Ending};
use super::tunnel;
use super::upload::{Progress, Upload, UploadFailure};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::metrics::{Metrics, Upstream};
use crate::middleware::exchange::{Exchanged, Grant};
use crate::service::{Answer, Answering};
use crate::session::{Lease, Sessions};
use crate::token::Clock;
use crate::upstream::Connector;
use crate::upstream::NextcloudSettings;

/// Everything that the Nextcloud leg needs; one for each core, because connections do not cross runtimes.
pub struct Proxy {
    client: Client<Connector, Body>,
    settings: Arc<NextcloudSettings>,
    authority: Authority,
    budget: ReplayBudget,
    sessions: Option<Sessions>,
    metrics: Metrics,
    clock: Clock,
    stop: CancellationToken,
}

/// Idle connections are closed after this long: Apache closes its own after five seconds.
const IDLE_CONNECTIONS: std::time::Duration = std::time::Duration::from_secs(4);

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
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_CONNECTIONS)
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .set_host(false)
            .build(connector);
        Self {
            client,
            settings,
            authority: Authority::from_static("nextcloud"),
            budget,
            sessions,
            metrics,
            clock,
            stop,
        }
    }

    async fn forward(&self, exchanged: Exchanged) -> Answer {
        let (mut request, _, grant) = exchanged.into_parts();
        if self.settings.largest_body.is_some_and(|largest| request.body().size_hint().lower() > largest) {
            return Err(Error::BodyTooLarge);
        }
        let wish = tunnel::wish(&mut request);
        let replay = if grant.replaceable() {
            self.budget.take(&mut request, self.settings.idle_timeout).await?
        } else {
            Replay::Once(std::mem::replace(request.body_mut(), Body::empty()))
        };
        let mut head = request.into_parts().0;
        headers::prepare(&mut head.headers, &self.settings, grant.caller().peer(), grant.authorization())?;
        if wish.is_some() {
            tunnel::ask(&mut head.headers);
        }
        let mut outgoing = Outgoing { method: head.method, uri: self.uri(&head.uri)?, headers: head.headers };
        // Last of all: what a caller sent as `Cookie` is gone by now.
        let lease = self.lease(&grant).await;
        outgoing.headers.extend(lease.as_ref().map(|lease| (COOKIE, lease.cookie().clone())));
        let mut answer = match replay {
            // Boxed: see `twice`.
            Replay::Kept(body, _permit) if grant.replaceable() => {
                Box::pin(self.twice(outgoing, body, &grant, lease)).await?
            }
            Replay::Kept(body, _) => self.once(outgoing, Body::full(body), &grant, lease).await?,
            Replay::Once(body) => self.once(outgoing, body, &grant, lease).await?,
        };
        let granted = tunnel::grants(answer.headers());
        headers::clean(answer.headers_mut(), &self.settings);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let joined = wish.is_some_and(|wish| tunnel::join(wish, &mut answer, granted, self.ending(&grant)));
            if !joined {
                return Err(Error::NextcloudUnreachable("it switched to a protocol that nobody asked for".to_owned()));
            }
            self.metrics.upstream.count(Upstream::Upgraded);
        }
        Ok(answer)
    }

    /// The upstream session that goes with the request's token.
    async fn lease(&self, grant: &Grant) -> Option<Lease> {
        self.sessions.as_ref()?.lease(grant.entry(), grant.exchanged()?).await
    }

    /// Sends a request that can be sent again, and does so once if Nextcloud refuses the token (nextcloud.md §1). Which of the two it refused,
    /// token or session, cannot be told, so both are dropped; the second attempt goes without a session, so that a second refusal is the
    /// token's alone, and no stale session holds off exchanges.
    async fn twice(&self, outgoing: Outgoing, body: Bytes, grant: &Grant, lease: Option<Lease>) -> Answer {
        let answer = self.send(outgoing.clone().with(Body::full(body.clone()))).await?;
        let refused = match self.judge(answer, grant, lease.as_ref()).await? {
            Judged::Answer(answer) => return Ok(self.streamed(answer, grant, lease)),
            Judged::ReadAnswer(answer) => return Ok(answer.map(Body::full)),
            Judged::Rejected => grant.clone(),
        };
        drop(lease);
        tracing::debug!("Nextcloud refused an exchanged token; it is exchanged once more");
        let renewed = refused.replace().await?;
        let mut outgoing = outgoing;
        outgoing.headers.remove(COOKIE);
        outgoing.headers.insert(http::header::AUTHORIZATION, renewed.authorization().clone());
        let answer = self.send(outgoing.with(Body::full(body))).await?;
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
    async fn once(&self, outgoing: Outgoing, body: Body, grant: &Grant, lease: Option<Lease>) -> Answer {
        let answer = self.send(outgoing.with(body)).await?;
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
    async fn judge(&self, answer: Response<Incoming>, grant: &Grant, lease: Option<&Lease>) -> Result<Judged, Error> {
        let judged = rejection::judge(answer, self.settings.idle_timeout).await?;
        if let (Some(sessions), Some(lease), Some(token)) = (&self.sessions, lease, grant.exchanged()) {
            match &judged {
                Judged::Answer(answer) => sessions.observe(lease, token, answer),
                Judged::ReadAnswer(answer) => sessions.observe(lease, token, answer),
                Judged::Rejected => sessions.rejected(lease),
            }
        }
        Ok(judged)
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let began = Instant::now();
        let outcome = if request.body().is_end_stream() {
            self.without_body(request).await
        } else {
            self.with_body(request).await
        };
        match &outcome {
            Ok(_) => {
                self.metrics.upstream_seconds.observe(began.elapsed().as_secs_f64());
                self.metrics.upstream.count(Upstream::Answered);
            }
            Err(Error::NextcloudTimeout(_)) => self.metrics.upstream.count(Upstream::Timeout),
            Err(_) => self.metrics.upstream.count(Upstream::Unreachable),
        }
        outcome
    }

    async fn without_body(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        tokio::time::timeout(self.settings.head_timeout, self.client.request(request))
            .await
            .map_err(|_| Error::NextcloudTimeout("response head"))?
            .map_err(|error| unreachable(&error))
    }

    async fn with_body(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let (head, body) = request.into_parts();
        let (upload, progress) = Upload::new(body, self.settings.largest_body);
        let sending = self.client.request(Request::from_parts(head, Body::new(upload)));
        tokio::pin!(sending);
        loop {
            let deadline = progress.deadline(self.settings.idle_timeout, self.settings.head_timeout);
            tokio::select! {
                biased;
                answer = &mut sending => return answer.map_err(|error| failed_upload(&error, &progress)),
                () = tokio::time::sleep_until(deadline) => {
                    if tokio::time::Instant::now() >= progress.deadline(self.settings.idle_timeout, self.settings.head_timeout) {
                        return Err(Error::NextcloudTimeout("upload or response head"));
                    }
                }
            }
        }
    }

    /// A session is in use until the answer's body is through; an event stream may never be, and Nextcloud has done with the session by then.
    fn streamed(&self, answer: Response<Incoming>, grant: &Grant, lease: Option<Lease>) -> Response<Body> {
        if answer.body().is_end_stream() {
            return answer.map(Body::from);
        }
        let ending = is_event_stream(answer.headers()).then(|| self.ending(grant));
        let lease = lease.filter(|_| ending.is_none());
        answer.map(|body| Body::new(Download::new(body, self.settings.idle_timeout, ending, lease)))
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

    /// The same path and query, byte for byte; the authority only names the pool.
    fn uri(&self, received: &Uri) -> Result<Uri, Error> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query =
            Some(received.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
        Uri::from_parts(parts).map_err(|_| Error::Internal("a URI cannot be put together"))
    }
}

/// A request on its way, without its body.
#[derive(Clone)]
struct Outgoing {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Outgoing {
    fn with(self, body: Body) -> Request<Body> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        *request.version_mut() = Version::HTTP_11;
        request
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
    })
}

fn failed_upload(error: &hyper_util::client::legacy::Error, progress: &Progress) -> Error {
    match progress.failure() {
        Some(UploadFailure::TooLarge) => Error::BodyTooLarge,
        Some(UploadFailure::BrokenOff) => BadRequest::Body.into(),
        None => unreachable(error),
    }
}

fn unreachable(error: &hyper_util::client::legacy::Error) -> Error {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    Error::NextcloudUnreachable(said)
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
