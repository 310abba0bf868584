//! Long texts of others on their way to a model. Names are for [`shown`].

use super::shown;

/// The longest text in one answer, in characters; longer ones come in parts or say where the rest is.
pub const LONGEST: usize = 20_000;

/// This text without what cannot be seen or turns the direction of writing. Lines stay.
#[must_use]
pub fn prose(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, '\n' | '\t') || shown::visible(letter)).collect()
}

/// At most so many characters from the beginning, and how many those are if something was left.
#[must_use]
pub fn cut(text: &str, most: usize) -> (&str, Option<usize>) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), Some(most)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_lines_and_loses_what_hides() {
        assert_eq!(prose("a\n\tb\r\u{1b}[1m\u{2066}c"), "a\n\tb[1mc");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), ("äö", Some(2)));
        assert_eq!(cut("äöü", 3), ("äöü", None));
        assert_eq!(cut("", 0), ("", None));
    }
}
