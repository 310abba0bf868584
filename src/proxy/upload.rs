//! A request body on its way to Nextcloud: counted, watched for standstill, its trailers filtered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::headers::trailer_crosses;
use crate::body::{Body, BoxError};

/// How far an upload is; shared by the body and whoever waits for the answer.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    moved_at: Instant,
    through: bool,
    failure: Option<UploadFailure>,
}

/// Why an upload ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFailure {
    /// It grew beyond the configured limit.
    TooLarge,
    /// The caller broke it off.
    BrokenOff,
}

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State { moved_at: Instant::now(), through: false, failure: None })))
    }

    /// Until when the answer may be waited for, as things stand: an upload may take an hour as long as it moves; then Nextcloud may think.
    #[must_use]
    pub fn deadline(&self, idle: Duration, head: Duration) -> Instant {
        let state = self.0.lock();
        state.moved_at + if state.through { head } else { idle }
    }

    /// Whether all of it is on its way.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.0.lock().through
    }

    /// Waits until it stands still for this long; for ever, once all of it is on its way.
    pub async fn stands_still(self, idle: Duration) {
        while !self.is_through() {
            let until = self.deadline(idle, idle);
            if Instant::now() >= until {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
        std::future::pending().await
    }

    /// Why the upload failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<UploadFailure> {
        self.0.lock().failure
    }

    fn moved(&self, through: bool) {
        let mut state = self.0.lock();
        state.moved_at = Instant::now();
        state.through |= through;
    }

    fn failed(&self, failure: UploadFailure) {
        self.0.lock().failure = Some(failure);
    }
}

/// The body.
#[derive(Debug)]
pub struct Upload {
    inner: Body,
    progress: Progress,
    left: Option<u64>,
}

impl Upload {
    /// Watches a body; more than `largest` bytes are not let through.
    #[must_use]
    pub fn new(inner: Body, largest: Option<u64>) -> (Self, Progress) {
        let progress = Progress::new();
        (Self { inner, progress: progress.clone(), left: largest }, progress)
    }

    fn pass(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BoxError> {
        if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
            match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    self.progress.failed(UploadFailure::TooLarge);
                    return Err("the body is larger than configured".into());
                }
            }
        }
        Ok(filter_trailers(frame))
    }
}

/// Drops the trailers that must not cross.
#[must_use]
pub fn filter_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(trailers) => Frame::trailers(
            trailers
                .iter()
                .filter(|(name, _)| trailer_crosses(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        Err(frame) => frame,
    }
}

// === impl HttpBody ===

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match std::task::ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(frame)) => {
                let through = self.inner.is_end_stream();
                self.progress.moved(through);
                Poll::Ready(Some(self.pass(frame)))
            }
            Some(Err(error)) => {
                self.progress.failed(UploadFailure::BrokenOff);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.progress.moved(true);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
