//! Every entry, by the digest of its token; reachable by session and subject for purges, bounded in all and for each principal.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use moka::sync::Cache;
use parking_lot::Mutex;

use super::entry::Entry;
use super::tombstones::Tombstones;
use crate::metrics::{Metrics, PurgeCause};
use crate::token::{Clock, Digest, Identity, Purge};

/// A principal has at most this many remembered tokens; its oldest goes (product.md §3).
pub const QUOTA: usize = 32;

/// Whether a verified token was remembered.
#[derive(Debug)]
pub enum Admission {
    /// This is its entry.
    Admitted(Arc<Entry>),
    /// It was purged.
    Revoked,
    /// Something was purged while the token was being verified: verify it again.
    Stale,
}

/// Whoever else holds something that a purge reaches.
pub type PurgeWatcher = Arc<dyn Fn(&Purge) + Send + Sync>;

/// The one map of what we hold. Cloning shares it.
#[derive(Clone)]
pub struct Entries {
    by_token: Cache<Digest, Arc<Entry>, foldhash::fast::RandomState>,
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    metrics: Metrics,
    /// Counts purges. What was begun under another generation is not inserted.
    generation: AtomicU64,
    registry: Mutex<Registry>,
    watcher: OnceLock<PurgeWatcher>,
}

#[derive(Default)]
struct Registry {
    by_principal: HashMap<Digest, VecDeque<Weak<Entry>>>,
    tombstones: Tombstones,
}

impl Entries {
    /// At most `capacity` entries; the least used go.
    #[must_use]
    pub fn new(capacity: u64, clock: Clock, metrics: Metrics) -> Self {
        Self {
            by_token: Cache::builder().max_capacity(capacity).build_with_hasher(foldhash::fast::RandomState::default()),
            shared: Arc::new(Shared {
                clock,
                metrics,
                generation: AtomicU64::new(0),
                registry: Mutex::default(),
                watcher: OnceLock::new(),
            }),
        }
    }

    /// Tells this watcher of every purge that says something new, after the entries that it reaches are revoked. There is one; a second is
    /// not heard.
    pub fn watch(&self, watcher: PurgeWatcher) {
        let _ = self.shared.watcher.set(watcher);
    }

    /// The entry of a token, if it is remembered and still usable: the hot path's one lookup.
    #[must_use]
    pub fn find(&self, key: &Digest) -> Option<Arc<Entry>> {
        self.by_token.get(key).filter(|entry| entry.usable(self.shared.clock.now()))
    }

    /// The purge generation, to be read before a verification is begun.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// Remembers a verified token, unless it was purged meanwhile. Callers that come with the same token at once get the same entry.
    #[must_use]
    pub fn admit(&self, key: Digest, identity: Identity, begun: u64) -> Admission {
        let mut registry = self.shared.registry.lock();
        if self.generation() != begun {
            return Admission::Stale;
        }
        if registry.tombstones.cover(&identity) {
            return Admission::Revoked;
        }
        if let Some(present) = self.find(&key) {
            return Admission::Admitted(present);
        }
        registry.tombstones.note_exp(identity.accepted_until);
        let entry = Arc::new(Entry::new(key, identity));
        let evicted = registry.enlist(&entry);
        self.by_token.insert(key, entry.clone());
        drop(registry);
        for old in evicted {
            self.remove(&old);
        }
        Admission::Admitted(entry)
    }

    /// Empties what a purge reaches and keeps it empty (law 8): first unreachable for new requests, then for those under way.
    pub fn purge(&self, purge: &Purge) {
        let mut registry = self.shared.registry.lock();
        if !registry.tombstones.note(purge, self.shared.clock.now()) {
            return;
        }
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
        let reached = registry.covered();
        drop(registry);
        for entry in &reached {
            self.remove(entry);
        }
        if let Some(watcher) = self.shared.watcher.get() {
            watcher(purge);
        }
        self.shared.metrics.purges.count(match purge {
            Purge::Session { .. } => PurgeCause::Session,
            Purge::Subject { .. } => PurgeCause::Subject,
            Purge::NotBefore { .. } => PurgeCause::NotBefore,
            Purge::Keys { .. } => PurgeCause::Keys,
        });
        tracing::info!(entries = reached.len(), "purged");
    }

    /// Drops what has expired. Called now and then on the control runtime.
    pub fn sweep(&self) {
        let now = self.shared.clock.now();
        let mut registry = self.shared.registry.lock();
        registry.tombstones.sweep(now);
        let expired = registry.sweep(|entry| !entry.usable(now));
        drop(registry);
        for entry in expired {
            self.remove(&entry);
        }
        self.by_token.run_pending_tasks();
        self.shared.metrics.entries.set(i64::try_from(self.by_token.entry_count()).unwrap_or(i64::MAX));
    }

    fn remove(&self, entry: &Arc<Entry>) {
        entry.revoke();
        if self.by_token.get(&entry.key()).is_some_and(|present| Arc::ptr_eq(&present, entry)) {
            self.by_token.invalidate(&entry.key());
        }
    }
}

impl Registry {
    /// Adds an entry to its principal's list; returns those that have to go for it.
    fn enlist(&mut self, entry: &Arc<Entry>) -> Vec<Arc<Entry>> {
        let own = self.by_principal.entry(entry.identity().principal.key()).or_default();
        own.retain(|old| old.upgrade().is_some_and(|old| !old.is_revoked()));
        own.push_back(Arc::downgrade(entry));
        let excess = own.len().saturating_sub(QUOTA);
        own.drain(..excess).filter_map(|old| old.upgrade()).collect()
    }

    /// Every living entry that a tombstone covers.
    fn covered(&self) -> Vec<Arc<Entry>> {
        self.by_principal
            .values()
            .flatten()
            .filter_map(Weak::upgrade)
            .filter(|entry| !entry.is_revoked() && self.tombstones.cover(entry.identity()))
            .collect()
    }

    fn sweep(&mut self, gone: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        let mut swept = Vec::new();
        self.by_principal.retain(|_, own| {
            own.retain(|entry| match entry.upgrade() {
                Some(entry) if gone(&entry) => {
                    swept.push(entry);
                    false
                }
                Some(_) => true,
                None => false,
            });
            !own.is_empty()
        });
        swept
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::entry::tests::identity;
    use super::*;
    use crate::token::Timestamp;

    fn entries() -> (Entries, Clock) {
        let clock = Clock::manual(Timestamp(1_000));
        (Entries::new(1_000, clock.clone(), Metrics::new(&[], &[]).unwrap()), clock)
    }

    fn admit(entries: &Entries, token: &str, subject: &str) -> Option<Arc<Entry>> {
        match entries.admit(Digest::of(token.as_bytes()), identity(subject), entries.generation()) {
            Admission::Admitted(entry) => Some(entry),
            Admission::Revoked | Admission::Stale => None,
        }
    }

    fn logout(subject: &str) -> Purge {
        Purge::Session { issuer: "https://sso".into(), session: format!("session-of-{subject}").into() }
    }

    #[test]
    fn two_callers_with_one_token_get_one_entry() {
        let (entries, _) = entries();
        let (one, other) = (admit(&entries, "t", "alice").unwrap(), admit(&entries, "t", "alice").unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn a_purge_reaches_every_token_of_the_session_and_no_other() {
        let (entries, _) = entries();
        let (one, two, bob) = (
            admit(&entries, "t1", "alice").unwrap(),
            admit(&entries, "t2", "alice").unwrap(),
            admit(&entries, "t3", "bob").unwrap(),
        );
        entries.purge(&logout("alice"));
        assert!(one.is_revoked() && two.is_revoked() && !bob.is_revoked());
        assert!(entries.find(&Digest::of(b"t1")).is_none());
        assert!(entries.find(&Digest::of(b"t3")).is_some());
    }

    #[test]
    fn what_was_purged_is_not_admitted_again() {
        let (entries, _) = entries();
        entries.purge(&logout("alice"));
        assert!(admit(&entries, "t", "alice").is_none());
        assert!(admit(&entries, "t", "bob").is_some());
    }

    #[test]
    fn what_was_begun_before_a_purge_is_not_inserted_after_it() {
        let (entries, _) = entries();
        let begun = entries.generation();
        entries.purge(&logout("somebody-else"));
        let admission = entries.admit(Digest::of(b"t"), identity("alice"), begun);
        assert!(matches!(admission, Admission::Stale));
    }

    #[test]
    fn a_principal_has_at_most_its_quota_and_its_oldest_token_goes() {
        let (entries, _) = entries();
        let bob = admit(&entries, "bob", "bob").unwrap();
        let oldest = admit(&entries, "0", "alice").unwrap();
        for number in 1..=QUOTA {
            admit(&entries, &number.to_string(), "alice").unwrap();
        }
        assert!(oldest.is_revoked());
        assert!(entries.find(&Digest::of(b"0")).is_none());
        assert!(entries.find(&Digest::of(b"1")).is_some());
        assert!(!bob.is_revoked(), "others are not touched");
    }

    #[test]
    fn an_expired_token_is_not_found_and_is_swept() {
        let (entries, clock) = entries();
        let entry = admit(&entries, "t", "alice").unwrap();
        clock.advance(Duration::from_secs(28_800));
        assert!(entries.find(&Digest::of(b"t")).is_none());
        entries.sweep();
        assert!(entry.is_revoked());
        assert!(entries.shared.registry.lock().by_principal.is_empty());
    }
}
