//! What streams without end has done with its session once its head is there.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{WHO, plan};
use crate::house::Plan;
use crate::wire::{self, Upstream, Wire};

const OPENED: &str = "HTTP/1.1 200 OK\r\nSet-Cookie: oc_sessionPassphrase=p; path=/\r\n\
    Set-Cookie: nc_username=alice; Max-Age=9\r\nSet-Cookie: ocht9c3fo3al=s1; path=/\r\nContent-Length: 36\r\n\r\n\
    {\"ocs\":{\"data\":{\"id\":\"alice\"}}}     ";
const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:1\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_keeps_no_session_in_use() {
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = heads.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let seen = seen.clone();
        async move {
            while let Some(head) = wire.head().await {
                let answer = if head.contains("/logout") {
                    "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n"
                } else if head.to_ascii_lowercase().contains("\r\ncookie:") {
                    STREAM
                } else {
                    OPENED
                };
                seen.lock().push(head);
                wire.write(answer).await;
            }
        }
    })
    .await;
    let house = Plan { upstream: Some(upstream.url.clone()), ..plan() }.build().await;
    let mut wire = Wire::to(&house).await;
    wire.write(wire::request(&house, &format!("GET {WHO}"), &house.token("alice"), "")).await;
    assert!(wire.head().await.unwrap().contains("text/event-stream"));
    assert!(heads.lock()[1].contains("ocht9c3fo3al=s1"), "it went with the session");
    house.pass(600);
    house.sweep();
    house
        .until("the session is logged out while the stream is open", async || {
            heads.lock().iter().any(|head| head.starts_with("GET /index.php/logout "))
        })
        .await;
    house.close().await;
}
