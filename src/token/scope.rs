//! Sets of scopes (RFC 6749 §3.3). Providers answer them in any order, so they are compared as sets.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer};

/// A set of scope tokens; the empty set is "no scope asked".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    /// Reads a space-separated list.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        Self(list.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this scope is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// The scopes of this set which neither of the two others has.
    #[must_use]
    pub fn beyond(&self, asked: &Self, defaults: &Self) -> Self {
        Self(self.0.iter().filter(|scope| !asked.contains(scope) && !defaults.contains(scope)).cloned().collect())
    }

    /// The scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope)?;
        }
        Ok(())
    }
}

impl<S: Into<String>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|list| Self::parse(&list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spacing_carry_no_meaning() {
        assert_eq!(ScopeSet::parse("openid  profile"), ScopeSet::parse("profile openid"));
        assert_eq!(ScopeSet::parse("b a").to_string(), "a b");
    }

    #[test]
    fn what_was_neither_asked_nor_usual_stands_out() {
        let granted = ScopeSet::parse("profile files.read files.write");
        let beyond = granted.beyond(&ScopeSet::parse("files.read"), &ScopeSet::parse("profile"));
        assert_eq!(beyond, ScopeSet::parse("files.write"));
    }
}
