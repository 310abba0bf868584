//! Contacts (vCard 3 and 4, RFC 2426 and RFC 6350), for reading only.

pub mod search;

use calcard::vcard::{VCard, VCardEntry, VCardProperty};

/// A larger card is not read, bytes. Photographs make cards large.
pub const LARGEST_CARD: usize = 1024 * 1024;

/// What the tools show of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// UID.
    pub uid: Option<String>,
    /// FN, or what comes nearest to a name.
    pub name: String,
    /// EMAIL.
    pub emails: Vec<String>,
    /// TEL, without `tel:`.
    pub phones: Vec<String>,
    /// ORG, its units behind it.
    pub org: Option<String>,
}

// === impl Card ===

impl Card {
    /// Reads a card; none if it is too large or no vCard.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LARGEST_CARD {
            return None;
        }
        let card = VCard::parse(text).ok()?;
        let all = |property: VCardProperty| -> Vec<String> {
            card.properties(&property).filter_map(|entry| parts(entry).into_iter().next()).collect()
        };
        let first = |property: VCardProperty| card.property(&property).map(parts).unwrap_or_default();
        let emails = all(VCardProperty::Email);
        let org = Some(first(VCardProperty::Org).join(", ")).filter(|org| !org.is_empty());
        let nearest = [all(VCardProperty::Fn).into_iter().next(), called(&card), org.clone(), emails.first().cloned()];
        Some(Self {
            uid: card.uid().map(str::to_owned),
            name: nearest.into_iter().flatten().next()?,
            phones: all(VCardProperty::Tel).iter().map(|phone| without_scheme(phone).to_owned()).collect(),
            emails,
            org,
        })
    }
}

/// Given name and family name (N, RFC 6350 §6.2.2).
fn called(card: &VCard) -> Option<String> {
    let entry = card.property(&VCardProperty::N)?;
    let part = |at: usize| entry.values.get(at).and_then(|value| value.as_text()).filter(|text| !text.is_empty());
    let name = [part(1), part(0)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// The parts of a property that say something.
fn parts(entry: &VCardEntry) -> Vec<String> {
    let texts = entry.values.iter().filter_map(|value| value.as_text()).map(str::trim);
    texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// RFC 6350 §6.4.1: `tel:+49-151-1234567;ext=1`.
fn without_scheme(phone: &str) -> &str {
    match phone.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
        _ => phone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(lines: &str) -> Card {
        Card::parse(&format!("BEGIN:VCARD\r\n{lines}\r\nEND:VCARD\r\n")).unwrap()
    }

    #[test]
    fn a_card_of_either_version_is_read() {
        let recorded = card(
            "VERSION:3.0\r\nPRODID:-//Sabre//Sabre VObject 4.5.6//EN\r\nUID:ct-1\r\nFN:Erika Muster\r\n\
             N:Muster;Erika;;;\r\nEMAIL;TYPE=work:erika@example.org\r\nTEL;TYPE=cell:+49 151 1234567\r\nORG:Example AG",
        );
        let expected = Card {
            uid: Some("ct-1".into()),
            name: "Erika Muster".into(),
            emails: vec!["erika@example.org".into()],
            phones: vec!["+49 151 1234567".into()],
            org: Some("Example AG".into()),
        };
        assert_eq!(recorded, expected);
        let newer = card(
            "VERSION:4.0\r\nUID:ct-1\r\nitem1.FN;PREF=1:Erika Muster\r\nEMAIL:erika@example.org\r\n\
             TEL;VALUE=uri:tel:+49 151 1234567\r\nORG:Example AG",
        );
        assert_eq!(newer, expected);
    }

    #[test]
    fn text_is_unescaped_and_units_stand_behind_their_organisation() {
        let card = card("VERSION:4.0\r\nFN:Muster\\, Erika\r\nEMAIL:a@x\r\nEMAIL:b@x\r\nORG:Example\\, Inc.;Research");
        assert_eq!((card.name.as_str(), card.emails.len()), ("Muster, Erika", 2));
        assert_eq!(card.org.as_deref(), Some("Example, Inc., Research"));
    }

    #[test]
    fn who_has_no_full_name_is_called_by_what_there_is() {
        assert_eq!(card("VERSION:3.0\r\nN:Muster;Erika;;;").name, "Erika Muster");
        assert_eq!(card("VERSION:3.0\r\nFN:\r\nORG:Example AG").name, "Example AG");
        assert_eq!(card("VERSION:3.0\r\nEMAIL:a@x").name, "a@x");
    }

    #[test]
    fn what_is_no_card_or_too_large_is_none() {
        assert_eq!(Card::parse("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"), None);
        assert_eq!(Card::parse(""), None);
        assert_eq!(Card::parse("BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:x\r\nEND:VCARD\r\n"), None);
        let large =
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nPHOTO:{}\r\nEND:VCARD\r\n", "A".repeat(LARGEST_CARD));
        assert_eq!(Card::parse(&large), None);
    }
}
