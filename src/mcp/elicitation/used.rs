//! What can be used once. Fails closed: where there is no room to remember a use, nothing can be used.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

use crate::token::Timestamp;

/// So many uses are remembered.
const MOST: usize = 100_000;

/// The numbers that were used and could be used again by their time.
#[derive(Debug)]
pub struct Used {
    most: usize,
    remembered: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    numbers: HashSet<u128>,
    /// In the order of their uses; each is kept for the same time, so the first is the first to go.
    order: VecDeque<(Timestamp, u128)>,
}

impl Default for Used {
    fn default() -> Self {
        Self::up_to(MOST)
    }
}

impl Used {
    /// Remembers so many.
    #[must_use]
    pub fn up_to(most: usize) -> Self {
        Self { most, remembered: Mutex::default() }
    }

    /// Uses a number, which is remembered until then. Whether this was the first time.
    pub fn first(&self, number: u128, until: Timestamp, now: Timestamp) -> bool {
        let mut remembered = self.remembered.lock();
        while let Some((_, gone)) = remembered.order.front().copied().filter(|(until, _)| *until <= now) {
            remembered.order.pop_front();
            remembered.numbers.remove(&gone);
        }
        if remembered.numbers.len() >= self.most || !remembered.numbers.insert(number) {
            return false;
        }
        remembered.order.push_back((until, number));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_once_until_its_time_is_over() {
        let used = Used::default();
        assert!(used.first(1, Timestamp(10), Timestamp(0)));
        assert!(!used.first(1, Timestamp(10), Timestamp(9)));
        assert!(used.first(2, Timestamp(10), Timestamp(9)));
        assert!(used.first(1, Timestamp(20), Timestamp(10)), "nothing good can bear it any more");
    }

    #[test]
    fn a_full_memory_lets_nothing_be_used() {
        let used = Used::up_to(2);
        assert!(used.first(1, Timestamp(10), Timestamp(0)) && used.first(2, Timestamp(10), Timestamp(0)));
        assert!(!used.first(3, Timestamp(10), Timestamp(0)));
        assert!(!used.first(1, Timestamp(10), Timestamp(0)));
        assert!(used.first(3, Timestamp(20), Timestamp(10)));
    }
}
