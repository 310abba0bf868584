//! The people of the realm.

use sha2::{Digest, Sha256};

use super::super::clock;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `preferred_username`, and by it the Nextcloud uid.
    pub username: String,
    /// `name`.
    pub name: String,
    /// `email`.
    pub email: String,
}

impl User {
    /// A person with a made-up name and address: `alice` is "Alice T", `alice@ex.org`.
    #[must_use]
    pub fn named(username: &str) -> Self {
        let mut letters = username.chars();
        let capital = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
        Self {
            username: username.to_owned(),
            name: format!("{capital}{} T", letters.as_str()),
            email: format!("{username}@ex.org"),
        }
    }

    /// `sub`: a UUID, the same in each run.
    #[must_use]
    pub fn subject(&self) -> String {
        subject_of(&self.username)
    }
}

/// The `sub` of whoever has this user name.
pub(super) fn subject_of(username: &str) -> String {
    let digest = Sha256::digest(format!("obo-proxy dev realm: {username}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    clock::uuid_from(bytes)
}
