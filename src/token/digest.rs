//! Keys of maps. A token is never a key (law 2); its digest is, over length-prefixed fields (law 5, checklist row 23).

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256 over one or several length-prefixed fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of one field.
    #[must_use]
    pub fn of(field: &[u8]) -> Self {
        DigestBuilder::new("token").field(field).finish()
    }

    /// Its bytes, for what is sealed together with it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes in hexadecimal: enough to find a token in two log lines, useless to an attacker.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({}…)", self.fingerprint())
    }
}

/// Collects the fields of a key. Each field is preceded by its length, so no two lists of fields can spell the same bytes.
pub struct DigestBuilder(Sha256);

impl DigestBuilder {
    /// Starts a key of one kind; keys of different kinds never meet.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self(Sha256::new()).field(kind.as_bytes())
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// The key.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_flow_into_each_other() {
        let one = DigestBuilder::new("x").field(b"ab").field(b"c").finish();
        let other = DigestBuilder::new("x").field(b"a").field(b"bc").finish();
        assert_ne!(one, other);
    }

    #[test]
    fn tokens_that_differ_only_at_the_end_have_different_keys() {
        let long = "x".repeat(4_000);
        assert_ne!(Digest::of(format!("{long}a").as_bytes()), Digest::of(format!("{long}b").as_bytes()));
    }

    #[test]
    fn keys_of_different_kinds_never_meet() {
        assert_ne!(DigestBuilder::new("sid").field(b"1").finish(), DigestBuilder::new("sub").field(b"1").finish());
    }

    #[test]
    fn a_digest_prints_as_a_short_fingerprint() {
        let digest = Digest::of(b"secret");
        assert_eq!(digest.fingerprint().len(), 16);
        assert_eq!(format!("{digest:?}"), format!("Digest({}…)", digest.fingerprint()));
    }
}
