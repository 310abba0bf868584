//! A response body on its way to the caller: frames pass as they come, standstill ends it, trailers are filtered. An event stream ends with
//! the caller's token.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::upload::filter_trailers;
use crate::body::BoxError;
use crate::session::Lease;
use crate::upstream::UpstreamBody;

/// Ends when the caller's token is purged or expires.
pub type Ending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body.
pub struct Download {
    inner: UpstreamBody,
    idle: Duration,
    /// Set only while the body stands still: most never do.
    standstill: Option<Pin<Box<Sleep>>>,
    ending: Option<Ending>,
    /// Given back when the body is through or dropped.
    lease: Option<Lease>,
}

impl Download {
    /// Watches a body. Event streams have no idle limit of their own but an `ending`; other bodies hold the `lease` of the session they came by.
    #[must_use]
    pub fn new(inner: UpstreamBody, idle: Duration, ending: Option<Ending>, lease: Option<Lease>) -> Self {
        Self { inner, idle, standstill: None, ending, lease }
    }

    fn poll_standstill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let sleep = self.standstill.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + idle)));
        sleep.as_mut().poll(context)
    }
}

// === impl HttpBody ===

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(ending) = &mut self.ending
            && ending.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.standstill = None;
            if !matches!(frame, Some(Ok(_))) {
                self.lease = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map(filter_trailers).map_err(Into::into)));
        }
        if self.ending.is_none() {
            ready!(self.poll_standstill(context));
            return Poll::Ready(Some(Err("Nextcloud's answer stood still for too long".into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
