//! Bodies that drip.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::super::answer::Body;

/// At most this much at a time.
const DROP: usize = 1024;

/// The same bytes, a drop at a time, with a pause before each.
pub(super) fn drip(body: Body, pause: Duration) -> Body {
    let drops = stream::unfold((body, Bytes::new()), move |(mut body, mut left)| async move {
        while left.is_empty() {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => left = data,
                    Err(trailers) => return Some((Ok(trailers), (body, left))),
                },
                Err(error) => {
                    return Some((Err::<Frame<Bytes>, io::Error>(error), (body, left)));
                }
            }
        }
        tokio::time::sleep(pause).await;
        let drop = left.split_to(left.len().min(DROP));
        Some((Ok(Frame::data(drop)), (body, left)))
    });
    StreamBody::new(drops).boxed_unsync()
}
