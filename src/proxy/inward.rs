//! What a caller says about where things are, told in Nextcloud's words, where the two call them by different roots: `Destination`, the
//! resource tags of `If`, and the hrefs in bodies of DAV requests (multigets, properties that are set).
//!
//! Nothing is decided here. What a bearer's headers and hrefs may name is settled before, on the path inside the mount, and its headers are told
//! in Nextcloud's words there. What is replaced here is the root alone.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request};
use http_body::Body as _;

use super::multistatus::{Rewritten, is_dav};
use super::outward::{self, authority};
use super::replay::Replay;
use crate::body::Body;
use crate::nextcloud::hrefs::{Hrefs, Swap};
use crate::upstream::NextcloudSettings;

/// A reference of a caller's to our public address, or an absolute path: how many of its first bytes are to be replaced, and by what. Scheme
/// and authority stay, for sabre looks at the path alone.
#[must_use]
pub fn swap(reference: &[u8], settings: &NextcloudSettings) -> Option<Swap> {
    let origin = match authority(reference) {
        Some((scheme, end)) if outward::is_own(scheme, reference.get(scheme.len() + 2..end)?, settings) => end,
        Some(_) => return None,
        None if reference.starts_with(b"/") => 0,
        None => return None,
    };
    let (begin, path) = reference.split_at_checked(origin)?;
    let (cut, root) = settings.mount.to_own(path)?;
    let begin = std::str::from_utf8(begin).ok()?;
    Some((origin + cut, format!("{begin}{root}")))
}

/// A `Destination` for Nextcloud.
#[must_use]
pub fn destination(value: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    let (cut, own) = swap(value.as_bytes(), settings)?;
    HeaderValue::from_bytes(&[own.as_bytes(), value.as_bytes().get(cut..)?].concat()).ok()
}

/// An `If` for Nextcloud (RFC 4918 §10.4): its resource tags.
#[must_use]
pub fn tags(value: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    outward::targets(value, |target| swap(target, settings))
}

/// The body of a request for Nextcloud.
pub fn body(body: Body, head: &mut Request<Body>, settings: &Arc<NextcloudSettings>) -> Body {
    match hrefs(head, settings).filter(|_| !body.is_end_stream()) {
        Some(hrefs) => Body::new(Rewritten::new(body, hrefs)),
        None => body,
    }
}

/// The same for one that may have been kept, which it stays.
pub fn replay(replay: Replay, head: &mut Request<Body>, settings: &Arc<NextcloudSettings>) -> Replay {
    match replay {
        Replay::Once(streamed) => Replay::Once(body(streamed, head, settings)),
        Replay::Kept(kept, permit) => match hrefs(head, settings) {
            Some(mut hrefs) => Replay::Kept(Bytes::from([hrefs.push(&kept), hrefs.finish()].concat()), permit),
            None => Replay::Kept(kept, permit),
        },
    }
}

/// Takes the length away as well, which will be another.
fn hrefs(
    head: &mut Request<Body>,
    settings: &Arc<NextcloudSettings>,
) -> Option<Hrefs<impl Fn(&[u8]) -> Option<Swap> + use<>>> {
    // The scope of a SEARCH is relative to the DAV root (`/files/<uid>`), which has no root of ours before it.
    if settings.mount.is_seamless() || !is_dav(head.method()) || head.method().as_str() == "SEARCH" {
        return None;
    }
    head.headers_mut().remove(CONTENT_LENGTH);
    let settings = settings.clone();
    Some(Hrefs::new(outward::horizon(&settings), move |text: &[u8]| swap(text, &settings)))
}
