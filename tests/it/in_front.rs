//! In front of Nextcloud for everybody: with `non_bearer = "forward"`, requests that bear no token pass untouched.

mod crossing;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use obo_proxy::dev::nextcloud::{Generation, SeenRequest};

use crate::house::{House, Plan};
use crate::wire::{Upstream, ask, request, status};

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

/// Rows 7 and 48: a second credential that only some readers see.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_hidden_in_the_framing_does_not_reach_nextcloud() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    for fields in [
        "Authorization : Bearer canary\r\n",
        "Authorization\t: Bearer canary\r\n",
        "Authorization: Basic YTpi\r\n Bearer canary\r\n",
        "X-A: b\r\n Authorization: Bearer canary\r\n",
        "X-A: b\nAuthorization: Bearer canary\r\n",
        "X-A: b\rAuthorization: Bearer canary\r\n",
        "X-A: b\0\r\nAuthorization: Bearer canary\r\n",
        "Authorization: Basic YTpi\u{b}Bearer canary\r\n",
        "Authorization: Basic YTpi\u{a0}canary\r\n",
        "\u{fe0f}Authorization: Bearer canary\r\n",
        "Authoriz\u{e4}tion: Bearer canary\r\n",
        "Authorization: Basic YTpi==canary\r\n",
        "X.Authorization: Basic YTpi\r\n",
        "HTTP_AUTHORIZATION: Bearer canary\r\n",
        "REDIRECT_HTTP_AUTHORIZATION: Bearer canary\r\n",
        "Proxy-Authorization: Bearer canary\r\n",
        "Connection: X-A, Authorization\r\nAuthorization: Bearer canary\r\n",
        "TE: trailers\r\nTrailer: Authorization\r\nX_A: canary\r\n",
    ] {
        let status = status(&house, bare(&house, "GET /status.php", fields)).await;
        assert!(!upstream.last().contains("canary"), "{status} {fields:?}:\n{}", upstream.last());
    }
    let trailers = "Transfer-Encoding: chunked\r\nTrailer: Authorization, Cookie\r\n";
    let late = "1\r\nx\r\n0\r\nAuthorization: Bearer canary\r\nXAuthorization: Bearer canary\r\nCookie: canary\r\n\r\n";
    assert_eq!(status(&house, bare(&house, "PUT /public.php/dav/files/abc/x", trailers) + late).await, 200);
    assert!(!upstream.last().contains("canary") && !upstream.last().contains("trailer"), "{}", upstream.last());
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
