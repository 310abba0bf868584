//! Bodies stream in both directions, in bounded memory, and end when they should.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::house::House;
use crate::hygiene::before;
use crate::wire::{Upstream, Wire, ask, request};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const PUT: &str = "PUT /remote.php/dav/files/alice/x.txt";
/// More than all buffers between two ends of loopback hold.
const MUCH: usize = 96 * 1024 * 1024;
/// What they may hold: a few socket buffers and ours.
const BUFFERS: usize = 48 * 1024 * 1024;

/// Waits until a counter stands still.
async fn settled(counter: &AtomicUsize) -> usize {
    let mut last = usize::MAX;
    loop {
        let now = counter.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn pour(stream: &mut tokio::net::TcpStream, counter: &AtomicUsize, bytes: usize) {
    let block = vec![b'x'; 64 * 1024];
    while counter.load(Ordering::SeqCst) < bytes {
        match stream.write(&block[..block.len().min(bytes - counter.load(Ordering::SeqCst))]).await {
            Ok(written) => counter.fetch_add(written, Ordering::SeqCst),
            Err(_) => return,
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_does_not_read_stops_nextcloud_from_sending() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let counter = counter.clone();
        async move {
            wire.head().await;
            wire.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n")).await;
            pour(&mut wire.stream, &counter, MUCH).await;
        }
    })
    .await;
    let house = before(&upstream).await;
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, FILE, &house.token("alice"), "")).await;
    let head = wire.head().await.unwrap();
    assert!(head.to_ascii_lowercase().contains(&format!("content-length: {MUCH}")));
    let held = settled(&sent).await;
    assert!(held < BUFFERS, "{held} bytes were taken from Nextcloud though nobody read them");
    let mut read = 0;
    while read < MUCH {
        read += wire.exactly((MUCH - read).min(1024 * 1024)).await.len();
    }
    assert_eq!(sent.load(Ordering::SeqCst), MUCH);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nextcloud_that_does_not_read_stops_the_caller_from_sending() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let upstream = Upstream::serving(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            let _ = gate.wait_for(|open| *open).await;
            let mut read = 0;
            while read < MUCH {
                read += wire.exactly((MUCH - read).min(1024 * 1024)).await.len();
            }
            wire.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let house = before(&upstream).await;
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, PUT, &house.token("alice"), &format!("Content-Length: {MUCH}\r\n"))).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let uploading = tokio::spawn(async move {
        pour(&mut wire.stream, &counter, MUCH).await;
        wire.answer().await.unwrap()
    });
    let held = settled(&sent).await;
    assert!(held < BUFFERS, "{held} bytes were taken from the caller though nobody read them");
    go.send_replace(true);
    assert_eq!(uploading.await.unwrap().status, 201);
    house.close().await;
}

/// Chunks pass as they come, in both directions at once: nothing waits for an end.
#[tokio::test(flavor = "multi_thread")]
async fn both_bodies_stream_chunk_by_chunk() {
    let house = House::open().await;
    let mut wire = Wire::to(&house).await;
    let echo = "POST /ocs/v2.php/apps/notifications/api/v2/echo/body";
    wire.write(request(&house, echo, &house.token("alice"), "Transfer-Encoding: chunked\r\n")).await;
    wire.write("3\r\nabc\r\n").await;
    let head = wire.head().await.expect("the head comes before the end of the upload");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(wire.exactly(8).await, b"3\r\nabc\r\n");
    wire.write("2\r\nde\r\n").await;
    assert_eq!(wire.exactly(7).await, b"2\r\nde\r\n");
    wire.write("0\r\n\r\n").await;
    assert_eq!(wire.exactly(5).await, b"0\r\n\r\n");
    house.close().await;
}

/// 100-continue is ours to say, once the request is let through; a refused one is refused before its body.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_first_is_told_to_go_on_only_if_the_request_is_let_through() {
    let house = House::open().await;
    let token = house.token("alice");
    let fields = "Expect: 100-continue\r\nContent-Length: 5\r\n";
    for (line, token, status) in [
        (PUT, "x.y.z", 401),
        ("PUT /ocs/v2.php/cloud/users/alice", token.as_str(), 403),
        ("PUT //x", token.as_str(), 400),
    ] {
        let mut wire = Wire::to(&house).await;
        assert_eq!(wire.ask(request(&house, line, token, fields)).await.status, status, "{line}");
    }
    let mut wire = Wire::to(&house).await;
    assert_eq!(wire.ask(request(&house, PUT, &token, fields)).await.status, 100);
    assert_eq!(wire.ask("hello").await.status, 201);
    assert_eq!(house.nextcloud.file("alice", "x.txt").await.unwrap(), "hello");
    assert!(house.nextcloud.seen().iter().all(|seen| seen.header("expect").is_none()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_range_and_304_pass_as_nextcloud_says_them() {
    let house = House::open().await;
    let token = house.token("alice");
    let mut wire = Wire::to(&house).await;
    let whole = wire.ask(request(&house, FILE, &token, "")).await;
    let etag = whole.header("etag").unwrap();
    let part = wire.ask(request(&house, FILE, &token, "Range: bytes=1-3\r\n")).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[1..4]));
    assert!(part.header("content-range").unwrap().starts_with("bytes 1-3/"));
    assert_eq!(wire.ask(request(&house, FILE, &token, &format!("If-None-Match: {etag}\r\n"))).await.status, 304);
    wire.write(request(&house, &FILE.replace("GET", "HEAD"), &token, "")).await;
    let head = wire.head().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains(&format!("content-length: {}", whole.body.len())));
    // Nothing of a body follows: the connection is in step.
    assert_eq!(wire.ask(request(&house, FILE, &token, "")).await.body, whole.body);
    house.close().await;
}

/// Row 7: Nextcloud's no to an upload arrives though the upload is not finished, and the connection is not used in a wrong step.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_answer_to_an_unfinished_upload_reaches_the_caller() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        while let Some(head) = wire.head().await {
            let answer = if head.starts_with("PUT") { "507 Full" } else { "200 OK" };
            wire.write(format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\nno")).await;
            if head.starts_with("PUT") {
                return;
            }
        }
    })
    .await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, PUT, &token, "Content-Length: 1000000\r\n") + &"x".repeat(1000)).await;
    let answer = wire.answer().await.expect("the early answer");
    assert_eq!((answer.status, answer.body.as_slice()), (507, &b"no"[..]));
    assert_eq!(ask(&house, request(&house, FILE, &token, "")).await.status, 200);
    house.close().await;
}

/// The same where Nextcloud closes at once, with the upload unread: its answer counts, not that it could not be written to.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_though_nextcloud_closed_on_an_unread_upload() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        wire.head().await;
        wire.write("HTTP/1.1 507 Full\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").await;
    })
    .await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    let body = "x".repeat(300_000);
    for turn in 0..100 {
        let mut wire = Wire::to(&house).await;
        let head = request(&house, PUT, &token, "Content-Length: 300000\r\n");
        let _ = wire.stream.write_all((head + &body).as_bytes()).await;
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (507, &b"no"[..]), "{turn}: {answer:?}");
    }
    house.close().await;
}

/// A caller that leaves is an upload without an end: Nextcloud must not take the half for the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_in_the_middle_of_an_upload_leaves_nothing_at_nextcloud() {
    for fields in ["Content-Length: 200000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let (ended, mut end) = mpsc::unbounded_channel();
        let upstream = Upstream::serving(move |mut wire, _| {
            let ended = ended.clone();
            async move {
                let head = wire.head().await.unwrap_or_default();
                let whole = if head.to_ascii_lowercase().contains("content-length") {
                    wire.exactly(200_000).await.len() == 200_000
                } else {
                    wire.chunked().await.1
                };
                let _ = ended.send(whole);
            }
        })
        .await;
        let house = before(&upstream).await;
        let mut wire = Wire::to(&house).await;
        let body = format!("186a0\r\n{}", "x".repeat(100_000));
        wire.write(request(&house, PUT, &house.token("alice"), fields) + &body).await;
        drop(wire);
        let whole = tokio::time::timeout(Duration::from_secs(10), end.recv()).await.expect("Nextcloud's side ends");
        assert_eq!(whole, Some(false), "{fields}");
        house.close().await;
    }
}

/// Whoever leaves while Nextcloud thinks, or while it sends, does not keep it at work.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_ends_the_request_at_nextcloud() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"] {
        let (step, mut steps) = mpsc::unbounded_channel();
        let upstream = Upstream::serving(move |mut wire, _| {
            let step = step.clone();
            async move {
                wire.head().await;
                wire.write(answer).await;
                let _ = step.send("asked");
                wire.rest().await;
                let _ = step.send("ended");
            }
        })
        .await;
        let house = before(&upstream).await;
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, FILE, &house.token("alice"), "")).await;
        assert_eq!(steps.recv().await, Some("asked"));
        if !answer.is_empty() {
            wire.head().await;
        }
        drop(wire);
        let ended = tokio::time::timeout(Duration::from_secs(8), steps.recv()).await;
        assert_eq!(ended.expect("Nextcloud's side ends"), Some("ended"), "{answer}");
        house.close().await;
    }
}
