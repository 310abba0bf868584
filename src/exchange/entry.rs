//! All that we know of one subject token, found by one lookup.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use super::slot::Slot;
use crate::token::{Digest, Identity, ScopeSet, Timestamp};

/// An entry holds exchanged tokens for at most this many scope sets; the one that was asked for first goes.
const MOST_SCOPE_SETS: usize = 32;

/// A verified subject token: whose it is, its exchanged tokens, and whether it was purged.
#[derive(Debug)]
pub struct Entry {
    key: Digest,
    identity: Identity,
    revoked: CancellationToken,
    slots: ArcSwap<Vec<Arc<Slot>>>,
    rejections_held_off_until: AtomicI64,
}

impl Entry {
    /// An entry without exchanged tokens.
    #[must_use]
    pub fn new(key: Digest, identity: Identity) -> Self {
        Self {
            key,
            identity,
            revoked: CancellationToken::new(),
            slots: ArcSwap::default(),
            rejections_held_off_until: AtomicI64::new(i64::MIN),
        }
    }

    /// The digest of the subject token.
    #[must_use]
    pub fn key(&self) -> Digest {
        self.key
    }

    /// Whose the token is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the token may still be used.
    #[must_use]
    pub fn usable(&self, now: Timestamp) -> bool {
        now < self.identity.accepted_until && !self.is_revoked()
    }

    /// Whether the token was purged.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked.is_cancelled()
    }

    /// Makes the entry unreachable for good: no lookup finds it, nothing that is under way for it is used, and its streams end.
    pub fn revoke(&self) {
        self.revoked.cancel();
        self.clear();
    }

    /// Ends when the entry is purged. Streams and tunnels watch it.
    #[must_use]
    pub fn revocation(&self) -> &CancellationToken {
        &self.revoked
    }

    /// The place of the exchanged token with these scopes.
    #[must_use]
    pub fn slot(&self, scopes: &ScopeSet) -> Arc<Slot> {
        if let Some(slot) = find(&self.slots.load(), scopes) {
            return slot;
        }
        let fresh = Arc::new(Slot::new(scopes.clone()));
        self.slots.rcu(|slots| {
            let mut slots = Vec::clone(slots);
            if find(&slots, scopes).is_none() {
                if slots.len() >= MOST_SCOPE_SETS {
                    slots.remove(0);
                }
                slots.push(fresh.clone());
            }
            slots
        });
        find(&self.slots.load(), scopes).unwrap_or(fresh)
    }

    /// Drops every exchanged token.
    pub fn clear(&self) {
        for slot in self.slots.load().iter() {
            slot.clear();
        }
    }

    /// After Nextcloud refused two tokens in a row: until then no further exchange and no retry is spent on its refusals.
    pub fn hold_off_rejections(&self, until: Timestamp) {
        self.rejections_held_off_until.store(until.0, Ordering::Release);
    }

    /// Whether a refusal by Nextcloud is final for now.
    #[must_use]
    pub fn rejections_held_off(&self, now: Timestamp) -> bool {
        now.0 < self.rejections_held_off_until.load(Ordering::Acquire)
    }
}

fn find(slots: &[Arc<Slot>], scopes: &ScopeSet) -> Option<Arc<Slot>> {
    slots.iter().find(|slot| slot.scopes() == scopes).cloned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::token::{Audiences, Principal};

    pub fn identity(subject: &str) -> Identity {
        Identity {
            principal: Principal::new(&"https://sso".into(), subject).unwrap(),
            client: Some("mcp-client".into()),
            session: Some(format!("session-of-{subject}").into()),
            key_id: Some("k1".into()),
            issued_at: Timestamp(1_000),
            expires_at: Timestamp(29_770),
            accepted_until: Timestamp(29_800),
            audiences: Audiences::default(),
            scopes: ScopeSet::default(),
            introspected: false,
        }
    }

    #[test]
    fn each_scope_set_has_one_slot() {
        let entry = Entry::new(Digest::of(b"t"), identity("alice"));
        let (read, write) = (ScopeSet::parse("files.read"), ScopeSet::parse("files.write"));
        assert!(Arc::ptr_eq(&entry.slot(&read), &entry.slot(&read)));
        assert!(!Arc::ptr_eq(&entry.slot(&read), &entry.slot(&write)));
    }

    #[test]
    fn an_entry_is_bounded() {
        let entry = Entry::new(Digest::of(b"t"), identity("alice"));
        for number in 0..100 {
            let _ = entry.slot(&ScopeSet::parse(&number.to_string()));
        }
        assert_eq!(entry.slots.load().len(), MOST_SCOPE_SETS);
    }

    #[test]
    fn an_expired_or_revoked_entry_is_not_usable() {
        let entry = Entry::new(Digest::of(b"t"), identity("alice"));
        assert!(entry.usable(Timestamp(29_799)));
        assert!(!entry.usable(Timestamp(29_800)));
        entry.revoke();
        assert!(!entry.usable(Timestamp(1_000)));
    }
}
