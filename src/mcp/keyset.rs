//! Pages of a list that is made anew for each of them: in one order, each page begins behind the last entry of the one before, so that
//! nothing is shown twice or left out when something else comes or goes meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::arguments::Limit;
use super::fault::Fault;
use crate::token::DigestBuilder;

/// A page is not longer than this, in characters of JSON: some clients refuse longer answers (mcp.md §4).
const LONGEST_PAGE: usize = 20_000;
const LONGEST_CURSOR: usize = 2_000;

/// Where an entry stands: first by this, then by its id.
pub type Place = (String, String);

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// A number as the first half of a [`Place`]: in its order among numbers.
#[must_use]
pub fn ordered(number: i64) -> String {
    format!("{:020}", i128::from(number) - i128::from(i64::MIN))
}

/// The page behind `cursor`. `list` names what is listed: a cursor of another list is refused.
///
/// # Errors
/// [`Fault::Said`] if the cursor is none of this list.
pub fn page<T: Serialize>(
    mut all: Vec<(Place, T)>,
    limit: Limit,
    cursor: Option<&str>,
    list: &[&str],
) -> Result<Page<T>, Fault> {
    let own = list.iter().fold(DigestBuilder::new("mcp-list"), |digest, part| digest.field(part.as_bytes()));
    let own = own.finish().fingerprint();
    let behind = cursor.map(|cursor| read(cursor, &own)).transpose()?;
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let rest = all.into_iter().filter(|(place, _)| behind.as_ref().is_none_or(|behind| place > behind));
    let (mut items, mut last, mut length, mut is_more) = (Vec::new(), None, 0, false);
    for (place, item) in rest {
        length += serde_json::to_string(&item).map_or(0, |text| text.len());
        if items.len() >= limit.get() || (length > LONGEST_PAGE && !items.is_empty()) {
            is_more = true;
            break;
        }
        last = Some(place);
        items.push(item);
    }
    Ok(Page { items, next_cursor: last.filter(|_| is_more).map(|place| write(&place, &own)) })
}

fn write((first, second): &Place, own: &str) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([own, first, second]).to_string())
}

fn read(cursor: &str, own: &str) -> Result<Place, Fault> {
    let bytes = (cursor.len() <= LONGEST_CURSOR).then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten();
    let read: Option<(String, String, String)> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match read {
        Some((list, first, second)) if list == own => Ok((first, second)),
        _ => Err(Fault::said(
            "cursor is none of this list. Start again without one, with the same other arguments throughout.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(number: usize) -> Limit {
        serde_json::from_value(number.into()).unwrap()
    }

    fn entries(numbers: &[i64]) -> Vec<(Place, i64)> {
        numbers.iter().map(|number| ((ordered(*number), format!("id{number}")), *number)).collect()
    }

    #[test]
    fn pages_follow_each_other_whatever_comes_or_goes_between() {
        let first = page(entries(&[5, -1, 3, i64::MIN]), limit(2), None, &["x"]).unwrap();
        assert_eq!(first.items, [i64::MIN, -1]);
        let cursor = first.next_cursor.unwrap();
        let second = page(entries(&[5, 3, 4, -7]), limit(2), Some(&cursor), &["x"]).unwrap();
        assert_eq!(second.items, [3, 4], "-7 came before the cursor, -1 is gone");
        let third = page(entries(&[5, 3, 4]), limit(2), second.next_cursor.as_deref(), &["x"]).unwrap();
        assert_eq!((third.items.as_slice(), third.next_cursor), ([5].as_slice(), None));
    }

    #[test]
    fn a_cursor_of_another_list_or_of_nothing_is_refused() {
        let cursor = page(entries(&[1, 2]), limit(1), None, &["x"]).unwrap().next_cursor.unwrap();
        assert!(page(entries(&[1, 2]), limit(1), Some(&cursor), &["x"]).is_ok());
        for (cursor, list) in
            [(cursor.as_str(), "y"), ("", "x"), ("!", "x"), ("bm9uc2Vuc2U", "x"), (&"A".repeat(9_000), "x")]
        {
            let Err(Fault::Said(words)) = page(entries(&[1, 2]), limit(1), Some(cursor), &[list]) else {
                panic!("{cursor}")
            };
            assert!(words.contains("without one"), "{words}");
        }
    }

    #[test]
    fn a_page_of_long_entries_ends_early_and_has_one_at_least() {
        let long =
            |length: usize| (0..3).map(|number| ((String::new(), format!("{number}")), "x".repeat(length))).collect();
        assert_eq!(page(long(9_000), limit(100), None, &[]).unwrap().items.len(), 2);
        let huge = page(long(50_000), limit(100), None, &[]).unwrap();
        assert!(huge.items.len() == 1 && huge.next_cursor.is_some());
    }
}
