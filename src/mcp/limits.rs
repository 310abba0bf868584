//! How often and how much at once: for each principal, so that nobody's assistant takes what others need (MCP 2026-07-28, server/tools,
//! "Security considerations").

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::Fault;
use crate::token::{Digest, DigestBuilder, Principal};

/// Principals, times tools, that are kept in mind. Beyond it the least recent are forgotten, which gives them a fresh minute.
const MOST: u64 = 100_000;
/// A rate that nobody touched for so long is full again, and need not be kept.
const IDLE: Duration = Duration::from_mins(2);

/// The limits of all principals. Cloning shares them.
#[derive(Clone)]
pub struct Limits {
    rates: Cache<Digest, Arc<DefaultDirectRateLimiter>>,
    rooms: Cache<Digest, Arc<Semaphore>>,
    quota: Quota,
    at_once: usize,
}

impl Limits {
    /// So many calls a minute of one tool, and so many at once of all, for each principal.
    #[must_use]
    pub fn new(per_minute: NonZeroU32, at_once: usize) -> Self {
        Self {
            rates: Cache::builder().max_capacity(MOST).time_to_idle(IDLE).build(),
            // Without a time: whoever waits long enough would begin anew while his calls are still under way.
            rooms: Cache::builder().max_capacity(MOST).build(),
            quota: Quota::per_minute(per_minute),
            at_once,
        }
    }

    /// Room for one call; it is free again when the permit goes.
    ///
    /// # Errors
    /// [`Fault::TooMany`], with the seconds to wait.
    pub fn enter(&self, principal: &Principal, tool: &str) -> Result<OwnedSemaphorePermit, Fault> {
        let key = DigestBuilder::new("mcp-rate")
            .field(principal.issuer().as_bytes())
            .field(principal.subject().as_bytes())
            .field(tool.as_bytes())
            .finish();
        let rate = self.rates.get_with(key, || Arc::new(RateLimiter::direct(self.quota)));
        if let Err(early) = rate.check() {
            let wait = early.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            return Err(Fault::TooMany(format!(
                "Too many calls of {tool} within a minute. Wait {wait} s, then try again."
            )));
        }
        let room = self.rooms.get_with(principal.key(), || Arc::new(Semaphore::new(self.at_once)));
        room.try_acquire_owned().map_err(|_| {
            Fault::TooMany("Too many calls at once. Wait until one of them is answered, then try again.".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(subject: &str) -> Principal {
        Principal::new(&"https://sso".into(), subject).unwrap()
    }

    #[test]
    fn each_principal_has_its_own_rate_for_each_tool() {
        let limits = Limits::new(NonZeroU32::new(3).unwrap(), 10);
        for _ in 0..3 {
            assert!(limits.enter(&principal("alice"), "search").is_ok());
        }
        let Err(Fault::TooMany(words)) = limits.enter(&principal("alice"), "search") else { panic!("a fourth call") };
        assert!(words.contains("Wait 2"), "{words}");
        assert!(limits.enter(&principal("alice"), "fetch").is_ok());
        assert!(limits.enter(&principal("bob"), "search").is_ok());
    }

    #[test]
    fn room_is_free_again_after_a_call() {
        let limits = Limits::new(NonZeroU32::new(100).unwrap(), 1);
        let first = limits.enter(&principal("alice"), "search").unwrap();
        assert!(limits.enter(&principal("alice"), "fetch").is_err());
        assert!(limits.enter(&principal("bob"), "fetch").is_ok());
        drop(first);
        assert!(limits.enter(&principal("alice"), "fetch").is_ok());
    }
}
