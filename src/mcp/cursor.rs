//! Cursors: where the next page of a list begins, opaque to clients and of no use for another list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;

use super::fault::Fault;
use crate::token::DigestBuilder;

/// A longer one is none of ours.
const LONGEST: usize = 8 * 1024;
/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A list: the tool's name and all arguments that decide what is in it, as a short digest. It guards against mistakes, not against forgery: a
/// cursor opens nothing that a caller could not ask for.
#[derive(Debug)]
pub struct List(String);

impl List {
    /// The list of these arguments.
    #[must_use]
    pub fn new(tool: &str, arguments: &[&str]) -> Self {
        let start = DigestBuilder::new("mcp-cursor").field(tool.as_bytes());
        let digest = arguments.iter().fold(start, |digest, argument| digest.field(argument.as_bytes())).finish();
        Self(digest.fingerprint())
    }

    /// The cursor for what comes behind this position.
    #[must_use]
    pub fn seal(&self, position: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{position}", self.0))
    }

    /// The position in a cursor of this list.
    ///
    /// # Errors
    /// [`Fault::Said`]: it is no cursor, or one of another list.
    pub fn open(&self, cursor: Option<&str>) -> Result<Option<String>, Fault> {
        cursor.map(|cursor| self.position(cursor).ok_or_else(invalid)).transpose()
    }

    fn position(&self, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(cursor).filter(|cursor| cursor.len() <= LONGEST)?).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        text.strip_prefix(&self.0).map(str::to_owned)
    }
}

/// What is said of a cursor that is none.
#[must_use]
pub fn invalid() -> Fault {
    Fault::said(
        "The cursor is not one of this list. Start again without a cursor, and keep the other arguments the same.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone() {
        let (list, other) = (List::new("files_list", &["/a", "b"]), List::new("files_list", &["/ab", ""]));
        let cursor = list.seal("f/ü.txt");
        assert_eq!(list.open(Some(&cursor)).unwrap().unwrap(), "f/ü.txt");
        assert!(list.open(None).unwrap().is_none());
        assert!(other.open(Some(&cursor)).is_err());
        assert!(List::new("files_search", &["/a", "b"]).open(Some(&cursor)).is_err());
    }

    #[test]
    fn what_is_no_cursor_says_to_start_again() {
        let list = List::new("files_list", &[]);
        for cursor in ["", "x", "==", "AAAA", &"A".repeat(20_000), &list.seal(&"a".repeat(9_000))] {
            let Err(Fault::Said(words)) = list.open(Some(cursor)) else { panic!("{cursor}") };
            assert!(words.contains("Start again without a cursor"), "{words}");
        }
    }
}
