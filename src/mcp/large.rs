//! Large messages, of which each principal may have few under way: all bodies share one budget of bytes, and whoever sends many of them
//! without ever ending one would have it for himself.

use std::sync::Arc;

use http_body::Body as _;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::Body;
use crate::error::Error;
use crate::token::{Digest, Principal};

/// What is no larger is not counted, in bytes: most messages have some hundred.
const SMALL: u64 = 64 * 1024;
/// So many larger ones one principal may have under way: a quarter of the budget, if they are of the largest.
const AT_ONCE: usize = 2;
/// Principals that are kept in mind; each costs some hundred bytes.
const MOST: u64 = 100_000;

/// The large messages of all principals. Cloning shares them.
#[derive(Clone)]
pub struct LargeMessages(Cache<Digest, Arc<Semaphore>>);

impl Default for LargeMessages {
    fn default() -> Self {
        // Without a time: whoever waits long enough would begin anew while his messages are still under way.
        Self(Cache::builder().max_capacity(MOST).build())
    }
}

impl LargeMessages {
    /// Room for this body, to be kept as long as its bytes are; a small one needs none. Of how many bytes it is counts as it was declared,
    /// and without a declaration it is large.
    ///
    /// # Errors
    /// [`Error::Overloaded`].
    pub fn enter(&self, principal: &Principal, body: &Body) -> Result<Option<OwnedSemaphorePermit>, Error> {
        if body.size_hint().upper().is_some_and(|bytes| bytes <= SMALL) {
            return Ok(None);
        }
        let room = self.0.get_with(principal.key(), || Arc::new(Semaphore::new(AT_ONCE)));
        room.try_acquire_owned().map(Some).map_err(|_| Error::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_messages_are_few_and_small_ones_are_not_counted() {
        let (large, of) = (LargeMessages::default(), |name| Principal::new(&"https://sso".into(), name).unwrap());
        let body = |bytes: usize| Body::full(vec![b' '; bytes]);
        let _first = large.enter(&of("alice"), &body(100_000)).unwrap().unwrap();
        let second = large.enter(&of("alice"), &body(100_000)).unwrap().unwrap();
        assert!(matches!(large.enter(&of("alice"), &body(100_000)), Err(Error::Overloaded)));
        assert!(matches!(large.enter(&of("alice"), &body(1_000)), Ok(None)));
        assert!(large.enter(&of("bob"), &body(100_000)).is_ok());
        drop(second);
        assert!(large.enter(&of("alice"), &body(100_000)).is_ok());
    }
}
