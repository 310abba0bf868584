//! One world's way to Nextcloud and back: a pool of connections of its own, deadlines by phase, counts. What may go this way is not decided
//! here.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, Version};
use http_body::Body as _;
use prometheus::Histogram;
use tokio::time::Instant;

use super::stream::{Download, Ending};
use super::upload::{Progress, Upload, UploadFailure};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::metrics::{Counters, Upstream};
use crate::service::Guest;
use crate::session::Lease;
use crate::upstream::pool::Unanswered;
use crate::upstream::{Connector, NextcloudSettings, Pool, UpstreamBody};

/// Idle connections are closed after this long: Apache closes its own after five seconds.
const IDLE_CONNECTIONS: Duration = Duration::from_secs(4);

/// A pool of connections to Nextcloud, and how they are used. Requests with a token and requests without one have a leg each, so that they
/// never share a connection (checklist rows 10 and 49).
pub struct Leg {
    pool: Pool,
    /// How Nextcloud is addressed, and how long it may take.
    pub settings: Arc<NextcloudSettings>,
    outcomes: Counters<Upstream>,
    seconds: Histogram,
}

impl Leg {
    /// A leg with a pool of its own, counted by these.
    #[must_use]
    pub fn new(
        connector: Connector,
        settings: Arc<NextcloudSettings>,
        outcomes: Counters<Upstream>,
        seconds: Histogram,
    ) -> Self {
        Self { pool: Pool::new(connector, IDLE_CONNECTIONS), settings, outcomes, seconds }
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`Error::NextcloudUnreachable`], [`Error::NextcloudTimeout`], [`Error::BodyTooLarge`], [`BadRequest::Body`].
    pub async fn send(&self, request: Guest) -> Result<Response<UpstreamBody>, Error> {
        let began = Instant::now();
        let mut outcome = if request.body().is_end_stream() {
            let deadline = Some(began + self.settings.head_timeout);
            self.pool.send(request, deadline).await.map_err(|error| failed(&error))
        } else {
            // Boxed: most requests have none, and their futures need not be this large.
            Box::pin(self.with_body(request)).await
        };
        match &mut outcome {
            Ok(answer) => {
                // Ours, whatever Nextcloud's is (RFC 9110 §6.2): in HTTP/1.0 no caller could tell an answer that was cut off.
                *answer.version_mut() = Version::HTTP_11;
                self.seconds.observe(began.elapsed().as_secs_f64());
                self.outcomes.count(Upstream::Answered);
            }
            Err(Error::NextcloudTimeout(_)) => self.outcomes.count(Upstream::Timeout),
            Err(_) => self.outcomes.count(Upstream::Unreachable),
        }
        outcome
    }

    async fn with_body(&self, mut request: Guest) -> Result<Response<UpstreamBody>, Error> {
        let (idle, head) = (self.settings.idle_timeout, self.settings.head_timeout);
        let (upload, progress) = Upload::new(std::mem::take(request.body_mut()), self.settings.largest_body);
        *request.body_mut() = Body::new(upload);
        let mut sending = pin!(self.pool.send(request, None));
        let mut patience = pin!(tokio::time::sleep_until(progress.deadline(idle, head)));
        let mut answer = poll_fn(|context| {
            if let Poll::Ready(answer) = sending.as_mut().poll(context) {
                return Poll::Ready(answer.map_err(|error| failed_upload(&error, &progress)));
            }
            // The upload moves while it is sent, and never otherwise.
            let deadline = progress.deadline(idle, head);
            if patience.deadline() != deadline {
                patience.as_mut().reset(deadline);
            }
            patience.as_mut().poll(context).map(|()| Err(Error::NextcloudTimeout("upload or response head")))
        })
        .await?;
        if !progress.is_through() {
            answer.body_mut().detach(progress.stands_still(idle));
        }
        Ok(answer)
    }

    /// The answer with its body watched; an event stream ends by `ending`. A session is in use until the body is through; that of an event
    /// stream may never be, and Nextcloud has done with the session by then.
    pub fn streamed(
        &self,
        mut answer: Response<UpstreamBody>,
        ending: impl FnOnce() -> Ending,
        lease: Option<Lease>,
    ) -> Response<Body> {
        if answer.body().is_end_stream() {
            return answer.map(|_| Body::empty());
        }
        if let Some(whole) = answer.body_mut().whole() {
            return answer.map(|_| Body::full(whole));
        }
        let ending = is_event_stream(answer.headers()).then(ending);
        let lease = lease.filter(|_| ending.is_none());
        answer.map(|body| Body::new(Download::new(body, self.settings.idle_timeout, ending, lease)))
    }

    /// Directs a request at Nextcloud: the same path and query, byte for byte behind the roots of the mount.
    ///
    /// # Errors
    /// [`Error::NoSuchPage`] for what lies outside our mount.
    pub fn direct(&self, request: &mut Request<Body>) -> Result<(), Error> {
        let received = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let target = match self.settings.mount.target(received.as_str()).ok_or(Error::NoSuchPage)? {
            Cow::Borrowed(_) => received,
            Cow::Owned(target) => {
                PathAndQuery::try_from(target).map_err(|_| Error::Internal("a target cannot be put together"))?
            }
        };
        // A new one: what hyper noted at the old one belongs to the caller's connection.
        let mut directed = Request::new(std::mem::take(request.body_mut()));
        directed.method_mut().clone_from(request.method());
        *directed.uri_mut() = target.into();
        *directed.headers_mut() = std::mem::take(request.headers_mut());
        *request = directed;
        Ok(())
    }
}

/// The same request with another body, for a second attempt.
#[must_use]
pub fn copy(request: &Request<Body>, body: Body) -> Guest {
    let mut copy = Box::new(Request::new(body));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
    })
}

fn failed_upload(error: &Unanswered, progress: &Progress) -> Error {
    match progress.failure() {
        Some(UploadFailure::TooLarge) => Error::BodyTooLarge,
        Some(UploadFailure::BrokenOff) => BadRequest::Body.into(),
        None => failed(error),
    }
}

fn failed(error: &Unanswered) -> Error {
    if matches!(error, Unanswered::Late) {
        return Error::NextcloudTimeout("response head");
    }
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    Error::NextcloudUnreachable(said)
}
