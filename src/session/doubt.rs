//! Answers that cast doubt on a session. Nextcloud lets a disabled user go on in a session for minutes and then says 503 "Account disabled", in
//! the user's language, so the words are not looked for.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{Response, StatusCode};

const MAINTENANCE: HeaderName = HeaderName::from_static("x-nextcloud-maintenance-mode");

/// Whether the session has to be proved before it is used again: a 503 in the words of Nextcloud's own code (XML over DAV, JSON elsewhere). A
/// web server's 503 is overload, and maintenance says so by its header; neither is about anybody's account.
#[must_use]
pub fn is_cast_by<B>(answer: &Response<B>) -> bool {
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
        && !answer.headers().contains_key(MAINTENANCE)
        && answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
            ["application/xml", "text/xml", "application/json"].iter().any(|own| kind.starts_with(own))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_was_disabled_is_told_from_overload_and_maintenance() {
        let answer = |status: u16, kind: &str| Response::builder().status(status).header(CONTENT_TYPE, kind);
        let dav = "application/xml; charset=utf-8";
        assert!(is_cast_by(&answer(503, dav).body(()).unwrap()));
        assert!(is_cast_by(&answer(503, "application/json").body(()).unwrap()));
        assert!(!is_cast_by(&answer(503, "text/html").body(()).unwrap()));
        assert!(!is_cast_by(&answer(500, dav).body(()).unwrap()));
        assert!(!is_cast_by(&answer(503, dav).header(MAINTENANCE, "1").body(()).unwrap()));
    }
}
