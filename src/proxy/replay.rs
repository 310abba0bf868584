//! Small request bodies are kept, so that a request can be sent again after Nextcloud refused its token. All of them together have one budget
//! of bytes (checklist row 53).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body::Body as HttpBody;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::Body;
use crate::error::{BadRequest, Error};

/// A larger body is not kept.
pub const LARGEST_KEPT: u64 = 64 * 1024;
/// All kept bodies together.
pub const BUDGET: usize = 16 * 1024 * 1024;

/// The process-wide budget. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ReplayBudget(Arc<Semaphore>);

impl Default for ReplayBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET)))
    }
}

/// A request body: kept, or sent once.
pub enum Replay {
    /// It can be sent as often as needed. The permit is held until the request is answered.
    Kept(Bytes, Option<OwnedSemaphorePermit>),
    /// It streams through, once.
    Once(Body),
}

impl ReplayBudget {
    /// Takes the body of a request: none or small ones are kept, if the budget allows; others stream.
    ///
    /// # Errors
    /// [`BadRequest::Body`] if a small body breaks off or does not come.
    pub async fn take(&self, request: &mut Request<Body>, idle: Duration) -> Result<Replay, Error> {
        let body = std::mem::replace(request.body_mut(), Body::empty());
        if body.is_end_stream() {
            return Ok(Replay::Kept(Bytes::new(), None));
        }
        let Some(length) = body.size_hint().exact().filter(|length| *length <= LARGEST_KEPT) else {
            return Ok(Replay::Once(body));
        };
        let Some(permit) =
            u32::try_from(length).ok().and_then(|bytes| self.0.clone().try_acquire_many_owned(bytes).ok())
        else {
            return Ok(Replay::Once(body));
        };
        // Boxed: most requests have none, and their futures need not be this large.
        Box::pin(collect(body, idle)).await.map(|bytes| Replay::Kept(bytes, Some(permit)))
    }
}

/// All of a body that moves: no frame may take longer than `idle`.
async fn collect(mut body: Body, idle: Duration) -> Result<Bytes, Error> {
    let mut collected = BytesMut::new();
    loop {
        match tokio::time::timeout(idle, body.frame()).await {
            Ok(None) => return Ok(collected.freeze()),
            Ok(Some(Ok(frame))) => collected.extend(frame.into_data()),
            Ok(Some(Err(_))) | Err(_) => return Err(BadRequest::Body.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(budget: &ReplayBudget, body: Body) -> Replay {
        budget.take(&mut Request::new(body), Duration::from_secs(1)).await.unwrap()
    }

    #[tokio::test]
    async fn small_bodies_are_kept_and_large_ones_stream() {
        let budget = ReplayBudget::default();
        assert!(matches!(take(&budget, Body::empty()).await, Replay::Kept(bytes, _) if bytes.is_empty()));
        assert!(matches!(take(&budget, Body::full("abc")).await, Replay::Kept(bytes, _) if bytes == "abc"));
        let large = vec![0_u8; usize::try_from(LARGEST_KEPT).unwrap() + 1];
        assert!(matches!(take(&budget, Body::full(large)).await, Replay::Once(_)));
    }

    #[tokio::test]
    async fn all_kept_bodies_share_one_budget() {
        let budget = ReplayBudget::default();
        let mut kept = Vec::new();
        for _ in 0..BUDGET as u64 / LARGEST_KEPT {
            kept.push(take(&budget, Body::full(vec![0; usize::try_from(LARGEST_KEPT).unwrap()])).await);
        }
        assert!(kept.iter().all(|replay| matches!(replay, Replay::Kept(..))));
        assert!(matches!(take(&budget, Body::full("x")).await, Replay::Once(_)));
        kept.pop();
        assert!(matches!(take(&budget, Body::full("x")).await, Replay::Kept(..)));
    }
}
