//! Sessions that ended and are to be logged out at Nextcloud, in one bounded queue. Whoever puts one in has seen to it that nobody finds it and
//! nobody uses it any more.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, mpsc, watch};

use super::courier::Courier;
use super::kept::Session;
use crate::flight::Control;
use crate::metrics::{Logout, Metrics};
use crate::token::{Clock, Phase};

/// So many logouts at once.
const AT_ONCE: usize = 16;

/// The way out. Cloning shares the queue.
#[derive(Debug, Clone)]
pub struct Departures {
    queue: mpsc::Sender<Arc<Session>>,
    tally: Tally,
}

/// How many are on their way, and how it ended for them.
#[derive(Debug, Clone)]
struct Tally {
    under_way: watch::Sender<usize>,
    metrics: Metrics,
}

/// The other end of the queue.
pub struct Arrivals {
    queue: mpsc::Receiver<Arc<Session>>,
    tally: Tally,
}

impl Departures {
    /// A queue for so many; more are dropped and counted. They live on at Nextcloud until they expire there, but nobody has them.
    #[must_use]
    pub fn new(most: usize, metrics: Metrics) -> (Self, Arrivals) {
        let (queue, arrivals) = mpsc::channel(most.max(1));
        let tally = Tally { under_way: watch::Sender::new(0), metrics };
        (Self { queue, tally: tally.clone() }, Arrivals { queue: arrivals, tally })
    }

    /// Has a session logged out.
    pub fn send(&self, session: Arc<Session>) {
        self.tally.under_way.send_modify(|count| *count += 1);
        if self.queue.try_send(session).is_err() {
            self.tally.ended(Logout::Dropped);
        }
    }

    /// Returns when nobody is on the way, or after this long.
    pub async fn all_gone(&self, within: Duration) {
        let mut under_way = self.tally.under_way.subscribe();
        if tokio::time::timeout(within, under_way.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!(sessions = *under_way.borrow(), "not all upstream sessions could be logged out in time");
        }
    }
}

impl Tally {
    fn ended(&self, outcome: Logout) {
        self.metrics.sessions.logouts.count(outcome);
        self.under_way.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Arrivals {
    /// Logs out whoever comes, a few at once, until nobody can come any more.
    pub async fn attend(mut self, courier: Courier, control: Control, clock: Clock) {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        while let Some(session) = self.queue.recv().await {
            let Ok(turn) = turns.clone().acquire_owned().await else { return };
            let (courier, clock, tally) = (courier.clone(), clock.clone(), self.tally.clone());
            control.spawn(async move {
                tally.ended(log_out(&courier, &session, &clock).await);
                drop(turn);
            });
        }
    }
}

/// By the session alone, first: with a bearer beside it, Nextcloud logs the bearer in once more on the way out (recorded on 7.3.2), with another
/// key pair, and a purged token is not to be sent again. Where that is refused, with the bearer it was opened with, if that is still good.
async fn log_out(courier: &Courier, session: &Session, clock: &Clock) -> Logout {
    let cookies = session.cookies().header();
    let mut told = courier.log_out(None, cookies).await;
    let bearer = session.bearer();
    if matches!(&told, Ok(told) if told.status != StatusCode::SEE_OTHER)
        && bearer.lifetime.phase(clock.now()) != Phase::Expired
    {
        told = courier.log_out(Some(bearer.header.expose()), cookies).await;
    }
    match told {
        Ok(told) if told.status == StatusCode::SEE_OTHER => Logout::Ok,
        Ok(_) | Err(_) => Logout::Failed,
    }
}
