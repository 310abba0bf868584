//! Arguments that many tools share, each checked as it is read.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The longest path, in bytes.
const LONGEST_PATH: usize = 4_000;

/// How many entries a page may have: 1 to 100, 25 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(usize);

impl Limit {
    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match usize::deserialize(deserializer)? {
            limit @ 1..=100 => Ok(Self(limit)),
            _ => Err(D::Error::custom("limit has to be 1 to 100")),
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "description": "Page size", "minimum": 1, "maximum": 100, "default": 25 })
    }
}

/// A path of a file or folder from the user's root, without a slash at its end; the root itself is empty. It cannot leave the root: no segment
/// is empty, `.` or `..`, and no character ends a name or a line somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilePath(String);

impl FilePath {
    /// Reads a path, with or without a slash at either end.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST_PATH {
            return Err("the path is too long");
        }
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            return Ok(Self::default());
        }
        for segment in inner.split('/') {
            if matches!(segment, "" | "." | "..") {
                return Err(
                    "the path has an empty segment, '.' or '..'; write it from the user's root, e.g. /Documents/a.md",
                );
            }
            if segment.contains('\\') || segment.chars().any(char::is_control) {
                return Err("the path has a backslash or a control character");
            }
        }
        Ok(Self(format!("/{inner}")))
    }

    /// `/a/b`, or empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the user's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last segment; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that it is in; the root for the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned())
    }

    /// The segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for FilePath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilePath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Path from the user's root, e.g. /Documents/a.md" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_users_root() {
        for (text, path) in
            [("", ""), ("/", ""), ("a", "/a"), ("/a/b/", "/a/b"), ("/%2e%2e/a", "/%2e%2e/a"), ("/..a/b..", "/..a/b..")]
        {
            assert_eq!(FilePath::parse(text).unwrap().as_str(), path, "{text}");
        }
        for text in
            ["..", "/../a", "/a/../b", "/a/..", "//a", "/a//b", "/a/./b", "/a\\..\\b", "/a\0b", "/a\nb", "/a\u{85}b"]
        {
            assert!(FilePath::parse(text).is_err(), "{text:?}");
        }
        assert!(FilePath::parse(&"a".repeat(5_000)).is_err());
    }

    #[test]
    fn a_page_has_1_to_100_entries() {
        let read = |text| serde_json::from_str::<Limit>(text).ok().map(Limit::get);
        assert_eq!((read("1"), read("100")), (Some(1), Some(100)));
        for text in ["0", "101", "-1", "1.5", "\"5\"", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
