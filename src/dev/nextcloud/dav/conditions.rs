//! `If-Match`, `If-None-Match` (RFC 9110 §13.1) and `If` (RFC 4918 §10.4), before a change.

use super::super::call::Call;
use super::DavError;

/// An etag in quotes, as headers have it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Whether a list of etags names this one.
pub(super) fn names(etags: &str, etag: &str) -> bool {
    etags.split(',').any(|known| known.trim().trim_start_matches("W/") == quoted(etag))
}

/// Refuses a request whose conditions do not hold; `existing` is the etag of what is there.
pub(super) fn check(call: &Call, existing: Option<&str>) -> Result<(), DavError> {
    if let Some(etags) = call.header("if-match") {
        let good = existing.is_some_and(|etag| etags.trim() == "*" || names(etags, etag));
        if !good {
            let text = "An If-Match header was specified, but none of the specified ETags matched.";
            let error = DavError::precondition("If-Match", text);
            return Err(match existing {
                Some(etag) => error.with("etag", quoted(etag)),
                None => error,
            });
        }
    }
    let reading = matches!(call.verb(), "GET");
    if let (Some(etags), Some(etag), false) = (call.header("if-none-match"), existing, reading)
        && (etags.trim() == "*" || names(etags, etag))
    {
        let text = "An If-None-Match header was specified, but the ETag matched (or * was specified).";
        return Err(DavError::precondition("If-None-Match", text));
    }
    match call.header("if") {
        Some(lists) if !holds(lists, existing) => {
            Err(DavError::precondition("If", "None of the specified If conditions matched"))
        }
        _ => Ok(()),
    }
}

/// Any list, of which each condition holds. There are no locks, so that no lock token is ever good.
fn holds(header: &str, existing: Option<&str>) -> bool {
    header.split('(').skip(1).any(|list| {
        let list = list.split(')').next().unwrap_or_default();
        let mut rest = list.trim();
        let mut good = !rest.is_empty();
        while !rest.is_empty() {
            let negated = rest.strip_prefix("Not").map(str::trim_start);
            let condition = negated.unwrap_or(rest);
            let end = match condition.as_bytes().first() {
                Some(b'<') => condition.find('>'),
                Some(b'[') => condition.find(']'),
                _ => None,
            };
            let Some((one, after)) = end.and_then(|end| condition.split_at_checked(end + 1)) else {
                return false;
            };
            let etag = one.strip_prefix('[').map(|etag| etag.trim_end_matches(']'));
            let true_here = etag.is_some_and(|etags| existing.is_some_and(|existing| names(etags, existing)));
            good &= true_here != negated.is_some();
            rest = after.trim_start();
        }
        good
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn lists_hold_by_their_etags() {
        for (header, holding) in [
            ("([\"a\"])", true),
            ("([\"b\"])", false),
            ("([\"b\"]) ([\"a\"])", true),
            ("(Not [\"b\"])", true),
            ("(<opaquelocktoken:x>)", false),
            ("(<DAV:no-lock>) (Not <DAV:no-lock>)", true),
            ("([\"a\"] <opaquelocktoken:x>)", false),
            ("</other> ([\"a\"])", true),
            ("()", false),
            ("nonsense", false),
            ("(nonsense)", false),
        ] {
            assert_eq!(holds(header, Some("a")), holding, "{header}");
        }
    }
}
