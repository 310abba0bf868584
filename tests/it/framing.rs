//! Where one request ends and the next begins: nobody may see it differently from Nextcloud. All on raw sockets.

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Upstream, Wire, ask, request, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const PUT: &str = "PUT /remote.php/dav/files/alice/x.txt";
const SMUGGLED: &str = "GET /ocs/v2.php/core/getapppassword HTTP/1.1\r\nHost: x\r\n\r\n";

async fn room() -> (Upstream, House, String) {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    (upstream, house, token)
}

/// Row 7: hyper drops the length; what goes on is chunked alone, and the connection ends, so there is one reading.
#[tokio::test(flavor = "multi_thread")]
async fn content_length_beside_transfer_encoding_has_one_reading_and_ends_the_connection() {
    for fields in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"]
    {
        let (upstream, house, token) = room().await;
        let mut wire = Wire::to(&house).await;
        let body = format!("0\r\n\r\n{SMUGGLED}");
        wire.write(request(&house, PUT, &token, fields) + &body).await;
        let answer = wire.answer().await;
        assert!(answer.as_ref().is_none_or(|answer| matches!(answer.status, 200 | 400)), "{answer:?}");
        assert_eq!(wire.rest().await, b"", "the connection has to end: what follows was read as a request");
        for head in upstream.heads.lock().iter() {
            assert!(!head.to_ascii_lowercase().contains("content-length: 4"), "{head}");
            assert!(head.starts_with("PUT "), "{head}");
        }
        house.close().await;
    }
}

/// Row 7.
#[tokio::test(flavor = "multi_thread")]
async fn odd_transfer_codings_are_refused_and_nothing_is_forwarded() {
    let (upstream, house, token) = room().await;
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked;x=y\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length : 3\r\n",
        "Content-Length: 99999999999999999999\r\n",
    ] {
        let status = status(&house, request(&house, PUT, &token, fields) + "3\r\nabc\r\n0\r\n\r\n").await;
        assert_eq!(status, 400, "{fields:?}");
    }
    assert!(upstream.heads.lock().is_empty(), "{:?}", upstream.heads.lock());
    house.close().await;
}

/// Row 7.
#[tokio::test(flavor = "multi_thread")]
async fn transfer_encoding_in_http_1_0_is_refused() {
    let (upstream, house, token) = room().await;
    let head = request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(status(&house, head + "0\r\n\r\n").await, 400);
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// Row 7: hyper takes a bare LF in a head for an end of line (RFC 9112 §2.2 allows it); what Nextcloud gets is written anew, with CRLF.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_line_feed_never_reaches_nextcloud() {
    let (upstream, house, token) = room().await;
    for head in [
        request(&house, FILE, &token, "X-A: b\r\n").replace("\r\n", "\n"),
        request(&house, FILE, &token, "X-A: b\nX_Forwarded_For: 6.6.6.6\n"),
        request(&house, FILE, &token, "X-A: b\nCookie: a=b\nXAuthorization: Bearer x\n"),
    ] {
        let answer = ask(&house, head).await;
        assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    }
    for head in upstream.heads.lock().iter() {
        assert!(!head.replace("\r\n", "").contains('\n'), "{head:?}");
        assert!(!head.contains("6.6.6.6") && !head.to_ascii_lowercase().contains("cookie"), "{head:?}");
    }
    house.close().await;
}

/// Row 7: in a chunk a bare LF, an overlong size or garbage ends the request: Nextcloud never gets a whole one.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_chunk_ends_the_request_and_nextcloud_gets_no_whole_one() {
    for body in [
        "3\nabc\n0\n\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "zz\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
    ] {
        let (done, mut finished) = tokio::sync::mpsc::unbounded_channel();
        let upstream = Upstream::serving(move |mut wire, _| {
            let done = done.clone();
            async move {
                if wire.head().await.is_some() {
                    let _ = done.send(wire.chunked().await.1);
                }
            }
        })
        .await;
        let house = before(&upstream).await;
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, PUT, &house.token("alice"), "Transfer-Encoding: chunked\r\n") + body).await;
        let answer = wire.answer().await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{body:?}: {answer:?}");
        house.close().await;
        drop(upstream);
        if let Ok(complete) = finished.try_recv() {
            assert!(!complete, "{body:?}");
        }
    }
}

/// Row 7.
#[tokio::test(flavor = "multi_thread")]
async fn folded_and_otherwise_malformed_field_lines_are_refused() {
    let (upstream, house, token) = room().await;
    for fields in [
        "X-A: b\r\n folded: c\r\n",
        "X-A: b\r\n\tCookie: c\r\n",
        "X A: b\r\n",
        ": b\r\n",
        "X-A\r\n",
        "X-\u{e4}: b\r\n",
        "X-A: a\0b\r\n",
        "X-A: a\rb\r\n",
    ] {
        let status = status(&house, request(&house, FILE, &token, fields)).await;
        assert_eq!(status, 400, "{fields:?}");
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// Two hosts mean two readers.
#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_or_none_or_a_contradicting_target_are_refused() {
    let (upstream, house, token) = room().await;
    let host = house.running.address;
    for (target, fields) in [
        ("/status.php", format!("Host: {host}\r\nHost: {host}\r\n")),
        ("/status.php", format!("Host: {host}\r\nhost: evil\r\n")),
        ("/status.php", String::new()),
        ("http://evil/status.php", format!("Host: {host}\r\n")),
        ("http://evil@evil2/status.php", format!("Host: {host}\r\n")),
        ("*", format!("Host: {host}\r\n")),
        ("status.php", format!("Host: {host}\r\n")),
    ] {
        let answer =
            ask(&house, format!("GET {target} HTTP/1.1\r\n{fields}Authorization: Bearer {token}\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{target} {fields}");
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// The absolute form (RFC 9112 §3.2.2): its path alone goes on, and it is judged as any other.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_absolute_target_only_the_path_counts() {
    let (upstream, house, token) = room().await;
    let host = house.running.address;
    let ask_for =
        |target: String| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    assert_eq!(ask(&house, ask_for(format!("http://{host}/status.php?a=b"))).await.status, 200);
    assert!(upstream.last().starts_with("get /status.php?a=b http/1.1\r\n"), "{}", upstream.last());
    assert_eq!(ask(&house, ask_for(format!("http://{host}/settings/user"))).await.status, 403);
    assert_eq!(ask(&house, ask_for(format!("http://{host}//status.php"))).await.status, 400);
    assert_eq!(upstream.heads.lock().len(), 1);
    house.close().await;
}

/// Row 54: methods by exact case from a list.
#[tokio::test(flavor = "multi_thread")]
async fn methods_off_the_list_are_refused_by_exact_case() {
    let (upstream, house, token) = room().await;
    for method in [
        "TRACE",
        "CONNECT",
        "get",
        "Get",
        "PURGE",
        "PRI",
        "LINK",
        "MKWORKSPACE",
        "TRACK",
        "DEBUG",
        "propfind",
        "BIND",
        "X",
    ] {
        let target = if method == "CONNECT" { "evil:443" } else { "/status.php" };
        let answer = ask(&house, request(&house, &format!("{method} {target}"), &token, "")).await;
        assert_eq!((answer.status, answer.error()), (405, "invalid_request".into()), "{method}");
        assert!(answer.header("allow").is_some_and(|allow| !allow.contains("trace")));
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// Product §4: 414 and 431.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_or_a_head_that_is_too_large_is_refused() {
    let (_upstream, house, token) = room().await;
    let long = "a".repeat(17 * 1024);
    let answer = ask(&house, request(&house, &format!("{FILE}{long}"), &token, "")).await;
    assert_eq!((answer.status, answer.error()), (414, "invalid_request".into()));
    let huge = request(&house, FILE, &token, &format!("X-A: {}\r\n", "a".repeat(70 * 1024)));
    assert!(matches!(status(&house, huge).await, 0 | 431));
    let many: String = (0..200).map(|number| format!("X-A{number}: b\r\n")).collect();
    assert_eq!(ask(&house, request(&house, FILE, &token, &many)).await.status, 431);
    let near = "a".repeat(15 * 1024);
    assert_eq!(ask(&house, request(&house, &format!("{FILE}{near}"), &token, "")).await.status, 200);
    house.close().await;
}

/// Row 7 (undrained bodies): what a refused request carried is never read as the next one.
#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_a_refused_request_is_not_the_next_request() {
    let (upstream, house, token) = room().await;
    for refused in ["POST /settings/personal", "POST //x", "TRACE /status.php", "POST /mcp"] {
        let mut wire = Wire::to(&house).await;
        let inner = request(&house, FILE, &token, "X-Smuggled: yes\r\n");
        let fields = format!("Content-Length: {}\r\n", inner.len());
        let answer = wire.ask(request(&house, refused, &token, &fields) + &inner).await;
        assert!(matches!(answer.status, 400..=405), "{answer:?}");
        let next = request(&house, FILE, &token, "X-Honest: yes\r\n");
        // Either the connection is closed, or it was drained and goes on in step.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut wire.stream, next.as_bytes()).await;
        if let Some(answer) = wire.answer().await {
            assert_eq!(answer.status, 200);
        }
        for head in upstream.heads.lock().iter() {
            assert!(!head.to_ascii_lowercase().contains("smuggled"), "{refused}: {head}");
        }
    }
    house.close().await;
}

/// Law 5: requests of two people on one connection, one behind the other, each by its own token; and the answers in order.
#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_of_two_people_stay_theirs_and_in_order() {
    let house = Plan { threads: Some(1), ..Plan::default() }.build().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let user = "GET /ocs/v2.php/cloud/user?format=json";
    let mut wire = Wire::to(&house).await;
    let people = ["alice", "bob", "bob", "alice", "nobody", "alice", "bob"];
    let mut all = String::new();
    for person in people {
        all += &match person {
            "alice" => request(&house, user, &alice, ""),
            "bob" => request(&house, user, &bob, ""),
            _ => format!("{user} HTTP/1.1\r\nHost: x\r\n\r\n"),
        };
    }
    wire.write(all).await;
    for person in people {
        let answer = wire.answer().await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        match person {
            "nobody" => assert_eq!(answer.status, 401),
            person => assert!(text.contains(&format!("\"id\":\"{person}\"")), "{person}: {text}"),
        }
    }
    let seen = house.nextcloud.seen();
    assert!(seen.len() > house.nextcloud.connections().try_into().unwrap(), "no upstream connection was used twice");
    for own in &seen {
        let authorizations = own.headers.iter().filter(|(name, _)| name == "authorization").count();
        assert_eq!(authorizations, 1);
        assert!(own.header("cookie").is_none());
    }
    house.close().await;
}

/// HTTP/1.0 callers are served, and their connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn an_http_1_0_caller_is_served_without_chunks() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").await;
    let house = before(&upstream).await;
    let mut wire = Wire::to(&house).await;
    let token = house.token("alice");
    wire.write(format!("{FILE} HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n")).await;
    let answer = String::from_utf8(wire.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("\r\n\r\nabc"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("transfer-encoding"));
    house.close().await;
}

/// Tokens: two headers, odd spacing, other schemes (rows 41, 48; product §4).
#[tokio::test(flavor = "multi_thread")]
async fn authorization_is_one_bearer_or_the_request_ends() {
    let (upstream, house, token) = room().await;
    let host = house.running.address;
    for (fields, status, error) in [
        (format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"), 400, "invalid_request"),
        (format!("Authorization: Bearer {token}\r\nauthorization: Basic YTpi\r\n"), 400, "invalid_request"),
        (format!("Authorization: {token}\r\n"), 401, ""),
        (format!("Authorization: Bearer\t{token}\r\n"), 401, ""),
        (format!("Authorization: Bearer{token}\r\n"), 401, ""),
        (format!("Authorization: Bearer {token} {token}\r\n"), 401, "invalid_token"),
        (format!("Authorization: Bearer {token},\r\n"), 401, "invalid_token"),
        (format!("Authorization: Bearer {token}, Bearer {token}\r\n"), 401, "invalid_token"),
        (format!("Authorization: Bearer \"{token}\"\r\n"), 401, "invalid_token"),
        (format!("Authorization: Bearer {token}\u{e4}\r\n"), 401, "invalid_token"),
        ("Authorization: Bearer\r\n".into(), 401, "invalid_token"),
        ("Authorization: Basic YWxpY2U6YWxpY2U=\r\n".into(), 401, ""),
        ("Authorization:\r\n".into(), 401, ""),
        (format!("XAuthorization: Bearer {token}\r\n"), 401, ""),
        (format!("Proxy-Authorization: Bearer {token}\r\n"), 401, ""),
        (format!("Cookie: access_token={token}\r\n"), 401, ""),
    ] {
        let answer = ask(&house, format!("GET /status.php HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")).await;
        assert_eq!((answer.status, answer.error().as_str()), (status, error), "{fields}");
        if status == 401 {
            assert!(answer.header("www-authenticate").unwrap().starts_with("bearer resource_metadata="));
        }
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// A caller that waits for its answer before it sends the rest of the next request is not kept waiting.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_behind_a_whole_one_does_not_hold_its_answer_back() {
    let (_upstream, house, token) = room().await;
    let mut wire = Wire::to(&house).await;
    let second = request(&house, FILE, &token, "X-Second: yes\r\n");
    let (half, rest) = second.split_at(40);
    assert_eq!(wire.ask(request(&house, FILE, &token, "") + half).await.status, 200);
    assert_eq!(wire.ask(rest).await.status, 200);
    house.close().await;
}

/// Row 7, on the way back: Nextcloud's two lengths are one by the time that a caller reads them (RFC 9112 §6.3).
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_transfer_coding_does_not_cut_an_answer() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
    let house = before(&upstream).await;
    let answer = ask(&house, request(&house, "GET /ocs/v2.php/cloud/user", &house.token("alice"), "")).await;
    assert_eq!((answer.status, &*answer.body, answer.header("content-length")), (200, &b"hello"[..], None));
    house.close().await;
}

/// Row 6, on the way back: without these fields an answer's body would be another.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cannot_nominate_what_describes_its_body_away() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nConnection: Content-Type, Content-Encoding, X-Own\r\nContent-Type: a/b\r\n\
         Content-Encoding: gzip\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let house = before(&upstream).await;
    let answer = ask(&house, request(&house, "GET /ocs/v2.php/cloud/user", &house.token("alice"), "")).await;
    let fields = ["content-type", "content-encoding", "x-own"].map(|name| answer.header(name));
    assert_eq!(fields, [Some("a/b".into()), Some("gzip".into()), None]);
    house.close().await;
}
