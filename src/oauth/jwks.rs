//! An issuer's keys over time: fetched in the background, at once for an unknown `kid` (but not for every stranger's), kept while the
//! issuer is down.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::Mutex;

use super::client::{ProviderClient, ProviderFault};
use super::jwk_set::JwkSet;
use super::metadata::{self, ProviderMetadata};
use super::settings::{IssuerSettings, KEYS_COOLDOWN, KEYS_LAST_GOOD};
use crate::flight::{Boarded, Control, Flight};
use crate::metrics::{KeyFetch, Metrics};
use crate::token::{Clock, Purge, Timestamp};

/// Told what is to be forgotten because of what an issuer said.
pub type PurgeSink = Arc<dyn Fn(Purge) + Send + Sync>;

/// Why no key can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer publishes no such key for this algorithm.
    Unknown,
    /// It could not be asked: it is down, or was asked a moment ago.
    Unavailable,
}

/// What we know of an issuer.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<Arc<ProviderMetadata>>,
    keys: JwkSet,
    fetched_at: Option<Timestamp>,
}

impl Known {
    fn usable(&self, now: Timestamp) -> bool {
        self.fetched_at.is_some_and(|at| now < at.after(KEYS_LAST_GOOD))
    }
}

/// The keys and endpoints of one issuer.
pub struct RemoteKeys {
    settings: Arc<IssuerSettings>,
    client: ProviderClient,
    control: Control,
    clock: Clock,
    metrics: Metrics,
    purge: PurgeSink,
    known: ArcSwap<Known>,
    last_attempt: Mutex<Option<Timestamp>>,
    flight: Arc<Flight<bool>>,
}

impl RemoteKeys {
    /// Knows nothing yet; [`RemoteKeys::refresh_for_all`] fetches.
    #[must_use]
    pub fn new(
        settings: Arc<IssuerSettings>,
        client: ProviderClient,
        control: Control,
        clock: Clock,
        metrics: Metrics,
        purge: PurgeSink,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            client,
            control,
            clock,
            metrics,
            purge,
            known: ArcSwap::default(),
            last_attempt: Mutex::new(None),
            flight: Arc::default(),
        })
    }

    /// The issuer's endpoints, once it has answered.
    #[must_use]
    pub fn metadata(&self) -> Option<Arc<ProviderMetadata>> {
        self.known.load().metadata.clone()
    }

    /// Whether the issuer says that it has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.known.load().metadata.as_ref().is_some_and(|metadata| metadata.scopes_supported.contains(scope))
    }

    /// Whether there are keys that are not too old.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.known.load().usable(self.clock.now())
    }

    /// Whether this key is still published, as far as we know.
    #[must_use]
    pub fn publishes(&self, kid: &str) -> bool {
        let known = self.known.load();
        known.usable(self.clock.now()) && known.keys.has(kid)
    }

    /// Uses the key of this id and algorithm. An unknown id fetches the keys, at most once in [`KEYS_COOLDOWN`], one flight for all.
    ///
    /// # Errors
    /// [`NoKey::Unknown`] only if the issuer was asked just now; inside the cooldown it is [`NoKey::Unavailable`], so that strangers
    /// with invented ids cannot turn a rotation of keys into logouts.
    pub async fn with_key<T>(
        self: &Arc<Self>,
        kid: &str,
        algorithm: Algorithm,
        use_key: impl FnOnce(&DecodingKey) -> T,
    ) -> Result<T, NoKey> {
        // A known id with an algorithm that its key is not published for is the token's fault: nobody needs to be asked.
        if !self.publishes(kid) {
            let fetched = self.fetch_for_unknown().await?;
            if !fetched {
                return Err(NoKey::Unavailable);
            }
        }
        let known = self.known.load();
        if !known.usable(self.clock.now()) {
            return Err(NoKey::Unavailable);
        }
        known.keys.find(kid, algorithm).map(use_key).ok_or(NoKey::Unknown)
    }

    /// Fetches metadata and keys. Returns whether both came.
    async fn refresh(&self) -> bool {
        *self.last_attempt.lock() = Some(self.clock.now());
        match self.fetch().await {
            Ok((metadata, keys)) => {
                self.metrics.key_fetches.count(KeyFetch::Ok);
                self.adopt(metadata, keys);
                true
            }
            Err(fault) => {
                self.metrics.key_fetches.count(match fault {
                    ProviderFault::Unavailable(_) => KeyFetch::Unavailable,
                    ProviderFault::Malformed(_) => KeyFetch::Malformed,
                });
                tracing::warn!(issuer = %self.settings.issuer, %fault, "the issuer's keys could not be fetched");
                self.forget_if_too_old();
                false
            }
        }
    }

    /// Fetches metadata and keys in the one flight, so that an older answer never overwrites a newer one. Returns whether both came.
    pub async fn refresh_for_all(self: &Arc<Self>) -> bool {
        let own = self.clone();
        match self.flight.board(&self.control, || Some(async move { own.refresh().await })) {
            Boarded::Began(waiting) | Boarded::Joined(waiting) => waiting.outcome().await.unwrap_or(false),
            Boarded::Declined => false,
        }
    }

    async fn fetch_for_unknown(self: &Arc<Self>) -> Result<bool, NoKey> {
        let boarded = self.flight.board(&self.control, || {
            let cooling = self.last_attempt.lock().is_some_and(|at| self.clock.now() < at.after(KEYS_COOLDOWN));
            let own = self.clone();
            (!cooling).then_some(async move { own.refresh().await })
        });
        match boarded {
            Boarded::Began(waiting) | Boarded::Joined(waiting) => waiting.outcome().await.ok_or(NoKey::Unavailable),
            Boarded::Declined => Err(NoKey::Unavailable),
        }
    }

    async fn fetch(&self) -> Result<(ProviderMetadata, JwkSet), ProviderFault> {
        let metadata = metadata::discover(&self.client, &self.settings).await?;
        let document: Box<serde_json::value::RawValue> = self.client.get_json(&metadata.jwks_uri).await?;
        let keys =
            JwkSet::parse(document.get().as_bytes()).map_err(|error| ProviderFault::Malformed(error.to_string()))?;
        Ok((metadata, keys))
    }

    fn adopt(&self, metadata: ProviderMetadata, keys: JwkSet) {
        // First the entries, then the keys: a token that a new key verifies must not meet entries that do not know that key.
        (self.purge)(Purge::Keys { issuer: self.settings.issuer.clone(), kept: keys.ids() });
        let fetched_at = Some(self.clock.now());
        self.known.store(Arc::new(Known { metadata: Some(Arc::new(metadata)), keys, fetched_at }));
    }

    /// After an hour without the issuer its keys are no longer known to be good, nor is what they vouched for.
    fn forget_if_too_old(&self) {
        let known = self.known.load();
        if known.fetched_at.is_some() && !known.usable(self.clock.now()) {
            self.known.store(Arc::new(Known { metadata: known.metadata.clone(), ..Known::default() }));
            (self.purge)(Purge::Keys { issuer: self.settings.issuer.clone(), kept: std::collections::HashSet::new() });
        }
    }
}
