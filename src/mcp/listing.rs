//! Cursors of lists: where the next page begins, in a form that a client only passes on. They hold no rights, and belong to the list that
//! gave them: with other arguments they are refused, for they would skip what nobody has seen.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::token::{Digest, DigestBuilder};

/// A longer cursor is none of ours.
const LONGEST: usize = 4_000;

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The list that a cursor belongs to: the tool and those of its arguments that say what is listed.
#[derive(Debug, Clone, Copy)]
pub struct Listing(Digest);

impl Listing {
    /// The list of this tool with these arguments.
    #[must_use]
    pub fn of(tool: &str, arguments: &[&str]) -> Self {
        let builder = DigestBuilder::new("mcp-cursor").field(tool.as_bytes());
        Self(arguments.iter().fold(builder, |builder, argument| builder.field(argument.as_bytes())).finish())
    }

    /// The cursor of this place.
    #[must_use]
    pub fn cursor<P: Serialize>(&self, place: &P) -> Option<String> {
        serde_json::to_vec(&(self.0.fingerprint(), place)).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    /// The place of this cursor.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is none of this list.
    pub fn place<P: DeserializeOwned>(&self, cursor: &str) -> Result<P, Fault> {
        let json = (cursor.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten();
        json.and_then(|json| serde_json::from_slice::<(String, P)>(&json).ok())
            .filter(|(listing, _)| *listing == self.0.fingerprint())
            .map(|(_, place)| place)
            .ok_or_else(invalid)
    }

    /// The place of this cursor, if there is one.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is none of this list.
    pub fn open<P: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<P>, Fault> {
        cursor.map(|cursor| self.place(cursor)).transpose()
    }
}

/// What is said of a cursor that is none.
#[must_use]
pub fn invalid() -> Fault {
    Fault::said("cursor is not one of this list. Start again without a cursor, and keep the other arguments the same.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_the_list_that_gave_it() {
        let list = Listing::of("notes_find", &["milk", "home"]);
        let cursor = list.cursor(&(7_u64, "x")).unwrap();
        assert_eq!(list.place::<(u64, String)>(&cursor).unwrap(), (7, "x".to_owned()));
        assert!(Listing::of("notes_find", &["milkhome", ""]).place::<(u64, String)>(&cursor).is_err());
        assert!(Listing::of("search", &["milk", "home"]).place::<(u64, String)>(&cursor).is_err());
    }

    #[test]
    fn what_is_no_cursor_says_to_start_again() {
        let list = Listing::of("search", &[]);
        let long = "A".repeat(LONGEST + 1);
        for cursor in ["", "x", "%%%", "W10", long.as_str()] {
            let Err(Fault::Said(words)) = list.place::<u64>(cursor) else { panic!("{cursor}") };
            assert!(words.contains("Start again"), "{words}");
        }
    }
}
