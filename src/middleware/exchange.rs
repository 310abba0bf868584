//! Authorized → [`Exchanged`]: we hold a credential that Nextcloud accepts. Whatever talks to Nextcloud takes only this passport.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use tower::Layer;

use super::authenticate::Caller;
use super::authorize::Authorized;
use super::authorize::scopes::ScopeJudge;
use crate::body::Body;
use crate::error::Error;
use crate::exchange::{CachedExchange, Entry, ExchangedToken};
use crate::nextcloud::family::Family;
use crate::nextcloud::policy::Needs;
use crate::oauth::{Issuers, TokenFault};
use crate::service::{Answering, Guest, Serve};
use crate::token::{BearerHeader, Clock, Timestamp};

/// A subject token that is passed through lives at most this long, unless its issuer vouches for it: nobody asks the provider again.
const LONGEST_PASSED_THROUGH: Duration = Duration::from_mins(10);
/// After Nextcloud refused two tokens in a row, its refusals are final for this long (checklist row 53).
const HOLD_OFF: Duration = Duration::from_secs(30);

/// How a caller's token becomes a credential for Nextcloud.
#[derive(Clone)]
pub enum Mode {
    /// Token exchange: the default.
    Exchange(Box<CachedExchange>),
    /// The subject token itself, if it names this Nextcloud as audience as well. The one exception to law 2.
    MultiAudience,
    /// One configured app password. Callers are verified all the same.
    Basic(BearerHeader),
}

/// A credential for Nextcloud, each kind of its own type.
#[derive(Debug, Clone)]
enum Credential {
    Exchanged(Arc<ExchangedToken>),
    MultiAudience(BearerHeader),
    Basic(BearerHeader),
}

/// A request that may go to Nextcloud, with the credential for it. Minted here only.
pub struct Exchanged {
    request: Guest,
    family: Family,
    grant: Grant,
}

/// The credential of a request and what is needed to get another.
#[derive(Clone)]
pub struct Grant {
    caller: Caller,
    family: Family,
    credential: Credential,
    /// What the request needs.
    needs: Needs,
    /// What of that was asked for: the key of the token's place. Settled once, for what the provider has may change meanwhile.
    asked: Needs,
    exchange: Arc<Exchange>,
}

impl Exchanged {
    /// The request, the family of its route, and the right to send it.
    #[must_use]
    pub fn into_parts(self) -> (Guest, Family, Grant) {
        (self.request, self.family, self.grant)
    }
}

impl Grant {
    /// The `Authorization` that Nextcloud gets.
    #[must_use]
    pub fn authorization(&self) -> &HeaderValue {
        match &self.credential {
            Credential::Exchanged(token) => token.header.expose(),
            Credential::MultiAudience(header) | Credential::Basic(header) => header.expose(),
        }
    }

    /// Who called.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The entry of the caller's token.
    #[must_use]
    pub fn entry(&self) -> &Arc<Entry> {
        self.caller.entry()
    }

    /// The exchanged token, with which an upstream session may go. The other kinds of credential have none.
    #[must_use]
    pub fn exchanged(&self) -> Option<&Arc<ExchangedToken>> {
        match &self.credential {
            Credential::Exchanged(token) => Some(token),
            Credential::MultiAudience(_) | Credential::Basic(_) => None,
        }
    }

    /// When a stream under this grant has to end.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.entry().identity().expires_at
    }

    /// Whether another credential can be had after a refusal: only an exchanged token can, and not right after two refusals.
    #[must_use]
    pub fn replaceable(&self) -> bool {
        matches!(self.credential, Credential::Exchanged(_))
            && !self.entry().rejections_held_off(self.exchange.clock.now())
    }

    /// Whether a refusal by Nextcloud concerns a token of ours (and not the operator's app password).
    #[must_use]
    pub fn is_token(&self) -> bool {
        !matches!(self.credential, Credential::Basic(_))
    }

    /// Drops the very token that Nextcloud refused, and exchanges once more.
    ///
    /// # Errors
    /// What the exchange says; [`Error::NextcloudRejectedToken`] for a credential that is not exchanged.
    pub async fn replace(mut self) -> Result<Self, Error> {
        let (Credential::Exchanged(refused), Mode::Exchange(cached)) = (&self.credential, &self.exchange.mode) else {
            return Err(Error::NextcloudRejectedToken);
        };
        let scopes = self.asked.scopes();
        let replaced =
            within(self.exchange.deadline, cached.replace(self.entry(), self.caller.subject(), scopes, refused))
                .await?;
        self.exchange.scopes.exchanged(self.entry(), &replaced, &self.needs, self.family)?;
        self.credential = Credential::Exchanged(replaced);
        Ok(self)
    }

    /// Nextcloud refused this token; it does not serve again.
    pub fn forget(&self) {
        if let Credential::Exchanged(refused) = &self.credential {
            self.entry().slot(self.asked.scopes()).forget(refused);
        }
    }

    /// Nextcloud refused the replacement as well: for a while its refusals are final.
    pub fn hold_off(&self) {
        self.entry().hold_off_rejections(self.exchange.clock.now().after(HOLD_OFF));
    }
}

/// What the exchange needs.
#[derive(Clone)]
pub struct Exchange {
    /// How credentials are had.
    pub mode: Mode,
    /// Says what to ask for, and whether what is given is enough.
    pub scopes: Arc<ScopeJudge>,
    /// Tells the time.
    pub clock: Clock,
    /// How long an exchange may take.
    pub deadline: Duration,
    /// Each knows the audience that Nextcloud expects.
    pub issuers: Issuers,
}

impl Exchange {
    async fn credential(
        &self,
        caller: &Caller,
        family: Family,
        (needs, asked): (&Needs, &Needs),
    ) -> Result<Credential, Error> {
        match &self.mode {
            Mode::Exchange(cached) => {
                let scopes = asked.scopes();
                let exchanged = within(self.deadline, cached.obtain(caller.entry(), caller.subject(), scopes)).await?;
                self.scopes.exchanged(caller.entry(), &exchanged, needs, family)?;
                Ok(Credential::Exchanged(exchanged))
            }
            Mode::MultiAudience => self.pass_through(caller).map(Credential::MultiAudience),
            Mode::Basic(header) => Ok(Credential::Basic(header.clone())),
        }
    }

    /// The subject token is forwarded only if its own `aud` also names Nextcloud, and it is short-lived or vouched for.
    fn pass_through(&self, caller: &Caller) -> Result<BearerHeader, Error> {
        let identity = caller.entry().identity();
        let issuer = self.issuers.find(identity.principal.issuer()).ok_or(Error::BadToken(TokenFault::Issuer))?;
        if !identity.audiences.contains(&issuer.settings.nextcloud_audience) {
            return Err(Error::BadToken(TokenFault::Audience));
        }
        let short_lived = identity.expires_at <= identity.issued_at.after(LONGEST_PASSED_THROUGH);
        if !identity.introspected && !short_lived {
            return Err(Error::ExchangeRefused(
                "mode multi-audience: the token lives longer than ten minutes and is not introspected".to_owned(),
            ));
        }
        caller.subject().to_bearer_header().ok_or(Error::Internal("a verified token is no header value"))
    }
}

async fn within<T, E>(deadline: Duration, exchange: impl Future<Output = Result<T, E>>) -> Result<T, Error>
where
    Error: From<E>,
{
    let mut exchange = pin!(exchange);
    // Most have their token at hand and need no timer, nor such a large future.
    if let Poll::Ready(outcome) = poll_fn(|context| Poll::Ready(exchange.as_mut().poll(context))).await {
        return Ok(outcome?);
    }
    match Box::pin(tokio::time::timeout(deadline, exchange)).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Error::ProviderUnavailable("the exchange took too long".to_owned())),
    }
}

/// The layer.
#[derive(Clone)]
pub struct ExchangeLayer(Arc<Exchange>);

impl ExchangeLayer {
    /// Exchanges so.
    #[must_use]
    pub fn new(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }
}

/// The service.
#[derive(Clone)]
pub struct ExchangeService<S>(Arc<(Arc<Exchange>, S)>);

// === impl Layer ===

impl<S> Layer<S> for ExchangeLayer {
    type Service = ExchangeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ExchangeService(Arc::new((self.0.clone(), inner)))
    }
}

// === impl Service ===

impl<S: Serve<Exchanged> + Sync> tower::Service<Authorized> for ExchangeService<S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, authorized: Authorized) -> Answering {
        let own = self.0.clone();
        Box::pin(async move {
            let (exchange, inner) = &*own;
            let (request, caller, family, needs) = authorized.into_parts();
            let asked = exchange.scopes.to_ask_for(caller.entry(), &needs)?;
            let credential = exchange.credential(&caller, family, (&needs, &asked)).await?;
            // Law 8: what was purged while the exchange was under way goes no further.
            if caller.entry().is_revoked() {
                return Err(Error::BadToken(TokenFault::Revoked));
            }
            let grant = Grant { caller, family, credential, needs, asked, exchange: exchange.clone() };
            inner.pass(Exchanged { request, family, grant }).await
        })
    }
}
