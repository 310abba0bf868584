//! Law 3: whatever weakens a law is said at each start, and counted.

use url::Url;

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
        if config.public_url.starts_with("https:") && Url::parse(&issuer.issuer).is_ok_and(|url| is_in_the_open(&url)) {
            metrics.weakened.count(Weakening::IssuerWithoutTls);
            tracing::warn!(issuer = %issuer.issuer, "an issuer without TLS: whoever can change its answers can be anybody");
        }
        if issuer.scopes_from == ScopesFrom::Obtained && issuer.profile == Profile::Keycloak {
            metrics.weakened.count(Weakening::ScopesFromExchange);
            tracing::warn!(issuer = %issuer.issuer, "scopes_from is exchanged: Keycloak grants whatever our client asks for, whatever the caller was granted");
        }
    }
}

/// Whether whoever sits on the way can read and change what is said there.
fn is_in_the_open(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_does_without_tls() {
        for (url, open) in [
            ("http://id.example.org/realms/mcp", true),
            ("http://10.0.0.1/", true),
            ("http://[::1]:8080/", false),
            ("http://localhost:8080/", false),
            ("http://127.0.0.2/", false),
            ("https://id.example.org/", false),
        ] {
            assert_eq!(is_in_the_open(&Url::parse(url).unwrap()), open, "{url}");
        }
    }
}
