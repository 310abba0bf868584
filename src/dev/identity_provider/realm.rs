//! The realm's state: people, sessions, codes, refresh tokens, keys. All endpoints and handles share one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::clock;
use super::faults::Faults;
use super::keys::{Algorithm, CryptoError, Keys, SigningKey};
use super::options::Options;
use super::registration::Registered;
use super::token::Claims;
use super::users::User;

/// A handle to the state; clones are the same realm.
#[derive(Clone)]
pub(super) struct Realm(Arc<Inner>);

struct Inner {
    issuer: String,
    options: Options,
    faults: Faults,
    keys: Mutex<Keys>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: HashMap<String, Account>,
    clients: HashMap<String, Arc<Registered>>,
    sessions: HashMap<String, Session>,
    pages: HashMap<String, Page>,
    codes: HashMap<String, Code>,
    used_codes: HashSet<String>,
    refresh: HashMap<String, Refresh>,
    revoked: HashSet<String>,
    opaque: HashMap<String, Claims>,
    not_before: u64,
}

struct Account {
    user: User,
    enabled: bool,
}

/// Somebody is signed in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub username: String,
    /// Survives a logout of the person.
    pub offline: bool,
}

/// An authorization request that was found good and waits for a person's click.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub client_id: String,
    /// What the person is shown.
    pub client_name: String,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub challenge: String,
    pub scope: String,
    /// For `aud` (RFC 8707); the realm's own audiences if none.
    pub resources: Vec<String>,
    pub expires: u64,
}

/// An authorization code's other half.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub page: Page,
    pub sid: String,
    pub expires: u64,
}

/// A refresh token's other half, found by its `jti`.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub client_id: String,
    pub sid: String,
    pub scope: String,
    /// As in [`Page`].
    pub resources: Vec<String>,
    /// Its successor was given out.
    pub used: bool,
}

/// What became of an authorization code.
pub(super) enum Redeemed {
    Good(Box<Code>),
    Unknown,
}

// === impl Realm ===

impl Realm {
    pub(super) fn new(issuer: String, options: Options) -> Result<Self, CryptoError> {
        let mut state = State::default();
        for user in &options.users {
            state.users.insert(user.username.clone(), Account { user: user.clone(), enabled: true });
        }
        let keys = Mutex::new(Keys::generate()?);
        Ok(Self(Arc::new(Inner { issuer, options, faults: Faults::default(), keys, state: Mutex::new(state) })))
    }

    pub(super) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    // --- keys ---

    pub(super) fn signing_key(&self) -> Arc<SigningKey> {
        self.0.keys.lock().current()
    }

    pub(super) fn published_key(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.0.keys.lock().published(kid)
    }

    pub(super) fn rogue_key(&self) -> Result<Arc<SigningKey>, CryptoError> {
        self.0.keys.lock().rogue()
    }

    pub(super) fn add_key(&self, algorithm: Algorithm) -> Result<String, CryptoError> {
        self.0.keys.lock().add(algorithm)
    }

    pub(super) fn rotate_keys(&self) -> Result<(), CryptoError> {
        self.0.keys.lock().rotate()
    }

    pub(super) fn drop_old_keys(&self) {
        self.0.keys.lock().drop_old();
    }

    pub(super) fn jwks(&self) -> serde_json::Value {
        self.0.keys.lock().jwks()
    }

    // --- people and sessions ---

    /// The person of this name, who comes into being if nobody has it.
    pub(super) fn user(&self, username: &str) -> User {
        let mut state = self.0.state.lock();
        let account = state
            .users
            .entry(username.to_owned())
            .or_insert_with(|| Account { user: User::named(username), enabled: true });
        account.user.clone()
    }

    pub(super) fn is_enabled(&self, username: &str) -> bool {
        self.0.state.lock().users.get(username).is_some_and(|account| account.enabled)
    }

    pub(super) fn set_enabled(&self, username: &str, enabled: bool) {
        if let Some(account) = self.0.state.lock().users.get_mut(username) {
            account.enabled = enabled;
        }
    }

    pub(super) fn username_of(&self, subject: &str) -> Option<String> {
        self.0
            .state
            .lock()
            .users
            .values()
            .map(|account| &account.user)
            .find(|user| user.subject() == subject)
            .map(|user| user.username.clone())
    }

    pub(super) fn open_session(&self, username: &str, offline: bool) -> String {
        // Since 26.5 a `sid` is no UUID any more.
        let sid = clock::unguessable(18);
        self.0.state.lock().sessions.insert(sid.clone(), Session { username: username.to_owned(), offline });
        sid
    }

    pub(super) fn session(&self, sid: &str) -> Option<Session> {
        self.0.state.lock().sessions.get(sid).cloned()
    }

    pub(super) fn close_session(&self, sid: &str) -> bool {
        self.0.state.lock().sessions.remove(sid).is_some()
    }

    /// Logs a person out everywhere; offline sessions stay, as in Keycloak.
    pub(super) fn close_sessions_of(&self, username: &str) {
        self.0.state.lock().sessions.retain(|_, session| session.offline || session.username != username);
    }

    // --- clients that registered ---

    /// Whether there was room for it among `most`.
    pub(super) fn keep_client(&self, client: Arc<Registered>, most: usize) -> bool {
        let mut state = self.0.state.lock();
        let room = state.clients.len() < most;
        if room {
            state.clients.insert(client.id.clone(), client);
        }
        room
    }

    pub(super) fn client(&self, id: &str) -> Option<Arc<Registered>> {
        self.0.state.lock().clients.get(id).cloned()
    }

    // --- the code flow ---

    pub(super) fn keep_page(&self, page: Page) -> String {
        let now = clock::now();
        let id = clock::unguessable(18);
        let mut state = self.0.state.lock();
        state.pages.retain(|_, page| page.expires > now);
        state.pages.insert(id.clone(), page);
        id
    }

    pub(super) fn take_page(&self, id: &str) -> Option<Page> {
        self.0.state.lock().pages.remove(id).filter(|page| page.expires > clock::now())
    }

    pub(super) fn keep_code(&self, code: Code) -> String {
        let id = clock::unguessable(32);
        self.0.state.lock().codes.insert(id.clone(), code);
        id
    }

    /// Takes a code; a second attempt ends the session that the first one opened (RFC 6749 §4.1.2).
    pub(super) fn redeem(&self, id: &str) -> Redeemed {
        let mut state = self.0.state.lock();
        match state.codes.remove(id) {
            Some(code) if code.expires > clock::now() => {
                state.used_codes.insert(format!("{id} {}", code.sid));
                Redeemed::Good(Box::new(code))
            }
            Some(_) => Redeemed::Unknown,
            None => {
                let prefix = format!("{id} ");
                let again = state.used_codes.iter().find_map(|used| used.strip_prefix(&prefix)).map(str::to_owned);
                if let Some(sid) = again {
                    state.sessions.remove(&sid);
                }
                Redeemed::Unknown
            }
        }
    }

    // --- refresh tokens, revocation, opaque tokens ---

    pub(super) fn keep_refresh(&self, jti: String, refresh: Refresh) {
        self.0.state.lock().refresh.insert(jti, refresh);
    }

    /// The grant of a refresh token, which is used up by it. `used` says whether it was before.
    pub(super) fn use_refresh(&self, jti: &str) -> Option<Refresh> {
        let mut state = self.0.state.lock();
        let refresh = state.refresh.get_mut(jti)?;
        let before = refresh.clone();
        refresh.used = true;
        Some(before)
    }

    /// Forgets all refresh tokens of a client in a session: after a replay, or a revocation.
    pub(super) fn drop_refresh(&self, client_id: &str, sid: &str) {
        self.0.state.lock().refresh.retain(|_, refresh| refresh.client_id != client_id || refresh.sid != sid);
    }

    pub(super) fn revoke(&self, jti: &str) {
        self.0.state.lock().revoked.insert(jti.to_owned());
    }

    pub(super) fn is_revoked(&self, jti: &str) -> bool {
        self.0.state.lock().revoked.contains(jti)
    }

    pub(super) fn remember_opaque(&self, claims: Claims) -> String {
        let token = clock::unguessable(32);
        self.0.state.lock().opaque.insert(token.clone(), claims);
        token
    }

    pub(super) fn opaque(&self, token: &str) -> Option<Claims> {
        self.0.state.lock().opaque.get(token).cloned()
    }

    pub(super) fn not_before(&self) -> u64 {
        self.0.state.lock().not_before
    }

    pub(super) fn set_not_before(&self, seconds: u64) {
        self.0.state.lock().not_before = seconds;
    }
}
