//! Token exchange (RFC 8693): the entry that is known of a subject token, and the exchanged tokens that hang on it.

pub mod cached;
pub mod checked;
pub mod entries;
pub mod entry;
pub mod person;
pub mod refusal;
pub mod rfc8693;
pub mod slot;
pub mod tombstones;

use std::future::Future;
use std::pin::Pin;

pub use cached::CachedExchange;
pub use entries::{Admission, Entries};
pub use entry::Entry;

use crate::token::{BearerHeader, Digest, Identity, Lifetime, ScopeSet, SubjectToken};

/// A token for Nextcloud that passed every check of law 4. In memory only.
#[derive(Debug)]
pub struct ExchangedToken {
    /// What goes to Nextcloud.
    pub header: BearerHeader,
    /// What it may do, by the provider's names.
    pub scopes: ScopeSet,
    /// How long it serves.
    pub lifetime: Lifetime,
    /// For whom Nextcloud takes it, and through which client: whose upstream session may go with it. None: nobody's.
    pub person: Option<Digest>,
}

/// Why there is no exchanged token. Names the culprit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The subject token is no longer good.
    #[error("the provider no longer accepts the subject token")]
    SubjectRefused,
    /// The provider's policy refuses this exchange.
    #[error("the provider's policy refuses the exchange: {0}")]
    PolicyRefused(String),
    /// Our client, its scopes or the realm are not set up for it.
    #[error("the provider is not set up for the exchange: {0}")]
    Misconfigured(String),
    /// The provider cannot be reached or is slow.
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// The provider broke the protocol, or its token failed a check of law 4.
    #[error("the provider's answer is not acceptable: {0}")]
    Malformed(String),
    /// The subject token was purged meanwhile.
    #[error("the subject token was revoked")]
    Revoked,
}

/// The future of an exchange.
pub type Exchanging<'a> = Pin<Box<dyn Future<Output = Result<ExchangedToken, ExchangeError>> + Send + 'a>>;

/// Exchanges a verified subject token for one that Nextcloud accepts.
pub trait TokenExchanger: Send + Sync {
    /// Asks the provider once. `scopes` are the scopes to ask for; empty: the client's defaults.
    fn exchange<'a>(
        &'a self,
        subject: &'a SubjectToken,
        identity: &'a Identity,
        scopes: &'a ScopeSet,
    ) -> Exchanging<'a>;
}
