//! What leaves the house on a user's word: mails of shares and invitations. Nothing is sent; it is only noted.

use parking_lot::Mutex;

/// A mail that Nextcloud would have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// In whose name.
    pub from: String,
    /// The address.
    pub to: String,
    /// `share`, `invitation` or `cancellation`.
    pub about: &'static str,
}

#[derive(Default)]
pub(super) struct Outbox(Mutex<Vec<Mail>>);

// === impl Outbox ===

impl Outbox {
    pub(super) fn send(&self, from: &str, to: &str, about: &'static str) {
        self.0.lock().push(Mail { from: from.to_owned(), to: to.to_owned(), about });
    }

    pub(super) fn all(&self) -> Vec<Mail> {
        self.0.lock().clone()
    }
}
