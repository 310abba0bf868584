//! What is to be forgotten, and stays forgotten (law 8).

use std::collections::HashSet;
use std::sync::Arc;

use super::clock::Timestamp;

/// An order to empty what we hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// Every token of one session at an issuer: a logout.
    Session {
        /// The issuer.
        issuer: Arc<str>,
        /// The `sid`.
        session: Arc<str>,
    },
    /// Every token of one subject that was issued at or before a moment.
    Subject {
        /// The issuer.
        issuer: Arc<str>,
        /// The `sub`.
        subject: Arc<str>,
        /// Tokens with `iat` at or before this are gone.
        issued_until: Timestamp,
    },
    /// Every token of an issuer that was issued before a moment: a realm's not-before policy.
    NotBefore {
        /// The issuer.
        issuer: Arc<str>,
        /// Tokens with `iat` before this are gone.
        moment: Timestamp,
    },
    /// Every token of an issuer whose signing key it no longer publishes.
    Keys {
        /// The issuer.
        issuer: Arc<str>,
        /// The key ids that stay good; empty when its keys are no longer known to be good.
        kept: HashSet<Arc<str>>,
    },
}
