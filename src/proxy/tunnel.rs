//! WebSocket: after Nextcloud's 101 the two connections are joined until either side ends, the caller's token is purged or expires, or we stop.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::stream::Ending;
use crate::body::Body;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// The caller's side of an upgrade that is wished for.
pub struct Wish(OnUpgrade);

/// Takes the wish off a request: `Upgrade: websocket` alone, by GET over HTTP/1.1 (RFC 6455 §4.1). Any other upgrade is ignored, as RFC 9110
/// §7.8 allows.
pub fn wish(request: &mut Request<Body>) -> Option<Wish> {
    let wanted = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && names(request.headers(), &CONNECTION, "upgrade")
        && is_websocket(request.headers());
    wanted.then(|| Wish(hyper::upgrade::on(request)))
}

/// Asks Nextcloud for the same upgrade; to be called after the hop-by-hop headers are gone.
pub fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, WEBSOCKET);
}

/// Joins the two sides, if Nextcloud's answer is the upgrade that was wished for. The answer's headers are clean already.
pub fn join<B>(wish: Wish, answer: &mut Response<B>, granted: bool, ending: Ending) -> bool {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS || !granted {
        return false;
    }
    let theirs = hyper::upgrade::on(&mut *answer);
    ask(answer.headers_mut());
    tokio::spawn(async move {
        let (Ok(ours), Ok(theirs)) = tokio::join!(wish.0, theirs) else { return };
        let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut ours, &mut theirs) => {}
            () = ending => {}
        }
    });
    true
}

/// Whether Nextcloud grants a WebSocket.
#[must_use]
pub fn grants(headers: &HeaderMap) -> bool {
    is_websocket(headers)
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(UPGRADE).iter();
    let only = values.next();
    values.next().is_none()
        && only.is_some_and(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

fn names(headers: &HeaderMap, field: &http::HeaderName, token: &str) -> bool {
    headers
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|own| own.trim().eq_ignore_ascii_case(token))
}
