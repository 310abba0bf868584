//! Bodies that decide are read before they are sent: up to a size, in a time, and all of them together within one budget of bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{Body, BoxError};
use crate::error::{BadRequest, Error};

/// A larger body is not read: 413. A REPORT of a real client has some kilobytes.
pub const LARGEST: usize = 1024 * 1024;
/// All bodies that are being read or wait to be sent. A house that is full says so.
const BUDGET: usize = 32 * 1024 * 1024;
/// The budget is taken in these steps.
const STEP: usize = 16 * 1024;

/// The process-wide budget. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ReadingBudget {
    steps: Arc<Semaphore>,
    largest: usize,
    deadline: Duration,
}

/// A body that was read; it keeps its part of the budget until it is sent.
struct Held {
    bytes: Option<Bytes>,
    _steps: Option<OwnedSemaphorePermit>,
}

impl ReadingBudget {
    /// A budget; each body has to be there within `deadline`.
    #[must_use]
    pub fn new(deadline: Duration) -> Self {
        Self { steps: Arc::new(Semaphore::new(BUDGET / STEP)), largest: LARGEST, deadline }
    }

    /// For bodies up to `largest` bytes.
    #[must_use]
    pub fn up_to(self, largest: usize) -> Self {
        Self { largest, ..self }
    }

    /// Reads a whole body. What is handed back beside its bytes is the body to send.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`], [`Error::Overloaded`], [`BadRequest::Body`] if it breaks off or does not come.
    pub async fn read(&self, body: Body) -> Result<(Bytes, Body), Error> {
        if body.is_end_stream() {
            return Ok((Bytes::new(), body));
        }
        if body.size_hint().lower() > self.largest as u64 {
            return Err(Error::BodyTooLarge);
        }
        let (bytes, steps) = tokio::time::timeout(self.deadline, self.collect(body))
            .await
            .map_err(|_| Error::from(BadRequest::Body))??;
        let held = Held { bytes: (!bytes.is_empty()).then(|| bytes.clone()), _steps: steps };
        Ok((bytes, Body::new(held)))
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
        let mut collected = BytesMut::new();
        let mut steps: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Error::from(BadRequest::Body))?.into_data() else { continue };
            if collected.len() + data.len() > self.largest {
                return Err(Error::BodyTooLarge);
            }
            let wanted = (collected.len() + data.len()).div_ceil(STEP);
            let missing = wanted.saturating_sub(steps.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
            if let Ok(missing @ 1..) = u32::try_from(missing) {
                let more = self.steps.clone().try_acquire_many_owned(missing).map_err(|_| Error::Overloaded)?;
                match &mut steps {
                    Some(own) => own.merge(more),
                    None => steps = Some(more),
                }
            }
            collected.extend_from_slice(&data);
        }
        Ok((collected.freeze(), steps))
    }
}

// === impl HttpBody ===

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_whole_and_sent_whole() {
        let budget = ReadingBudget::new(Duration::from_secs(1));
        let (bytes, body) = budget.read(Body::full("abc")).await.unwrap();
        assert_eq!(bytes, "abc");
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(budget.steps.available_permits(), BUDGET / STEP - 1);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        assert_eq!(budget.steps.available_permits(), BUDGET / STEP);
    }

    #[tokio::test]
    async fn a_larger_body_is_too_large_and_the_budget_is_one_for_all() {
        let budget = ReadingBudget::new(Duration::from_secs(1));
        assert!(matches!(budget.read(Body::full(vec![0; LARGEST + 1])).await, Err(Error::BodyTooLarge)));
        let mut held = Vec::new();
        for _ in 0..BUDGET / LARGEST {
            held.push(budget.read(Body::full(vec![0; LARGEST])).await.unwrap());
        }
        assert!(matches!(budget.read(Body::full("x")).await, Err(Error::Overloaded)));
        held.pop();
        assert!(budget.read(Body::full("x")).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        struct Never;

        impl HttpBody for Never {
            type Data = Bytes;
            type Error = BoxError;

            fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
                Poll::Pending
            }
        }

        let read = ReadingBudget::new(Duration::from_millis(10)).read(Body::new(Never)).await;
        assert!(matches!(read, Err(Error::BadRequest(BadRequest::Body))));
    }
}
