//! The pages on which a person answers a question (MCP 2025-11-25, "URL Mode Elicitation"). Whoever opens one signs in first, at the issuer of the
//! person whose question it is: the URL alone shows nothing and proves nothing, so it can be sent to anybody ("Phishing").
//!
//! ```text
//! GET  /mcp/confirm/<id>   not signed in: to the issuer, by oauth/login.rs    signed in: the question, with a form
//! GET  /oauth/callback     back from the issuer: is it the same person? then to the page, with a cookie of its own
//! POST /mcp/confirm/<id>   the answer, from this page (Origin, and a proof made of the cookie)
//! ```

pub mod page;

use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tower::Layer;

use super::elicitation::pending::Shown;
use super::elicitation::visits::Visits;
use crate::body::Body;
use crate::error::Error;
use crate::middleware::authorize::ReadingBudget;
use crate::oauth::browser::{self, Cookies};
use crate::oauth::login::{LOGIN_WITHIN, LoginFault, SignedIn};
use crate::service::{Answer, Answering, Guest, Serve};
use crate::token::{Clock, Digest, DigestBuilder};

/// The largest answer: a proof and a word.
pub const LARGEST_ANSWER: usize = 4 * 1024;

/// The pages.
pub struct Pages {
    /// The path of a page, but for its id.
    pub path: String,
    /// The path of the callback.
    pub callback: String,
    /// Where callers reach us, as browsers name it.
    pub origin: String,
    /// Our cookies.
    pub cookies: Cookies,
    /// The questions and the logins.
    pub visits: Arc<Visits>,
    /// For the answers.
    pub bodies: ReadingBudget,
    /// The time.
    pub clock: Clock,
}

impl Pages {
    fn is_for_us(&self, path: &str) -> bool {
        path == self.callback || path.starts_with(&self.path)
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if path == self.callback {
            return match head.method {
                Method::GET => self.come_back(head.uri.query().unwrap_or_default(), &head.headers).await,
                _ => Err(Error::MethodNotAllowed),
            };
        }
        let id = path.strip_prefix(&self.path).unwrap_or_default();
        let Some(question) = self.visits.pending.look(id, self.clock.now()) else { return Ok(gone()) };
        match head.method {
            Method::GET => self.open(id, &question, &head.headers),
            Method::POST => {
                let (body, _held) = self.bodies.read(body).await?;
                Ok(self.close(id, &head.headers, &body))
            }
            _ => Err(Error::MethodNotAllowed),
        }
    }

    /// Somebody opens the page.
    fn open(&self, id: &str, question: &Shown, headers: &HeaderMap) -> Answer {
        if question.answer.is_some() {
            return Ok(answered());
        }
        if let Some(cookie) = self.cookie(id, headers)
            && question.browser == Some(Digest::of(cookie.as_bytes()))
        {
            return Ok(page::asks(question, &format!("{}{id}", self.path), &proof(id, &cookie)));
        }
        if !self.visits.pending.may_sign_in(id) {
            let words = "This page was opened too often. Ask your assistant to try again, and open the new one.";
            return Ok(page::says(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", words));
        }
        let begun = self.visits.logins.begin(question.principal.issuer(), id.to_owned());
        let begun = begun.map_err(|fault| told(&fault))?;
        let to = HeaderValue::try_from(begun.url.as_str()).map_err(|_| Error::Internal("a URL is no header"))?;
        Ok(redirect(to, [begun.cookie]))
    }

    /// Somebody comes back from the issuer.
    async fn come_back(&self, query: &str, headers: &HeaderMap) -> Answer {
        let SignedIn { purpose: id, principal } = match self.visits.logins.finish(query, headers).await {
            Ok(signed_in) => signed_in,
            Err(LoginFault::Unknown) => {
                let words =
                    "This sign-in was not begun in this browser, or is over. Open the page from your assistant again.";
                return Ok(page::says(StatusCode::BAD_REQUEST, "Nobody is signed in", words));
            }
            Err(LoginFault::Refused) => {
                let words =
                    "The sign-in was not completed. Nothing was done. Open the page from your assistant to try again.";
                return Ok(page::says(StatusCode::FORBIDDEN, "Nobody is signed in", words));
            }
            Err(fault) => return Err(told(&fault)),
        };
        let cookie = browser::random();
        if !self.visits.pending.signed_in(&id, &principal, Digest::of(cookie.as_bytes()), self.clock.now()) {
            let words = "This question is not yours, or is over. Nothing was done. If somebody else sent you here, they tried to act in your name.";
            return Ok(page::says(StatusCode::FORBIDDEN, "Not for you", words));
        }
        let to = HeaderValue::try_from(format!("{}{id}", self.path)).map_err(|_| Error::Internal("no header"))?;
        Ok(redirect(to, [self.cookies.set(&cookie_name(&id), &cookie, LOGIN_WITHIN)]))
    }

    /// The person answers.
    fn close(&self, id: &str, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let is_ours = origins.next().is_some_and(|origin| origin.as_bytes() == self.origin.as_bytes());
        let (mut given, mut answer) = (None, None);
        for (name, value) in url::form_urlencoded::parse(body) {
            match (&*name, &*value) {
                ("proof", value) => given = Some(Digest::of(value.as_bytes())),
                ("answer", "yes") => answer = Some(true),
                ("answer", "no") => answer = Some(false),
                _ => {}
            }
        }
        let cookie = self.cookie(id, headers).unwrap_or_default();
        let is_proved = given == Some(Digest::of(proof(id, &cookie).as_bytes()));
        let browser = Digest::of(cookie.as_bytes());
        match answer {
            Some(yes) if is_ours && origins.next().is_none() && is_proved => {
                if !self.visits.pending.answer(id, browser, yes, self.clock.now()) {
                    return answered();
                }
                let words = if yes {
                    "Go back to your assistant and let it try again. This counts once, within five minutes."
                } else {
                    "Nothing was done. You can close this page."
                };
                page::says(StatusCode::OK, if yes { "You said yes" } else { "You said no" }, words)
            }
            _ => {
                let words = "This answer did not come from our page. Nothing was done. Open the page from your assistant again.";
                page::says(StatusCode::FORBIDDEN, "Not accepted", words)
            }
        }
    }

    fn cookie(&self, id: &str, headers: &HeaderMap) -> Option<String> {
        self.cookies.get(headers, &cookie_name(id))
    }
}

/// One for each question.
fn cookie_name(id: &str) -> String {
    format!("obo-confirm-{}", Digest::of(id.as_bytes()).fingerprint())
}

/// Only who has the cookie can make it, and it does not tell the cookie.
fn proof(id: &str, cookie: &str) -> String {
    let digest = DigestBuilder::new("confirm-proof").field(id.as_bytes()).field(cookie.as_bytes()).finish();
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

fn gone() -> Response<Body> {
    let words = "This question is over, or there never was one. Ask your assistant to try again.";
    page::says(StatusCode::NOT_FOUND, "No such question", words)
}

fn answered() -> Response<Body> {
    page::says(StatusCode::CONFLICT, "Answered already", "This question has its answer. Go back to your assistant.")
}

fn redirect<const N: usize>(to: HeaderValue, cookies: [HeaderValue; N]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, to);
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    page::guard(&mut response);
    response
}

/// What is the provider's is told as everywhere.
fn told(fault: &LoginFault) -> Error {
    match fault {
        LoginFault::Misconfigured(said) => {
            tracing::error!("nobody can sign in to confirm: {said}");
            Error::ProviderMisconfigured(said.clone())
        }
        LoginFault::Unavailable(said) => Error::ProviderUnavailable(said.clone()),
        LoginFault::Malformed(said) => Error::ProviderMalformed(said.clone()),
        LoginFault::Unknown | LoginFault::Refused => Error::Internal("a login without an end"),
    }
}

/// The layer; without pages, everything goes on.
#[derive(Clone)]
pub struct ConfirmLayer(Option<Arc<Pages>>);

impl ConfirmLayer {
    /// Answers what is for the pages.
    #[must_use]
    pub fn new(pages: Option<Arc<Pages>>) -> Self {
        Self(pages)
    }
}

/// The service.
#[derive(Clone)]
pub struct Confirming<S> {
    pages: Option<Arc<Pages>>,
    inner: S,
}

// === impl Layer ===

impl<S> Layer<S> for ConfirmLayer {
    type Service = Confirming<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Confirming { pages: self.0.clone(), inner }
    }
}

// === impl Service ===

impl<S: Serve<Guest>> tower::Service<Guest> for Confirming<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Guest) -> Answering {
        match &self.pages {
            Some(pages) if pages.is_for_us(request.uri().path()) => {
                let pages = pages.clone();
                Box::pin(async move { pages.answer(*request).await })
            }
            _ => self.inner.call(request),
        }
    }
}
