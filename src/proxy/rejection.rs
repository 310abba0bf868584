//! How Nextcloud says "this token is not good" (nextcloud.md §1), by API family. Only these shapes cost an exchange: an app's own 401 is the
//! app's answer.

use std::borrow::Cow;
use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Limited};

use crate::error::Error;
use crate::nextcloud::mount::Mount;
use crate::upstream::UpstreamBody;

/// A refusal is recognised within this many bytes.
const LARGEST_REFUSAL: usize = 16 * 1024;

/// What an answer turned out to be.
pub enum Judged {
    /// Nextcloud's own answer, to be passed on.
    Answer(Response<UpstreamBody>),
    /// Nextcloud's own answer, whose body had to be read to tell.
    ReadAnswer(Response<Bytes>),
    /// Nextcloud refused the credential.
    Rejected,
}

/// Tells a refusal of our credential from other answers. `mount` knows what Nextcloud calls its login page.
///
/// # Errors
/// [`Error::NextcloudTimeout`] if it has to be read to tell and does not come within this time.
pub async fn judge(answer: Response<UpstreamBody>, patience: Duration, mount: &Mount) -> Result<Judged, Error> {
    Ok(match answer.status() {
        StatusCode::FOUND | StatusCode::SEE_OTHER if to_login(answer.headers(), mount) => Judged::Rejected,
        StatusCode::UNAUTHORIZED if challenges_basic(answer.headers()) => Judged::Rejected,
        // The answer to HEAD has no words; the same request by GET would say them.
        StatusCode::UNAUTHORIZED if answer.body().is_end_stream() && is_text(answer.headers()) => Judged::Rejected,
        // Boxed: most answers never come here, and their futures need not be this large.
        StatusCode::UNAUTHORIZED if is_text(answer.headers()) => Box::pin(tokio::time::timeout(patience, read(answer)))
            .await
            .map_err(|_| Error::NextcloudTimeout("body of a refusal"))?,
        _ => Judged::Answer(answer),
    })
}

async fn read(answer: Response<UpstreamBody>) -> Judged {
    let (head, body) = answer.into_parts();
    let Ok(collected) = Limited::new(body, LARGEST_REFUSAL).collect().await else {
        // Longer than any refusal, or cut off: what is left of it cannot be passed on, and it is a 401 all the same.
        return Judged::Rejected;
    };
    let body = collected.to_bytes();
    let words = uncompressed(&head.headers, &body);
    if words.is_none_or(|words| says_not_logged_in(&words)) {
        Judged::Rejected
    } else {
        Judged::ReadAnswer(Response::from_parts(head, body))
    }
}

/// What a body says: Apache compresses XML, and with it the refusals of OCS, for callers who accept that. Nothing, if it cannot be told.
fn uncompressed<'b>(headers: &HeaderMap, body: &'b [u8]) -> Option<Cow<'b, [u8]>> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Some(body.into()),
        Some(b"gzip" | b"x-gzip") => {
            let mut words = Vec::new();
            let largest = 4 * LARGEST_REFUSAL as u64;
            GzDecoder::new(body).take(largest).read_to_end(&mut words).ok().map(|_| words.into())
        }
        Some(_) => None,
    }
}

/// OCS says 997 with this message, app and web routes say the message alone, in JSON or XML.
fn says_not_logged_in(body: &[u8]) -> bool {
    const MESSAGE: &[u8] = b"Current user is not logged in";
    const CORS: &[u8] = b"CORS requires basic auth";
    [MESSAGE, CORS].iter().any(|message| body.windows(message.len()).any(|window| window == *message))
}

/// DAV: `WWW-Authenticate: Basic realm="Nextcloud"`.
fn challenges_basic(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|challenge| {
        challenge.as_bytes().split_at_checked(6).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(b"basic "))
    })
}

fn is_text(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
        ["application/json", "application/xml", "text/xml"].iter().any(|text| kind.starts_with(text))
    })
}

/// HTML routes redirect to the login page.
fn to_login(headers: &HeaderMap, mount: &Mount) -> bool {
    headers.get(LOCATION).and_then(|location| location.to_str().ok()).is_some_and(|location| {
        let path = location.split_once("://").map_or(location, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = mount.own_inside(path);
        path.strip_prefix("/index.php").unwrap_or(path) == "/login"
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_redirect_to_the_login_page_is_a_refusal_and_others_are_not() {
        for (location, refusal) in [
            ("http://nextcloud.test/login?clear=1", true),
            ("/index.php/login", true),
            ("/login?redirect_url=/apps/files", true),
            ("/loginfoo", false),
            ("https://elsewhere.test/remote.php/dav", false),
            ("/apps/login", false),
        ] {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
            assert_eq!(to_login(&headers, &Mount::default()), refusal, "{location}");
        }
    }

    #[test]
    fn the_recorded_shapes_are_recognised() {
        assert!(says_not_logged_in(br#"{"ocs":{"meta":{"status":"failure","statuscode":997,"message":"Current user is not logged in"},"data":[]}}"#));
        assert!(says_not_logged_in(br#"{"message":"Current user is not logged in"}"#));
        assert!(!says_not_logged_in(br#"{"message":"The share password is wrong"}"#));
        let basic = HeaderMap::from_iter([(
            WWW_AUTHENTICATE,
            HeaderValue::from_static(r#"Basic realm="Nextcloud", charset="UTF-8""#),
        )]);
        assert!(challenges_basic(&basic));
    }

    fn encoded(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))])
    }

    #[test]
    fn a_compressed_refusal_is_read_and_a_bomb_is_not_unpacked() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(b"<message>Current user is not logged in</message>").unwrap();
        let body = encoder.finish().unwrap();
        assert!(says_not_logged_in(&uncompressed(&encoded("gzip"), &body).unwrap()));
        assert!(uncompressed(&encoded("br"), &body).is_none());
        assert!(uncompressed(&encoded("gzip"), b"no gzip").is_none());

        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        let words = uncompressed(&encoded("gzip"), &encoder.finish().unwrap()).unwrap().len();
        assert_eq!(words, 4 * LARGEST_REFUSAL);
    }
}
