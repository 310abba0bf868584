//! Exchanged tokens are cached in their entry: served while fresh, renewed in the background before they end, fetched once for all callers
//! of all cores.

use std::future::Future;
use std::sync::Arc;

use super::slot::{Look, Slot, SlotOutcome};
use super::{Entry, ExchangeError, ExchangedToken, TokenExchanger};
use crate::flight::{Boarded, Control};
use crate::metrics::{CacheLookup, Metrics};
use crate::token::{Clock, Identity, ScopeSet, SubjectToken};

/// Told whose token the provider no longer accepts: the session there is over.
pub type RefusalWatcher = Arc<dyn Fn(&Identity) + Send + Sync>;

/// The cache in front of a [`TokenExchanger`].
#[derive(Clone)]
pub struct CachedExchange {
    exchanger: Arc<dyn TokenExchanger>,
    control: Control,
    clock: Clock,
    metrics: Metrics,
    watcher: Option<RefusalWatcher>,
}

impl CachedExchange {
    /// Caches what this exchanger gives; its flights run on the control runtime.
    #[must_use]
    pub fn new(exchanger: Arc<dyn TokenExchanger>, control: Control, clock: Clock, metrics: Metrics) -> Self {
        Self { exchanger, control, clock, metrics, watcher: None }
    }

    /// The same, but this watcher is told whose subject token the provider refuses.
    #[must_use]
    pub fn telling(self, watcher: RefusalWatcher) -> Self {
        Self { watcher: Some(watcher), ..self }
    }

    /// The token to use for Nextcloud, from the cache or by an exchange.
    ///
    /// # Errors
    /// [`ExchangeError`]; definite refusals are remembered for seconds.
    pub async fn obtain(&self, entry: &Arc<Entry>, subject: &SubjectToken, scopes: &ScopeSet) -> SlotOutcome {
        let slot = entry.slot(scopes);
        match slot.look(self.clock.now()) {
            Look::Fresh(token) => {
                self.metrics.lookups.count(CacheLookup::Hit);
                Ok(token)
            }
            Look::Renewable(token) => {
                self.metrics.lookups.count(CacheLookup::Renewing);
                if slot.may_renew(self.clock.now()) {
                    slot.flight.board(&self.control, || Some(self.flight(entry, &slot, subject)));
                }
                Ok(token)
            }
            Look::Refused(error) => {
                self.metrics.lookups.count(CacheLookup::Negative);
                Err(error)
            }
            // Boxed: most requests never come here, and their futures need not be this large.
            Look::Empty => Box::pin(self.fly(entry, &slot, subject)).await,
        }
    }

    /// Drops this very token after Nextcloud refused it, and gets another.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn replace(
        &self,
        entry: &Arc<Entry>,
        subject: &SubjectToken,
        scopes: &ScopeSet,
        refused: &Arc<ExchangedToken>,
    ) -> SlotOutcome {
        entry.slot(scopes).forget(refused);
        self.obtain(entry, subject, scopes).await
    }

    async fn fly(&self, entry: &Arc<Entry>, slot: &Arc<Slot>, subject: &SubjectToken) -> SlotOutcome {
        let mut landed_meanwhile = None;
        let boarded = slot.flight.board(&self.control, || match slot.look(self.clock.now()) {
            Look::Fresh(token) | Look::Renewable(token) => {
                landed_meanwhile = Some(Ok(token));
                None
            }
            Look::Refused(error) => {
                landed_meanwhile = Some(Err(error));
                None
            }
            Look::Empty => Some(self.flight(entry, slot, subject)),
        });
        let waiting = match boarded {
            Boarded::Began(waiting) => {
                self.metrics.lookups.count(CacheLookup::Miss);
                waiting
            }
            Boarded::Joined(waiting) => {
                self.metrics.lookups.count(CacheLookup::Joined);
                waiting
            }
            Boarded::Declined => {
                self.metrics.lookups.count(CacheLookup::Joined);
                return landed_meanwhile.unwrap_or(Err(ExchangeError::Revoked));
            }
        };
        let outcome = waiting.outcome().await;
        if entry.is_revoked() {
            return Err(ExchangeError::Revoked);
        }
        outcome.unwrap_or_else(|| Err(ExchangeError::Unavailable("the exchange was cut off".to_owned())))
    }

    /// The flight itself. What it brings is kept only in its entry, which a purge makes unreachable, so that nothing begun before a purge
    /// can serve after it (law 8).
    fn flight(
        &self,
        entry: &Arc<Entry>,
        slot: &Arc<Slot>,
        subject: &SubjectToken,
    ) -> impl Future<Output = SlotOutcome> + Send + 'static + use<> {
        let (own, entry, slot, subject) = (self.clone(), entry.clone(), slot.clone(), subject.clone());
        async move {
            let outcome = own.exchanger.exchange(&subject, entry.identity(), slot.scopes()).await.map(Arc::new);
            if entry.is_revoked() {
                return Err(ExchangeError::Revoked);
            }
            if outcome.as_ref().is_err_and(|error| *error == ExchangeError::SubjectRefused) {
                // The session is over: the tokens with other scopes are not served to their end either.
                entry.clear();
                if let Some(watcher) = &own.watcher {
                    watcher(entry.identity());
                }
            }
            slot.keep(&outcome, own.clock.now());
            if entry.is_revoked() {
                entry.clear();
            }
            outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::HeaderValue;
    use parking_lot::Mutex;
    use tokio::runtime::Handle;
    use tokio::sync::Semaphore;

    use super::super::entry::tests::identity;
    use super::super::{Exchanging, TokenExchanger};
    use super::*;
    use crate::token::{BearerHeader, Digest, Lifetime, Timestamp};

    /// A provider that answers when its gate is open, and counts.
    struct Provider {
        clock: Clock,
        gate: Semaphore,
        asked: AtomicUsize,
        answer: Mutex<Result<i64, ExchangeError>>,
    }

    impl TokenExchanger for Provider {
        fn exchange<'a>(&'a self, _: &'a SubjectToken, identity: &'a Identity, _: &'a ScopeSet) -> Exchanging<'a> {
            Box::pin(async move {
                let number = self.asked.fetch_add(1, Ordering::SeqCst);
                self.gate.acquire().await.unwrap().forget();
                let now = self.clock.now();
                let expires_in = self.answer.lock().clone()?;
                let lifetime = Lifetime::new(now, Timestamp(now.0 + expires_in), identity.expires_at);
                let header = BearerHeader::new(&format!("t{number}")).unwrap();
                Ok(ExchangedToken { header, scopes: ScopeSet::default(), lifetime, person: None })
            })
        }
    }

    struct Bench {
        provider: Arc<Provider>,
        cached: CachedExchange,
        entry: Arc<Entry>,
        subject: SubjectToken,
        clock: Clock,
    }

    fn bench(open: usize) -> Bench {
        let clock = Clock::manual(Timestamp(1_000));
        let provider = Arc::new(Provider {
            clock: clock.clone(),
            gate: Semaphore::new(open),
            asked: AtomicUsize::new(0),
            answer: Mutex::new(Ok(120)),
        });
        let metrics = Metrics::new(&[], &[]).unwrap();
        let cached = CachedExchange::new(provider.clone(), Control::new(Handle::current()), clock.clone(), metrics);
        let entry = Arc::new(Entry::new(Digest::of(b"t"), identity("alice")));
        let subject = SubjectToken::from_header(HeaderValue::from_static("Bearer a.b.c")).unwrap();
        Bench { provider, cached, entry, subject, clock }
    }

    impl Bench {
        async fn obtain(&self) -> SlotOutcome {
            self.cached.obtain(&self.entry, &self.subject, &ScopeSet::default()).await
        }

        fn asked(&self) -> usize {
            self.provider.asked.load(Ordering::SeqCst)
        }

        /// Lets spawned flights run.
        async fn settle(&self) {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_stampede_costs_one_exchange_and_cancelled_callers_cancel_nobody() {
        let bench = Arc::new(bench(0));
        let callers: Vec<_> = (0..1_000)
            .map(|_| {
                let bench = bench.clone();
                tokio::spawn(async move { bench.obtain().await })
            })
            .collect();
        bench.settle().await;
        for caller in callers.iter().step_by(3) {
            caller.abort();
        }
        bench.provider.gate.add_permits(10);
        for (number, caller) in callers.into_iter().enumerate() {
            if number % 3 != 0 {
                caller.await.unwrap().unwrap();
            }
        }
        assert_eq!(bench.asked(), 1);
    }

    #[tokio::test]
    async fn it_is_renewed_in_the_background_while_the_old_one_serves() {
        let bench = bench(10);
        let first = bench.obtain().await.unwrap();
        bench.clock.advance(Duration::from_secs(90));
        let still = bench.obtain().await.unwrap();
        assert!(Arc::ptr_eq(&first, &still));
        bench.settle().await;
        assert_eq!(bench.asked(), 2);
        assert!(!Arc::ptr_eq(&first, &bench.obtain().await.unwrap()));
    }

    #[tokio::test]
    async fn an_outage_at_renewal_is_not_felt_and_not_hammered() {
        let bench = bench(10);
        bench.obtain().await.unwrap();
        *bench.provider.answer.lock() = Err(ExchangeError::Unavailable("down".into()));
        bench.clock.advance(Duration::from_secs(90));
        for _ in 0..5 {
            bench.obtain().await.unwrap();
            bench.settle().await;
        }
        assert_eq!(bench.asked(), 2, "one attempt in ten seconds");
        bench.clock.advance(Duration::from_secs(25));
        assert!(matches!(bench.obtain().await, Err(ExchangeError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_definite_refusal_is_asked_for_once_in_five_seconds() {
        let bench = bench(10);
        *bench.provider.answer.lock() = Err(ExchangeError::PolicyRefused("no".into()));
        for _ in 0..5 {
            assert!(matches!(bench.obtain().await, Err(ExchangeError::PolicyRefused(_))));
        }
        assert_eq!(bench.asked(), 1);
        bench.clock.advance(Duration::from_secs(5));
        bench.obtain().await.unwrap_err();
        assert_eq!(bench.asked(), 2);
    }

    #[tokio::test]
    async fn what_was_begun_before_a_purge_serves_nobody_after_it() {
        let bench = Arc::new(bench(0));
        let caller = tokio::spawn({
            let bench = bench.clone();
            async move { bench.obtain().await }
        });
        bench.settle().await;
        bench.entry.revoke();
        bench.provider.gate.add_permits(1);
        assert_eq!(caller.await.unwrap().unwrap_err(), ExchangeError::Revoked);
        assert!(matches!(bench.entry.slot(&ScopeSet::default()).look(bench.clock.now()), Look::Empty));
    }

    #[tokio::test]
    async fn what_landed_before_a_purge_is_not_handed_out_after_it() {
        let bench = bench(0);
        let mut caller = Box::pin(bench.obtain());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(caller.as_mut().poll(&mut context).is_pending());
        bench.provider.gate.add_permits(1);
        bench.settle().await;
        assert!(matches!(bench.entry.slot(&ScopeSet::default()).look(bench.clock.now()), Look::Fresh(_)), "it landed");
        bench.entry.revoke();
        assert_eq!(caller.await.unwrap_err(), ExchangeError::Revoked);
    }

    #[tokio::test]
    async fn a_session_that_ended_takes_the_tokens_with_other_scopes_along() {
        let bench = bench(10);
        bench.obtain().await.unwrap();
        *bench.provider.answer.lock() = Err(ExchangeError::SubjectRefused);
        let other = ScopeSet::parse("files.write");
        bench.cached.obtain(&bench.entry, &bench.subject, &other).await.unwrap_err();
        assert!(matches!(bench.entry.slot(&ScopeSet::default()).look(bench.clock.now()), Look::Empty));
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once_however_many_complain() {
        let bench = bench(10);
        let refused = bench.obtain().await.unwrap();
        for _ in 0..3 {
            let scopes = ScopeSet::default();
            bench.cached.replace(&bench.entry, &bench.subject, &scopes, &refused).await.unwrap();
        }
        assert_eq!(bench.asked(), 2);
    }
}
