//! Request → [`Untouched`]: a request that bears no token of ours and goes on as it is, if the operator said so (`non_bearer = "forward"`).
//! Everything else goes on to authentication, which refuses what is no bearer token, as it does where nothing is forwarded.
//!
//! It bears nothing, or the user's own app password; Nextcloud judges that by itself. So nothing is decided about its route: the never-list
//! and the scopes keep a *token* from becoming more than it is, and here is none. What is kept up is hygiene, for whoever gets Nextcloud to
//! read a bearer here had it unproved, and unexchanged (checklist rows 48 and 49).

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use tower::Layer;

use super::authorize::{LONGEST_TARGET, allows, check_host};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::nextcloud::family::Family;
use crate::nextcloud::mount::{self, Mount};
use crate::nextcloud::query;
use crate::nextcloud::route::Route;
use crate::nextcloud::target::{Ambiguous, Target};
use crate::service::{Answering, Guest, Serve};

/// A request without a token, which may go to Nextcloud as it is. Minted here only.
#[derive(Debug)]
pub struct Untouched {
    request: Guest,
    peer: IpAddr,
}

impl Untouched {
    /// The request, and the address that it came from.
    #[must_use]
    pub fn into_parts(self) -> (Guest, IpAddr) {
        (self.request, self.peer)
    }
}

/// The layer: requests without a token go to `forward`, if there is such a service, and all others on.
#[derive(Clone)]
pub struct UntouchedLayer<F> {
    forward: Option<F>,
    mount: Arc<Mount>,
    peer: IpAddr,
}

impl<F> UntouchedLayer<F> {
    /// Settles the requests of one connection. Without `forward`, as is the default, all of them go on.
    #[must_use]
    pub fn new(forward: Option<F>, mount: Arc<Mount>, peer: IpAddr) -> Self {
        Self { forward, mount, peer }
    }
}

/// The service.
#[derive(Clone)]
pub struct Settle<F, S>(Arc<(UntouchedLayer<F>, S)>);

/// On which road a request is.
enum Settled {
    Untouched(Untouched),
    Protected(Guest),
}

/// Mints the passport, or leaves the request to authentication.
fn settle(request: Guest, mount: &Mount, peer: IpAddr) -> Result<Settled, Error> {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if !bears_no_token(request.headers()) || names_a_token(target) || is_ours(&request, target, mount) {
        return Ok(Settled::Protected(request));
    }
    if !allows(request.method()) {
        return Err(Error::MethodNotAllowed);
    }
    if target.len() > LONGEST_TARGET {
        return Err(Error::TargetTooLong);
    }
    check_host(&request)?;
    if !target.starts_with('/') {
        return Err(Ambiguous::NotAbsolute.into());
    }
    // Its path goes on byte for byte, but not out of the mount.
    if mount::climbs(target.split('?').next().unwrap_or_default()) {
        return Err(BadRequest::Target(Ambiguous::DotSegment).into());
    }
    if mount.inward(target).is_none() {
        return Err(Error::NoSuchPage);
    }
    Ok(Settled::Untouched(Untouched { request, peer }))
}

/// No `Authorization` at all, or exactly one, exactly `Basic` and one space and base64 (RFC 7617 §2), and nothing that could be taken for
/// another one. Deliberately stricter than RFC 9110 §11.1, which knows no case: every client of Nextcloud's writes `Basic ` (Qt, OkHttp,
/// Alamofire, curl, browsers), and user_oidc 7.3.2 reads more than one would think as a bearer.
fn bears_no_token(headers: &HeaderMap) -> bool {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    let plain = match (credentials.next(), credentials.next()) {
        (None, _) => true,
        (Some(only), None) => is_basic(only.as_bytes()),
        (Some(_), Some(_)) => false,
    };
    plain && !headers.keys().any(|name| is_another_authorization(name.as_str()))
}

fn is_basic(credentials: &[u8]) -> bool {
    credentials.strip_prefix(b"Basic ").is_some_and(|encoded| {
        let padding = encoded.iter().rev().take_while(|&&byte| byte == b'=').count();
        let letters = encoded.len() - padding;
        letters > 0
            && padding <= 2
            && encoded.iter().take(letters).all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
    })
}

/// `XAuthorization` is a second credential to Nextcloud, and CGI servers read many spellings as one name.
fn is_another_authorization(name: &str) -> bool {
    let letters = || name.bytes().filter(u8::is_ascii_alphanumeric);
    name != "authorization"
        && [&b"authorization"[..], b"xauthorization"].iter().any(|own| letters().eq(own.iter().copied()))
}

/// A token in the query is a token, however it is spelt (RFC 6750 §2.3).
fn names_a_token(target: &str) -> bool {
    target.split_once('?').is_some_and(|(_, query)| query::names_access_token(query))
}

/// Pages of our own need a bearer token, or say where one is to be had.
fn is_ours(request: &Request<Body>, target: &str, mount: &Mount) -> bool {
    mount.inward(target).is_some_and(|inside| {
        Target::parse(&inside).is_ok_and(|target| Route::fold(request.method(), &target).family() == Family::Ours)
    })
}

// === impl Layer ===

impl<F: Clone, S> Layer<S> for UntouchedLayer<F> {
    type Service = Settle<F, S>;

    fn layer(&self, protected: S) -> Self::Service {
        Settle(Arc::new((self.clone(), protected)))
    }
}

// === impl Service ===

impl<F: Serve<Untouched> + Sync, S: Serve<Guest> + Sync> tower::Service<Guest> for Settle<F, S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Guest) -> Answering {
        let (layer, protected) = &*self.0;
        let Some(forward) = &layer.forward else { return protected.pass(request) };
        match settle(request, &layer.mount, layer.peer) {
            Ok(Settled::Untouched(untouched)) => {
                tracing::Span::current().record("family", "untouched");
                forward.pass(untouched)
            }
            Ok(Settled::Protected(request)) => protected.pass(request),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in fields.iter().map(field) {
            map.append(name, value);
        }
        map
    }

    #[test]
    fn nothing_or_exactly_one_basic_credential_is_no_token() {
        for fields in [
            &[][..],
            &[("authorization", "Basic YWxpY2U6eA==")],
            &[("authorization", "Basic YWxpY2U6eHg=")],
            &[("authorization", "Basic YWxpY2U6eHh4")],
            &[("cookie", "nc_token=x"), ("requesttoken", "x"), ("x-requested-with", "y")],
        ] {
            assert!(bears_no_token(&headers(fields)), "{fields:?}");
        }
    }

    #[test]
    fn whatever_else_could_be_a_credential_is_left_to_authentication() {
        for fields in [
            &[("authorization", "Bearer YWJj")][..],
            &[("authorization", "BEARER abc")],
            &[("authorization", "bearer\tabc")],
            &[("authorization", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")],
            &[("authorization", "")],
            &[("authorization", "Basic")],
            &[("authorization", "Basic ")],
            &[("authorization", "Basic =")],
            &[("authorization", "Basic YWJj===")],
            &[("authorization", "Basic  YWJj")],
            &[("authorization", "Basic\tYWJj")],
            &[("authorization", "basic YWJj")],
            &[("authorization", "BASIC YWJj")],
            &[("authorization", "Basic eyJhbGciOiJSUzI1NiJ9.e30.c2ln")],
            &[("authorization", "Basic YWJj, Bearer YWJj")],
            &[("authorization", "Basic YWJj Bearer")],
            &[("authorization", "BasicYWJj")],
            &[("authorization", "Digest YWJj")],
            &[("authorization", "Basic YWJj"), ("authorization", "Bearer YWJj")],
            &[("authorization", "Basic YWJj"), ("authorization", "Basic YWJj")],
            &[("xauthorization", "Bearer YWJj")],
            &[("xauthorization", "Basic YWJj")],
            &[("authorization", "Basic YWJj"), ("xauthorization", "x")],
            &[("x-authorization", "x")],
            &[("x_authorization", "x")],
            &[("xauthorization_", "x")],
            &[("authorization_", "x")],
            &[("x.authorization", "x")],
        ] {
            assert!(!bears_no_token(&headers(fields)), "{fields:?}");
        }
    }
}
