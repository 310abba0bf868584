//! Time and size limits of both bodies, and a Nextcloud that breaks the protocol.

use std::time::Duration;

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Upstream, Wire, ask, request};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const PUT: &str = "PUT /remote.php/dav/files/alice/x.txt";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn hurried(upstream: &Upstream, lines: &str) -> House {
    let plan = Plan { upstream: Some(upstream.url.clone()), nextcloud_lines: lines.into(), ..Plan::default() };
    plan.build().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nextcloud_that_thinks_too_long_is_a_timeout() {
    let silent = Upstream::serving(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let house = hurried(&silent, "head_timeout = \"1s\"\nidle_timeout = \"1s\"").await;
    let token = house.token("alice");
    for head in [
        request(&house, FILE, &token, ""),
        request(&house, PUT, &token, "Content-Length: 3\r\n") + "abc",
        request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
    ] {
        let answer = ask(&house, head).await;
        assert_eq!((answer.status, answer.error()), (504, "nextcloud_timeout".into()));
    }
    house.close().await;
}

/// An answer whose head came but whose body stands still ends short of its length: nobody takes it for whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stands_still_is_cut_off_visibly() {
    for head in ["Content-Length: 100\r\n\r\nsome", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"] {
        let stuck = Upstream::serving(move |mut wire, _| async move {
            wire.head().await;
            wire.write(format!("HTTP/1.1 200 OK\r\n{head}")).await;
            wire.rest().await;
        })
        .await;
        let house = hurried(&stuck, "idle_timeout = \"1s\"").await;
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, FILE, &house.token("alice"), "")).await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200"));
        let rest = wire.rest().await;
        assert!(!rest.ends_with(b"0\r\n\r\n") && rest.len() < 100, "{rest:?}");
        house.close().await;
    }
}

/// What moves is not cut off, however slow: neither an upload (small enough to be kept, or not) nor a download.
#[tokio::test(flavor = "multi_thread")]
async fn what_moves_slowly_is_not_cut_off() {
    let slow = Upstream::serving(|mut wire, _| async move {
        let head = wire.head().await.unwrap_or_default();
        let body = wire.body(&head).await;
        wire.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())).await;
        for byte in body {
            tokio::time::sleep(Duration::from_millis(300)).await;
            wire.write([byte]).await;
        }
    })
    .await;
    let house = hurried(&slow, "idle_timeout = \"1s\"\nhead_timeout = \"1s\"").await;
    let token = house.token("alice");
    for (fields, chunked) in [("Content-Length: 6\r\n", false), ("Transfer-Encoding: chunked\r\n", true)] {
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, PUT, &token, fields)).await;
        for byte in ["a", "b", "c", "d", "e", "f"] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            wire.write(if chunked { format!("1\r\n{byte}\r\n") } else { byte.to_owned() }).await;
        }
        if chunked {
            wire.write("0\r\n\r\n").await;
        }
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"abcdef"[..]), "{fields}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stands_still_is_given_up() {
    let upstream = Upstream::serving(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let house = hurried(&upstream, "idle_timeout = \"1s\"").await;
    let token = house.token("alice");
    for (fields, body) in [
        ("Content-Length: 10\r\n", "abc"),
        ("Content-Length: 100000\r\n", "abc"),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"),
    ] {
        let answer = ask(&house, request(&house, PUT, &token, fields) + body).await;
        assert!(matches!(answer.status, 400 | 504), "{fields}: {answer:?}");
    }
    house.close().await;
}

/// Product §4: 413 over a configured limit, known before or found out on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_configured_limit_is_refused_and_never_whole_at_nextcloud() {
    let plan = Plan { nextcloud_lines: "max_body = 1000".into(), ..Plan::default() };
    let house = plan.build().await;
    let token = house.token("alice");
    let answer = ask(&house, request(&house, PUT, &token, "Content-Length: 1001\r\n") + &"x".repeat(1001)).await;
    assert_eq!((answer.status, answer.error()), (413, "invalid_request".into()));
    assert!(house.nextcloud.seen().is_empty());
    // By its length alone: the caller does not have to send it first.
    let answer = ask(&house, request(&house, PUT, &token, "Content-Length: 10000000\r\n")).await;
    assert_eq!((answer.status, answer.error()), (413, "invalid_request".into()));
    let chunked = format!("258\r\n{0}\r\n258\r\n{0}\r\n0\r\n\r\n", "x".repeat(600));
    let answer = ask(&house, request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + &chunked).await;
    assert_eq!((answer.status, answer.error()), (413, "invalid_request".into()));
    assert!(house.nextcloud.file("alice", "x.txt").await.is_none());
    let answer = ask(&house, request(&house, PUT, &token, "Content-Length: 1000\r\n") + &"x".repeat(1000)).await;
    assert_eq!(answer.status, 201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nextcloud_that_is_down_is_unreachable_and_found_again_when_it_is_back() {
    let house = House::open().await;
    let token = house.token("alice");
    let path = "/remote.php/dav/files/alice/alice.txt";
    assert_eq!(house.get(path, &token).await.status(), 200);
    house.nextcloud.stop_listening().await;
    let answer = ask(&house, request(&house, FILE, &token, "")).await;
    assert_eq!((answer.status, answer.error()), (502, "nextcloud_unreachable".into()));
    house.nextcloud.resume().await.unwrap();
    assert_eq!(house.get(path, &token).await.status(), 200);
    house.close().await;
}

/// What is no HTTP answer is told as ours, and the next request finds a good connection.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_from_nextcloud_is_a_502_of_ours() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\nX-A: b",
        "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 99 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let upstream = Upstream::serving(move |mut wire, number| async move {
            wire.head().await;
            wire.write(if number == 0 { garbage } else { OK }).await;
        })
        .await;
        let house = before(&upstream).await;
        let token = house.token("alice");
        let mut wire = Wire::to(&house).await;
        let answer = wire.ask(request(&house, FILE, &token, "")).await;
        assert_eq!((answer.status, answer.error()), (502, "nextcloud_unreachable".into()), "{garbage:?}");
        assert_eq!(wire.ask(request(&house, FILE, &token, "")).await.status, 200, "{garbage:?}");
        house.close().await;
    }
}

/// Response splitting: what Nextcloud sends behind an answer belongs to nobody, least of all to the next caller on that connection.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_an_answer_are_nobodys_answer() {
    for first in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison\r\n0\r\n\r\n",
        "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2e\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 43\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    ] {
        let upstream = Upstream::answering_in_turn(vec![first.into(), OK.into()]).await;
        let plan = Plan { upstream: Some(upstream.url.clone()), threads: Some(1), ..Plan::default() };
        let house = plan.build().await;
        let (alice, bob) = (house.token("alice"), house.token("bob"));
        let mut wire = Wire::to(&house).await;
        // Twice on one front connection: an answer longer than it says shows in front as well.
        let answer = wire.ask(request(&house, FILE, &alice, "")).await;
        if first.contains("\r\n2c\r\n") || first.contains("\r\n2e\r\n") {
            // Chunks win over a length (RFC 9112 §6.3), for us and for whoever reads our answer.
            assert!(answer.body.ends_with(b"poison"), "{answer:?}");
            assert!(answer.header("content-length").is_none_or(|length| length != "2"), "{answer:?}");
        }
        let _ =
            tokio::io::AsyncWriteExt::write_all(&mut wire.stream, request(&house, FILE, &alice, "").as_bytes()).await;
        if let Some(answer) = wire.answer().await {
            assert_eq!(answer.body, b"ok", "{first}");
        }
        assert_eq!(ask(&house, request(&house, FILE, &bob, "")).await.body, b"ok", "{first}");
        house.close().await;
    }
}

/// Row 7: nobody asked for another protocol.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_nobody_asked_for_is_a_502() {
    for upgrade in ["Upgrade: websocket\r\nConnection: upgrade\r\n", "Upgrade: h2c\r\nConnection: upgrade\r\n", ""] {
        let upstream = Upstream::answering(format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}\r\nraw bytes")).await;
        let house = before(&upstream).await;
        let mut wire = Wire::to(&house).await;
        let answer = wire.ask(request(&house, FILE, &house.token("alice"), "")).await;
        assert_eq!((answer.status, answer.error()), (502, "nextcloud_unreachable".into()), "{upgrade}");
        house.close().await;
    }
}

/// Even the answer that has to be read before it is judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_that_stands_still_does_not_hold_the_caller_for_ever() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        wire.head().await;
        wire.write("HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{").await;
        wire.rest().await;
    })
    .await;
    let house = hurried(&upstream, "idle_timeout = \"1s\"").await;
    let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
    assert_eq!((answer.status, answer.error()), (504, "nextcloud_timeout".into()));
    house.close().await;
}
