//! Whether sessions are of any use at this Nextcloud. With user_oidc 8.7 to 8.10 a bearer opens no login session, and cookies neither help nor
//! hurt; nobody is to wait for what is not to be had. One opening finds out, and another one every ten minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::settings::USELESS;
use crate::token::Timestamp;

const NEVER: i64 = i64::MIN;

/// What is known.
#[derive(Debug)]
pub struct Usefulness {
    useless_until: AtomicI64,
    useful: AtomicBool,
    probing: AtomicBool,
}

impl Default for Usefulness {
    fn default() -> Self {
        Self { useless_until: AtomicI64::new(NEVER), useful: AtomicBool::new(false), probing: AtomicBool::new(false) }
    }
}

/// Whether a session may be opened.
#[derive(Debug)]
pub enum Permission {
    /// Sessions are known to be of use.
    Open(Ticket),
    /// Nothing is known: this opening finds out for all.
    Probe(Ticket),
    /// They were of no use ten minutes ago: this opening finds out again, and nobody waits for it.
    QuietProbe(Ticket),
    /// They are useless, or another opening is finding out.
    No,
}

/// The right to open a session; it is given back when it is dropped.
#[derive(Debug)]
pub struct Ticket {
    usefulness: Arc<Usefulness>,
    probe: bool,
}

impl Usefulness {
    /// Whether sessions are known to be useless: the one question of every request.
    #[must_use]
    pub fn is_useless(&self, now: Timestamp) -> bool {
        now.0 < self.useless_until.load(Ordering::Acquire)
    }

    /// Asks for the right to open a session.
    #[must_use]
    pub fn permission(self: &Arc<Self>, now: Timestamp) -> Permission {
        if self.is_useless(now) {
            return Permission::No;
        }
        if self.useful.load(Ordering::Acquire) {
            return Permission::Open(Ticket { usefulness: self.clone(), probe: false });
        }
        if self.probing.swap(true, Ordering::AcqRel) {
            return Permission::No;
        }
        let ticket = Ticket { usefulness: self.clone(), probe: true };
        if self.is_useless(now) {
            return Permission::No;
        }
        if self.useless_until.load(Ordering::Acquire) == NEVER {
            Permission::Probe(ticket)
        } else {
            Permission::QuietProbe(ticket)
        }
    }
}

impl Ticket {
    /// A session was opened.
    pub fn useful(&self) {
        self.usefulness.useless_until.store(NEVER, Ordering::Release);
        self.usefulness.useful.store(true, Ordering::Release);
    }

    /// A good bearer opened none. Whether that is news.
    pub fn useless(&self, now: Timestamp) -> bool {
        let until = now.after(USELESS).0;
        let before = self.usefulness.useless_until.swap(until, Ordering::AcqRel);
        self.usefulness.useful.store(false, Ordering::Release);
        before == NEVER
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.probe {
            self.usefulness.probing.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_000 + seconds)
    }

    #[test]
    fn one_opening_finds_out_for_all() {
        let usefulness = Arc::new(Usefulness::default());
        let Permission::Probe(first) = usefulness.permission(at(0)) else { panic!("nobody may find out") };
        assert!(matches!(usefulness.permission(at(0)), Permission::No));
        first.useful();
        assert!(matches!(usefulness.permission(at(0)), Permission::Open(_)));
    }

    #[test]
    fn an_opening_that_found_nothing_out_leaves_it_to_the_next() {
        let usefulness = Arc::new(Usefulness::default());
        drop(usefulness.permission(at(0)));
        assert!(matches!(usefulness.permission(at(0)), Permission::Probe(_)));
    }

    #[test]
    fn a_useless_generation_is_asked_once_in_ten_minutes_and_nobody_waits() {
        let usefulness = Arc::new(Usefulness::default());
        let Permission::Probe(first) = usefulness.permission(at(0)) else { panic!("nobody may find out") };
        assert!(first.useless(at(0)));
        drop(first);
        assert!(usefulness.is_useless(at(599)) && matches!(usefulness.permission(at(599)), Permission::No));
        let Permission::QuietProbe(second) = usefulness.permission(at(600)) else { panic!("it is time to ask again") };
        assert!(matches!(usefulness.permission(at(600)), Permission::No), "one of them is enough");
        assert!(!second.useless(at(600)));
        drop(second);
        assert!(matches!(usefulness.permission(at(1_199)), Permission::No));
        let Permission::QuietProbe(third) = usefulness.permission(at(1_200)) else { panic!("it is time to ask again") };
        third.useful();
        drop(third);
        assert!(matches!(usefulness.permission(at(1_200)), Permission::Open(_)));
    }

    #[test]
    fn sessions_that_became_useless_are_noticed() {
        let usefulness = Arc::new(Usefulness::default());
        let Permission::Probe(first) = usefulness.permission(at(0)) else { panic!("nobody may find out") };
        first.useful();
        drop(first);
        let Permission::Open(later) = usefulness.permission(at(50)) else { panic!("they were of use") };
        assert!(later.useless(at(50)));
        assert!(usefulness.is_useless(at(51)));
    }
}
