//! An OAuth 2.0 and OpenID provider that behaves like a Keycloak realm: code flow with PKCE, standard token exchange with
//! Keycloak's failure table, introspection, revocation.
//!
//! The facts it follows were measured on Keycloak 26.7.3. The realm is `dev`, so the issuer is `http://127.0.0.1:PORT/realms/dev`;
//! its clients are `mcp-client` (public, for people), `mcp-server` (obo-proxy), `nextcloud` (the audience) and those that register
//! themselves, as MCP clients do. Its login page is one form without password, which a script posts as a person would: the hidden
//! `page` and a `username`.

mod authorize;
mod clients;
mod discovery;
mod endpoints;
mod exchange;
mod faults;
mod grants;
mod keys;
mod oauth_error;
mod options;
mod realm;
mod registration;
mod resources;
mod scopes;
mod token;
mod token_status;
mod users;
mod verify;

use std::io;
use std::ops::Deref;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::DropGuard;

use super::clock;
use super::server::{self, Address, Listener, Switch};
pub use faults::{Counts, Endpoint, ExchangeAnswer, ExchangeSeen};
pub use keys::{Algorithm, CryptoError};
pub use options::Options;
pub use scopes::SCOPES;
pub use token::{Claims, Signature, TokenBuilder};
pub use users::User;

use faults::Failure;
use realm::Realm;

/// A running provider. It stops when this is dropped; everything else is in its [`Control`].
pub struct IdentityProvider {
    control: Control,
    _stop_on_drop: DropGuard,
}

/// A handle to a running provider, for whoever wants to look into it or make it misbehave. Clones control the same one.
#[derive(Clone)]
pub struct Control {
    realm: Realm,
    switch: Switch,
}

/// The provider could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener has no address, or not a TCP one.
    #[error("the identity provider's listener cannot be used: {0}")]
    Listener(#[from] io::Error),
    /// No keys could be made.
    #[error(transparent)]
    Keys(#[from] CryptoError),
}

// === impl IdentityProvider ===

impl IdentityProvider {
    /// Serves on `listener` until the handle is dropped or [`Control::shutdown`] is called. Needs a tokio runtime.
    ///
    /// # Errors
    /// The listener cannot be used, or no key can be made.
    pub fn start(listener: TcpListener, options: Options) -> Result<Self, StartError> {
        let base = match &options.public_base {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None => format!("http://{}", listener.local_addr()?),
        };
        let realm = Realm::new(format!("{base}/realms/dev"), options)?;
        let served = realm.clone();
        let (switch, stop) = server::start(Listener::Tcp(listener), move |request, _| {
            let realm = served.clone();
            async move { endpoints::answer(realm, request).await.into_response() }
        })?;
        Ok(Self { control: Control { realm, switch }, _stop_on_drop: stop })
    }

    /// A handle that does not stop the provider when it is dropped.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

/// The owner can do whatever a handle can.
impl Deref for IdentityProvider {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

// === impl Control ===

impl Control {
    /// `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.realm.issuer()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.switch.address()
    }

    /// The token endpoint's URL.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}{}/token", self.issuer(), discovery::PROTOCOL)
    }

    /// The JWK set's URL.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        format!("{}{}/certs", self.issuer(), discovery::PROTOCOL)
    }

    /// Stops for good.
    pub fn shutdown(&self) {
        self.switch.stop();
    }

    // --- tokens ---

    /// A caller's token for a person, as a code login through `mcp-client` gives it, with all scopes, in a new session.
    #[must_use]
    pub fn mint(&self, username: &str) -> TokenBuilder {
        let sid = self.realm.open_session(username, false);
        self.mint_in_session(username, &sid)
    }

    /// Another token of a session that exists, as a refresh gives it.
    #[must_use]
    pub fn mint_in_session(&self, username: &str, sid: &str) -> TokenBuilder {
        let user = self.realm.user(username);
        let scope = scopes::for_login(Some("openid")).unwrap_or_default();
        let claims = token::caller_claims(&self.realm, &user, "mcp-client", sid, &scope, "onrtac");
        TokenBuilder::new(self.realm.clone(), claims)
    }

    /// An exchanged token for audience `nextcloud`, without asking for an exchange: what Nextcloud is sent.
    #[must_use]
    pub fn mint_exchanged(&self, username: &str) -> TokenBuilder {
        let lifetime = self.realm.options().exchanged_lifetime;
        self.mint(username)
            .audiences(&["nextcloud"])
            .client("mcp-server")
            .claim("jti", format!("ntrtte:{}", clock::uuid()))
            .scope("profile email")
            .lifetime(lifetime)
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4) as Keycloak sends it to a client.
    #[must_use]
    pub fn mint_logout(&self, username: &str, sid: &str, client_id: &str) -> TokenBuilder {
        let now = clock::now();
        let user = self.realm.user(username);
        let claims = json!({
            "iat": now,
            "exp": now + 120,
            "jti": clock::uuid(),
            "iss": self.issuer(),
            "aud": client_id,
            "sub": user.subject(),
            "typ": "Logout",
            "sid": sid,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let claims = claims.as_object().cloned().unwrap_or_default();
        TokenBuilder::new(self.realm.clone(), claims).header("typ", "logout+jwt")
    }

    /// `sub` of a person.
    #[must_use]
    pub fn subject(&self, username: &str) -> String {
        self.realm.user(username).subject()
    }

    // --- keys ---

    /// A new signing key; the old one stays in the JWKS.
    ///
    /// # Errors
    /// No key can be made.
    pub fn rotate_keys(&self) -> Result<(), CryptoError> {
        self.realm.rotate_keys()
    }

    /// Takes the rotated keys out of the JWKS.
    pub fn drop_old_keys(&self) {
        self.realm.drop_old_keys();
    }

    /// Publishes another key beside the realm's and returns its `kid`, for [`Signature::Key`].
    ///
    /// # Errors
    /// No key can be made.
    pub fn publish_key(&self, algorithm: Algorithm) -> Result<String, CryptoError> {
        self.realm.add_key(algorithm)
    }

    /// `kid` of the current key.
    #[must_use]
    pub fn current_kid(&self) -> String {
        self.realm.signing_key().kid.clone()
    }

    // --- people and sessions ---

    /// Ends a session: its tokens can no longer be exchanged, nor are they active. Whether there was one.
    pub fn logout(&self, sid: &str) -> bool {
        self.realm.close_session(sid)
    }

    /// Ends all sessions of a person but the offline ones.
    pub fn logout_user(&self, username: &str) {
        self.realm.close_sessions_of(username);
    }

    /// Tokens issued before this moment (seconds since 1970) are no longer good.
    pub fn set_not_before(&self, seconds: u64) {
        self.realm.set_not_before(seconds);
    }

    /// Switches an account off.
    pub fn disable_user(&self, username: &str) {
        self.realm.set_enabled(username, false);
    }

    /// Switches it on again.
    pub fn enable_user(&self, username: &str) {
        self.realm.set_enabled(username, true);
    }

    // --- what it was asked, and misbehaviour ---

    /// How often each endpoint was asked.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.realm.faults().counts()
    }

    /// The exchanges asked for so far.
    #[must_use]
    pub fn exchanges(&self) -> Vec<ExchangeSeen> {
        self.realm.faults().exchanges()
    }

    /// How many connections it accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.switch.connections()
    }

    /// Every answer comes later by this much.
    pub fn delay(&self, delay: Duration) {
        self.realm.faults().delay_all(delay);
    }

    /// The answers of one endpoint come later by this much.
    pub fn delay_endpoint(&self, endpoint: Endpoint, delay: Duration) {
        self.realm.faults().delay(endpoint, delay);
    }

    /// Requests to an endpoint wait (counted already) until [`Control::release`]: instead of sleeping in a test.
    pub fn hold(&self, endpoint: Endpoint) {
        self.realm.faults().hold(endpoint);
    }

    /// Lets them go.
    pub fn release(&self, endpoint: Endpoint) {
        self.realm.faults().release(endpoint);
    }

    /// An endpoint answers this, whatever it is asked, until [`Control::recover`].
    pub fn fail(&self, endpoint: Endpoint, status: u16, body: &str) {
        self.realm.faults().fail(endpoint, Some(Failure { status, body: body.to_owned() }));
    }

    /// An endpoint works again.
    pub fn recover(&self, endpoint: Endpoint) {
        self.realm.faults().fail(endpoint, None);
    }

    /// [`Control::fail`] for exchanges.
    pub fn fail_exchanges_with(&self, status: u16, body: &str) {
        self.fail(Endpoint::Exchange, status, body);
    }

    /// Falsifies every granted exchange from now on.
    pub fn tamper_exchange(&self, tamper: impl Fn(&mut ExchangeAnswer) + Send + Sync + 'static) {
        self.realm.faults().set_tamper(Some(std::sync::Arc::new(tamper)));
    }

    /// Exchanges are answered truthfully again.
    pub fn stop_tampering(&self) {
        self.realm.faults().set_tamper(None);
    }

    /// The provider is down: closes the listener and every connection, and returns when they are closed.
    pub async fn refuse_connections(&self) {
        self.switch.close().await;
    }

    /// The provider is back, on the same port.
    ///
    /// # Errors
    /// The port cannot be listened on again.
    pub async fn resume(&self) -> io::Result<()> {
        self.switch.open().await
    }
}
