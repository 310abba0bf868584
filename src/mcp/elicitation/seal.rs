//! What we give to a client to bring back: sealed (HMAC-SHA-256, by rmcp's codec), so that it is ours, is for this and no other purpose, and has
//! not been changed. It is not hidden: there is nothing in it to hide.
//!
//! The codec asks the system for the time. Time is the house's here: the end of validity is in what is sealed, and judged by [`Seal::open`].

use rmcp::model::{RequestStateCodec, SealOptions};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::token::{Digest, Timestamp};

/// A key has to have as many bytes.
pub const SHORTEST_KEY: usize = RequestStateCodec::MIN_KEY_LENGTH;

/// Seals and opens. Cloning shares the key.
#[derive(Clone, Debug)]
pub struct Seal(RequestStateCodec);

/// What is sealed for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Random, and used once.
    #[serde(rename = "n")]
    pub number: u128,
    #[serde(rename = "u")]
    until: i64,
}

/// Why something cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// It is not ours, or not for this.
    Foreign,
    /// It was, but its time is over.
    Expired,
}

impl Ticket {
    /// A new one, good until then.
    #[must_use]
    pub fn new(until: Timestamp) -> Self {
        Self { number: rand::random(), until: until.0 }
    }

    /// When its time is over.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        Timestamp(self.until)
    }
}

impl Seal {
    /// With this key, which replicas may share, or with one of this process alone. Keys are at least [`SHORTEST_KEY`] bytes.
    #[must_use]
    pub fn new(key: Option<&SecretString>) -> Self {
        Self(match key {
            Some(key) => RequestStateCodec::new_unchecked(key.expose_secret().as_bytes()),
            None => RequestStateCodec::new_unchecked(rand::random::<[u8; SHORTEST_KEY]>()),
        })
    }

    /// Seals a ticket for this and nothing else.
    #[must_use]
    pub fn ticket(&self, ticket: &Ticket, purpose: Digest) -> String {
        self.close(&serde_json::to_vec(ticket).unwrap_or_default(), purpose)
    }

    /// Opens a ticket that was sealed for this.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open(&self, sealed: &str, purpose: Digest, now: Timestamp) -> Result<Ticket, NotOpened> {
        let payload = self.0.open_with(sealed, purpose.as_bytes()).map_err(|_| NotOpened::Foreign)?;
        let ticket: Ticket = serde_json::from_slice(&payload).map_err(|_| NotOpened::Foreign)?;
        if now < ticket.until() { Ok(ticket) } else { Err(NotOpened::Expired) }
    }

    /// Seals bytes for this purpose.
    #[must_use]
    pub fn close(&self, payload: &[u8], purpose: Digest) -> String {
        self.0.seal_with(payload, &SealOptions::new().associated_data(purpose.as_bytes()))
    }

    /// Whether this was sealed for this purpose.
    #[must_use]
    pub fn is_ours(&self, sealed: &str, purpose: Digest) -> bool {
        self.0.open_with(sealed, purpose.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_opened_for_its_purpose_within_its_time_by_its_key_and_unchanged() {
        let (seal, purpose) = (Seal::new(None), Digest::of(b"this"));
        let ticket = Ticket::new(Timestamp(100));
        let sealed = seal.ticket(&ticket, purpose);
        assert_eq!(seal.open(&sealed, purpose, Timestamp(99)), Ok(ticket));
        assert_eq!(seal.open(&sealed, purpose, Timestamp(100)), Err(NotOpened::Expired));
        assert_eq!(seal.open(&sealed, Digest::of(b"that"), Timestamp(99)), Err(NotOpened::Foreign));
        assert_eq!(Seal::new(None).open(&sealed, purpose, Timestamp(99)), Err(NotOpened::Foreign));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_ne!(seal.open(&changed, purpose, Timestamp(99)), Ok(ticket), "{at}");
        }
        assert_eq!(seal.open("", purpose, Timestamp(99)), Err(NotOpened::Foreign));
    }

    #[test]
    fn replicas_with_one_key_open_what_the_other_sealed() {
        let key: SecretString = "0123456789abcdef0123456789abcdef".to_owned().into();
        let (one, other) = (Seal::new(Some(&key)), Seal::new(Some(&key)));
        let ticket = Ticket::new(Timestamp(100));
        let sealed = one.ticket(&ticket, Digest::of(b"this"));
        assert_eq!(other.open(&sealed, Digest::of(b"this"), Timestamp(0)), Ok(ticket));
    }
}
