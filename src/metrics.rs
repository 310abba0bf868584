//! What Prometheus scrapes. Every child is resolved once, so counting is one atomic addition; no label comes from a caller's input.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// The values that one label can take.
pub trait Label: Copy + 'static {
    /// Every value, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// The value as it is scraped.
    fn name(self) -> &'static str;
    /// Its place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// Declares an enumeration whose variants are the values of a label.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }
        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn name(self) -> &'static str { match self { $(Self::$variant => $text,)+ } }
            fn index(self) -> usize { self as usize }
        }
    };
}

mod mcp;
mod sessions;

pub use mcp::{ToolCalls, ToolOutcome};
pub use sessions::{Logout, SessionEnd, SessionEvent, SessionMetrics};

label! {
    /// How a token that a caller presented was judged.
    Verification {
        /// It had been verified before.
        Remembered = "remembered",
        /// Its signature and claims are good.
        Verified = "verified",
        /// Its issuer vouched for it (RFC 7662).
        Introspected = "introspected",
        /// It is not good.
        Refused = "refused",
        /// The issuer's keys or its introspection could not be had.
        Unavailable = "unavailable",
        /// Too many opaque tokens at once.
        Overloaded = "overloaded",
    }
}

label! {
    /// How an exchange at the provider ended.
    ExchangeOutcome {
        /// A checked token for Nextcloud.
        Ok = "ok",
        /// The subject token is no longer good.
        SubjectRefused = "subject_refused",
        /// The provider's policy refuses.
        PolicyRefused = "policy_refused",
        /// Our client, scope or realm is misconfigured.
        Misconfigured = "misconfigured",
        /// The provider cannot be reached or is slow.
        Unavailable = "unavailable",
        /// The provider broke the protocol, or its token failed our check.
        Malformed = "malformed",
        /// The token was purged while its exchange was under way.
        Revoked = "revoked",
    }
}

label! {
    /// How the cache of exchanged tokens answered.
    CacheLookup {
        /// A fresh token.
        Hit = "hit",
        /// A token that is being renewed in the background.
        Renewing = "renewing",
        /// Nothing; an exchange was begun.
        Miss = "miss",
        /// Nothing; an exchange that was under way was joined.
        Joined = "joined",
        /// A refusal of a moment ago.
        Negative = "negative",
    }
}

label! {
    /// How fetching an issuer's keys ended.
    KeyFetch {
        /// New keys.
        Ok = "ok",
        /// The issuer could not be reached; the last good keys stay.
        Unavailable = "unavailable",
        /// The issuer's answer is no key set.
        Malformed = "malformed",
    }
}

label! {
    /// How a request to Nextcloud ended.
    Upstream {
        /// An answer.
        Answered = "answered",
        /// An answer to the second attempt, after Nextcloud had refused the first token.
        Retried = "retried",
        /// Nextcloud refused our token for good.
        Rejected = "rejected",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No answer in time.
        Timeout = "timeout",
        /// An upgrade to WebSocket.
        Upgraded = "upgraded",
    }
}

label! {
    /// The class of an answer's status.
    StatusClass {
        /// 1xx.
        Informational = "1xx",
        /// 2xx.
        Success = "2xx",
        /// 3xx.
        Redirection = "3xx",
        /// 4xx.
        ClientError = "4xx",
        /// 5xx.
        ServerError = "5xx",
    }
}

impl From<http::StatusCode> for StatusClass {
    fn from(status: http::StatusCode) -> Self {
        match status.as_u16() / 100 {
            1 => Self::Informational,
            2 => Self::Success,
            3 => Self::Redirection,
            4 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

label! {
    /// Why tokens were purged.
    PurgeCause {
        /// A session ended.
        Session = "session",
        /// A subject's tokens were revoked.
        Subject = "subject",
        /// The issuer's not-before policy moved.
        NotBefore = "not_before",
        /// A signing key disappeared.
        Keys = "keys",
    }
}

label! {
    /// What a request would have been refused with, had the policy been enforced.
    Audited {
        /// The token has not the scopes.
        InsufficientScope = "insufficient_scope",
        /// No scope opens it.
        ForbiddenRoute = "forbidden_route",
    }
}

label! {
    /// A switch that weakens a law (law 3).
    Weakening {
        /// Missing scopes are only noted.
        PolicyAudit = "policy_audit",
        /// Scopes are not looked at.
        PolicyOff = "policy_off",
        /// Part of the never-list is open.
        NeverOpened = "never_opened",
        /// An issuer that grants whatever our client asks for decides about scopes.
        ScopesFromExchange = "scopes_from_exchange",
        /// An issuer is asked without TLS.
        IssuerWithoutTls = "issuer_without_tls",
    }
}

/// A counter with one label.
#[derive(Debug, Clone)]
pub struct Counters<L> {
    children: Vec<IntCounter>,
    label: std::marker::PhantomData<L>,
}

impl<L: Label> Counters<L> {
    fn new(registry: &Registry, name: &str, help: &str, label: &str) -> prometheus::Result<Self> {
        let family = IntCounterVec::new(Opts::new(name, help), &[label])?;
        registry.register(Box::new(family.clone()))?;
        let children = L::ALL.iter().map(|value| family.with_label_values(&[value.name()])).collect();
        Ok(Self { children, label: std::marker::PhantomData })
    }

    /// Counts one.
    pub fn count(&self, value: L) {
        if let Some(child) = self.children.get(value.index()) {
            child.inc();
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn value(&self, value: L) -> u64 {
        self.children.get(value.index()).map_or(0, IntCounter::get)
    }
}

/// Requests by family and class of status.
#[derive(Debug, Clone)]
pub struct Requests {
    children: Vec<IntCounter>,
}

impl Requests {
    fn new(registry: &Registry, families: &[&'static str]) -> prometheus::Result<Self> {
        let family = IntCounterVec::new(
            Opts::new("obo_requests_total", "Requests answered on the public listener"),
            &["family", "status"],
        )?;
        registry.register(Box::new(family.clone()))?;
        let children = families
            .iter()
            .flat_map(|name| StatusClass::ALL.iter().map(|status| [*name, status.name()]))
            .map(|labels| family.with_label_values(&labels))
            .collect();
        Ok(Self { children })
    }

    /// Counts a request of the family at this place in the list of families.
    pub fn count(&self, family: usize, status: StatusClass) {
        if let Some(child) = self.children.get(family * StatusClass::ALL.len() + status.index()) {
            child.inc();
        }
    }
}

/// Everything that is measured. Cloning shares the counters.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Requests by API family and status class.
    pub requests: Requests,
    /// Refusals by `error` code, in the order given to [`Metrics::new`].
    refusals: Vec<IntCounter>,
    /// Judgements of presented tokens.
    pub verifications: Counters<Verification>,
    /// Exchanges at the provider.
    pub exchanges: Counters<ExchangeOutcome>,
    /// Seconds that exchanges took.
    pub exchange_seconds: Histogram,
    /// Lookups in the cache of exchanged tokens.
    pub lookups: Counters<CacheLookup>,
    /// Fetches of issuers' keys.
    pub key_fetches: Counters<KeyFetch>,
    /// Requests to Nextcloud.
    pub upstream: Counters<Upstream>,
    /// Seconds until Nextcloud's response head.
    pub upstream_seconds: Histogram,
    /// Requests without a token that were passed on to Nextcloud.
    pub untouched: Counters<Upstream>,
    /// Seconds until Nextcloud's response head to those.
    pub untouched_seconds: Histogram,
    /// Requests that pass only because the policy is not enforced.
    pub audited: Counters<Audited>,
    /// Switches that weaken a law, counted at the start.
    pub weakened: Counters<Weakening>,
    /// Purges by cause.
    pub purges: Counters<PurgeCause>,
    /// Upstream sessions.
    pub sessions: SessionMetrics,
    /// Remembered tokens.
    pub entries: IntGauge,
    /// Open connections on the public listener.
    pub connections: IntGauge,
}

impl Metrics {
    /// Registers every family. `families` are the API families, `errors` the `error` codes that callers are told.
    ///
    /// # Errors
    /// If two metrics have the same name, which is a fault of this file.
    pub fn new(families: &[&'static str], errors: &[&'static str]) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let refused =
            IntCounterVec::new(Opts::new("obo_refusals_total", "Requests that obo-proxy refused itself"), &["error"])?;
        registry.register(Box::new(refused.clone()))?;
        Ok(Self {
            requests: Requests::new(&registry, families)?,
            refusals: errors.iter().map(|error| refused.with_label_values(&[*error])).collect(),
            verifications: Counters::new(
                &registry,
                "obo_verifications_total",
                "Judgements of callers' tokens",
                "outcome",
            )?,
            exchanges: Counters::new(
                &registry,
                "obo_exchanges_total",
                "Token exchanges at the identity provider",
                "outcome",
            )?,
            exchange_seconds: histogram(&registry, "obo_exchange_seconds", "Duration of token exchanges")?,
            lookups: Counters::new(&registry, "obo_cache_lookups_total", "Lookups of exchanged tokens", "kind")?,
            key_fetches: Counters::new(&registry, "obo_jwks_fetches_total", "Fetches of issuers' keys", "outcome")?,
            upstream: Counters::new(&registry, "obo_upstream_requests_total", "Requests to Nextcloud", "outcome")?,
            upstream_seconds: histogram(
                &registry,
                "obo_upstream_head_seconds",
                "Time until Nextcloud's response head",
            )?,
            untouched: Counters::new(
                &registry,
                "obo_untouched_requests_total",
                "Requests without a bearer token that were passed on to Nextcloud",
                "outcome",
            )?,
            untouched_seconds: histogram(
                &registry,
                "obo_untouched_head_seconds",
                "Time until Nextcloud's response head to requests without a bearer token",
            )?,
            audited: Counters::new(
                &registry,
                "obo_policy_audited_total",
                "Requests that pass only because the policy is not enforced",
                "refusal",
            )?,
            weakened: Counters::new(
                &registry,
                "obo_weakened_total",
                "Switches that weaken a law, counted at each start",
                "switch",
            )?,
            purges: Counters::new(&registry, "obo_purges_total", "Orders to forget tokens", "cause")?,
            sessions: SessionMetrics::new(&registry)?,
            entries: gauge(&registry, "obo_entries", "Remembered subject tokens")?,
            connections: gauge(&registry, "obo_connections", "Open connections on the public listener")?,
            registry,
        })
    }

    /// Counts a refusal, by the place of its code in the list given to [`Metrics::new`].
    pub fn count_refusal(&self, error: usize) {
        if let Some(child) = self.refusals.get(error) {
            child.inc();
        }
    }

    /// The text exposition format.
    ///
    /// # Errors
    /// If a metric cannot be encoded, which is a fault of the registry.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn histogram(registry: &Registry, name: &str, help: &str) -> prometheus::Result<Histogram> {
    let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
    registry.register(Box::new(histogram.clone()))?;
    Ok(histogram)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(name, help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_scraped_from_the_start() {
        let metrics = Metrics::new(&["files", "notes"], &["invalid_token"]).unwrap();
        metrics.requests.count(1, StatusClass::Success);
        metrics.lookups.count(CacheLookup::Hit);
        let text = metrics.render().unwrap();
        assert!(text.contains(r#"obo_requests_total{family="notes",status="2xx"} 1"#), "{text}");
        assert!(text.contains(r#"obo_requests_total{family="files",status="2xx"} 0"#));
        assert!(text.contains(r#"obo_cache_lookups_total{kind="hit"} 1"#));
        assert!(text.contains(r#"obo_refusals_total{error="invalid_token"} 0"#));
    }

    #[test]
    fn labels_stand_at_their_own_place() {
        assert!(Upstream::ALL.iter().enumerate().all(|(place, outcome)| outcome.index() == place));
    }
}
