//! What is to be forgotten, and stays forgotten (law 8).

use std::collections::HashSet;
use std::sync::Arc;

use super::clock::Timestamp;
use super::identity::Identity;

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

impl Purge {
    /// Whether it reaches what was made for this identity. On the safe side: a subject's purge reaches all that is the subject's.
    #[must_use]
    pub fn covers(&self, identity: &Identity) -> bool {
        let own = identity.principal.issuer();
        match self {
            Self::Session { issuer, session } => issuer == own && identity.session.as_ref() == Some(session),
            Self::Subject { issuer, subject, .. } => issuer == own && **subject == *identity.principal.subject(),
            Self::NotBefore { issuer, moment } => issuer == own && identity.issued_at < *moment,
            Self::Keys { issuer, kept } => {
                issuer == own && identity.key_id.as_ref().is_some_and(|kid| !kept.contains(kid))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Audiences, Principal, ScopeSet};
    use super::*;

    fn alice() -> Identity {
        Identity {
            principal: Principal::new(&"https://sso".into(), "alice").unwrap(),
            client: None,
            session: Some("s1".into()),
            key_id: Some("k1".into()),
            issued_at: Timestamp(1_000),
            expires_at: Timestamp(2_000),
            accepted_until: Timestamp(2_030),
            audiences: Audiences::default(),
            scopes: ScopeSet::default(),
            introspected: false,
        }
    }

    #[test]
    fn a_purge_reaches_its_own_and_nobody_else() {
        let keys = |issuer: &str, kept: &[&str]| Purge::Keys {
            issuer: issuer.into(),
            kept: kept.iter().map(|kid| Arc::from(*kid)).collect(),
        };
        let session = |issuer: &str, session: &str| Purge::Session { issuer: issuer.into(), session: session.into() };
        let subject = |issuer: &str, subject: &str| Purge::Subject {
            issuer: issuer.into(),
            subject: subject.into(),
            issued_until: Timestamp(0),
        };
        let not_before = |issuer: &str, at| Purge::NotBefore { issuer: issuer.into(), moment: Timestamp(at) };
        for (purge, reaches) in [
            (session("https://sso", "s1"), true),
            (session("https://sso", "s2"), false),
            (session("https://other", "s1"), false),
            (subject("https://sso", "alice"), true),
            (subject("https://sso", "bob"), false),
            (subject("https://other", "alice"), false),
            (not_before("https://sso", 1_001), true),
            (not_before("https://sso", 1_000), false),
            (not_before("https://other", 1_001), false),
            (keys("https://sso", &["k2"]), true),
            (keys("https://sso", &["k1"]), false),
            (keys("https://other", &["k2"]), false),
        ] {
            assert_eq!(purge.covers(&alice()), reaches, "{purge:?}");
        }
    }
}
