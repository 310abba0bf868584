//! How the provider is made to misbehave, and what it was asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::token::{Claims, Signature};

/// What can be counted, delayed, held and failed, each on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// Both discovery documents.
    Discovery,
    /// The JWK set.
    Jwks,
    /// The JWK set, asked for by the stand-in: apart, so that a test counts and troubles the proxy's requests alone.
    NextcloudJwks,
    /// The authorization endpoint and its login page.
    Authorization,
    /// The token endpoint, for all grants but the exchange.
    Token,
    /// The token endpoint, for RFC 8693.
    Exchange,
    /// RFC 7662.
    Introspection,
    /// RFC 7009.
    Revocation,
    /// RFC 7591.
    Registration,
    /// Anything else: userinfo, logout, what does not exist.
    Other,
}

/// How often each endpoint was asked, whatever it answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(HashMap<Endpoint, u64>);

/// One exchange as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeSeen {
    /// Who asked.
    pub client_id: Option<String>,
    /// Whether the secret came by `Authorization: Basic`.
    pub basic: bool,
    /// All form parameters but the tokens and the secret.
    pub parameters: Vec<(String, String)>,
    /// The status that was answered.
    pub status: u16,
}

/// What a granted exchange is about to answer, to be falsified by a test.
#[derive(Clone, Debug)]
pub struct ExchangeAnswer {
    /// Laid over the token's JOSE header; `null` takes a parameter away.
    pub header: Map<String, Value>,
    /// The claims of the exchanged token.
    pub claims: Claims,
    /// How it is signed.
    pub signature: Signature,
    /// The members of the response but `access_token` (`token_type`, `issued_token_type`, `expires_in` …).
    pub response: Map<String, Value>,
}

type Tamper = Arc<dyn Fn(&mut ExchangeAnswer) + Send + Sync>;

/// A status and a body to answer with instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub status: u16,
    pub body: String,
}

#[derive(Default)]
pub(super) struct Faults(Mutex<Switches>);

#[derive(Default)]
struct Switches {
    counts: Counts,
    exchanges: Vec<ExchangeSeen>,
    delays: HashMap<Endpoint, Duration>,
    delay: Duration,
    gates: HashMap<Endpoint, watch::Sender<bool>>,
    failures: HashMap<Endpoint, Failure>,
    tamper: Option<Tamper>,
}

// === impl Counts ===

impl Counts {
    /// Of one endpoint.
    #[must_use]
    pub fn of(&self, endpoint: Endpoint) -> u64 {
        self.0.get(&endpoint).copied().unwrap_or_default()
    }

    /// Of the discovery documents.
    #[must_use]
    pub fn discovery(&self) -> u64 {
        self.of(Endpoint::Discovery)
    }

    /// Of the JWK set.
    #[must_use]
    pub fn jwks(&self) -> u64 {
        self.of(Endpoint::Jwks)
    }

    /// Of exchanges.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.of(Endpoint::Exchange)
    }

    /// Of introspections.
    #[must_use]
    pub fn introspections(&self) -> u64 {
        self.of(Endpoint::Introspection)
    }
}

// === impl Faults ===

impl Faults {
    /// Counts a request, lets it wait as long as it was told to, and says what to answer instead, if anything.
    pub(super) async fn enter(&self, endpoint: Endpoint) -> Option<Failure> {
        let (delay, gate) = {
            let mut switches = self.0.lock();
            *switches.counts.0.entry(endpoint).or_default() += 1;
            let delay = switches.delays.get(&endpoint).copied().unwrap_or(switches.delay);
            (delay, switches.gates.get(&endpoint).map(watch::Sender::subscribe))
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if let Some(mut gate) = gate {
            // A gate that has gone is open.
            let _ = gate.wait_for(|open| *open).await;
        }
        self.0.lock().failures.get(&endpoint).cloned()
    }

    pub(super) fn counts(&self) -> Counts {
        self.0.lock().counts.clone()
    }

    pub(super) fn saw_exchange(&self, seen: ExchangeSeen) {
        self.0.lock().exchanges.push(seen);
    }

    pub(super) fn exchanges(&self) -> Vec<ExchangeSeen> {
        self.0.lock().exchanges.clone()
    }

    pub(super) fn delay_all(&self, delay: Duration) {
        let mut switches = self.0.lock();
        switches.delay = delay;
        switches.delays.clear();
    }

    pub(super) fn delay(&self, endpoint: Endpoint, delay: Duration) {
        self.0.lock().delays.insert(endpoint, delay);
    }

    pub(super) fn hold(&self, endpoint: Endpoint) {
        self.0.lock().gates.entry(endpoint).or_insert_with(|| watch::Sender::new(false));
    }

    pub(super) fn release(&self, endpoint: Endpoint) {
        if let Some(gate) = self.0.lock().gates.remove(&endpoint) {
            gate.send_replace(true);
        }
    }

    pub(super) fn fail(&self, endpoint: Endpoint, failure: Option<Failure>) {
        let mut switches = self.0.lock();
        match failure {
            Some(failure) => switches.failures.insert(endpoint, failure),
            None => switches.failures.remove(&endpoint),
        };
    }

    pub(super) fn set_tamper(&self, tamper: Option<Tamper>) {
        self.0.lock().tamper = tamper;
    }

    pub(super) fn tamper(&self, answer: &mut ExchangeAnswer) {
        let tamper = self.0.lock().tamper.clone();
        if let Some(tamper) = tamper {
            tamper(answer);
        }
    }
}
