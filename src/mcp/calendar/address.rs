//! Mail addresses of attendees: the plain form of RFC 5321 §4.1.2, without quotes, comments and names.

use calcard::icalendar::{ICalendarEntry, ICalendarValue, Uri};

use super::Fault;

/// More people are not invited at once.
const MOST: usize = 100;
const LONGEST: usize = 254;
const SPECIALS: &str = "!#$%&'*+-/=?^_`{|}~.";

/// The addresses to invite, each once.
///
/// # Errors
/// [`Fault::Argument`] naming the one that is no address.
pub fn parse_all(given: &[String]) -> Result<Vec<String>, Fault> {
    if given.len() > MOST {
        return Err(Fault::argument(format!("attendees: at most {MOST} addresses")));
    }
    let mut all: Vec<String> = Vec::new();
    for address in given {
        let address = parse(address)?;
        if !all.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
            all.push(address);
        }
    }
    Ok(all)
}

/// One address, with or without `mailto:`.
///
/// # Errors
/// [`Fault::Argument`].
pub fn parse(given: &str) -> Result<String, Fault> {
    let address = strip_mailto(given.trim());
    if is_address(address) {
        return Ok(address.to_owned());
    }
    let shown: String = given.chars().filter(|letter| !letter.is_control()).take(80).collect();
    Err(Fault::argument(format!(
        "attendees: \"{shown}\" is no mail address; give the address alone, such as erika@example.org"
    )))
}

fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let atom = |letter: char| letter.is_ascii_alphanumeric() || SPECIALS.contains(letter);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    address.len() <= LONGEST
        && !local.is_empty()
        && local.len() <= 64
        && local.chars().all(atom)
        && local.split('.').all(|part| !part.is_empty())
        && domain.split('.').all(label)
}

/// Whom an ATTENDEE or ORGANIZER names: the address without `mailto:`, or whatever else stands there.
pub(super) fn named(entry: &ICalendarEntry) -> Option<&str> {
    entry.values.first().and_then(ICalendarValue::as_text).map(str::trim).map(strip_mailto)
}

/// The mail address among those by which Nextcloud knows somebody (`calendar-user-address-set`, RFC 6638 §2.4.1).
#[must_use]
pub fn mail(addresses: &[String]) -> Option<&str> {
    addresses.iter().map(|own| own.trim()).find(|own| strip_mailto(own).len() < own.len()).map(strip_mailto)
}

/// `mailto:` before an address that [`parse`] took.
pub(super) fn uri(address: &str) -> Uri {
    Uri::Location(format!("mailto:{address}"))
}

/// An address without `mailto:`.
#[must_use]
pub fn strip_mailto(text: &str) -> &str {
    match text.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_address_is_taken() {
        for address in ["erika@example.org", "mailto:a.b+c@x", "MAILTO:o'neil@sub.example.org", " erika@example.org "] {
            assert!(parse(address).is_ok(), "{address}");
        }
        assert_eq!(parse("mailto:a@b").unwrap(), "a@b");
    }

    #[test]
    fn what_is_no_address_is_named() {
        for address in [
            "",
            "erika",
            "@x",
            "a@",
            "a@b@c",
            "Erika <erika@example.org>",
            "a b@x",
            "a@x y",
            "a@x\r\nATTENDEE:mailto:b@y",
            "a@x;b",
            "a,b@x",
            "\"a\"@x",
            "a..b@x",
            "a@-x",
            "a@x..y",
            "ä@x",
            "a@x\0",
        ] {
            assert!(matches!(parse(address), Err(Fault::Argument(text)) if text.contains("attendees")), "{address:?}");
        }
        assert!(parse(&format!("{}@x", "a".repeat(65))).is_err());
    }

    #[test]
    fn nobody_is_invited_twice_and_no_crowd() {
        let given = ["a@x".to_owned(), "A@X".to_owned(), "b@x".to_owned()];
        assert_eq!(parse_all(&given).unwrap(), ["a@x", "b@x"]);
        assert!(parse_all(&vec!["a@x".to_owned(); MOST + 1]).is_err());
    }
}
