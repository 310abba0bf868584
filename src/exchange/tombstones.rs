//! What was purged stays purged: a token that matches a tombstone is not admitted again (law 8).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::token::{Digest, DigestBuilder, Identity, Purge, Timestamp};

/// A tombstone stands at least this long; longer where a token with a later `exp` has been seen.
const SHORTEST_MEMORY: Duration = Duration::from_hours(24);
/// More tombstones than this are not kept one by one: beyond it a whole issuer's older tokens are refused, which is the safe side.
const MOST_TOMBSTONES: usize = 100_000;

/// The memory of purges.
#[derive(Debug, Default)]
pub struct Tombstones {
    sessions: HashMap<Digest, Timestamp>,
    subjects: HashMap<Digest, (Timestamp, Timestamp)>,
    not_before: HashMap<Arc<str>, Timestamp>,
    keys: HashMap<Arc<str>, HashSet<Arc<str>>>,
    longest_exp: Option<Timestamp>,
}

impl Tombstones {
    /// Notes how long tokens live, so that tombstones outlive them.
    pub fn note_exp(&mut self, expires_at: Timestamp) {
        self.longest_exp = self.longest_exp.max(Some(expires_at));
    }

    /// Notes a purge. Returns whether it says anything new.
    pub fn note(&mut self, purge: &Purge, now: Timestamp) -> bool {
        let until = now.after(SHORTEST_MEMORY).max(self.longest_exp.unwrap_or(now));
        match purge {
            Purge::Session { issuer, session } => {
                self.make_room(issuer, now);
                self.sessions.insert(session_key(issuer, session), until);
                true
            }
            Purge::Subject { issuer, subject, issued_until } => {
                self.make_room(issuer, now);
                let tombstone = self.subjects.entry(subject_key(issuer, subject)).or_insert((*issued_until, until));
                *tombstone = (tombstone.0.max(*issued_until), until);
                true
            }
            Purge::NotBefore { issuer, moment } => {
                let known = self.not_before.entry(issuer.clone()).or_insert(Timestamp(0));
                let later = *moment > *known;
                *known = (*known).max(*moment);
                later
            }
            Purge::Keys { issuer, kept } => {
                let gone = self.keys.get(issuer).is_some_and(|known| !known.is_subset(kept));
                self.keys.insert(issuer.clone(), kept.clone());
                gone
            }
        }
    }

    /// Whether a token with this identity was purged.
    #[must_use]
    pub fn cover(&self, identity: &Identity) -> bool {
        let issuer = identity.principal.issuer();
        let session =
            identity.session.as_ref().is_some_and(|session| self.sessions.contains_key(&session_key(issuer, session)));
        let subject = self
            .subjects
            .get(&subject_key(issuer, identity.principal.subject()))
            .is_some_and(|(issued_until, _)| identity.issued_at <= *issued_until);
        let too_old = self.not_before.get(issuer).is_some_and(|moment| identity.issued_at < *moment);
        let key_gone = match (&identity.key_id, self.keys.get(issuer)) {
            (Some(kid), Some(kept)) => !kept.contains(kid),
            (None, _) | (_, None) => false,
        };
        session || subject || too_old || key_gone
    }

    /// Forgets tombstones that no living token can match.
    pub fn sweep(&mut self, now: Timestamp) {
        self.sessions.retain(|_, until| now < *until);
        self.subjects.retain(|_, (_, until)| now < *until);
    }

    fn make_room(&mut self, issuer: &Arc<str>, now: Timestamp) {
        if self.sessions.len() + self.subjects.len() < MOST_TOMBSTONES {
            return;
        }
        self.sweep(now);
        if self.sessions.len() + self.subjects.len() >= MOST_TOMBSTONES {
            tracing::warn!(%issuer, "too many revocations to remember one by one: every token issued before now is refused");
            self.not_before.insert(issuer.clone(), now);
            self.sessions.clear();
            self.subjects.clear();
        }
    }
}

fn session_key(issuer: &str, session: &str) -> Digest {
    DigestBuilder::new("session").field(issuer.as_bytes()).field(session.as_bytes()).finish()
}

fn subject_key(issuer: &str, subject: &str) -> Digest {
    DigestBuilder::new("subject").field(issuer.as_bytes()).field(subject.as_bytes()).finish()
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::identity;
    use super::*;

    const NOW: Timestamp = Timestamp(2_000);

    fn issuer() -> Arc<str> {
        "https://sso".into()
    }

    #[test]
    fn a_session_that_ended_stays_ended_until_its_tokens_are_dead() {
        let mut tombstones = Tombstones::default();
        tombstones.note_exp(Timestamp(200_000));
        tombstones.note(&Purge::Session { issuer: issuer(), session: "session-of-alice".into() }, NOW);
        assert!(tombstones.cover(&identity("alice")));
        assert!(!tombstones.cover(&identity("bob")));
        tombstones.sweep(Timestamp(199_999));
        assert!(tombstones.cover(&identity("alice")));
        tombstones.sweep(Timestamp(200_000));
        assert!(!tombstones.cover(&identity("alice")));
    }

    #[test]
    fn a_subject_purge_reaches_tokens_issued_until_then_and_no_newer_ones() {
        let mut tombstones = Tombstones::default();
        let purge =
            |until| Purge::Subject { issuer: issuer(), subject: "alice".into(), issued_until: Timestamp(until) };
        tombstones.note(&purge(999), NOW);
        assert!(!tombstones.cover(&identity("alice")));
        tombstones.note(&purge(1_000), NOW);
        assert!(tombstones.cover(&identity("alice")));
        tombstones.note(&purge(5), NOW);
        assert!(tombstones.cover(&identity("alice")), "an older purge does not lift a newer one");
    }

    #[test]
    fn not_before_only_moves_forward() {
        let mut tombstones = Tombstones::default();
        assert!(!tombstones.note(&Purge::NotBefore { issuer: issuer(), moment: Timestamp(0) }, NOW));
        assert!(tombstones.note(&Purge::NotBefore { issuer: issuer(), moment: Timestamp(1_001) }, NOW));
        assert!(!tombstones.note(&Purge::NotBefore { issuer: issuer(), moment: Timestamp(500) }, NOW));
        assert!(tombstones.cover(&identity("alice")));
    }

    #[test]
    fn a_key_that_disappears_takes_its_tokens_with_it() {
        let mut tombstones = Tombstones::default();
        let keys =
            |kept: &[&str]| Purge::Keys { issuer: issuer(), kept: kept.iter().map(|kid| Arc::from(*kid)).collect() };
        assert!(!tombstones.note(&keys(&["k1"]), NOW), "the first key set takes nothing away");
        assert!(!tombstones.note(&keys(&["k1", "k2"]), NOW));
        assert!(!tombstones.cover(&identity("alice")));
        assert!(tombstones.note(&keys(&["k2"]), NOW));
        assert!(tombstones.cover(&identity("alice")));
    }

    #[test]
    fn too_many_tombstones_refuse_an_issuer_rather_than_forget() {
        let mut tombstones = Tombstones::default();
        for number in 0..=MOST_TOMBSTONES {
            tombstones.note(&Purge::Session { issuer: issuer(), session: number.to_string().into() }, NOW);
        }
        assert!(tombstones.sessions.len() <= MOST_TOMBSTONES);
        assert!(tombstones.cover(&identity("anyone")), "issued before now");
    }
}
