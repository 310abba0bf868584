//! What a client without a token is told to ask its issuer for (MCP 2026-07-28, "Scope Selection Strategy"). One scope too many costs the
//! person the whole login: Keycloak answers `invalid_scope` to a request that names one which it does not have.

use super::issuer::Issuers;
use crate::token::ScopeSet;

/// The scopes, or where they come from.
#[derive(Clone)]
pub enum ChallengeScopes {
    /// These, as an operator wrote them.
    Exactly(ScopeSet),
    /// Of these, those that every issuer says it has: a client chooses its issuer after it was told.
    Known(ScopeSet, Issuers),
}

impl ChallengeScopes {
    /// The scopes as of now, by the names that the issuers have for them: their metadata come after the start, and change. None of an issuer
    /// that has not said what it has.
    #[must_use]
    pub fn now(&self) -> ScopeSet {
        match self {
            Self::Exactly(scopes) => scopes.clone(),
            Self::Known(scopes, issuers) => issuers
                .iter()
                .flat_map(|issuer| scopes.iter().map(|scope| issuer.settings.scope_at_provider(scope)))
                .filter(|scope| issuers.iter().all(|issuer| issuer.keys.has_scope(scope)))
                .collect(),
        }
    }

    /// Whether all issuers were heard: until then, what [`Self::now`] says is not to be kept.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Exactly(_) => true,
            Self::Known(_, issuers) => issuers.iter().all(|issuer| issuer.keys.metadata().is_some()),
        }
    }
}
