//! `text-match`, which CalDAV and CardDAV share (RFC 4791 §9.7.5, RFC 6352 §10.5.4).

use super::xml::{CARD, Element};

/// Whether a value matches: without regard to case, but for `i;octet`. `match-type` is of CardDAV; for CalDAV sabre steps over it, and
/// finds whatever contains the text.
pub(super) fn text_matches(test: &Element, value: &str) -> bool {
    let folded = |text: &str| match test.attribute("collation") {
        Some("i;octet") => text.to_owned(),
        _ => text.to_lowercase(),
    };
    let (value, wanted) = (folded(value), folded(test.text.trim()));
    let matches = match test.attribute("match-type").filter(|_| test.name.space == CARD) {
        Some("equals") => value == wanted,
        Some("starts-with") => value.starts_with(&wanted),
        Some("ends-with") => value.ends_with(&wanted),
        _ => value.contains(&wanted),
    };
    matches != (test.attribute("negate-condition") == Some("yes"))
}
