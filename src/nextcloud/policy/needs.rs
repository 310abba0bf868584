//! The scopes that a request needs, all of them. Shared with the table, so that an ordinary request allocates nothing.

use std::sync::{Arc, LazyLock};

use crate::token::ScopeSet;

/// Scopes of which every one is needed; empty: a valid token is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs(Arc<ScopeSet>);

static NOTHING: LazyLock<Arc<ScopeSet>> = LazyLock::new(Arc::default);

// === impl Needs ===

impl Needs {
    /// All of these.
    #[must_use]
    pub fn of(scopes: ScopeSet) -> Self {
        Self(Arc::new(scopes))
    }

    /// The set.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.0
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        if Arc::ptr_eq(&self.0, &other.0) || other.0.iter().all(|scope| self.0.contains(scope)) {
            return self;
        }
        if self.0.is_empty() {
            return other.clone();
        }
        Self::of(self.0.iter().chain(other.0.iter()).collect())
    }

    /// Those of them that a provider has. Without any, what is asked for is what would be asked for without a policy.
    #[must_use]
    pub fn known_to(&self, has: impl Fn(&str) -> bool) -> Self {
        if self.0.iter().all(&has) {
            return self.clone();
        }
        let known: ScopeSet = self.0.iter().filter(|scope| has(scope)).collect();
        if known.is_empty() { Self::default() } else { Self::of(known) }
    }
}

impl Default for Needs {
    fn default() -> Self {
        Self(NOTHING.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(list: &str) -> Needs {
        Needs::of(ScopeSet::parse(list))
    }

    #[test]
    fn a_union_of_what_is_there_already_is_shared() {
        let files = needs("files.read");
        assert!(Arc::ptr_eq(&files.clone().and(&files).0, &files.0));
        assert!(Arc::ptr_eq(&files.clone().and(&Needs::default()).0, &files.0));
        assert!(Arc::ptr_eq(&Needs::default().and(&files).0, &files.0));
        assert_eq!(files.and(&needs("notes.read")), needs("files.read notes.read"));
    }

    #[test]
    fn what_a_provider_has_not_is_not_asked_for() {
        let both = needs("files.read notes.read");
        assert!(Arc::ptr_eq(&both.known_to(|_| true).0, &both.0));
        assert_eq!(both.known_to(|scope| scope == "files.read"), needs("files.read"));
        assert_eq!(both.known_to(|_| false), Needs::default());
    }
}
