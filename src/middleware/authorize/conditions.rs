//! The resource tags of `If` (RFC 4918 §10.4) are paths beside the target: `If: </remote.php/dav/files/bob/x> (["etag"])` has Nextcloud look
//! at that file and say whether the guess was right. Each goes through the same decision as an `href` (law 7, checklist row 55), and only
//! what was judged goes on.
//!
//! sabre takes the field apart by a regular expression that is laxer than the RFC and steps over lists which it does not understand: a tag of
//! its then begins in one list and ends in another tag. So where there are tags, every list has to be of the one kind that both read alike: at
//! most one state token and one entity tag, and one blank before the first list of a tag.

use http::{HeaderValue, Request};

use super::{Authorization, IF};
use crate::body::Body;
use crate::error::{BadRequest, Error};
use crate::nextcloud::destination::Destination;
use crate::nextcloud::policy::{Access, Needs, Refusal};

impl Authorization {
    /// What the resource tags of `If` need, or why they are refused, and the field with each tag told as Nextcloud calls it. Nothing, if there
    /// are no tags.
    ///
    /// # Errors
    /// [`BadRequest::SeveralConditions`], [`BadRequest::Conditions`], [`BadRequest::Tag`]; [`Error::ForbiddenRoute`], [`Error::NoSuchPage`].
    #[expect(clippy::type_complexity, reason = "a header, and what it needs or why it is refused")]
    pub(super) fn conditions(
        &self,
        request: &Request<Body>,
    ) -> Result<Option<(HeaderValue, Result<Needs, Refusal>)>, Error> {
        let mut values = request.headers().get_all(IF).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(BadRequest::SeveralConditions.into());
        }
        if has_no_tag(value.as_bytes()) {
            return Ok(None);
        }
        let (mut told, mut needs) = (Vec::with_capacity(value.len()), Ok(Needs::default()));
        for (tag, lists) in tagged(value.as_bytes()).ok_or(BadRequest::Conditions)? {
            let path = Destination::parse(tag, &self.address).map_err(BadRequest::Tag)?;
            let policy = self.scopes.policy();
            let route = path.route_with(request.method(), policy.opened);
            self.open(&route)?;
            let found = policy.path(&route, Access::Read);
            needs = needs.and_then(|needs| found.map(|found| needs.and(&found)));
            let own = self.address.mount.own(path.path());
            told.extend_from_slice(&[b"<", own.as_bytes(), b"> ", lists].concat());
        }
        let told = HeaderValue::from_bytes(&told).map_err(|_| Error::Internal("conditions are no header value"))?;
        Ok(Some((told, needs)))
    }
}

/// Whether it is lists alone to every reader: they begin with one, and nowhere could a tag end before another.
fn has_no_tag(value: &[u8]) -> bool {
    let mut behind = value.split(|&byte| byte == b'>').skip(1);
    value.starts_with(b"(") && !behind.any(|rest| rest.trim_ascii_start().starts_with(b"("))
}

/// The tags, each with its lists and the blanks behind them; nothing, if it cannot be taken apart.
fn tagged(mut rest: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (tag, behind) = enclosed(rest, b'<', b'>')?;
        let lists = behind.strip_prefix(b" ").or_else(|| behind.strip_prefix(b"\t"))?;
        rest = list(lists)?;
        while rest.starts_with(b"(") {
            rest = list(rest)?;
        }
        found.push((tag, lists.get(..lists.len() - rest.len())?));
    }
    Some(found)
}

/// What is behind a list and the blanks after it.
fn list(value: &[u8]) -> Option<&[u8]> {
    let inside = value.strip_prefix(b"(")?;
    let negated = inside.split_at_checked(4).filter(|(not, _)| not.eq_ignore_ascii_case(b"not "));
    let first = negated.map_or(inside, |(_, rest)| rest);
    let (token, behind) = enclosed(first, b'<', b'>').map_or((None, first), |(token, behind)| (Some(token), behind));
    let second = behind.strip_prefix(b" ").filter(|_| token.is_some()).unwrap_or(behind);
    let (tag, behind) = enclosed(second, b'[', b']').map_or((None, behind), |(tag, behind)| (Some(tag), behind));
    token.or(tag)?;
    behind.strip_prefix(b")").map(<[u8]>::trim_ascii_start)
}

/// What is between these two, and what is behind them. There is no blank in it and no second beginning: nobody could take it for two.
fn enclosed(value: &[u8], begin: u8, end: u8) -> Option<(&[u8], &[u8])> {
    let inside = value.strip_prefix(&[begin])?;
    let length = inside.iter().position(|&byte| byte == end)?;
    let (inside, behind) = inside.split_at(length);
    let plain = !inside.is_empty() && !inside.iter().any(|&byte| byte == begin || byte.is_ascii_whitespace());
    plain.then_some((inside, behind.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_apart(value: &str) -> Option<Vec<(&str, &str)>> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        tagged(value.as_bytes()).map(|found| found.into_iter().map(|(tag, lists)| (text(tag), text(lists))).collect())
    }

    #[test]
    fn lists_without_a_tag_are_told_from_everything_that_somebody_could_read_a_tag_in() {
        for value in [
            "([\"a\"])",
            "(<urn:a>)",
            "(<urn:a> [\"b\"]) (Not <DAV:no-lock>)",
            "(<urn:a> <urn:b> Not [W/\"</a>\"])([\"c\"])",
            "(",
        ] {
            assert!(has_no_tag(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            "</a> ([\"b\"])",
            "(<urn:a>) </a> ([\"b\"])",
            "(<urn:a> </a> ([\"b\"])",
            "([\"x </a> (\"])",
            "(<urn:a>\t(",
            "(<urn:a>(",
            "a",
            "<a>",
            "[\"a\"]",
        ] {
            assert!(!has_no_tag(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn tags_are_taken_apart_as_sabre_does_it() {
        for (value, parts) in [
            ("</a> ([\"b\"])", &[("/a", "([\"b\"])")][..]),
            ("</a(1)> (<urn:a>)", &[("/a(1)", "(<urn:a>)")]),
            (
                "</a> (Not <urn:a> [\"b\"]) ([W/\"c\"])\t(NOT [\"d\"]) <http://x/y>\t(<z>[\"e\"])",
                &[("/a", "(Not <urn:a> [\"b\"]) ([W/\"c\"])\t(NOT [\"d\"]) "), ("http://x/y", "(<z>[\"e\"])")],
            ),
        ] {
            assert_eq!(taken_apart(value).as_deref(), Some(parts), "{value}");
        }
    }

    #[test]
    fn what_sabre_would_take_apart_otherwise_is_not_taken_apart() {
        for value in [
            "</a>",
            "</a> ",
            "</a> ()",
            "</a> (",
            "</a> (x)",
            "</a>([\"b\"])",
            "</a>  ([\"b\"])",
            "</a>x ([\"b\"])",
            "</a> ( [\"b\"])",
            "</a> (<urn:a>  [\"b\"])",
            "</a> ([\"b\"] )",
            "</a> (Not  <urn:a>)",
            "</a> (Not<urn:a>)",
            "</a> (Not)",
            "</a> (<>)",
            "<> ([\"b\"])",
            "</a b> ([\"b\"])",
            "</a></b> ([\"b\"])",
            "</a<b> ([\"b\"])",
            "</a> ([\"b c\"])",
            "</a> ([\"b\"] <urn:a>)",
            // Both of these are one tag to sabre, which ends in the second.
            "</a> (<urn:a> <urn:b>) </b> ([\"c\"])",
            "</a> (<urn:a> Not <urn:b>) </b> ([\"c\"])",
            "</a> ([\"b\"]) (<urn:a> <urn:/../../b>) </c> ([\"c\"])",
            "([\"a\"]) </b> ([\"c\"])",
            "(<http://x/b?> <urn:a>) </c> ([\"c\"])",
        ] {
            assert_eq!(taken_apart(value), None, "{value}");
        }
    }
}
