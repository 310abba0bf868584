//! What a refused caller is still sending. A connection whose request was not read to its end cannot be used again, and closing it while bytes
//! arrive resets it, often before the answer was read. So a short rest is read before the answer goes out, and otherwise the answer says that
//! the connection ends (RFC 9112 §9.6).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{Request, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;

use crate::body::{Body, BoxError};

/// More is not read for nothing. Messages of MCP clients that come without a token are shorter.
const MOST: usize = 64 * 1024;
/// Nor is it waited for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The body of a request that may be refused before it was read.
pub enum Unread {
    /// It comes back here when it is dropped before its end.
    Returns(Arc<Mutex<Option<Body>>>),
    /// Its caller waits for `100 Continue` before anything is sent, and would get that by our reading.
    Unsent,
}

/// A body that comes back when it is dropped before its end.
struct Returning {
    body: Body,
    place: Arc<Mutex<Option<Body>>>,
}

impl Unread {
    /// Watches the body of a request, if it has one that could stand in the way of the next request. Streams of h2 do not.
    pub fn of(request: &mut Request<Body>) -> Option<Self> {
        if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
            return None;
        }
        if request.headers().contains_key(EXPECT) {
            return Some(Self::Unsent);
        }
        let place = Arc::default();
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::new(Returning { body, place: Arc::clone(&place) });
        Some(Self::Returns(place))
    }

    /// Reads what is left, if it is little and comes soon. Says whether the connection can go on.
    pub async fn read(self) -> bool {
        let Self::Returns(place) = self else { return false };
        let Some(mut body) = place.lock().take() else { return true };
        if body.size_hint().lower() > MOST as u64 {
            return false;
        }
        let rest = async {
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame.ok().map_or(MOST, |frame| frame.data_ref().map_or(0, Bytes::len));
                if length >= MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, rest).await.unwrap_or(false)
    }
}

// === impl HttpBody ===

impl HttpBody for Returning {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.place.lock().replace(std::mem::take(&mut self.body));
        }
    }
}
