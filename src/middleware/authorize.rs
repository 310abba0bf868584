//! Authenticated → [`Authorized`]: the method is on the list, the target has one reading, and that reading is open to bearers (law 7).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{HOST, HeaderName};
use http::{HeaderValue, Method, Request, Version};
use tower::{Layer, ServiceExt as _};

use super::authenticate::{Authenticated, Caller};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::metrics::{Metrics, StatusClass};
use crate::middleware::respond;
use crate::nextcloud::destination::{Destination, PublicAddress};
use crate::nextcloud::family::Family;
use crate::nextcloud::mount::Mount;
use crate::nextcloud::route::Route;
use crate::nextcloud::target::Target;
use crate::service::{Answering, Serve};

/// Methods by exact case (checklist row 54): HTTP, WebDAV, CalDAV and CardDAV. No TRACE, no CONNECT.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "ACL",
    "VERSION-CONTROL",
];

/// A longer target is not read (RFC 9112 §3 recommends to accept 8,000 bytes).
pub(super) const LONGEST_TARGET: usize = 16 * 1024;

const DESTINATION: HeaderName = HeaderName::from_static("destination");

/// A request whose route is settled and open. Minted here only.
#[derive(Debug)]
pub struct Authorized {
    request: Request<Body>,
    caller: Caller,
    family: Family,
}

impl Authorized {
    /// What the request is about.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    pub(super) fn into_parts(self) -> (Request<Body>, Caller, Family) {
        (self.request, self.caller, self.family)
    }
}

/// What authorization needs.
#[derive(Clone)]
pub struct Authorization {
    /// By what callers may call us. Everything is decided on the path inside the mount.
    pub address: PublicAddress,
    /// Counts.
    pub metrics: Metrics,
}

/// The layer.
#[derive(Clone)]
pub struct AuthorizeLayer(Arc<Authorization>);

impl AuthorizeLayer {
    /// Authorizes by the route table.
    #[must_use]
    pub fn new(authorization: Arc<Authorization>) -> Self {
        Self(authorization)
    }
}

/// The service.
#[derive(Clone)]
pub struct Authorize<S> {
    authorization: Arc<Authorization>,
    inner: S,
}

impl Authorization {
    fn authorize(&self, authenticated: Authenticated) -> Result<Authorized, Error> {
        let (mut request, caller) = authenticated.into_parts();
        if !METHODS.contains(&request.method().as_str()) {
            return Err(Error::MethodNotAllowed);
        }
        check_host(&request)?;
        let family = family_of(&request, &self.address.mount)?;
        if let Some(destination) = self.destination(&request)? {
            request.headers_mut().insert(DESTINATION, destination);
        }
        Ok(Authorized { request, caller, family })
    }

    /// `Destination` is a second path: the same decision, on any method that bears it (checklist row 55). Only its path goes on, its bytes
    /// as received behind the root by which Nextcloud calls itself.
    fn destination(&self, request: &Request<Body>) -> Result<Option<HeaderValue>, Error> {
        let mut values = request.headers().get_all(DESTINATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(BadRequest::SeveralDestinations.into());
        }
        let bad = |reason| Error::BadRequest(BadRequest::Destination(reason));
        let destination = Destination::parse(value.as_bytes(), &self.address).map_err(bad)?;
        open(destination.route(request.method()).family())?;
        HeaderValue::from_bytes(self.address.mount.own(destination.path()).as_bytes())
            .map(Some)
            .map_err(|_| Error::Internal("a destination's path is no header value"))
    }
}

fn family_of(request: &Request<Body>, mount: &Mount) -> Result<Family, Error> {
    let received = request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    if received.len() > LONGEST_TARGET {
        return Err(Error::TargetTooLong);
    }
    let inside = mount.inward(received).ok_or(Error::NoSuchPage)?;
    let target = Target::parse(&inside)?;
    open(Route::fold(request.method(), &target).family())
}

fn open(family: Family) -> Result<Family, Error> {
    match family {
        Family::Forbidden(never) => Err(Error::ForbiddenRoute(never)),
        Family::Ours => Err(Error::NoSuchPage),
        family => Ok(family),
    }
}

/// Nothing is routed by host, but a request that names two was meant for somebody to read it wrongly (RFC 9112 §3.2).
pub(super) fn check_host(request: &Request<Body>) -> Result<(), Error> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    let several = hosts.next().is_some();
    let contradictory = match (request.uri().authority(), host) {
        (Some(authority), Some(host)) => !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()),
        (None, None) => request.version() == Version::HTTP_11,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if several || contradictory {
        return Err(BadRequest::Host.into());
    }
    Ok(())
}

/// The place of a family in the list that the metrics were made with.
#[must_use]
pub fn family_index(family: Family) -> usize {
    Family::ALLOWABLE.iter().position(|own| *own == family).unwrap_or(Family::ALLOWABLE.len())
}

/// Whether this method is on the list.
#[must_use]
pub fn allows(method: &Method) -> bool {
    METHODS.contains(&method.as_str())
}

// === impl Layer ===

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorize { authorization: self.0.clone(), inner }
    }
}

// === impl Service ===

impl<S: Serve<Authorized>> tower::Service<Authenticated> for Authorize<S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, authenticated: Authenticated) -> Answering {
        let (authorization, inner) = (self.authorization.clone(), self.inner.clone());
        Box::pin(async move {
            let authorized = authorization.authorize(authenticated)?;
            let family = authorized.family;
            tracing::Span::current().record("family", family.as_str());
            let answer = inner.oneshot(authorized).await;
            let class = answer.as_ref().map_or_else(
                |error| StatusClass::from(respond::status(error)),
                |answer| StatusClass::from(answer.status()),
            );
            authorization.metrics.requests.count(family_index(family), class);
            answer
        })
    }
}
