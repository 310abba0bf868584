//! Holds what a request needs against what the caller's token, or the exchanged one, was granted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::exchange::{Entry, ExchangedToken};
use crate::metrics::{Audited, Metrics};
use crate::nextcloud::family::Family;
use crate::nextcloud::policy::granted::Granted;
use crate::nextcloud::policy::{Enforcement, Needs, Policy, Refusal};
use crate::oauth::settings::{IssuerSettings, ScopesFrom};
use crate::oauth::{Issuer, Issuers, TokenFault};
use crate::token::{Clock, ScopeSet};

/// In `audit`, what would have been refused is said once in this time for each family; all of it is counted.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// Decides about scopes.
pub struct ScopeJudge {
    policy: Arc<Policy>,
    issuers: Issuers,
    metrics: Metrics,
    clock: Clock,
    /// Until when a family's refusals were said.
    said: Vec<AtomicI64>,
}

impl ScopeJudge {
    /// Judges by this policy.
    #[must_use]
    pub fn new(policy: Arc<Policy>, issuers: Issuers, metrics: Metrics, clock: Clock) -> Self {
        let said = (0..=Family::ALLOWABLE.len()).map(|_| AtomicI64::new(i64::MIN)).collect();
        Self { policy, issuers, metrics, clock, said }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What may be asked for and relied on, once what the request needs is held against the caller's token. Where the exchanged token
    /// decides, that is left to [`ScopeJudge::exchanged`].
    ///
    /// # Errors
    /// [`Error::InsufficientScope`], [`Error::PolicyRefused`].
    pub fn caller(&self, entry: &Entry, decided: Result<Needs, Refusal>, family: Family) -> Result<Needs, Error> {
        if self.policy.enforcement == Enforcement::Off {
            return Ok(Needs::default());
        }
        let needs = match decided {
            Ok(needs) => needs,
            Err(refusal) => return self.refuse(Error::PolicyRefused(refusal), family).map(|()| Needs::default()),
        };
        if needs.scopes().is_empty() {
            return Ok(needs);
        }
        let issuer = self.issuer(entry)?;
        if matches!(issuer.settings.scopes_from, ScopesFrom::Obtained) {
            return Ok(needs);
        }
        match self.hold(&entry.identity().scopes, &issuer.settings, &needs) {
            Ok(()) => Ok(needs),
            Err(error) => self.refuse(error, family).map(|()| Needs::default()),
        }
    }

    /// Holds what the request needs against the exchanged token, where that one decides.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`].
    pub fn exchanged(&self, entry: &Entry, token: &ExchangedToken, needs: &Needs, family: Family) -> Result<(), Error> {
        if needs.scopes().is_empty() {
            return Ok(());
        }
        let issuer = self.issuer(entry)?;
        if issuer.settings.scopes_from == ScopesFrom::Caller {
            return Ok(());
        }
        self.hold(&token.scopes, &issuer.settings, needs).or_else(|error| self.refuse(error, family))
    }

    /// What to ask the provider for: of what the request needs, that which the provider has. Nothing where the exchanged token decides:
    /// a provider that grants whatever is asked for would decide nothing.
    ///
    /// # Errors
    /// If the issuer is gone.
    pub fn to_ask_for(&self, entry: &Entry, needs: &Needs) -> Result<Needs, Error> {
        if needs.scopes().is_empty() {
            return Ok(needs.clone());
        }
        let issuer = self.issuer(entry)?;
        if matches!(issuer.settings.scopes_from, ScopesFrom::Obtained) {
            return Ok(Needs::default());
        }
        // What every valid token has is not the provider's to grant.
        let implicit = self.policy.table.implicit();
        Ok(needs.known_to(|scope| {
            !implicit.contains(scope) && issuer.keys.has_scope(&issuer.settings.scope_at_provider(scope))
        }))
    }

    /// Whether a tool may start that needs all of these scopes. In `audit`, what would have been refused is noted when its requests come.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`], with what the caller has and what the tool needs; if the issuer is gone.
    pub fn tool(&self, entry: &Entry, scopes: &[&str]) -> Result<(), Error> {
        let needs = Needs::of(scopes.iter().copied().collect());
        match self.deciding(entry)? {
            Some(issuer) => self.hold(&entry.identity().scopes, issuer, &needs),
            None => Ok(()),
        }
    }

    /// Whether this scope was granted; yes, where scopes decide nothing, or only once a token is exchanged.
    #[must_use]
    pub fn granted(&self, entry: &Entry, scope: &str) -> bool {
        self.tool(entry, &[scope]).is_ok()
    }

    /// The scopes that the caller has, by our names: its token's that mean something here, and those that every valid token has.
    #[must_use]
    pub fn scopes_of(&self, entry: &Entry) -> Vec<String> {
        let table = &self.policy.table;
        let own = self.issuer(entry).ok().map(|issuer| {
            let names = entry.identity().scopes.iter().map(|scope| issuer.settings.scope_here(scope));
            names.filter(|scope| table.knows(scope)).collect::<ScopeSet>()
        });
        let own = own.unwrap_or_default();
        let all: ScopeSet = table.implicit().iter().chain(own.iter()).collect();
        all.iter().map(str::to_owned).collect()
    }

    /// The issuer by whose names the caller's own scopes decide before anything is sent; none where they do not.
    fn deciding(&self, entry: &Entry) -> Result<Option<&IssuerSettings>, Error> {
        if self.policy.enforcement != Enforcement::Enforce {
            return Ok(None);
        }
        let issuer = self.issuer(entry)?;
        Ok((issuer.settings.scopes_from == ScopesFrom::Caller).then_some(&*issuer.settings))
    }

    fn issuer(&self, entry: &Entry) -> Result<&Arc<Issuer>, Error> {
        self.issuers.find(entry.identity().principal.issuer()).ok_or(Error::BadToken(TokenFault::Issuer))
    }

    fn hold(&self, scopes: &ScopeSet, issuer: &IssuerSettings, needs: &Needs) -> Result<(), Error> {
        let granted = Granted::new(scopes, &issuer.scope_prefix, &self.policy.table);
        if granted.covers(needs) { Ok(()) } else { Err(Error::InsufficientScope(granted.with(needs))) }
    }

    /// Refuses, or notes that it would.
    fn refuse(&self, error: Error, family: Family) -> Result<(), Error> {
        if self.policy.enforcement == Enforcement::Enforce {
            return Err(error);
        }
        self.metrics.audited.count(match &error {
            Error::InsufficientScope(_) => Audited::InsufficientScope,
            _ => Audited::ForbiddenRoute,
        });
        let now = self.clock.now();
        let place = family.place().unwrap_or(Family::ALLOWABLE.len());
        if let Some(said) = self.said.get(place) {
            let until = said.load(Ordering::Relaxed);
            if until <= now.0
                && said.compare_exchange(until, now.after(SAID_EVERY).0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            {
                tracing::warn!(family = family.as_str(), %error, "audit: this passes, and would be refused if the policy were enforced");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(in crate::middleware) mod tests;
