//! One exchanged token of an entry: what is held, for how long, and the flight that fetches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::{ExchangeError, ExchangedToken};
use crate::flight::Flight;
use crate::token::{Phase, ScopeSet, Timestamp};

/// A definite refusal is remembered this long.
pub const NEGATIVE: Duration = Duration::from_secs(5);
/// A renewal is tried at most this often.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// What an exchange ends with.
pub type SlotOutcome = Result<Arc<ExchangedToken>, ExchangeError>;

/// The place of one exchanged token.
#[derive(Debug)]
pub struct Slot {
    scopes: ScopeSet,
    held: ArcSwapOption<Held>,
    last_attempt: AtomicI64,
    pub(super) flight: Arc<Flight<SlotOutcome>>,
}

#[derive(Debug)]
enum Held {
    Token(Arc<ExchangedToken>),
    Refused(ExchangeError, Timestamp),
}

/// What a look into a slot shows.
#[derive(Debug)]
pub enum Look {
    /// A token to serve.
    Fresh(Arc<ExchangedToken>),
    /// A token to serve, and to be renewed.
    Renewable(Arc<ExchangedToken>),
    /// A refusal of a moment ago.
    Refused(ExchangeError),
    /// Nothing that could serve.
    Empty,
}

impl Slot {
    /// An empty slot for the token with these scopes.
    #[must_use]
    pub fn new(scopes: ScopeSet) -> Self {
        Self { scopes, held: ArcSwapOption::empty(), last_attempt: AtomicI64::new(i64::MIN), flight: Arc::default() }
    }

    /// The scopes that are asked for.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// What is held now. Takes no lock.
    #[must_use]
    pub fn look(&self, now: Timestamp) -> Look {
        match self.held.load().as_deref() {
            Some(Held::Token(token)) => match token.lifetime.phase(now) {
                Phase::Fresh => Look::Fresh(token.clone()),
                Phase::Renewable => Look::Renewable(token.clone()),
                Phase::Expired => Look::Empty,
            },
            Some(Held::Refused(error, until)) if now < *until => Look::Refused(error.clone()),
            Some(Held::Refused(..)) | None => Look::Empty,
        }
    }

    /// Notes an attempt to renew, unless the last one was a moment ago.
    #[must_use]
    pub fn may_renew(&self, now: Timestamp) -> bool {
        let last = self.last_attempt.load(Ordering::Acquire);
        last.saturating_add(RENEWAL_PAUSE.as_secs().cast_signed()) <= now.0
            && self.last_attempt.compare_exchange(last, now.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Keeps the outcome of an exchange: a token while it lives, a definite refusal for seconds. What says nothing about the subject token
    /// (an outage, a fault of the set-up) leaves a held token alone.
    pub fn keep(&self, outcome: &SlotOutcome, now: Timestamp) {
        match outcome {
            Ok(token) if token.lifetime.phase(now) != Phase::Expired => {
                self.held.store(Some(Arc::new(Held::Token(token.clone()))))
            }
            Ok(_) | Err(ExchangeError::Unavailable(_) | ExchangeError::Revoked) => {}
            Err(error @ (ExchangeError::Misconfigured(_) | ExchangeError::Malformed(_))) => {
                if matches!(self.look(now), Look::Empty) {
                    self.refuse(error.clone(), now);
                }
            }
            Err(error @ (ExchangeError::SubjectRefused | ExchangeError::PolicyRefused(_))) => {
                self.refuse(error.clone(), now)
            }
        }
    }

    /// Drops this very token, and no newer one (checklist row 53).
    pub fn forget(&self, token: &Arc<ExchangedToken>) {
        let held = self.held.load_full();
        if matches!(held.as_deref(), Some(Held::Token(own)) if Arc::ptr_eq(own, token)) {
            self.held.compare_and_swap(&held, None);
        }
    }

    /// Drops whatever token is held.
    pub fn clear(&self) {
        self.held.store(None);
    }

    fn refuse(&self, error: ExchangeError, now: Timestamp) {
        self.held.store(Some(Arc::new(Held::Refused(error, now.after(NEGATIVE)))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{BearerHeader, Lifetime};

    const NOW: Timestamp = Timestamp(1_000);

    fn token(expires_in: i64) -> Arc<ExchangedToken> {
        let lifetime = Lifetime::new(NOW, Timestamp(NOW.0 + expires_in), Timestamp(NOW.0 + 28_800));
        let header = BearerHeader::new("t").unwrap();
        Arc::new(ExchangedToken { header, scopes: ScopeSet::default(), lifetime, person: None })
    }

    fn slot() -> Slot {
        Slot::new(ScopeSet::default())
    }

    #[test]
    fn a_definite_refusal_is_remembered_for_seconds_only() {
        let slot = slot();
        slot.keep(&Err(ExchangeError::SubjectRefused), NOW);
        assert!(matches!(slot.look(Timestamp(1_004)), Look::Refused(ExchangeError::SubjectRefused)));
        assert!(matches!(slot.look(Timestamp(1_005)), Look::Empty));
    }

    #[test]
    fn an_outage_is_not_remembered_and_leaves_the_held_token_alone() {
        let slot = slot();
        slot.keep(&Err(ExchangeError::Unavailable("down".into())), NOW);
        assert!(matches!(slot.look(NOW), Look::Empty));
        slot.keep(&Ok(token(120)), NOW);
        slot.keep(&Err(ExchangeError::Unavailable("down".into())), NOW);
        slot.keep(&Err(ExchangeError::Misconfigured("scope".into())), NOW);
        assert!(matches!(slot.look(NOW), Look::Fresh(_)));
    }

    #[test]
    fn a_subject_refused_at_renewal_ends_the_held_token_at_once() {
        let slot = slot();
        slot.keep(&Ok(token(120)), NOW);
        slot.keep(&Err(ExchangeError::SubjectRefused), NOW);
        assert!(matches!(slot.look(NOW), Look::Refused(_)));
    }

    #[test]
    fn only_the_very_token_is_forgotten() {
        let (slot, old, new) = (slot(), token(120), token(120));
        slot.keep(&Ok(new.clone()), NOW);
        slot.forget(&old);
        assert!(matches!(slot.look(NOW), Look::Fresh(_)));
        slot.forget(&new);
        assert!(matches!(slot.look(NOW), Look::Empty));
    }

    #[test]
    fn a_renewal_is_tried_once_in_ten_seconds() {
        let slot = slot();
        assert!(slot.may_renew(NOW));
        assert!(!slot.may_renew(Timestamp(1_009)));
        assert!(slot.may_renew(Timestamp(1_010)));
    }
}
