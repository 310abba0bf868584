//! Connections to Nextcloud are kept and used again, by whoever comes next: nothing of one request may be left on them for another.

mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::house::{House, Plan};
use crate::wire::{Upstream, Wire, ask, request};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const PUT: &str = "PUT /remote.php/dav/files/alice/x.txt";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

/// One core, so that there is one pool.
async fn before(upstream: &Upstream, lines: &str) -> House {
    let plan = Plan {
        upstream: Some(upstream.url.clone()),
        nextcloud_lines: lines.into(),
        threads: Some(1),
        ..Plan::default()
    };
    plan.build().await
}

/// Law 5.
#[tokio::test(flavor = "multi_thread")]
async fn what_nextcloud_says_unasked_while_a_connection_rests_is_nobodys_answer() {
    for unasked in [
        POISON,
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </poison>\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "H",
        "\r\n",
        "\0",
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let upstream = Upstream::serving(move |mut wire, number| {
            let counter = counter.clone();
            async move {
                while wire.head().await.is_some() {
                    if number == 0 {
                        counter.fetch_add(1, Ordering::SeqCst);
                    }
                    wire.write(OK).await;
                    if number == 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        wire.write(unasked).await;
                    }
                }
            }
        })
        .await;
        let house = before(&upstream, "").await;
        assert_eq!(ask(&house, request(&house, FILE, &house.token("alice"), "")).await.body, b"ok");
        tokio::time::sleep(Duration::from_millis(60)).await;
        let post = request(&house, PUT, &house.token("bob"), "Content-Length: 3\r\n") + "abc";
        let answer = ask(&house, post).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]), "{unasked:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{unasked:?}");
        assert_eq!(upstream.connections.load(Ordering::SeqCst), 2, "{unasked:?}");
        house.close().await;
    }
}

/// A body where none may be belongs to nobody, also if it comes after its head.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_may_not_be_is_nobodys_answer() {
    for (method, head) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 45\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 45\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ] {
        let upstream = Upstream::serving(move |mut wire, number| async move {
            while wire.head().await.is_some() {
                wire.write(if number == 0 { head } else { OK }).await;
                if number == 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    wire.write(POISON).await;
                }
            }
        })
        .await;
        let house = before(&upstream, "").await;
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, &FILE.replace("GET", method), &house.token("alice"), "")).await;
        wire.head().await.expect("a head");
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(ask(&house, request(&house, FILE, &house.token("bob"), "")).await.body, b"ok", "{head}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn informational_answers_are_no_answers_and_the_connection_stays() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        while let Some(head) = wire.head().await {
            for informational in ["100 Continue\r\n", "102 Processing\r\n", "103 Early Hints\r\nLink: </a>\r\n"] {
                wire.write(format!("HTTP/1.1 {informational}\r\n")).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            wire.body(&head).await;
            wire.write(OK).await;
        }
    })
    .await;
    let house = before(&upstream, "").await;
    let token = house.token("alice");
    for asked in [
        request(&house, FILE, &token, ""),
        request(&house, PUT, &token, "Content-Length: 3\r\n") + "abc",
        request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
    ] {
        let answer = ask(&house, asked).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
        assert!(answer.header("link").is_none());
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
    house.close().await;
}

/// Whoever gets less than was promised can tell; the next one does not notice.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_seen_to_and_touches_nobody_else() {
    for broken in [
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nha",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ] {
        let upstream = Upstream::serving(move |mut wire, number| async move {
            while wire.head().await.is_some() {
                if number == 0 {
                    wire.write(format!("HTTP/1.1 200 OK\r\n{broken}")).await;
                    return;
                }
                wire.write(OK).await;
            }
        })
        .await;
        let house = before(&upstream, "").await;
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, FILE, &house.token("alice"), "")).await;
        if let Some(head) = wire.head().await {
            let rest = wire.rest().await;
            assert!(!rest.ends_with(b"0\r\n\r\n") && rest.len() < 15, "{head} {rest:?}");
        }
        assert_eq!(ask(&house, request(&house, FILE, &house.token("bob"), "")).await.body, b"ok", "{broken}");
        house.close().await;
    }
}

/// An answer that ends with its connection is whole, and nothing follows it there; trailers end an answer like any other.
#[tokio::test(flavor = "multi_thread")]
async fn only_an_answer_that_ends_by_itself_leaves_a_connection_to_the_next() {
    for (head, kept) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\nX-Sum: 1\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwhole", false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole", false),
        ("HTTP/1.0 200 OK\r\n\r\nwhole", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole", false),
    ] {
        let upstream = Upstream::serving(move |mut wire, _| async move {
            while wire.head().await.is_some() {
                for piece in head.as_bytes().chunks(30) {
                    wire.write(piece).await;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                if !kept {
                    return;
                }
            }
        })
        .await;
        let house = before(&upstream, "").await;
        for _ in 0..3 {
            let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
            assert_eq!((answer.status, answer.body.as_slice()), (200, &b"whole"[..]), "{head}");
            assert!(answer.head.starts_with("http/1.1 "), "in our version, in which an answer says where it ends");
        }
        assert_eq!(upstream.connections.load(Ordering::SeqCst), if kept { 1 } else { 3 }, "{head}");
        house.close().await;
    }
}

/// Nextcloud may have done what it was asked though it did not say so: only what it cannot have seen is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nextcloud_saw_is_never_sent_twice() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = seen.clone();
        let upstream = Upstream::serving(move |mut wire, _| {
            let counter = counter.clone();
            async move {
                while let Some(head) = wire.head().await {
                    if head.starts_with("GET") && !head.contains("gone.txt") {
                        wire.write(OK).await;
                        continue;
                    }
                    wire.body(&head).await;
                    counter.fetch_add(1, Ordering::SeqCst);
                    wire.write(answer).await;
                    return;
                }
            }
        })
        .await;
        let house = before(&upstream, "").await;
        let token = house.token("alice");
        for (turn, asked) in [
            request(&house, &PUT.replace("PUT", "MKCOL"), &token, ""),
            request(&house, PUT, &token, "Content-Length: 3\r\n") + "abc",
            request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
            request(&house, &FILE.replace("alice.txt", "gone.txt"), &token, ""),
        ]
        .into_iter()
        .enumerate()
        {
            // By a connection that rested.
            assert_eq!(ask(&house, request(&house, FILE, &token, "")).await.status, 200);
            let answer = ask(&house, asked).await;
            assert_eq!((answer.status, answer.error()), (502, "nextcloud_unreachable".into()));
            assert_eq!(seen.load(Ordering::SeqCst), turn + 1);
        }
        house.close().await;
    }
}

/// Apache closes what rests; nobody gets to feel that, whatever was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nextcloud_closed_while_it_rested_costs_no_request_and_no_body() {
    let (said, mut bodies) = mpsc::unbounded_channel();
    let upstream = Upstream::serving(move |mut wire, _| {
        let said = said.clone();
        async move {
            let head = wire.head().await.unwrap_or_default();
            let _ = said.send(wire.body(&head).await);
            wire.write(OK).await;
        }
    })
    .await;
    let house = before(&upstream, "").await;
    let token = house.token("alice");
    for (asked, body) in [
        (request(&house, FILE, &token, ""), &b""[..]),
        (request(&house, PUT, &token, "Content-Length: 3\r\n") + "abc", b"abc"),
        (request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (request(&house, &PUT.replace("PUT", "MKCOL"), &token, ""), b""),
    ] {
        assert_eq!(ask(&house, asked).await.status, 200);
        assert_eq!(bodies.recv().await.unwrap(), body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(bodies.try_recv().is_err(), "nothing came twice");
    house.close().await;
}

/// Law 5, in a crowd: some leave in the middle, answers come in pieces, connections go from one to the next.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_crowd_everybody_gets_their_own_answer() {
    let upstream = Upstream::serving(|mut wire, number| async move {
        for turn in 0.. {
            let Some(head) = wire.head().await else { return };
            wire.body(&head).await;
            let own = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = own.repeat(1 + (number + turn) % 7 * 300);
            let answer = if turn % 2 == 0 {
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            } else {
                format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
            };
            for piece in answer.as_bytes().chunks(1 + answer.len() / (1 + turn % 3)) {
                if tokio::io::AsyncWriteExt::write_all(&mut wire.stream, piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    let house = Arc::new(before(&upstream, "").await);
    let callers = (0..24).map(|caller| {
        let house = house.clone();
        tokio::spawn(async move {
            let token = house.token(if caller % 2 == 0 { "alice" } else { "bob" });
            let mut wire = Wire::to(&house).await;
            for turn in 0..40 {
                let own = format!("/ocs/v2.php/apps/notifications/api/v2/{caller}/{turn}/");
                let asked = if turn % 3 == 0 {
                    request(&house, &format!("POST {own}"), &token, "Content-Length: 3\r\n") + "abc"
                } else {
                    request(&house, &format!("GET {own}"), &token, "")
                };
                wire.write(asked).await;
                if caller % 4 == 3 && turn % 5 == 4 {
                    // This one does not wait for the end, or for the beginning.
                    if turn % 2 == 0 {
                        wire.head().await;
                    }
                    wire = Wire::to(&house).await;
                    continue;
                }
                let answer = wire.answer().await.expect("an answer");
                let body = String::from_utf8(answer.body).unwrap();
                assert_eq!(answer.status, 200, "{body}");
                assert!(!body.is_empty() && body.replace(&own, "").is_empty(), "{own}: {body}");
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let opened = upstream.connections.load(Ordering::SeqCst);
    assert!(
        opened < 24 + 6 * 8 + 24,
        "{opened} connections were opened: they are kept, but for those that callers left"
    );
    Arc::into_inner(house).unwrap().close().await;
}
