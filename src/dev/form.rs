//! `application/x-www-form-urlencoded`, in which a parameter may stand twice.

use url::form_urlencoded;

/// The parameters of a query or a form, in their order.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a parameter, if it is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.first(name).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter that stands twice though only `repeatable` ones may.
    pub(super) fn duplicated(&self, repeatable: &[&str]) -> Option<&str> {
        let mut seen = std::collections::HashSet::new();
        self.iter().map(|(name, _)| name).find(|name| !repeatable.contains(name) && !seen.insert(*name))
    }
}
