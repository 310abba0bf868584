//! Pages of a list that is made anew for each of them: in one order, each page begins behind the last entry of the one before, so that
//! nothing is shown twice or left out when something else comes or goes meanwhile.

use serde::Serialize;

use super::arguments::Limit;
use super::fault::Fault;
use super::listing::{Listing, Page};

/// A page is not longer than this, in characters of JSON: some clients refuse longer answers (mcp.md §4).
const LONGEST_PAGE: usize = 20_000;

/// Where an entry stands: first by this, then by its id.
pub type Place = (String, String);

/// A number as the first half of a [`Place`]: in its order among numbers.
#[must_use]
pub fn ordered(number: i64) -> String {
    format!("{:020}", i128::from(number) - i128::from(i64::MIN))
}

/// The page behind `cursor`, which has to be one of this listing.
///
/// # Errors
/// [`Fault::Said`] if the cursor is none of this list.
pub fn page<T: Serialize>(
    mut all: Vec<(Place, T)>,
    limit: Limit,
    cursor: Option<&str>,
    listing: &Listing,
) -> Result<Page<T>, Fault> {
    let behind: Option<Place> = listing.open(cursor)?;
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
    Ok(Page { items, next_cursor: last.filter(|_| is_more).and_then(|place| listing.cursor(&place)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Listing {
        Listing::of("x", &[])
    }

    fn limit(number: usize) -> Limit {
        serde_json::from_value(number.into()).unwrap()
    }

    fn entries(numbers: &[i64]) -> Vec<(Place, i64)> {
        numbers.iter().map(|number| ((ordered(*number), format!("id{number}")), *number)).collect()
    }

    #[test]
    fn pages_follow_each_other_whatever_comes_or_goes_between() {
        let first = page(entries(&[5, -1, 3, i64::MIN]), limit(2), None, &list()).unwrap();
        assert_eq!(first.items, [i64::MIN, -1]);
        let cursor = first.next_cursor.unwrap();
        let second = page(entries(&[5, 3, 4, -7]), limit(2), Some(&cursor), &list()).unwrap();
        assert_eq!(second.items, [3, 4], "-7 came before the cursor, -1 is gone");
        let third = page(entries(&[5, 3, 4]), limit(2), second.next_cursor.as_deref(), &list()).unwrap();
        assert_eq!((third.items.as_slice(), third.next_cursor), ([5].as_slice(), None));
    }

    #[test]
    fn a_page_of_long_entries_ends_early_and_has_one_at_least() {
        let long =
            |length: usize| (0..3).map(|number| ((String::new(), format!("{number}")), "x".repeat(length))).collect();
        assert_eq!(page(long(9_000), limit(100), None, &list()).unwrap().items.len(), 2);
        let huge = page(long(50_000), limit(100), None, &list()).unwrap();
        assert!(huge.items.len() == 1 && huge.next_cursor.is_some());
    }
}
