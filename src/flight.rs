//! One flight at a time. Work that many callers want at once is done once, on the control runtime, apart from all of them: a caller that
//! goes away cancels nobody, and a connection of the provider's client is always driven by the runtime that opened it.

use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The control runtime: the provider's client, exchanges, renewals and keys live there. It is stopped last.
#[derive(Debug, Clone)]
pub struct Control(Handle);

impl Control {
    /// Uses a runtime as control runtime.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// Runs a task there, apart from the caller.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.spawn(task);
    }

    /// Runs a task there and waits for what comes of it; a caller that goes away does not stop it. `None`: it panicked, or the process stops.
    pub async fn run<T, F>(&self, task: F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.0.spawn(task).await.ok()
    }
}

/// The outcome of a flight, for those who wait. `None`: it ended without one, because it panicked or the process stops.
pub type Outcome<V> = Option<V>;

/// A flight that is begun at most once at a time.
#[derive(Debug)]
pub struct Flight<V> {
    current: Mutex<Option<watch::Receiver<Option<V>>>>,
}

impl<V> Default for Flight<V> {
    fn default() -> Self {
        Self { current: Mutex::new(None) }
    }
}

/// What a caller got when it asked for a flight.
#[derive(Debug)]
pub enum Boarded<V> {
    /// It began the flight.
    Began(Waiting<V>),
    /// It joined one that was under way.
    Joined(Waiting<V>),
    /// No flight is wanted any more.
    Declined,
}

/// Waits for the outcome of a flight.
#[derive(Debug)]
pub struct Waiting<V>(watch::Receiver<Option<V>>);

impl<V: Clone> Waiting<V> {
    /// The outcome, once it is there.
    pub async fn outcome(mut self) -> Outcome<V> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone())
    }
}

impl<V: Clone + Send + Sync + 'static> Flight<V> {
    /// Joins the flight that is under way, or begins the one that `begin` returns. `begin` is called under the lock of this flight, so what
    /// it looks at cannot be changed by a flight that lands meanwhile; it returns `None` if none is needed after all.
    pub fn board<F>(self: &Arc<Self>, control: &Control, begin: impl FnOnce() -> Option<F>) -> Boarded<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut current = self.current.lock();
        if let Some(waiting) = current.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return Boarded::Joined(Waiting(waiting.clone()));
        }
        let Some(flight) = begin() else {
            return Boarded::Declined;
        };
        let (landed, waiting) = watch::channel(None);
        *current = Some(waiting.clone());
        drop(current);
        let own = self.clone();
        control.spawn(async move {
            let outcome = flight.await;
            // First no longer under way, then known: whoever comes in between looks at what the flight stored.
            *own.current.lock() = None;
            landed.send_replace(Some(outcome));
        });
        Boarded::Began(Waiting(waiting))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    fn control() -> Control {
        Control::new(Handle::current())
    }

    #[tokio::test]
    async fn many_callers_share_one_flight_and_a_cancelled_one_cancels_nobody() {
        let (flight, flights, gate) =
            (Arc::new(Flight::default()), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut waiting = Vec::new();
        for _ in 0..100 {
            let (flights, gate) = (flights.clone(), gate.clone());
            let boarded = flight.board(&control(), || {
                flights.fetch_add(1, Ordering::SeqCst);
                Some(async move {
                    gate.notified().await;
                    7
                })
            });
            match boarded {
                Boarded::Began(own) | Boarded::Joined(own) => waiting.push(own),
                Boarded::Declined => panic!("a flight was wanted"),
            }
        }
        drop(waiting.remove(0));
        gate.notify_one();
        for own in waiting {
            assert_eq!(own.outcome().await, Some(7));
        }
        assert_eq!(flights.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_flight_that_panics_fails_its_callers_and_lets_the_next_one_begin() {
        let flight: Arc<Flight<u8>> = Arc::default();
        let Boarded::Began(own) = flight.board(&control(), || Some(async { panic!("crash") })) else {
            panic!("it did not begin")
        };
        assert_eq!(own.outcome().await, None);
        let Boarded::Began(own) = flight.board(&control(), || Some(async { 1 })) else {
            panic!("the next one did not begin")
        };
        assert_eq!(own.outcome().await, Some(1));
    }
}
