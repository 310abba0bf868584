//! The one place that knows what a caller is told (product.md §4): [`Error`] → status, `error`, description, challenge. The cause goes to
//! the log under a request id; nothing of it goes to the caller.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use tower::{BoxError, Layer, ServiceExt as _};

use super::unread::Unread;
use crate::body::Body;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::oauth::ChallengeScopes;
use crate::service::Guest;
use crate::token::ScopeSet;

/// Every `error` code, for the metrics. A refusal is counted at the place of its code in this list.
pub const CODES: &[&str] = &[
    "none",
    "invalid_request",
    "invalid_token",
    "idp_unavailable",
    "forbidden_route",
    "insufficient_scope",
    "exchange_refused",
    "idp_misconfigured",
    "idp_malformed",
    "nextcloud_unreachable",
    "nextcloud_timeout",
    "nextcloud_rejected_token",
    "overloaded",
    "internal",
];

/// Seconds after which it is worth another try.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// One row of the table.
struct Row {
    status: StatusCode,
    code: &'static str,
    description: String,
}

fn row(status: StatusCode, code: &'static str, description: impl Into<String>) -> Row {
    Row { status, code, description: description.into() }
}

/// The table of product.md §4. Exhaustive: a new failure has to find its row.
fn table(error: &Error) -> Row {
    match error {
        Error::NoToken => row(StatusCode::UNAUTHORIZED, "none", ""),
        Error::BadRequest(reason) => row(StatusCode::BAD_REQUEST, "invalid_request", reason.to_string()),
        Error::BadToken(fault) => row(StatusCode::UNAUTHORIZED, "invalid_token", fault.to_string()),
        Error::ForbiddenRoute(never) => row(StatusCode::FORBIDDEN, "forbidden_route", never.reason()),
        Error::PolicyRefused(refusal) => row(StatusCode::FORBIDDEN, "forbidden_route", refusal.reason()),
        Error::InsufficientScope(_) => {
            row(StatusCode::FORBIDDEN, "insufficient_scope", "the token was not granted what this request needs")
        }
        Error::MethodNotAllowed => {
            row(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "the method is not supported")
        }
        Error::ForeignSite(site) => {
            row(StatusCode::FORBIDDEN, "invalid_request", format!("this {site} is not welcome here"))
        }
        Error::PostOnly => row(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "this endpoint knows POST alone"),
        Error::NoSuchPage => row(StatusCode::NOT_FOUND, "invalid_request", "there is no such page"),
        Error::TargetTooLong => row(StatusCode::URI_TOO_LONG, "invalid_request", "the request target is too long"),
        Error::BodyTooLarge => row(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the body is too large"),
        Error::SubjectRefused => {
            row(StatusCode::UNAUTHORIZED, "invalid_token", "the token is no longer accepted by its issuer")
        }
        Error::ExchangeRefused(_) => {
            row(StatusCode::FORBIDDEN, "exchange_refused", "the identity provider's policy refuses the exchange")
        }
        Error::ProviderMisconfigured(_) => row(
            StatusCode::BAD_GATEWAY,
            "idp_misconfigured",
            "the identity provider is not set up for this server; its operator finds the reason in the log",
        ),
        Error::ProviderUnavailable(_) => row(
            StatusCode::SERVICE_UNAVAILABLE,
            "idp_unavailable",
            "the identity provider cannot be asked at the moment",
        ),
        Error::ProviderMalformed(_) => {
            row(StatusCode::BAD_GATEWAY, "idp_malformed", "the identity provider's answer is not acceptable")
        }
        Error::NextcloudUnreachable(_) => {
            row(StatusCode::BAD_GATEWAY, "nextcloud_unreachable", "Nextcloud cannot be reached")
        }
        Error::NextcloudTimeout(_) => {
            row(StatusCode::GATEWAY_TIMEOUT, "nextcloud_timeout", "Nextcloud did not answer in time")
        }
        Error::NextcloudRejectedToken => {
            row(StatusCode::BAD_GATEWAY, "nextcloud_rejected_token", "Nextcloud does not accept the exchanged token")
        }
        Error::Overloaded => row(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many requests at once"),
        Error::Internal(_) => row(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault of this server"),
    }
}

/// The status that this error is answered with.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    table(error).status
}

/// The `error` code that this error is answered with.
#[must_use]
pub fn code(error: &Error) -> &'static str {
    table(error).code
}

/// Where the metadata of our protected resources stands (RFC 9728 §5.1); every 401 names it, and every `insufficient_scope`.
#[derive(Clone)]
pub struct Challenges {
    root: Arc<str>,
    mcp: Option<Arc<McpChallenge>>,
}

/// The challenge of `/mcp`.
pub struct McpChallenge {
    /// Where its metadata stands.
    pub metadata: String,
    /// Its path, with the root of our mount.
    pub path: String,
    /// What a client without a good token is told to ask for.
    pub scopes: ChallengeScopes,
}

impl Challenges {
    /// The metadata URL of the whole proxy, and the challenge of `/mcp` if there is such a page.
    #[must_use]
    pub fn new(root: String, mcp: Option<McpChallenge>) -> Self {
        Self { root: root.into(), mcp: mcp.map(Arc::new) }
    }

    fn asked(&self, path: &str) -> Asked {
        match self.mcp.as_ref().and_then(|mcp| path.strip_prefix(&*mcp.path)) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Asked::Mcp,
            _ => Asked::Nextcloud,
        }
    }

    fn header(&self, path: Asked, code: &str, description: &str, scopes: Option<&ScopeSet>) -> Option<HeaderValue> {
        let mcp = self.mcp.as_ref().filter(|_| matches!(path, Asked::Mcp));
        let metadata = mcp.map_or(&*self.root, |mcp| &*mcp.metadata);
        let mut challenge = format!(r#"Bearer resource_metadata="{metadata}""#);
        if code != "none" {
            let _ = write!(challenge, r#", error="{code}", error_description="{description}""#);
        }
        // On the cold path only: whoever has a good token never gets here.
        let scopes = scopes.cloned().or_else(|| mcp.map(|mcp| mcp.scopes.now()).filter(|scopes| !scopes.is_empty()));
        if let Some(scopes) = scopes {
            let _ = write!(challenge, r#", scope="{scopes}""#);
        }
        HeaderValue::from_str(&challenge).ok()
    }
}

/// Which of our resources was asked for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Mcp,
    Nextcloud,
}

/// Answers an error.
fn refuse(error: &Error, asked: Asked, challenges: &Challenges, metrics: &Metrics) -> Response<Body> {
    let Row { status, code, description } = table(error);
    metrics.count_refusal(CODES.iter().position(|own| *own == code).unwrap_or_default());
    let request_id = request_id();
    log(error, status, &request_id);
    let mut body = serde_json::json!({ "request_id": request_id });
    if code != "none" {
        body["error"] = code.into();
        body["error_description"] = description.as_str().into();
    }
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let scopes = match error {
        Error::InsufficientScope(scopes) => Some(scopes),
        _ => None,
    };
    if (status == StatusCode::UNAUTHORIZED || scopes.is_some())
        && let Some(challenge) = challenges.header(asked, code, &description, scopes)
    {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    if matches!(error, Error::PostOnly) {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    } else if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, REPORT, SEARCH, MKCALENDAR, ACL, VERSION-CONTROL"));
    }
    response
}

/// What a stranger can bring about is said quietly, or the log would be theirs to fill: their own mistakes, an invented `kid` inside the
/// cooldown, a full house. Failures of the provider are said aloud where they happen, once for all callers.
fn is_quiet(error: &Error, status: StatusCode) -> bool {
    status.is_client_error() || matches!(error, Error::ProviderUnavailable(_) | Error::Overloaded)
}

fn log(error: &Error, status: StatusCode, request_id: &str) {
    if is_quiet(error, status) {
        tracing::debug!(request_id, %error, status = status.as_u16(), "refused");
    } else {
        tracing::warn!(request_id, %error, status = status.as_u16(), "failed");
    }
}

/// Ours, always: a caller's would be written into our log.
fn request_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Answers a panic; the request that caused it is lost, the others go on.
#[must_use]
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    let request_id = request_id();
    tracing::error!(request_id, "a request panicked");
    let Row { status, code, description } = table(&Error::Internal("panic"));
    let body = serde_json::json!({ "error": code, "error_description": description, "request_id": request_id });
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The layer: below it a service may fail, above it there are only responses.
#[derive(Clone)]
pub struct RespondLayer(Arc<Told>);

struct Told {
    challenges: Challenges,
    metrics: Arc<Metrics>,
}

impl RespondLayer {
    /// Answers errors with these challenges.
    #[must_use]
    pub fn new(challenges: Challenges, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Told { challenges, metrics }))
    }
}

/// The service.
#[derive(Clone)]
pub struct Respond<S> {
    layer: RespondLayer,
    inner: S,
}

// === impl Layer ===

impl<S> Layer<S> for RespondLayer {
    type Service = Respond<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Respond { layer: self.clone(), inner }
    }
}

// === impl Service ===

impl<S> tower::Service<Guest> for Respond<S>
where
    S: tower::Service<Guest, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Guest) -> Self::Future {
        let (told, inner) = (self.layer.0.clone(), self.inner.clone());
        Box::pin(async move {
            let asked = told.challenges.asked(request.uri().path());
            let unread = Unread::of(&mut request);
            let error = match inner.oneshot(request).await {
                Ok(answer) => return Ok(answer),
                // The only foreign error of the stack is tower's "overloaded".
                Err(error) => error.downcast::<Error>().map_or(Error::Overloaded, |error| *error),
            };
            let mut answer = refuse(&error, asked, &told.challenges, &told.metrics);
            if let Some(unread) = unread
                && !Box::pin(unread.read()).await
            {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nextcloud::policy::Refusal;
    use crate::oauth::TokenFault;

    #[test]
    fn every_code_is_in_the_list_of_the_metrics() {
        for error in [
            Error::NoToken,
            Error::BadToken(TokenFault::Expired),
            Error::SubjectRefused,
            Error::ExchangeRefused(String::new()),
            Error::ProviderMisconfigured(String::new()),
            Error::ProviderUnavailable(String::new()),
            Error::ProviderMalformed(String::new()),
            Error::NextcloudUnreachable(String::new()),
            Error::NextcloudTimeout(""),
            Error::NextcloudRejectedToken,
            Error::Overloaded,
            Error::Internal(""),
            Error::NoSuchPage,
            Error::InsufficientScope(ScopeSet::default()),
            Error::PolicyRefused(Refusal::NotOpened),
        ] {
            assert!(CODES.contains(&table(&error).code), "{error}");
        }
    }

    #[test]
    fn a_stranger_cannot_fill_the_log() {
        for error in [
            Error::NoToken,
            Error::BadToken(TokenFault::Key),
            Error::ProviderUnavailable(String::new()),
            Error::Overloaded,
        ] {
            assert!(is_quiet(&error, status(&error)), "{error}");
        }
        assert!(!is_quiet(&Error::NextcloudRejectedToken, StatusCode::BAD_GATEWAY));
    }

    #[test]
    fn no_cause_is_told_to_the_caller() {
        for error in [
            Error::ProviderMisconfigured("secret".into()),
            Error::NextcloudUnreachable("secret".into()),
            Error::ExchangeRefused("secret".into()),
        ] {
            assert!(!table(&error).description.contains("secret"));
        }
    }
}
