//! Law 3: whatever weakens a law is said at each start, and counted.

use crate::config::Config;
use crate::metrics::{Metrics, Weakening};
use crate::nextcloud::policy::Enforcement;
use crate::oauth::Profile;
use crate::oauth::settings::ScopesFrom;

/// Warns of each switch that weakens a law.
pub(super) fn warn_of(config: &Config, metrics: &Metrics) {
    let policy = match config.policy.enforcement {
        Enforcement::Enforce => None,
        Enforcement::Audit => Some(Weakening::PolicyAudit),
        Enforcement::Off => Some(Weakening::PolicyOff),
    };
    if let Some(weakening) = policy {
        metrics.weakened.count(weakening);
        tracing::warn!("policy.enforcement is not enforce: a token can do whatever its user can, whatever its scopes");
    }
    for never in config.policy.opened.iter() {
        metrics.weakened.count(Weakening::NeverOpened);
        tracing::warn!(allow_never = never.as_str(), danger = never.reason(), "danger: part of the never-list is open");
    }
    for issuer in &config.issuers {
        if issuer.scopes_from == ScopesFrom::Obtained && issuer.profile == Profile::Keycloak {
            metrics.weakened.count(Weakening::ScopesFromExchange);
            tracing::warn!(issuer = %issuer.issuer, "scopes_from is exchanged: Keycloak grants whatever our client asks for, whatever the caller was granted");
        }
    }
}
