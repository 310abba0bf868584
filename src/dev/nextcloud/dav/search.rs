//! SEARCH (RFC 5323), as far as Nextcloud has it.

use std::cmp::Ordering;

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::super::ical::seconds;
use super::mounts::Seen;
use super::multistatus::{self, Told};
use super::place::{Place, Site};
use super::properties::{self, media_type};
use super::xml::{DAV, Element, NC, Name, OC};
use super::{DavError, DavResult, dressed};

/// Of the library by which Nextcloud searches: what comes from another page is asked for in its namespace.
const SEARCH_DAV: &str = "https://github.com/icewind1991/SearchDAV/ns";
/// What a search without a limit gives at most (`FileSearchBackend::transformQuery`).
const USUAL_LIMIT: usize = 100;

pub(super) async fn search(call: &mut Call, site: &Site) -> DavResult {
    let root = Element::parse(&call.body().await).map_err(DavError::bad_request)?;
    let search = root
        .child(DAV, "basicsearch")
        .ok_or_else(|| DavError::bad_request("Unexpected xml content for searchrequest"))?;
    let scope = search
        .find(DAV, "scope")
        .and_then(|scope| scope.child(DAV, "href"))
        .map(|href| href.text.trim())
        .unwrap_or_default();
    let scope = scope.trim_start_matches(site.base.as_str());
    let segments: Vec<String> = scope.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    let not_a_folder = || DavError::new(500, "InvalidArgumentException", "Search is only supported on directories");
    // Somebody else's files are no directory that can be searched.
    let folder = match Place::of(&segments) {
        Place::Files { owner, path } if owner == site.uid => path,
        _ => return Err(not_a_folder()),
    };
    if call.instance.storage().node(&folder).is_none_or(|node| !node.is_folder) {
        return Err(not_a_folder());
    }
    let asked = search.child(DAV, "select").map(Element::asked).unwrap_or_default();
    let condition = search.child(DAV, "where").and_then(|condition| condition.children.first());
    let mut found: Vec<Seen> = call.instance.storage().descendants(&folder).into_iter().map(Seen::own).collect();
    found.retain(|seen| condition.is_none_or(|condition| holds(call, seen, condition)));
    if let Some(orders) = search.child(DAV, "orderby") {
        found.sort_by(|one, other| ordered(call, orders, one, other));
    }
    let count = |space, name| search.find(space, name).and_then(|count| count.text.trim().parse::<usize>().ok());
    let limit = count(DAV, "nresults").filter(|limit| *limit != 0).unwrap_or(USUAL_LIMIT);
    let first = count(SEARCH_DAV, "firstresult").unwrap_or(0);
    let told: Vec<Told> = found
        .iter()
        .skip(first)
        .take(limit)
        .map(|seen| properties::tell(&call.instance, site, seen, Some(&asked)))
        .collect();
    Ok(dressed(Answer::new(207), site)
        .header("content-type", "application/xml; charset=\"utf-8\"")
        .chunked(multistatus::body(&told, site.family)))
}

/// By each `order` in its turn.
fn ordered(call: &Call, orders: &Element, one: &Seen, other: &Seen) -> Ordering {
    let orders = orders.children.iter().filter(|order| order.name.is(DAV, "order"));
    let each = orders.filter_map(|order| {
        let property = &order.child(DAV, "prop")?.children.first()?.name;
        let ordering = compared(&value(call, one, property), &value(call, other, property));
        Some(if order.child(DAV, "descending").is_some() { ordering.reverse() } else { ordering })
    });
    each.fold(Ordering::Equal, Ordering::then)
}

/// RFC 5323 §5.5 to §5.16, over the properties that a file has.
fn holds(call: &Call, seen: &Seen, condition: &Element) -> bool {
    if condition.name.space != DAV {
        return false;
    }
    let mut parts = condition.children.iter().map(|part| (part, holds(call, seen, part)));
    match condition.name.local.as_str() {
        "and" => parts.all(|(_, holds)| holds),
        "or" => parts.any(|(_, holds)| holds),
        "not" => !parts.all(|(_, holds)| holds),
        "is-collection" => seen.node.is_folder,
        operator => {
            let property = condition.child(DAV, "prop").and_then(|prop| prop.children.first());
            let literal = condition.child(DAV, "literal").map(|literal| literal.text.as_str());
            let (Some(property), Some(literal)) = (property, literal) else {
                return false;
            };
            // PHP reads `00000012ocabc` as the number it begins with: an `OC-FileId` will do.
            let digits = literal.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(literal.len());
            let number = literal.get(..digits).filter(|_| property.name.is(OC, "fileid")).unwrap_or(literal);
            let literal = match (property.name.space.as_str(), property.name.local.as_str()) {
                // Only this word is yes (`FileSearchBackend::castValue`).
                (OC, "favorite") => u8::from(literal == "yes").to_string(),
                (DAV, "getlastmodified" | "creationdate") | (NC, "upload_time") => moment(literal).to_string(),
                _ => number.to_owned(),
            };
            compares(operator, &value(call, seen, &property.name), &literal)
        }
    }
}

fn compares(operator: &str, value: &str, literal: &str) -> bool {
    let order = compared(value, literal);
    match operator {
        "eq" => order.is_eq(),
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        "lt" => order.is_lt(),
        "lte" => order.is_le(),
        "like" => like(&value.to_lowercase(), &literal.to_lowercase()),
        _ => false,
    }
}

fn compared(one: &str, other: &str) -> Ordering {
    match (one.parse::<i64>(), other.parse::<i64>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

/// Seconds since 1970, or `2026-11-21T08:00:00Z` with any offset (PHP's `ATOM`); what is neither is the epoch.
fn moment(literal: &str) -> i64 {
    let atom = || {
        let (date, time) = literal.split_once('T')?;
        let (clock, offset) = match time.strip_suffix('Z') {
            Some(clock) => (clock, 0),
            None => {
                let (clock, offset) = time.split_at_checked(time.rfind(['+', '-'])?)?;
                let (hours, minutes) = offset.get(1..)?.split_once(':')?;
                let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
                (clock, if offset.starts_with('-') { -seconds } else { seconds })
            }
        };
        let plain = format!("{}T{}Z", date.replace('-', ""), clock.replace(':', ""));
        Some(seconds(&plain)? - offset)
    };
    literal.parse().ok().or_else(atom).unwrap_or(0)
}

/// SQL's: `%` stands for anything, `_` for one character, and neither behind a `\`.
fn like(value: &str, pattern: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    // Which beginnings of the value the pattern so far stands for.
    let mut ends = vec![false; value.len() + 1];
    ends.iter_mut().take(1).for_each(|end| *end = true);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter == '%' {
            let first = ends.iter().position(|end| *end).unwrap_or(ends.len());
            ends.iter_mut().skip(first).for_each(|end| *end = true);
            continue;
        }
        let (literal, any) =
            if letter == '\\' { (letters.next().unwrap_or('\\'), false) } else { (letter, letter == '_') };
        let longer = value.iter().zip(&ends).map(|(own, end)| *end && (any || *own == literal));
        ends = std::iter::once(false).chain(longer).collect();
    }
    ends.last() == Some(&true)
}

fn value(call: &Call, seen: &Seen, name: &Name) -> String {
    let node = &seen.node;
    match (name.space.as_str(), name.local.as_str()) {
        (DAV, "displayname") => node.name().to_owned(),
        (DAV, "getcontenttype") if node.is_folder => "httpd/unix-directory".into(),
        (DAV, "getcontenttype") => media_type(node.name()).to_owned(),
        (DAV, "getlastmodified") => node.record.modified.to_string(),
        (DAV, "creationdate") => node.record.created.to_string(),
        _ => properties::of_node(&call.instance, seen, name).unwrap_or_default(),
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_are_those_of_sql() {
        for (value, pattern, fits) in [
            ("a.txt", "%a.t%", true),
            ("a.txt", "a%", true),
            ("a.txt", "%txt", true),
            ("a.txt", "b%", false),
            ("", "%", true),
            ("", "", true),
            ("a", "", false),
            ("aab", "a%b", true),
            ("abab", "%ab", true),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("axb", "a_b", true),
            ("100%", "100\\%", true),
            ("1000", "100\\%", false),
            ("a\\b", "a\\\\b", true),
        ] {
            assert_eq!(like(value, pattern), fits, "{value} {pattern}");
        }
    }
}
