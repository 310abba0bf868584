//! The timer of one HTTP/1.1 connection. hyper begins to wait for a head with each request and asks for a new sleep each time; here they are
//! all one, which is moved on: that is much cheaper than making, registering and removing one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

/// hyper waits for one thing at a time on such a connection: a later wait takes the place of an earlier one.
#[derive(Default)]
pub struct HeadTimer(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

struct Wait(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

// === impl Timer ===

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let mut sleep = self.0.lock();
        match &mut *sleep {
            Some(sleep) => sleep.as_mut().reset(deadline.into()),
            none => *none = Some(Box::pin(tokio::time::sleep_until(deadline.into()))),
        }
        Box::pin(Wait(self.0.clone()))
    }
}

// === impl Sleep ===

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.lock().as_mut().map_or(Poll::Ready(()), |sleep| sleep.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_wait_takes_the_place_of_an_earlier_one() {
        let timer = HeadTimer::default();
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        timer.sleep(Duration::from_millis(20)).await;
        assert!(Instant::now() >= at(20));
        drop(timer.sleep_until(at(30_000)));
        timer.sleep_until(at(60)).await;
        assert!(Instant::now() >= at(60) && Instant::now() < at(30_000), "also one that ends before it");
        timer.sleep_until(at(120)).await;
        assert!(Instant::now() >= at(120));
    }
}
