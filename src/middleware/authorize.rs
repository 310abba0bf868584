//! Authenticated → [`Authorized`]: the method is on the list, the target has one reading, that reading is open to bearers (law 7), and the
//! token was granted what it needs. Every other path in the request goes the same way: `Destination`, the tags of `If`, and those in a body.

mod bodies;
mod conditions;
mod reading;
pub mod scopes;

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{HOST, HeaderName};
use http::{HeaderValue, Method, Request, Version};
use tower::Layer;

use self::bodies::Deciding;
pub use self::reading::ReadingBudget;
use self::scopes::ScopeJudge;
use super::authenticate::{Authenticated, Caller, Errand};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::metrics::{Metrics, StatusClass};
use crate::middleware::respond;
use crate::nextcloud::destination::{Destination, PublicAddress};
use crate::nextcloud::family::Family;
use crate::nextcloud::policy::tasks::Door;
use crate::nextcloud::policy::{Access, Needs, Refusal};
use crate::nextcloud::route::Route;
use crate::nextcloud::target::Target;
use crate::service::{Answering, Guest, Serve};

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
const DEPTH: HeaderName = HeaderName::from_static("depth");
const IF: HeaderName = HeaderName::from_static("if");

/// A request whose route is settled and open. Minted here only.
#[derive(Debug)]
pub struct Authorized {
    request: Guest,
    caller: Caller,
    family: Family,
    needs: Needs,
}

impl Authorized {
    /// What the request is about.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// The scopes that it needs, and may be exchanged for.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    pub(super) fn into_parts(self) -> (Guest, Caller, Family, Needs) {
        (self.request, self.caller, self.family, self.needs)
    }
}

/// What authorization needs.
#[derive(Clone)]
pub struct Authorization {
    /// By what callers may call us. Everything is decided on the path inside the mount.
    pub address: PublicAddress,
    /// Decides about scopes.
    pub scopes: Arc<ScopeJudge>,
    /// For bodies that decide.
    pub bodies: ReadingBudget,
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
pub struct Authorize<S>(Arc<(Arc<Authorization>, S)>);

impl Authorization {
    async fn authorize(&self, authenticated: Authenticated) -> Result<Authorized, Error> {
        let errand = authenticated.errand();
        let (mut request, caller) = authenticated.into_boxed_parts();
        if !METHODS.contains(&request.method().as_str()) {
            return Err(Error::MethodNotAllowed);
        }
        check_host(&request)?;
        // Cheap: it shares the bytes of the request, and outlives the changes that are made to it.
        let received = request.uri().path_and_query().cloned();
        let received = received.as_ref().map_or("", http::uri::PathAndQuery::as_str);
        if received.len() > LONGEST_TARGET {
            return Err(Error::TargetTooLong);
        }
        let policy = self.scopes.policy();
        let inside = self.address.mount.inward(received).ok_or(Error::NoSuchPage)?;
        let target = Target::parse(&inside)?;
        let route = Route::fold_with(request.method(), &target, policy.opened);
        let family = self.open(&route)?;
        policy.egress.by_path(&route, request.method(), None).map_err(Error::PolicyRefused)?;
        // Held to tasks before anything else is looked at, whatever the mode of enforcement.
        let door = match (errand, family) {
            (Errand::Tasks, Family::Calendars) => {
                let door = Door::of(&route, request.method(), target.query(), request.headers());
                Some(door.map_err(Error::PolicyRefused)?)
            }
            _ => None,
        };
        let target_needs = match door {
            Some(door) => policy.tasks(door),
            None => policy.target(&route, request.method()),
        };
        let mut decided = target_needs.and_then(|needs| {
            let depths = request.headers().get_all(DEPTH).iter().map(HeaderValue::as_bytes);
            policy.depth(family, request.method(), depths).map(|()| needs)
        });
        if let Some((destination, needs)) = self.destination(&request, family)? {
            // One challenge for all that the request needs.
            decided = decided.and_then(|own| needs.map(|needs| own.and(&needs)));
            request.headers_mut().insert(DESTINATION, destination);
        }
        if let Some((conditions, needs)) = self.conditions(&request)? {
            decided = decided.and_then(|own| needs.map(|needs| own.and(&needs)));
            request.headers_mut().insert(IF, conditions);
        }
        let mut needs = self.scopes.caller(caller.entry(), decided, family)?;
        let deciding = door.map(Deciding::Tasks).or_else(|| Deciding::of(policy, &route, request.method()));
        if let Some(deciding) = deciding {
            // Boxed: most requests never come here, and their futures need not be this large.
            let body = Box::pin(self.read(deciding, &mut request, (&route, target.query()))).await?;
            let all = body.map(|body| needs.clone().and(&body));
            if all.as_ref() != Ok(&needs) {
                needs = self.scopes.caller(caller.entry(), all, family)?;
            }
        }
        Ok(Authorized { request, caller, family, needs })
    }

    /// Reads a body that decides; the request keeps it, whole.
    async fn read(
        &self,
        deciding: Deciding,
        request: &mut Request<Body>,
        (route, query): (&Route<'_>, Option<&str>),
    ) -> Result<Result<Needs, Refusal>, Error> {
        let body = std::mem::replace(request.body_mut(), Body::empty());
        let (bytes, body) = self.bodies.read(body).await?;
        *request.body_mut() = body;
        deciding.judge(self.scopes.policy(), route, (query, request.headers(), &bytes), &self.address)
    }

    /// `Destination` is a second path: the same decision, on any method that bears it (checklist row 55), which writes there. Only its path
    /// goes on, its bytes as received behind the root by which Nextcloud calls itself.
    #[expect(clippy::type_complexity, reason = "a header, and what it needs or why it is refused")]
    fn destination(
        &self,
        request: &Request<Body>,
        from: Family,
    ) -> Result<Option<(HeaderValue, Result<Needs, Refusal>)>, Error> {
        let mut values = request.headers().get_all(DESTINATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(BadRequest::SeveralDestinations.into());
        }
        let policy = self.scopes.policy();
        let bad = |reason| Error::BadRequest(BadRequest::Destination(reason));
        let destination = Destination::parse(value.as_bytes(), &self.address).map_err(bad)?;
        let route = destination.route_with(request.method(), policy.opened);
        self.open(&route)?;
        policy.egress.by_path(&route, &Method::PUT, Some(from)).map_err(Error::PolicyRefused)?;
        let needs = match route.family() {
            Family::DavRoot | Family::Principals => Err(Refusal::NotOpened),
            _ => policy.path(&route, Access::Write),
        };
        let header = HeaderValue::from_bytes(self.address.mount.own(destination.path()).as_bytes())
            .map_err(|_| Error::Internal("a destination's path is no header value"))?;
        Ok(Some((header, needs)))
    }

    /// Whether a bearer may go there at all, which no scope and no mode of enforcement changes.
    fn open(&self, route: &Route<'_>) -> Result<Family, Error> {
        match route.family() {
            Family::Forbidden(never) if !self.scopes.policy().opened.has(never) => Err(Error::ForbiddenRoute(never)),
            Family::Ours => Err(Error::NoSuchPage),
            family => Ok(family),
        }
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
    family.place().unwrap_or(Family::ALLOWABLE.len())
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
        Authorize(Arc::new((self.0.clone(), inner)))
    }
}

// === impl Service ===

impl<S: Serve<Authorized> + Sync> tower::Service<Authenticated> for Authorize<S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, authenticated: Authenticated) -> Answering {
        let own = self.0.clone();
        Box::pin(async move {
            let (authorization, inner) = &*own;
            let authorized = authorization.authorize(authenticated).await?;
            let family = authorized.family;
            tracing::Span::current().record("family", family.as_str());
            let answer = inner.pass(authorized).await;
            let class = answer.as_ref().map_or_else(
                |error| StatusClass::from(respond::status(error)),
                |answer| StatusClass::from(answer.status()),
            );
            authorization.metrics.requests.count(family_index(family), class);
            answer
        })
    }
}

#[cfg(test)]
mod tests;
