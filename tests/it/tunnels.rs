//! WebSocket and event streams: opened by a token, ended with it.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use obo_proxy::token::Purge;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Upstream, Wire, request};

const SOCKET: &str = "/ocs/v2.php/apps/spreed/api/v3/signaling/socket";
const EVENTS: &str = "GET /ocs/v2.php/apps/notifications/api/v2/events";
const ASK: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SOON: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(house: &House, token: &str) -> Socket {
    let mut request = format!("ws://{}{SOCKET}", house.running.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request.headers_mut().insert("cookie", "nc_username=bob".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(house.running.address).await.unwrap();
    let (socket, answer) = client_async(request, MaybeTlsStream::Plain(stream)).await.unwrap();
    assert!(answer.headers().get("set-cookie").is_none());
    socket
}

/// Whether a message comes back.
async fn echoes(socket: &mut Socket, text: &str) -> bool {
    if socket.send(Message::text(text)).await.is_err() {
        return false;
    }
    matches!(socket.next().await, Some(Ok(Message::Text(back))) if back.as_str() == text)
}

/// Waits until the other side is gone.
async fn ended(socket: &mut Socket) {
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(SOON, end).await.expect("the tunnel ends");
}

fn purge_session(house: &House, token_claims: &serde_json::Map<String, serde_json::Value>) {
    house.running.entries.purge(&Purge::Session {
        issuer: house.provider.issuer().into(),
        session: token_claims["sid"].as_str().unwrap().into(),
    });
}

/// Row 39, 42, 11 hold for upgrades as for any request.
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_opened_with_the_exchanged_token_and_carries_both_ways() {
    let house = House::open().await;
    let token = house.token("alice");
    let mut socket = open(&house, &token).await;
    assert!(echoes(&mut socket, "one").await);
    assert!(echoes(&mut socket, &"x".repeat(200_000)).await);
    let seen = house.nextcloud.seen().pop().unwrap();
    assert_eq!((seen.status, seen.user.as_deref()), (101, Some("alice")));
    assert!(seen.header("cookie").is_none() && !seen.header("authorization").unwrap().contains(&token));
    assert_eq!(house.metric("obo_upstream_requests_total{outcome=\"upgraded\"}").await, 1.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_without_a_good_token_is_not_opened() {
    let house = House::open().await;
    for token in ["x.y.z".to_owned(), house.provider.mint("alice").expired(Duration::from_secs(100)).sign().unwrap()] {
        let mut wire = Wire::to(&house).await;
        assert_eq!(wire.ask(request(&house, &format!("GET {SOCKET}"), &token, ASK)).await.status, 401);
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

/// Law 8: a purge ends the tunnels of its session at once, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_ends_the_websockets_of_that_session_and_no_other() {
    let house = House::open().await;
    let (alice, bob) = (house.provider.mint("alice"), house.provider.mint("bob"));
    let claims = alice.claims().clone();
    let mut hers = open(&house, &alice.sign().unwrap()).await;
    let mut his = open(&house, &bob.sign().unwrap()).await;
    assert!(echoes(&mut hers, "a").await && echoes(&mut his, "b").await);
    purge_session(&house, &claims);
    ended(&mut hers).await;
    assert!(echoes(&mut his, "still here").await);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_ends_when_its_token_expires() {
    let house = House::open().await;
    let token = house.provider.mint("alice").lifetime(Duration::from_secs(3)).sign().unwrap();
    let mut socket = open(&house, &token).await;
    assert!(echoes(&mut socket, "a").await);
    ended(&mut socket).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_ends_when_either_side_does() {
    let house = House::open().await;
    let mut socket = open(&house, &house.token("alice")).await;
    assert!(echoes(&mut socket, "a").await);
    house.nextcloud.stop_listening().await;
    ended(&mut socket).await;
    house.nextcloud.resume().await.unwrap();
    let (gone, mut told) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::serving(move |mut wire, _| {
        let gone = gone.clone();
        async move {
            wire.head().await;
            wire.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").await;
            wire.rest().await;
            let _ = gone.send(());
        }
    })
    .await;
    let other = before(&upstream).await;
    let mut wire = Wire::to(&other).await;
    assert_eq!(wire.ask(request(&other, &format!("GET {SOCKET}"), &other.token("alice"), ASK)).await.status, 101);
    drop(wire);
    tokio::time::timeout(SOON, told.recv()).await.expect("Nextcloud's side ends");
    house.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_websockets_and_event_streams() {
    let house = House::open().await;
    let token = house.token("alice");
    let mut socket = open(&house, &token).await;
    assert!(echoes(&mut socket, "a").await);
    let mut events = Wire::to(&house).await;
    events.write(request(&house, EVENTS, &token, "")).await;
    assert!(events.head().await.unwrap().contains("200"));
    let stopped = tokio::spawn(house.running.stop());
    ended(&mut socket).await;
    events.rest().await;
    tokio::time::timeout(SOON, stopped).await.expect("the drain ends").unwrap();
}

/// Law 8, and what is no event stream any more has a proper end.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_flows_and_ends_with_a_purge() {
    let house = House::open().await;
    let token = house.provider.mint("alice");
    let claims = token.claims().clone();
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, EVENTS, &token.sign().unwrap(), "")).await;
    assert!(wire.head().await.unwrap().to_ascii_lowercase().contains("content-type: text/event-stream"));
    let first = String::from_utf8(wire.exactly(20).await).unwrap();
    assert!(first.contains("id: 0"), "the first event comes before the second is made: {first}");
    purge_session(&house, &claims);
    let rest = tokio::time::timeout(SOON, wire.chunked()).await.expect("the stream ends");
    assert!(!rest.0.windows(5).any(|window| window == b"id: 9"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_ends_when_its_token_expires_and_is_not_cut_off_for_standing_still() {
    for kind in ["text/event-stream", "Text/Event-Stream; charset=utf-8"] {
        let upstream = Upstream::serving(move |mut wire, _| async move {
            wire.head().await;
            wire.write(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
            ))
            .await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            wire.write("6\r\nsecond\r\n").await;
            wire.rest().await;
        })
        .await;
        let plan = Plan {
            upstream: Some(upstream.url.clone()),
            nextcloud_lines: "idle_timeout = \"1s\"".into(),
            ..Plan::default()
        };
        let house = plan.build().await;
        let token = house.provider.mint("alice").lifetime(Duration::from_secs(4)).sign().unwrap();
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, EVENTS, &token, "")).await;
        wire.head().await.unwrap();
        assert_eq!(wire.chunked().await, (b"firstsecond".to_vec(), true), "{kind}");
        house.close().await;
    }
}

/// Row 7 (Pingora CVE-2026-2833): no upgrade but a WebSocket by GET over HTTP/1.1 is passed on; the request itself is served.
#[tokio::test(flavor = "multi_thread")]
async fn other_upgrades_are_ignored_and_the_request_is_served() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    for (method, fields) in [
        ("GET", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"),
        ("GET", "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n"),
        ("GET", "Upgrade: websocket\r\n"),
        ("POST", "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"),
    ] {
        let mut wire = Wire::to(&house).await;
        let line = format!("{method} {SOCKET}");
        assert_eq!(wire.ask(request(&house, &line, &token, fields)).await.status, 200, "{fields}");
        let head = upstream.last();
        assert!(!head.contains("upgrade") && !head.contains("http2"), "{head}");
        // The connection speaks HTTP/1.1 as before.
        assert_eq!(wire.ask(request(&house, &line.replace("POST", "GET"), &token, "")).await.status, 200, "{fields}");
    }
    house.close().await;
}

/// Only a 101 opens the tunnel: bytes behind a refused upgrade are requests again, and judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upgrade_opens_no_tunnel() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok").await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    let mut wire = Wire::to(&house).await;
    let smuggled = request(&house, "GET /settings/user", &token, "");
    wire.write(request(&house, &format!("GET {SOCKET}"), &token, ASK) + &smuggled).await;
    assert_eq!(wire.answer().await.unwrap().status, 200);
    if let Some(answer) = wire.answer().await {
        assert_eq!(answer.status, 403);
    }
    assert!(upstream.heads.lock().iter().all(|head| !head.contains("settings")));
    house.close().await;
}
