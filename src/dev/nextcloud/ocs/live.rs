//! Answers that go on: server-sent events, a WebSocket, and (by option) routes that show a request or send many bytes.
//!
//! They stand inside families that a policy lets through: notifications and Talk.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::super::login::Visit;
use super::super::websocket;

/// Sends `data:` lines, one a second and the first at once.
pub(in super::super) const EVENTS: &str = "apps/notifications/api/v2/events";
/// Answers frames with themselves.
pub(in super::super) const SOCKET: &str = "apps/spreed/api/v3/signaling/socket";
/// Describes the request in JSON.
const ECHO: &str = "apps/notifications/api/v2/echo";
/// Sends the request's body back as it comes.
const ECHO_BODY: &str = "apps/notifications/api/v2/echo/body";
/// Sends `count` bytes out of nothing.
const BYTES: &str = "apps/notifications/api/v2/bytes";

pub(super) async fn answer(call: &mut Call, visit: &Visit, path: &str) -> Option<Answer> {
    let uid = visit.user.as_deref()?;
    let echo = call.instance.options().echo;
    match path {
        EVENTS => Some(events(uid)),
        SOCKET => Some(websocket::accept(call)),
        ECHO if echo => Some(described(call, uid).await),
        ECHO_BODY if echo => call.body.take().map(|body| {
            let body = body.map_err(std::io::Error::other).boxed_unsync();
            Answer::new(200).header("content-type", "application/octet-stream").stream(body)
        }),
        BYTES if echo => Some(bytes(call.query.get("count").and_then(|count| count.parse().ok()).unwrap_or(1024))),
        _ => None,
    }
}

fn events(uid: &str) -> Answer {
    let uid = uid.to_owned();
    let events = stream::unfold(0u64, move |number| {
        let event = format!("id: {number}\ndata: {{\"user\":\"{uid}\",\"number\":{number}}}\n\n");
        async move {
            if number > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Some((Ok(Frame::data(Bytes::from(event))), number + 1))
        }
    });
    Answer::new(200).header("content-type", "text/event-stream").stream(StreamBody::new(events).boxed_unsync())
}

async fn described(call: &mut Call, uid: &str) -> Answer {
    let headers = call.headers.iter();
    let headers: Value =
        headers.map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])).collect();
    let mut counted = 0;
    if let Some(mut body) = call.body.take() {
        while let Some(Ok(frame)) = body.frame().await {
            counted += frame.data_ref().map_or(0, Bytes::len);
        }
    }
    let description = json!({
        "method": call.method.as_str(),
        "path": call.path,
        "headers": headers,
        "user": uid,
        "body_bytes": counted,
    });
    Answer::json(200, &description)
}

fn bytes(count: u64) -> Answer {
    const BLOCK: u64 = 64 * 1024;
    let block = Bytes::from(vec![b'o'; 64 * 1024]);
    let blocks = stream::unfold(count, move |left| {
        let next = (left > 0).then(|| {
            let size = left.min(BLOCK);
            let part = block.slice(..usize::try_from(size).unwrap_or(0));
            (Ok(Frame::data(part)), left - size)
        });
        async move { next }
    });
    Answer::new(200)
        .header("content-type", "application/octet-stream")
        .header("content-length", &count.to_string())
        .stream(StreamBody::new(blocks).boxed_unsync())
}
