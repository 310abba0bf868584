//! A person proves in a browser who they are: OpenID Connect Core 1.0 §3.1, the authorization code flow, with PKCE (RFC 7636, S256), a state that
//! belongs to one browser, a nonce, and the check of RFC 9207. What comes of it is a [`Principal`] and nothing else: the access token that comes with
//! it is never looked at.
//!
//! What a login is for is its purpose, `P`: the one callback of this server finds it by the state.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::browser::{self, Cookies};
use super::client::{self, ProviderFault};
use super::id_token;
use super::issuer::{Issuer, Issuers};
use crate::flight::Control;
use crate::token::{Clock, Digest, Principal, Timestamp};

/// A login has to be finished within this time.
pub const LOGIN_WITHIN: Duration = Duration::from_mins(10);
/// So many may be under way. The oldest goes.
const MOST: usize = 10_000;
/// A code, or an `iss`, longer than this is none.
const LONGEST_PARAMETER: usize = 4_000;

/// All logins that are under way.
pub struct Logins<P> {
    issuers: Issuers,
    control: Control,
    clock: Clock,
    redirect_uri: String,
    cookies: Cookies,
    under_way: Mutex<UnderWay<P>>,
}

struct UnderWay<P> {
    by_state: HashMap<Digest, Attempt<P>>,
    /// In the order of their beginning.
    order: VecDeque<(Timestamp, Digest)>,
}

struct Attempt<P> {
    purpose: P,
    issuer: Arc<Issuer>,
    browser: Digest,
    verifier: String,
    nonce: String,
}

/// A login that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    /// What it keeps meanwhile (`Set-Cookie`).
    pub cookie: HeaderValue,
}

/// A login that is finished.
#[derive(Debug)]
pub struct SignedIn<P> {
    /// What it was for.
    pub purpose: P,
    /// Who it is.
    pub principal: Principal,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// No login of this browser has this state, or not any more.
    #[error("there is no such login")]
    Unknown,
    /// The issuer, or the person there, did not want it.
    #[error("the issuer refused the login")]
    Refused,
    /// The issuer has no such flow, or does not know our client for it.
    #[error("{0}")]
    Misconfigured(String),
    /// The issuer cannot be asked.
    #[error("{0}")]
    Unavailable(String),
    /// The issuer breaks the protocol.
    #[error("{0}")]
    Malformed(String),
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

impl<P> Logins<P> {
    /// Logins that come back to this URI, which has to be registered with each issuer.
    #[must_use]
    pub fn new(issuers: Issuers, control: Control, clock: Clock, redirect_uri: String) -> Self {
        let cookies = Cookies::for_url(&redirect_uri);
        let under_way = Mutex::new(UnderWay { by_state: HashMap::new(), order: VecDeque::new() });
        Self { issuers, control, clock, redirect_uri, cookies, under_way }
    }

    /// Whether people of this issuer can sign in.
    #[must_use]
    pub fn possible(&self, issuer: &str) -> bool {
        self.issuers.find(issuer).is_some_and(|issuer| {
            let endpoint = issuer.keys.metadata().is_some_and(|metadata| metadata.authorization_endpoint.is_some());
            endpoint && !issuer.settings.client_auth.client_id().is_empty()
        })
    }

    /// Begins a login at this issuer.
    ///
    /// # Errors
    /// [`LoginFault::Misconfigured`] and [`LoginFault::Unavailable`].
    pub fn begin(&self, issuer: &str, purpose: P) -> Result<Begun, LoginFault> {
        let no_flow = || LoginFault::Misconfigured(format!("{issuer} names no authorization_endpoint"));
        let issuer = self.issuers.find(issuer).ok_or_else(no_flow)?;
        let metadata = issuer
            .keys
            .metadata()
            .ok_or_else(|| LoginFault::Unavailable("the issuer has not answered yet".to_owned()))?;
        let mut url = metadata.authorization_endpoint.clone().ok_or_else(no_flow)?;
        let [state, verifier, nonce, browser] = [(); 4].map(|()| browser::random());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", issuer.settings.client_auth.client_id())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "openid")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)))
            .append_pair("code_challenge_method", "S256");
        let state = Digest::of(state.as_bytes());
        let cookie = self.cookies.set(&cookie_name(state), &browser, LOGIN_WITHIN);
        let attempt =
            Attempt { purpose, issuer: issuer.clone(), browser: Digest::of(browser.as_bytes()), verifier, nonce };
        self.keep(state, attempt);
        Ok(Begun { url, cookie })
    }

    fn keep(&self, state: Digest, attempt: Attempt<P>) {
        let now = self.clock.now();
        let mut under_way = self.under_way.lock();
        while under_way.order.front().is_some_and(|(until, _)| *until <= now || under_way.order.len() >= MOST) {
            if let Some((_, gone)) = under_way.order.pop_front() {
                under_way.by_state.remove(&gone);
            }
        }
        under_way.order.push_back((now.after(LOGIN_WITHIN), state));
        under_way.by_state.insert(state, attempt);
    }

    /// Finishes the login that the browser came back from, once.
    ///
    /// # Errors
    /// [`LoginFault`].
    pub async fn finish(&self, query: &str, headers: &HeaderMap) -> Result<SignedIn<P>, LoginFault> {
        let parameters = Parameters::read(query)?;
        let state = Digest::of(parameters.state.as_bytes());
        let attempt = self.take(state).ok_or(LoginFault::Unknown)?;
        let own = self.cookies.get(headers, &cookie_name(state)).ok_or(LoginFault::Unknown)?;
        if Digest::of(own.as_bytes()) != attempt.browser {
            return Err(LoginFault::Unknown);
        }
        let settings = &attempt.issuer.settings;
        // RFC 9207 §2.4: another issuer's answer is not for this login.
        let names_itself = attempt.issuer.keys.metadata().is_some_and(|metadata| metadata.names_itself);
        match &parameters.issuer {
            Some(issuer) if **issuer == *settings.issuer => {}
            None if !names_itself => {}
            _ => return Err(LoginFault::Malformed("the answer names another issuer, or none".to_owned())),
        }
        let code = parameters.code.ok_or(LoginFault::Refused)?;
        let (issuer, redirect_uri) = (attempt.issuer.clone(), self.redirect_uri.clone());
        let (verifier, nonce, now) = (attempt.verifier, attempt.nonce, self.clock.now());
        let principal = self
            .control
            .run(async move {
                let token = redeem(&issuer, &code, &redirect_uri, &verifier).await?;
                id_token::check(&issuer, &token, &nonce, now).await
            })
            .await
            .ok_or_else(|| LoginFault::Unavailable("the login was cut off".to_owned()))??;
        Ok(SignedIn { purpose: attempt.purpose, principal })
    }

    fn take(&self, state: Digest) -> Option<Attempt<P>> {
        let now = self.clock.now();
        let mut under_way = self.under_way.lock();
        let attempt = under_way.by_state.remove(&state)?;
        let at = under_way.order.iter().position(|(_, own)| *own == state)?;
        let (until, _) = under_way.order.remove(at)?;
        (now < until).then_some(attempt)
    }
}

/// One for each login, so that two in one browser do not meet.
fn cookie_name(state: Digest) -> String {
    format!("obo-login-{}", state.fingerprint())
}

/// Redeems the code for an ID token (RFC 6749 §4.1.3).
async fn redeem(issuer: &Issuer, code: &str, redirect_uri: &str, verifier: &str) -> Result<String, LoginFault> {
    let endpoint = issuer.keys.metadata().ok_or_else(|| LoginFault::Unavailable("not discovered".to_owned()))?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ];
    let answer = issuer.client.post_form(&endpoint.token_endpoint, &issuer.settings.client_auth, &form).await?;
    match answer.status.as_u16() {
        200 => Ok(client::json::<Tokens>(&answer.body)?.id_token),
        // RFC 6749 §5.2: what a person brings about is 400; our client is at fault with 401.
        400 => Err(LoginFault::Refused),
        status => Err(LoginFault::Misconfigured(format!(
            "the token endpoint answers {status} to a login; our client needs the authorization code flow and {redirect_uri} as redirect URI"
        ))),
    }
}

impl From<ProviderFault> for LoginFault {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Unavailable(said) => Self::Unavailable(said),
            ProviderFault::Malformed(said) => Self::Malformed(said),
        }
    }
}

/// What the browser brings back (RFC 6749 §4.1.2). Twice is never.
struct Parameters {
    state: String,
    code: Option<String>,
    issuer: Option<String>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, LoginFault> {
        let (mut state, mut code, mut issuer) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "iss" => &mut issuer,
                _ => continue,
            };
            if place.is_some() || value.len() > LONGEST_PARAMETER {
                return Err(LoginFault::Unknown);
            }
            *place = Some(value.into_owned());
        }
        Ok(Self { state: state.ok_or(LoginFault::Unknown)?, code, issuer })
    }
}
