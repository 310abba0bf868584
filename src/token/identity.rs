//! Who calls, for whom, until when: what verification learnt from a token.

use std::sync::Arc;

use super::audience::Audiences;
use super::clock::Timestamp;
use super::digest::{Digest, DigestBuilder};
use super::scope::ScopeSet;

/// For whom we act: issuer and `sub`. Neither is ever empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    issuer: Arc<str>,
    subject: Arc<str>,
}

impl Principal {
    /// A principal, unless one of its parts is empty (checklist row 23: an empty user is an error, not a key).
    #[must_use]
    pub fn new(issuer: &Arc<str>, subject: &str) -> Option<Self> {
        if issuer.is_empty() || subject.is_empty() {
            return None;
        }
        Some(Self { issuer: issuer.clone(), subject: subject.into() })
    }

    /// The `iss` of the subject token.
    #[must_use]
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// The `sub` of the subject token.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The key of this principal.
    #[must_use]
    pub fn key(&self) -> Digest {
        DigestBuilder::new("principal").field(self.issuer.as_bytes()).field(self.subject.as_bytes()).finish()
    }
}

/// All that we remember of a verified subject token.
#[derive(Debug, Clone)]
pub struct Identity {
    /// For whom we act.
    pub principal: Principal,
    /// Through what: `azp` or `client_id`.
    pub client: Option<Arc<str>>,
    /// The session at the issuer, where it names one.
    pub session: Option<Arc<str>>,
    /// The key that signed the token; none for an introspected one.
    pub key_id: Option<Arc<str>>,
    /// When it was issued; the epoch if the issuer does not say, so that every purge by time reaches it.
    pub issued_at: Timestamp,
    /// When it expires. For an introspected token: when it has to be asked for again, if that is sooner.
    pub expires_at: Timestamp,
    /// Until when it is accepted all the same, because clocks differ. Nothing that is made from it lives past `expires_at`.
    pub accepted_until: Timestamp,
    /// Whom it is meant for.
    pub audiences: Audiences,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whether the issuer itself vouched for it (RFC 7662) rather than its signature.
    pub introspected: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_subject_is_no_principal() {
        assert!(Principal::new(&"https://sso".into(), "").is_none());
        assert!(Principal::new(&"".into(), "alice").is_none());
    }

    #[test]
    fn the_same_subject_at_two_issuers_is_two_principals() {
        let one = Principal::new(&"https://a".into(), "alice").unwrap();
        let other = Principal::new(&"https://b".into(), "alice").unwrap();
        assert_ne!(one.key(), other.key());
    }
}
