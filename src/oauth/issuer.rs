//! The issuers whose tokens are welcome, each with its own keys and its own exchange.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::client::ProviderClient;
use super::jwks::RemoteKeys;
use super::settings::{IssuerSettings, KEYS_TTL};

/// The first pause after a failed fetch; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One issuer.
pub struct Issuer {
    /// Its settings.
    pub settings: Arc<IssuerSettings>,
    /// Its keys and endpoints.
    pub keys: Arc<RemoteKeys>,
    /// The client that talks to it; on the control runtime only.
    pub client: ProviderClient,
}

impl Issuer {
    /// Keeps the keys fresh until told to stop. Runs on the control runtime.
    pub async fn keep_fresh(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let next = if self.keys.refresh_for_all().await {
                pause = FIRST_PAUSE;
                KEYS_TTL
            } else {
                let now = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                now
            };
            tokio::select! {
                () = tokio::time::sleep(next) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// All issuers, found by exact `iss`: a `kid` is never looked for across issuers (checklist row 16).
#[derive(Clone)]
pub struct Issuers(Arc<HashMap<Arc<str>, Arc<Issuer>, foldhash::fast::RandomState>>);

impl Issuers {
    /// These issuers.
    #[must_use]
    pub fn new(issuers: impl IntoIterator<Item = Arc<Issuer>>) -> Self {
        Self(Arc::new(issuers.into_iter().map(|issuer| (issuer.settings.issuer.clone(), issuer)).collect()))
    }

    /// The issuer with this very name.
    #[must_use]
    pub fn find(&self, issuer: &str) -> Option<&Arc<Issuer>> {
        self.0.get(issuer)
    }

    /// The issuer whose opaque tokens are introspected.
    #[must_use]
    pub fn introspecting(&self) -> Option<&Arc<Issuer>> {
        self.0.values().find(|issuer| issuer.settings.introspection)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.0.values()
    }
}
