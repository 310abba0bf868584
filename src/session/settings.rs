//! The settings of upstream sessions, and the ages that are not settings.

use std::time::Duration;

/// `[sessions]`, resolved.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// Whether there are any.
    pub enabled: bool,
    /// How long a request waits for a session that is being opened or proved, before it goes without.
    pub wait: Duration,
    /// A session that nobody used for this long is logged out.
    pub idle: Duration,
    /// How many there are at most; the least recently used goes.
    pub most: usize,
}

/// A proof younger than this is good.
pub const FRESH_PROOF: Duration = Duration::from_secs(45);
/// A proof younger than this is good, but is renewed in the background; an older one is renewed before the session is used. So a user whom
/// Nextcloud disabled is out after this long, idle or not (checklist row 52).
pub const OLDEST_PROOF: Duration = Duration::from_mins(1);
/// After a proof that brought no answer the next one waits this long.
pub const PROOF_PAUSE: Duration = Duration::from_secs(5);
/// A refused or failed opening is remembered for its person this long.
pub const REFUSAL: Duration = Duration::from_secs(30);
/// A Nextcloud for which sessions are useless is asked again after this long.
pub const USELESS: Duration = Duration::from_mins(10);
/// However much it is used, a session is opened anew after this long: an account that is remapped inside Nextcloud shows in no claim, and a
/// session would go on as the old one.
pub const LONGEST_LIFE: Duration = Duration::from_mins(30);
/// A principal has at most this many sessions; its oldest goes (product.md §3).
pub const QUOTA: usize = 8;
/// A session that ended is logged out after this long though it is still in use, and once more when it no longer is.
pub const DRAIN: Duration = Duration::from_secs(30);
