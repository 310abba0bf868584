//! Request → [`Authenticated`]: the bearer token is taken off the request and proved, or the request ends here (laws 1 to 3).

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use http::header::AUTHORIZATION;
use tower::Layer;

use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::exchange::{Admission, Entries, Entry};
use crate::metrics::{Metrics, Verification};
use crate::nextcloud::target::Target;
use crate::oauth::{TokenFault, Verifier, VerifyError};
use crate::service::{Answering, Guest, Serve};
use crate::token::secret::NotABearer;
use crate::token::{Digest, SubjectToken};

/// A verification that keeps being overtaken by purges is given up after this many attempts.
const ATTEMPTS: usize = 3;

/// A request whose bearer token is proved and taken off. Minted here only.
#[derive(Debug)]
pub struct Authenticated {
    request: Guest,
    caller: Caller,
    errand: Errand,
}

/// Whose idea a request is: what may be asked of Nextcloud depends on who wrote the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// The caller's own request, passed on.
    Callers,
    /// A request that a tool of ours wrote for the caller.
    Tool,
    /// A request that a tool of ours wrote, which keeps to tasks: it may be opened by `tasks.*` where `calendar.*` would be needed.
    Tasks,
}

/// Who called: the entry that the one lookup found, and the token itself, for the exchange alone.
#[derive(Debug, Clone)]
pub struct Caller {
    entry: Arc<Entry>,
    subject: SubjectToken,
    peer: IpAddr,
}

impl Authenticated {
    /// The request, which bears no credential any more.
    #[must_use]
    pub fn request(&self) -> &Request<Body> {
        &self.request
    }

    /// Whose idea it is.
    #[must_use]
    pub fn errand(&self) -> Errand {
        self.errand
    }

    /// Who called.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The request and who called, for a frontend of ours that answers by requests of its own ([`Caller::on_errand`]).
    #[must_use]
    pub fn into_parts(self) -> (Request<Body>, Caller) {
        (*self.request, self.caller)
    }

    pub(super) fn into_boxed_parts(self) -> (Guest, Caller) {
        (self.request, self.caller)
    }
}

impl Caller {
    /// What is known of the caller's token.
    #[must_use]
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// A request of our own, on behalf of this caller. It passes authorization, exchange and proxy like any other; what it is for may open
    /// less than the caller's token would, or what only our own requests may do, and never more than was granted.
    #[must_use]
    pub fn on_errand(&self, request: Request<Body>, errand: Errand) -> Authenticated {
        Authenticated { request: Box::new(request), caller: self.clone(), errand }
    }

    /// The address that the request came from.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    pub(super) fn subject(&self) -> &SubjectToken {
        &self.subject
    }
}

/// What authentication needs.
#[derive(Clone)]
pub struct Authentication {
    /// What is remembered.
    pub entries: Entries,
    /// Judges what is not.
    pub verifier: Verifier,
    /// Counts.
    pub metrics: Metrics,
    /// How long a verification may take, JWKS and introspection included.
    pub deadline: Duration,
}

/// The layer.
#[derive(Clone)]
pub struct AuthenticateLayer {
    authentication: Arc<Authentication>,
    peer: IpAddr,
}

impl AuthenticateLayer {
    /// Authenticates the requests of one connection.
    #[must_use]
    pub fn new(authentication: Arc<Authentication>, peer: IpAddr) -> Self {
        Self { authentication, peer }
    }
}

/// The service.
#[derive(Clone)]
pub struct Authenticate<S>(Arc<(AuthenticateLayer, S)>);

impl Authentication {
    async fn authenticate(&self, mut request: Guest, peer: IpAddr) -> Result<Authenticated, Error> {
        if request.uri().query().is_some() {
            refuse_token_in_query(&request)?;
        }
        let subject = take_token(&mut request)?;
        let key = subject.digest();
        let entry = match self.entries.find(&key) {
            Some(entry) => {
                self.metrics.verifications.count(Verification::Remembered);
                entry
            }
            // Boxed: most requests never come here, and their futures need not be this large.
            None => Box::pin(self.verify(&subject, key)).await?,
        };
        Ok(Authenticated { request, caller: Caller { entry, subject, peer }, errand: Errand::Callers })
    }

    async fn verify(&self, subject: &SubjectToken, key: Digest) -> Result<Arc<Entry>, Error> {
        let outcome = tokio::time::timeout(self.deadline, self.verify_and_admit(subject, key))
            .await
            .unwrap_or_else(|_| Err(VerifyError::Unavailable("verification took too long".to_owned())));
        self.metrics.verifications.count(match &outcome {
            Ok(entry) if entry.identity().introspected => Verification::Introspected,
            Ok(_) => Verification::Verified,
            Err(VerifyError::Refused(_)) => Verification::Refused,
            Err(VerifyError::Overloaded) => Verification::Overloaded,
            Err(VerifyError::Unavailable(_) | VerifyError::Malformed(_) | VerifyError::Misconfigured(_)) => {
                Verification::Unavailable
            }
        });
        Ok(outcome?)
    }

    async fn verify_and_admit(&self, subject: &SubjectToken, key: Digest) -> Result<Arc<Entry>, VerifyError> {
        for _ in 0..ATTEMPTS {
            let begun = self.entries.generation();
            let identity = self.verifier.verify(subject).await?;
            match self.entries.admit(key, identity, begun) {
                Admission::Admitted(entry) => return Ok(entry),
                Admission::Revoked => return Err(TokenFault::Revoked.into()),
                Admission::Stale => {}
            }
        }
        Err(VerifyError::Unavailable("tokens are being purged".to_owned()))
    }
}

/// Exactly one `Authorization`, of scheme `Bearer`. It is taken off: nothing behind this line can pass it on (law 2).
fn take_token(request: &mut Request<Body>) -> Result<SubjectToken, Error> {
    let headers = request.headers_mut();
    if headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(BadRequest::SeveralTokens.into());
    }
    let header = headers.remove(AUTHORIZATION).ok_or(Error::NoToken)?;
    SubjectToken::from_header(header).map_err(|fault| match fault {
        NotABearer::OtherScheme => Error::NoToken,
        NotABearer::Malformed => Error::BadToken(TokenFault::Malformed),
    })
}

/// Before anything else is asked, for such a request usually has no `Authorization` at all.
fn refuse_token_in_query(request: &Request<Body>) -> Result<(), Error> {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if Target::parse(target)?.has_access_token() {
        return Err(BadRequest::TokenInQuery.into());
    }
    Ok(())
}

// === impl Layer ===

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticate(Arc::new((self.clone(), inner)))
    }
}

// === impl Service ===

impl<S: Serve<Authenticated> + Sync> tower::Service<Guest> for Authenticate<S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Guest) -> Answering {
        let own = self.0.clone();
        Box::pin(async move {
            let (layer, inner) = &*own;
            let authenticated = layer.authentication.authenticate(request, layer.peer).await?;
            inner.pass(authenticated).await
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use http::HeaderValue;

    use super::*;

    /// Who calls with a token of which this is known; for the tests of what comes behind authentication.
    pub fn caller(entry: Entry) -> Caller {
        let subject = SubjectToken::from_header(HeaderValue::from_static("Bearer abc")).unwrap();
        Caller { entry: Arc::new(entry), subject, peer: [127, 0, 0, 1].into() }
    }

    fn request(credentials: &[&'static str]) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        for value in credentials {
            request.headers_mut().append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        request
    }

    #[test]
    fn whatever_the_credential_was_it_is_off_the_request() {
        for credential in ["Bearer abc", "Basic YTpi", "Bearer a b"] {
            let mut request = request(&[credential]);
            let _ = take_token(&mut request);
            assert!(!request.headers().contains_key(AUTHORIZATION), "{credential}");
        }
    }

    #[test]
    fn two_credentials_are_none() {
        for second in ["Bearer abc", "Bearer def", "Basic YTpi", ""] {
            let taken = take_token(&mut request(&["Bearer abc", second]));
            assert!(matches!(taken, Err(Error::BadRequest(BadRequest::SeveralTokens))), "{second}");
        }
    }
}
