//! Our own requests to Nextcloud: who am I, and logout. They follow no redirect, read a bounded answer in a bounded time, and are few at once.
//! They run on the control runtime, with connections of their own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;

use crate::body::Body;
use crate::upstream::{Connector, NextcloudSettings};

/// A request of ours may take this long, all in all: the first one of a user whom Nextcloud has yet to make takes two seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer of `cloud/user` is a kilobyte, and more only for whoever is in hundreds of groups.
const LARGEST_ANSWER: usize = 256 * 1024;
/// So many requests of ours at once; Nextcloud has its callers to serve.
const AT_ONCE: usize = 32;
/// Idle connections are closed after this long: Apache closes its own after five seconds.
const IDLE_CONNECTIONS: Duration = Duration::from_secs(4);

const WHO: &str = "/ocs/v2.php/cloud/user?format=json";
const LOGOUT: &str = "/index.php/logout";

/// Nextcloud did not answer: no connection, no time, or an answer without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

/// An answer.
#[derive(Debug)]
pub struct Told {
    /// The status.
    pub status: StatusCode,
    /// The headers, cookies included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Sends our own requests. Cloning shares its connections.
#[derive(Clone)]
pub struct Courier {
    client: Client<Connector, Body>,
    settings: Arc<NextcloudSettings>,
    at_once: Arc<Semaphore>,
}

impl Courier {
    /// A courier to this Nextcloud.
    #[must_use]
    pub fn new(connector: Connector, settings: Arc<NextcloudSettings>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .set_host(false)
            .build(connector);
        Self { client, settings, at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks who the bearer is; with the cookies of a session, who the session is.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn who(&self, bearer: &HeaderValue, cookies: Option<&HeaderValue>) -> Result<Told, NoAnswer> {
        self.ask(WHO, Some(bearer), cookies).await
    }

    /// Logs a session out.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn log_out(&self, bearer: Option<&HeaderValue>, cookies: &HeaderValue) -> Result<Told, NoAnswer> {
        self.ask(LOGOUT, bearer, Some(cookies)).await
    }

    async fn ask(
        &self,
        path: &'static str,
        bearer: Option<&HeaderValue>,
        cookies: Option<&HeaderValue>,
    ) -> Result<Told, NoAnswer> {
        let mut request = Request::new(Body::empty());
        // The authority only names the pool.
        let uri = format!("http://nextcloud{}", self.settings.mount.sent(path));
        *request.uri_mut() = uri.parse().map_err(|_| NoAnswer)?;
        self.fill(request.headers_mut(), bearer, cookies);
        tokio::time::timeout(PATIENCE, self.send(request)).await.unwrap_or(Err(NoAnswer))
    }

    /// No `X-Forwarded-For`: nobody else asks.
    fn fill(&self, headers: &mut HeaderMap, bearer: Option<&HeaderValue>, cookies: Option<&HeaderValue>) {
        let fixed =
            |name: &'static str, value: &'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
        headers.extend([
            fixed("ocs-apirequest", "true"),
            fixed("x-forwarded-proto", self.settings.public_scheme),
            (HeaderName::from_static("x-forwarded-host"), self.settings.forwarded_host.clone()),
            (HOST, self.settings.host.clone()),
            (ACCEPT, HeaderValue::from_static("application/json")),
            // By this name people see the session among their devices.
            (USER_AGENT, HeaderValue::from_static("obo-proxy")),
        ]);
        headers.extend(bearer.map(|bearer| (AUTHORIZATION, bearer.clone())));
        headers.extend(cookies.map(|cookies| (COOKIE, cookies.clone())));
    }

    async fn send(&self, request: Request<Body>) -> Result<Told, NoAnswer> {
        let _turn = self.at_once.acquire().await.map_err(|_| NoAnswer)?;
        let answer = self.client.request(request).await.map_err(|error| {
            tracing::debug!(%error, "Nextcloud does not answer a request of ours");
            NoAnswer
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|_| NoAnswer)?.to_bytes();
        Ok(Told { status: head.status, headers: head.headers, body })
    }
}
