//! One session that we keep: whose it is, how old its proof is, and who is using it right now.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use http::HeaderValue;

use super::cookies::SessionCookies;
use super::departures::Departures;
use super::settings::{FRESH_PROOF, LONGEST_LIFE, OLDEST_PROOF, PROOF_PAUSE};
use crate::exchange::ExchangedToken;
use crate::flight::Flight;
use crate::token::{Digest, Identity, Timestamp};

/// In `Session::state`: the session has ended. The other bits count leases.
const ENDED: u64 = 1 << 63;
/// In `Session::proved_at`: not proved at all.
const NEVER: i64 = i64::MIN;

/// A session.
#[derive(Debug)]
pub struct Session {
    person: Digest,
    uid: String,
    cookies: SessionCookies,
    opener: Identity,
    bearer: Arc<ExchangedToken>,
    /// When the request was sent whose answer proved it.
    proved_at: AtomicI64,
    /// When a proof was last begun that brought no answer.
    unanswered_at: AtomicI64,
    opened_at: Timestamp,
    used_at: AtomicI64,
    state: AtomicU64,
    departures: Departures,
    pub(super) proof: Arc<Flight<()>>,
}

/// How far a proof may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Use it.
    Proved,
    /// Use it, and have it proved in the background.
    Ageing,
    /// Have it proved before it is used.
    Unproved,
    /// It is to be proved, but Nextcloud did not answer a moment ago: go without.
    Unanswered,
}

/// The use of a session by one request, until its answer is through. Once a session has ended there are no new ones; the last one to be dropped
/// has it logged out.
#[derive(Debug)]
pub struct Lease(Arc<Session>);

impl Session {
    /// A session that was opened, and so proved, by a request that was sent at `now` with this token of the opener's.
    #[must_use]
    pub fn new(
        (uid, cookies): (String, SessionCookies),
        person: Digest,
        opener: Identity,
        bearer: Arc<ExchangedToken>,
        now: Timestamp,
        departures: Departures,
    ) -> Self {
        Self {
            person,
            uid,
            cookies,
            opener,
            bearer,
            proved_at: AtomicI64::new(now.0),
            unanswered_at: AtomicI64::new(NEVER),
            opened_at: now,
            used_at: AtomicI64::new(now.0),
            state: AtomicU64::new(0),
            departures,
            proof: Arc::default(),
        }
    }

    /// For whom it may be used.
    #[must_use]
    pub fn person(&self) -> Digest {
        self.person
    }

    /// The uid at Nextcloud.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Its cookies.
    #[must_use]
    pub fn cookies(&self) -> &SessionCookies {
        &self.cookies
    }

    /// By whose token it was opened.
    #[must_use]
    pub fn opener(&self) -> &Identity {
        &self.opener
    }

    /// The token that it was opened with.
    #[must_use]
    pub fn bearer(&self) -> &Arc<ExchangedToken> {
        &self.bearer
    }

    /// Whether it has been used for long enough.
    #[must_use]
    pub fn is_aged(&self, now: Timestamp) -> bool {
        now >= self.opened_at.after(LONGEST_LIFE)
    }

    /// When it was last taken into use.
    #[must_use]
    pub fn used_at(&self) -> Timestamp {
        Timestamp(self.used_at.load(Ordering::Relaxed))
    }

    /// How far its proof may be trusted.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        let proved = self.proved_at.load(Ordering::Acquire);
        if proved != NEVER && now < Timestamp(proved).after(FRESH_PROOF) {
            return Standing::Proved;
        }
        let unanswered = self.unanswered_at.load(Ordering::Acquire);
        let pausing = unanswered != NEVER && now < Timestamp(unanswered).after(PROOF_PAUSE);
        match (proved != NEVER && now < Timestamp(proved).after(OLDEST_PROOF), pausing) {
            (true, false) => Standing::Ageing,
            (true, true) => Standing::Proved,
            (false, false) => Standing::Unproved,
            (false, true) => Standing::Unanswered,
        }
    }

    /// What a proof that is begun now has to bring back to [`Session::proved`].
    #[must_use]
    pub(super) fn last_proof(&self) -> i64 {
        self.proved_at.load(Ordering::Acquire)
    }

    /// It was proved by a request sent at `sent`, unless doubt has been cast on it since that was begun.
    pub(super) fn proved(&self, begun: i64, sent: Timestamp) {
        let _ = self.proved_at.compare_exchange(begun, sent.0, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Nextcloud did not answer a proof.
    pub(super) fn unanswered(&self, sent: Timestamp) {
        self.unanswered_at.store(sent.0, Ordering::Release);
    }

    /// What it was proved to be counts no more.
    pub(super) fn doubt(&self) {
        self.proved_at.store(NEVER, Ordering::Release);
    }

    /// Takes it into use, unless it has ended.
    #[must_use]
    pub fn lease(self: &Arc<Self>, now: Timestamp) -> Option<Lease> {
        let take = |state: u64| (state & ENDED == 0).then_some(state + 1);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).ok()?;
        self.used_at.fetch_max(now.0, Ordering::Relaxed);
        Some(Lease(self.clone()))
    }

    /// Whether somebody is using it.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.state.load(Ordering::Acquire) & !ENDED != 0
    }

    /// Ends it: from now on there are no new leases. Whoever gives back the last one has it logged out; if there is none, that is now.
    pub(super) fn end(self: &Arc<Self>) {
        if self.state.fetch_or(ENDED, Ordering::AcqRel) == 0 {
            self.log_out();
        }
    }

    /// Has Nextcloud forget it.
    pub(super) fn log_out(self: &Arc<Self>) {
        self.departures.send(self.clone());
    }
}

impl Lease {
    /// What goes along with the bearer.
    #[must_use]
    pub fn cookie(&self) -> &HeaderValue {
        self.0.cookies.header()
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.state.fetch_sub(1, Ordering::AcqRel) == ENDED | 1 {
            self.0.log_out();
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
