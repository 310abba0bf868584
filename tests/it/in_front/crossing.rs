//! What of a request without a token crosses, and how: headers, paths, bodies, upgrades.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Empty;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{FORWARD, OK, bare, before, in_front, last};
use crate::house::Plan;
use crate::tls::h2;
use crate::wire::{Answer, Upstream, Wire, ask};

/// Rows 1, 39, 49: the hygiene is the same.
#[tokio::test(flavor = "multi_thread")]
async fn identity_and_forward_headers_of_a_stranger_do_not_reach_nextcloud_in_any_spelling() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    for name in [
        "X_Forwarded_For",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-User",
        "Forwarded",
        "X-Real-IP",
        "Client-IP",
        "True-Client-IP",
        "X-Cluster-Client-IP",
        "CF-Connecting-IP",
        "Proxy-Authorization",
        "Proxy",
        "X-Nextcloud-Federation",
        "X_Nextcloud_Federation",
        "X.Nextcloud.Federation",
        "AUTHORIZATION-APP-API",
        "AUTHORIZATION_APP_API",
        "EX-APP-ID",
        "EX_APP_ID",
        "EX-APP-VERSION",
        "AA-VERSION",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Remote-User",
        "REMOTE_USER",
        "Keep-Alive",
        "Via",
        "Upgrade",
        "Expect_",
        "X-Accel-Redirect",
        "X-Sendfile",
        "Cookie_",
        "OCS_APIRequest",
    ] {
        let answer = ask(&house, bare(&house, "GET /status.php", &format!("{name}: canary\r\n"))).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(!upstream.last().contains("canary"), "{name} crossed:\n{}", upstream.last());
    }
    for (fields, status) in [
        ("Connection: X-Forwarded-For\r\n", 400),
        ("Connection: Cookie\r\nCookie: a=b\r\n", 400),
        ("Connection: Authorization\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 400),
        ("Host: evil.example\r\n", 400),
    ] {
        assert_eq!(ask(&house, bare(&house, "GET /status.php", fields)).await.status, status, "{fields}");
    }
    house.close().await;
}

/// Row 49: failed logins are booked on the address that Nextcloud is told.
#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_is_told_the_real_address_and_our_public_host() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let fields = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: gopher\r\n";
    assert_eq!(ask(&house, bare(&house, "GET /status.php", fields)).await.status, 200);
    let (head, address) = (upstream.last() + "\r", house.running.address);
    for field in [
        "\nx-forwarded-for: 127.0.0.1\r".to_owned(),
        "\nx-forwarded-proto: http\r".into(),
        format!("\nx-forwarded-host: {address}\r"),
        format!("\nhost: {address}\r"),
    ] {
        assert_eq!(head.matches(&field).count(), 1, "{field} in\n{head}");
    }
    assert!(!head.contains("evil") && !head.contains("6.6") && !head.contains("7.7"), "{head}");
    house.close().await;
}

/// What is the caller's own passes, both ways; nothing of ours is added.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_cookies_and_what_goes_with_them_pass_as_they_came() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: oc1=2; path=/; HttpOnly\r\nSet-Cookie: nc_token=x; path=/\r\n\
         WWW-Authenticate: Basic realm=\"x\"\r\nX-Accel-Redirect: /canary\r\nKeep-Alive: canary\r\nETag: \"e\"\r\n\r\n",
    )
    .await;
    let house = before(&upstream).await;
    let own = "Authorization: Basic YTpi\r\nCookie: oc1=2; nc_token=x\r\nrequesttoken: abc\r\nOCS-APIRequest: true\r\n\
               Referer: https://x/\r\nRange: bytes=0-3\r\n";
    let answer = ask(&house, bare(&house, "GET /index.php/x", own)).await;
    let head = upstream.last();
    for line in own.to_ascii_lowercase().lines() {
        assert_eq!(head.matches(&format!("\n{line}\r")).count(), 1, "{line} in\n{head}");
    }
    assert_eq!(answer.header("set-cookie").as_deref(), Some("oc1=2; path=/; httponly|nc_token=x; path=/"));
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("basic realm=\"x\""));
    assert_eq!(answer.header("etag").as_deref(), Some("\"e\""));
    assert!(!answer.head.contains("canary"), "{}", answer.head);
    // Without any of these, none is made up.
    ask(&house, bare(&house, "GET /index.php/x", "")).await;
    for field in ["authorization", "cookie", "ocs-apirequest", "requesttoken"] {
        assert!(!upstream.last().contains(field), "{field} in\n{}", upstream.last());
    }
    house.close().await;
}

/// RFC 9113 §8.2.3: browsers cut cookies over HTTP/2, and PHP behind Apache would read the pieces as one with commas.
#[tokio::test(flavor = "multi_thread")]
async fn cut_cookies_are_one_again() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let mut sender = h2::<Empty<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
    let request = http::Request::get(format!("{}/x", house.url));
    let request = request.header("cookie", "a=1").header("cookie", "b=2; c=3").header("cookie", "d=4");
    assert_eq!(sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap().status(), 200);
    assert!((upstream.last() + "\r").contains("\ncookie: a=1; b=2; c=3; d=4\r"), "{}", upstream.last());
    assert_eq!(upstream.last().matches("cookie:").count(), 1);
    house.close().await;
}

/// Law 2 in small: whoever has the cookie of a page of ours could answer there, so it is not Nextcloud's to see.
#[tokio::test(flavor = "multi_thread")]
async fn the_cookies_of_our_own_pages_stay_with_us() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    for (sent, passed) in [
        ("oc1=2; __Host-obo-confirm-ab=secret; nc_token=x", Some("oc1=2; nc_token=x")),
        ("obo-login-ab=secret;oc1=obo-2", Some("oc1=obo-2")),
        ("obo-confirm-ab=secret", None),
        ("oc1=2;  __Host-nc_x=1", Some("oc1=2;  __host-nc_x=1")),
    ] {
        ask(&house, bare(&house, "GET /index.php/x", &format!("Cookie: {sent}\r\n"))).await;
        let head = upstream.last();
        let cookie = head.lines().find_map(|line| line.trim_end().strip_prefix("cookie: "));
        assert_eq!(cookie, passed, "{sent}");
        assert!(!head.contains("secret"), "{head}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_are_listed_hosts_agree_and_paths_pass_byte_for_byte_but_do_not_climb() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    for (line, status) in [
        ("TRACE /status.php", 405),
        ("get /status.php", 405),
        ("BREW /status.php", 405),
        ("OPTIONS *", 400),
        ("GET /../status.php", 400),
        ("GET /a/%2e%2e/b", 400),
        ("GET /a/..%2fb", 400),
        ("GET /a/..%5Cb", 400),
        ("GET /a/..;x/b", 400),
        ("GET http://elsewhere.example/status.php", 400),
    ] {
        assert_eq!(ask(&house, bare(&house, line, "")).await.status, status, "{line}");
    }
    let long = format!("GET /{}", "a".repeat(17 * 1024));
    assert_eq!(ask(&house, bare(&house, &long, "")).await.status, 414);
    assert!(upstream.heads.lock().is_empty());
    for target in [
        "/s/AbC//d;e/%67%2F%5c?x=%00&y[]=;",
        "/index.php/s/abc/download?path=/&files=a%2Fb",
        "/ocs/v2.php/core/getapppassword",
    ] {
        assert_eq!(ask(&house, bare(&house, &format!("GET {target}"), "")).await.status, 200, "{target}");
        let head = upstream.heads.lock().last().cloned().unwrap();
        assert_eq!(head.lines().next(), Some(&*format!("GET {target} HTTP/1.1")));
    }
    house.close().await;
}

/// Both bodies stream, within the same limits.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_and_are_limited_as_for_everybody() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        wire.head().await;
        // The answer comes while the upload is still under way.
        let first = wire.exactly(3 + 5 + 2).await;
        wire.write("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        wire.write(first).await;
        wire.write("0\r\nX-Sum: 1\r\nSet-Cookie: late=1\r\n\r\n").await;
        wire.rest().await;
    })
    .await;
    let plan = Plan {
        top: FORWARD.into(),
        upstream: Some(upstream.url.clone()),
        nextcloud_lines: "max_body = 100".into(),
        ..Plan::default()
    };
    let house = plan.build().await;
    let mut wire = Wire::to(&house).await;
    wire.write(bare(&house, "PUT /public.php/dav/files/abc/x", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n")
        .await;
    let answer = wire.answer().await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"hello"[..]));
    assert!(!wire.trailers.to_ascii_lowercase().contains("cookie"), "{}", wire.trailers);
    let answer = ask(&house, bare(&house, "PUT /public.php/dav/files/abc/x", "Content-Length: 101\r\n")).await;
    assert_eq!(answer.status, 413);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_without_a_token_is_joined_and_ends_when_we_stop() {
    let house = in_front().await;
    let mut request = format!("ws://{}/push/ws", house.running.address).into_client_request().unwrap();
    request.headers_mut().insert("cookie", "oc1=own".parse().unwrap());
    let stream = TcpStream::connect(house.running.address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    socket.send(Message::text("one")).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Text(back))) if back.as_str() == "one"));
    assert_eq!(last(&house).header("cookie"), Some("oc1=own"));
    assert_eq!(house.metric("obo_untouched_requests_total{outcome=\"upgraded\"}").await, 1.0);
    let stopping = tokio::spawn(house.running.stop());
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(Duration::from_secs(5), end).await.expect("the tunnel ends");
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_without_a_token_may_stand_still_and_ends_when_we_stop() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        wire.head().await;
        wire.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        )
        .await;
        wire.rest().await;
    })
    .await;
    let plan = Plan {
        top: FORWARD.into(),
        upstream: Some(upstream.url.clone()),
        nextcloud_lines: "idle_timeout = \"50ms\"".into(),
        ..Plan::default()
    };
    let house = plan.build().await;
    let mut wire = Wire::to(&house).await;
    wire.write(bare(&house, "GET /index.php/apps/x/events", "")).await;
    wire.head().await.unwrap();
    assert_eq!(wire.exactly(7).await, b"2\r\nab\r\n");
    let still = tokio::time::timeout(Duration::from_millis(300), wire.exactly(1)).await;
    assert!(still.is_err(), "it is not cut off for standing still");
    let stopping = tokio::spawn(house.running.stop());
    assert_eq!(wire.rest().await, b"0\r\n\r\n");
    stopping.await.unwrap();
}

/// Below a prefix, with a web root that Nextcloud knows itself by: paths, links and cookies.
#[tokio::test(flavor = "multi_thread")]
async fn the_mount_is_the_same_for_both_worlds() {
    let upstream = Upstream::answering(
        "HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\nContent-Length: 32\r\nLocation: /own/login\r\n\
         Set-Cookie: a=1; Path=/own; HttpOnly\r\nSet-Cookie: __Host-b=2; path=/; Secure\r\nSet-Cookie: c=3; path=/other\r\n\r\n\
         <d:href>/own/remote.php</d:href>",
    )
    .await;
    let plan = Plan {
        top: FORWARD.into(),
        prefix: "/nc",
        upstream_root: "/own",
        upstream: Some(upstream.url.clone()),
        ..Plan::default()
    };
    let house = plan.build().await;
    let answer: Answer = ask(&house, bare(&house, "PROPFIND /nc/public.php/dav/files/abc", "")).await;
    assert!(upstream.last().starts_with("propfind /own/public.php/dav/files/abc http"), "{}", upstream.last());
    assert_eq!(answer.body, b"<d:href>/nc/remote.php</d:href>");
    assert_eq!(answer.header("location").as_deref(), Some("/nc/login"));
    let cookies = "a=1; path=/nc; httponly|__host-b=2; path=/; secure|c=3; path=/other";
    assert_eq!(answer.header("set-cookie").as_deref(), Some(cookies));
    for outside in ["/own/status.php", "/status.php", "/ncx/status.php", "/%6ec/status.php"] {
        assert_eq!(ask(&house, bare(&house, &format!("GET {outside}"), "")).await.status, 404, "{outside}");
    }
    assert_eq!(ask(&house, bare(&house, "GET /nc/..%2fserver-status", "")).await.status, 400);
    assert_eq!(upstream.heads.lock().len(), 1);
    house.close().await;
}
