//! In front of Nextcloud for everybody: with `non_bearer = "forward"`, requests that bear no token pass untouched.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Empty;
use obo_proxy::dev::nextcloud::{Generation, SeenRequest};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::house::{House, Plan};
use crate::tls::h2;
use crate::wire::{Answer, Upstream, Wire, ask, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const FORWARD: &str = "non_bearer = \"forward\"";
const FILE: &str = "/remote.php/dav/files/alice/alice.txt";

async fn in_front() -> House {
    Plan { top: FORWARD.into(), ..Plan::default() }.build().await
}

async fn before(upstream: &Upstream) -> House {
    Plan { top: FORWARD.into(), upstream: Some(upstream.url.clone()), ..Plan::default() }.build().await
}

/// A request head without a token; `fields` are whole lines.
fn bare(house: &House, line: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", house.running.address)
}

fn basic(house: &House, user: &str) -> String {
    let password = house.nextcloud.add_app_password(user);
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}

fn last(house: &House) -> SeenRequest {
    house.nextcloud.seen().pop().expect("something was seen")
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_nothing_without_a_token_reaches_nextcloud() {
    for top in ["", "non_bearer = \"reject\""] {
        let house = Plan { top: top.into(), ..Plan::default() }.build().await;
        let basic = basic(&house, "alice");
        house.nextcloud.forget_seen();
        for (path, fields) in [("/status.php", ""), (FILE, &*basic), ("/index.php/login", "Cookie: a=b\r\n")] {
            let answer = ask(&house, bare(&house, &format!("GET {path}"), fields)).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("bearer resource_metadata="));
        }
        assert!(house.nextcloud.seen().is_empty());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_logins_and_sync_clients_pass_where_an_operator_wants_it() {
    let house = in_front().await;
    let status = ask(&house, bare(&house, "GET /status.php", "")).await;
    assert_eq!(status.status, 200);
    assert!(String::from_utf8_lossy(&status.body).contains("installed"));
    assert_eq!(ask(&house, bare(&house, "GET /index.php/login", "")).await.status, 200);
    // A sync client with an app password, on its own behalf, wherever its user may go.
    let basic = basic(&house, "alice");
    let fields = format!("{basic}Depth: 0\r\n");
    let answer = ask(&house, bare(&house, "PROPFIND /remote.php/dav/files/alice/", &fields)).await;
    assert_eq!((answer.status, last(&house).user.as_deref()), (207, Some("alice")));
    assert_eq!(ask(&house, bare(&house, "GET /index.php/settings/user", &basic)).await.status, 200);
    assert_eq!(house.metric("obo_untouched_requests_total{outcome=\"answered\"}").await, 4.0);
    assert_eq!(house.metric("obo_upstream_requests_total{outcome=\"answered\"}").await, 0.0);
    house.close().await;
}

/// Nextcloud's challenge is what makes a client ask for the password that it needs; a bearer's road never shows it (row 45).
#[tokio::test(flavor = "multi_thread")]
async fn nextclouds_own_challenges_reach_whoever_has_no_token() {
    let house = in_front().await;
    for fields in ["", "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n"] {
        let answer = ask(&house, bare(&house, "PROPFIND /remote.php/dav/files/alice/", fields)).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").unwrap().contains("basic realm=\"nextcloud\""), "{}", answer.head);
    }
    house.close().await;
}

/// Row 48, on both generations of user_oidc: whatever one of them would take as a bearer does not reach it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_could_be_a_credential_but_basic_passes() {
    for generation in [Generation::V7_3, Generation::V8_10] {
        let change = Box::new(move |options: &mut obo_proxy::dev::nextcloud::Options| options.user_oidc = generation);
        let house = Plan { top: FORWARD.into(), nextcloud: Some(change), ..Plan::default() }.build().await;
        // What Nextcloud itself accepts, so that getting through would be seen.
        let token = house.provider.mint("alice").audiences(&["nextcloud"]).sign().unwrap();
        let basic = basic(&house, "alice");
        let basic = basic.trim_end();
        house.nextcloud.forget_seen();
        for (fields, status) in [
            (format!("Authorization: {token}"), 401),
            (format!("Authorization: BEARER {token}"), 401),
            (format!("Authorization: bearer\t{token}"), 401),
            (format!("Authorization: Bearer {token}"), 401),
            (format!("Authorization: Basic {token}"), 401),
            (format!("Authorization: Basic YTpi, Bearer {token}"), 401),
            (basic.replace("Basic", "basic"), 401),
            (basic.replace("Basic ", "Basic  "), 401),
            ("Authorization:".into(), 401),
            ("Authorization: Digest a=b".into(), 401),
            (format!("XAuthorization: Bearer {token}"), 401),
            (format!("xauthorization: {token}"), 401),
            (format!("{basic}\r\nXAuthorization: Bearer {token}"), 401),
            (format!("X_Authorization: Bearer {token}"), 401),
            (format!("X-Authorization: Bearer {token}"), 401),
            (format!("Authorization_: Bearer {token}"), 401),
            (format!("{basic}\r\nAuthorization: Bearer {token}"), 400),
            (format!("{basic}\r\n{basic}"), 400),
        ] {
            let answer = ask(&house, bare(&house, "GET /ocs/v2.php/cloud/user", &format!("{fields}\r\n"))).await;
            assert_eq!(answer.status, status, "{generation:?} {fields}");
        }
        for target in ["/ocs/v2.php/cloud/user?access_token=x", "/x?a=b&Access%5Ftoken=x"] {
            assert_eq!(ask(&house, bare(&house, &format!("GET {target}"), "")).await.status, 400, "{target}");
        }
        assert!(house.nextcloud.seen().is_empty(), "{:?}", house.nextcloud.seen());
        house.close().await;
    }
}

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

/// Rows 10 and 49: no connection to Nextcloud serves both worlds.
#[tokio::test(flavor = "multi_thread")]
async fn requests_with_and_without_a_token_share_no_connection() {
    let house = Plan { top: FORWARD.into(), threads: Some(1), ..Plan::default() }.build().await;
    let (alice, basic) = (house.token("alice"), basic(&house, "bob"));
    for _ in 0..5 {
        assert_eq!(house.get(FILE, &alice).await.status(), 200);
        assert_eq!(ask(&house, bare(&house, "GET /ocs/v2.php/cloud/user", &basic)).await.status, 200);
        assert_eq!(ask(&house, bare(&house, "GET /status.php", "")).await.status, 200);
    }
    let seen = house.nextcloud.seen();
    let connections = |bearer: bool| {
        let of = |request: &&SeenRequest| {
            request.header("authorization").is_some_and(|own| own.starts_with("Bearer")) == bearer
        };
        seen.iter().filter(of).map(|request| request.connection).collect::<std::collections::BTreeSet<_>>()
    };
    let (with, without) = (connections(true), connections(false));
    assert_eq!((with.len(), without.len()), (1, 1), "each world keeps its connection: {with:?} {without:?}");
    assert!(with.is_disjoint(&without));
    house.close().await;
}

/// A session that Nextcloud opens for a bearer is nobody's without it: its cookies stay on that road.
#[tokio::test(flavor = "multi_thread")]
async fn a_bearers_session_never_comes_into_this_world_and_this_worlds_cookies_never_into_that() {
    let house = in_front().await;
    let alice = house.token("alice");
    for _ in 0..3 {
        let answer = house.get("/ocs/v2.php/cloud/user?format=json", &alice).await;
        assert!(answer.headers().get("set-cookie").is_none());
    }
    let sessions: Vec<String> = house.nextcloud.sessions().into_iter().map(|session| session.id).collect();
    assert!(!sessions.is_empty(), "Nextcloud opened sessions");
    house.nextcloud.forget_seen();
    // A stranger, straight after: nobody.
    let answer = ask(&house, bare(&house, "GET /ocs/v2.php/cloud/user", "OCS-APIRequest: true\r\n")).await;
    assert_eq!((answer.status, last(&house).user), (401, None));
    assert!(last(&house).header("cookie").is_none());
    assert!(sessions.iter().all(|session| !answer.head.contains(session)));
    // A browser that logged in by itself: its cookie is its own, and no bearer's.
    let basic = basic(&house, "bob");
    let login =
        ask(&house, bare(&house, "GET /ocs/v2.php/cloud/user", &format!("{basic}OCS-APIRequest: true\r\n"))).await;
    assert_eq!(login.status, 200);
    let cookie = format!("Cookie: {}=browsers-own\r\n", house.nextcloud.instance_id());
    ask(&house, request(&house, "GET /ocs/v2.php/cloud/user", &alice, &cookie)).await;
    assert!(last(&house).header("cookie").is_none_or(|cookie| !cookie.contains("browsers-own")));
    ask(&house, bare(&house, "GET /ocs/v2.php/cloud/user", &cookie)).await;
    assert!(last(&house).header("cookie").unwrap().ends_with("=browsers-own"));
    house.close().await;
}

/// A bearer is judged as everywhere, though strangers pass.
#[tokio::test(flavor = "multi_thread")]
async fn the_road_of_a_bearer_is_as_narrow_as_before() {
    let house = in_front().await;
    let alice = house.token("alice");
    assert_eq!(house.get("/ocs/v2.php/core/getapppassword", &alice).await.status(), 403);
    assert_eq!(house.get("/index.php/settings/user", &alice).await.status(), 403);
    assert_eq!(house.get(FILE, "abc").await.status(), 401);
    let expired = house.provider.mint("alice").expired(Duration::from_secs(100)).sign().unwrap();
    assert_eq!(house.get(FILE, &expired).await.status(), 401);
    assert_eq!(house.nextcloud.minted_app_passwords(), 0);
    house.close().await;
}

/// MCP clients begin without a token, and have to be told where to get one.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_pages_are_not_asked_of_nextcloud() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    for path in [
        "/mcp",
        "/mcp/",
        "/mcp/x",
        "/%6dcp",
        "/user/page",
        "/oauth/callback",
        "/.well-known/oauth-protected-resource/x",
    ] {
        for fields in ["", "Authorization: Basic YTpi\r\n"] {
            let answer = ask(&house, bare(&house, &format!("POST {path}"), fields)).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("bearer "), "{path}");
        }
    }
    assert_eq!(ask(&house, bare(&house, "GET /.well-known/oauth-protected-resource", "")).await.status, 200);
    assert!(upstream.heads.lock().is_empty());
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

/// Nothing is tried twice: there is no token to exchange for another.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_the_callers_and_costs_one_request() {
    let upstream = Upstream::answering("HTTP/1.1 303 See Other\r\nContent-Length: 0\r\nLocation: /login\r\n\r\n").await;
    let house = before(&upstream).await;
    let answer = ask(&house, bare(&house, "GET /index.php/apps/files", "")).await;
    assert_eq!((answer.status, answer.header("location").as_deref()), (303, Some("/login")));
    assert_eq!(upstream.heads.lock().len(), 1);
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
