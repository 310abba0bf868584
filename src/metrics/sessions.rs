//! What is measured of upstream sessions.

use prometheus::{IntGauge, Registry};

use super::{Counters, Label, gauge};

label! {
    /// What became of the wish for an upstream session.
    SessionEvent {
        /// A request went with a session.
        Reused = "reused",
        /// A session was opened and adopted.
        Opened = "opened",
        /// Nextcloud refused to open one, or opened none that could be trusted.
        Refused = "refused",
        /// Nextcloud did not answer.
        Unreachable = "unreachable",
        /// This Nextcloud opens none for a bearer.
        Useless = "useless",
        /// One was opened that a purge had overtaken; it was logged out.
        Overtaken = "overtaken",
    }
}

label! {
    /// Why an upstream session ended.
    SessionEnd {
        /// Nextcloud set another one.
        Changed = "changed",
        /// Nextcloud refused a request that went with it.
        Rejected = "rejected",
        /// It could not be proved to be its person's.
        Refuted = "refuted",
        /// A purge reached it.
        Purged = "purged",
        /// The provider no longer accepts its person's token.
        SubjectRefused = "subject_refused",
        /// Nobody used it.
        Idle = "idle",
        /// It was used for long enough.
        Aged = "aged",
        /// Its owner has newer ones.
        Quota = "quota",
        /// There was no room.
        Evicted = "evicted",
        /// This Nextcloud has no use for sessions any more.
        Useless = "useless",
        /// We stop.
        Stopped = "stopped",
    }
}

label! {
    /// How logging a session out ended.
    Logout {
        /// Nextcloud forgot it.
        Ok = "ok",
        /// Nextcloud did not say so.
        Failed = "failed",
        /// Too many at once; it expires by itself.
        Dropped = "dropped",
    }
}

/// Everything that is measured of upstream sessions. Cloning shares the counters.
#[derive(Debug, Clone)]
pub struct SessionMetrics {
    /// Wishes for a session.
    pub events: Counters<SessionEvent>,
    /// Ends of sessions.
    pub ends: Counters<SessionEnd>,
    /// Logouts of sessions.
    pub logouts: Counters<Logout>,
    /// Sessions that are kept.
    pub kept: IntGauge,
}

impl SessionMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let events = Counters::new(registry, "obo_sessions_total", "Wishes for upstream sessions", "event")?;
        let ends = Counters::new(registry, "obo_sessions_ended_total", "Ends of upstream sessions", "cause")?;
        let logouts = Counters::new(registry, "obo_session_logouts_total", "Logouts of upstream sessions", "outcome")?;
        Ok(Self { events, ends, logouts, kept: gauge(registry, "obo_sessions", "Upstream sessions that are kept")? })
    }
}
