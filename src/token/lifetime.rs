//! How long an exchanged token may serve, and when it is to be renewed. This alone decides freshness.

use std::time::Duration;

use super::clock::Timestamp;

/// An exchanged token serves at most this long (product.md §3).
pub const LONGEST: Duration = Duration::from_mins(5);
/// It is put away this long before its own `exp`, so that it does not expire on its way to Nextcloud, which grants no leeway.
pub const MARGIN: Duration = Duration::from_secs(5);
/// It is renewed in the background in this last part of its life.
pub const RENEWAL: Duration = Duration::from_secs(30);

/// In which part of its life a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Serve it.
    Fresh,
    /// Serve it, and renew it in the background.
    Renewable,
    /// Do not serve it.
    Expired,
}

/// `min(5 min, exchanged exp − 5 s, subject exp)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    until: Timestamp,
    renew_from: Option<Timestamp>,
}

impl Lifetime {
    /// The life of a token exchanged at `now` that expires at `exchanged_exp`, for a subject token that expires at `subject_exp`.
    #[must_use]
    pub fn new(now: Timestamp, exchanged_exp: Timestamp, subject_exp: Timestamp) -> Self {
        let own = now.after(LONGEST).min(exchanged_exp.before(MARGIN));
        let until = own.min(subject_exp);
        // Where the subject token is the cap, a renewal could not extend it.
        let renew_from = (own < subject_exp).then(|| until.before(RENEWAL));
        Self { until, renew_from }
    }

    /// When the token stops serving.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Which part of its life `now` is in.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        if now >= self.until {
            Phase::Expired
        } else if self.renew_from.is_some_and(|from| now >= from) {
            Phase::Renewable
        } else {
            Phase::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds)
    }

    #[test]
    fn five_minutes_are_the_most() {
        let life = Lifetime::new(NOW, at(3_600), at(28_800));
        assert_eq!(life.until(), at(300));
        assert_eq!(life.phase(at(269)), Phase::Fresh);
        assert_eq!(life.phase(at(270)), Phase::Renewable);
        assert_eq!(life.phase(at(299)), Phase::Renewable);
        assert_eq!(life.phase(at(300)), Phase::Expired);
    }

    #[test]
    fn it_ends_five_seconds_before_the_exchanged_token() {
        assert_eq!(Lifetime::new(NOW, at(120), at(28_800)).until(), at(115));
    }

    #[test]
    fn it_ends_with_the_subject_token_and_is_then_not_renewed() {
        let life = Lifetime::new(NOW, at(3_600), at(60));
        assert_eq!(life.until(), at(60));
        assert_eq!(life.phase(at(59)), Phase::Fresh);
        assert_eq!(life.phase(at(60)), Phase::Expired);
    }

    #[test]
    fn a_token_that_expires_at_once_never_serves() {
        assert_eq!(Lifetime::new(NOW, at(4), at(60)).phase(NOW), Phase::Expired);
    }
}
