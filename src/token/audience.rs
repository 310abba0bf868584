//! The `aud` claim (RFC 7519 §4.1.3): one string or an array of strings.

use serde::{Deserialize, Deserializer};

/// For whom a token is meant. Order and repetition carry no meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audiences(Box<[String]>);

impl Audiences {
    /// Whether the token names this audience, byte for byte.
    #[must_use]
    pub fn contains(&self, audience: &str) -> bool {
        self.0.iter().any(|own| own == audience)
    }

    /// Whether the token names this audience and no other (law 4).
    #[must_use]
    pub fn is_exactly(&self, audience: &str) -> bool {
        !self.0.is_empty() && self.0.iter().all(|own| own == audience)
    }

    /// Whether the token names any of these.
    #[must_use]
    pub fn contains_any<S: AsRef<str>>(&self, audiences: &[S]) -> bool {
        audiences.iter().any(|audience| self.contains(audience.as_ref()))
    }
}

impl FromIterator<String> for Audiences {
    fn from_iter<I: IntoIterator<Item = String>>(audiences: I) -> Self {
        Self(audiences.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Audiences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(audience) => Self(Box::new([audience])),
            OneOrMany::Many(audiences) => Self(audiences.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audiences(json: &str) -> Audiences {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_string_and_an_array_of_one_are_the_same() {
        assert_eq!(audiences(r#""nextcloud""#), audiences(r#"["nextcloud"]"#));
    }

    #[test]
    fn exactly_means_no_other_and_not_none() {
        assert!(audiences(r#"["nextcloud"]"#).is_exactly("nextcloud"));
        assert!(!audiences(r#"["nextcloud","account"]"#).is_exactly("nextcloud"));
        assert!(!audiences("[]").is_exactly("nextcloud"));
    }

    #[test]
    fn an_audience_that_is_not_text_is_refused() {
        assert!(serde_json::from_str::<Audiences>(r#"[1]"#).is_err());
        assert!(serde_json::from_str::<Audiences>("null").is_err());
    }
}
