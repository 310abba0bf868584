//! `text-match`, which CalDAV and CardDAV share (RFC 4791 §9.7.5, RFC 6352 §10.5.4).

use super::xml::Element;

/// Whether a value matches, without regard to case.
pub(super) fn text_matches(test: &Element, value: &str) -> bool {
    let (value, wanted) = (value.to_lowercase(), test.text.trim().to_lowercase());
    let matches = match test.attribute("match-type") {
        Some("equals") => value == wanted,
        Some("starts-with") => value.starts_with(&wanted),
        Some("ends-with") => value.ends_with(&wanted),
        _ => value.contains(&wanted),
    };
    matches != (test.attribute("negate-condition") == Some("yes"))
}
