//! Which headers cross, in both directions.

use crate::house::{House, Plan};
use crate::wire::{Upstream, Wire, ask, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";

/// A house in front of a Nextcloud by hand.
pub async fn before(upstream: &Upstream) -> House {
    Plan { upstream: Some(upstream.url.clone()), ..Plan::default() }.build().await
}

fn field(head: &str, name: &str) -> Vec<String> {
    let prefix = format!("{name}: ");
    head.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Rows 1, 39, 48: nothing by which somebody could be somebody else crosses, in whatever spelling.
#[tokio::test(flavor = "multi_thread")]
async fn identity_and_forward_headers_of_a_caller_do_not_reach_nextcloud_in_any_spelling() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    for name in [
        "X_Forwarded_For",
        "X-Forwarded_For",
        "X_Forwarded_Proto",
        "X-Forwarded-Prefix",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
        "X-Forwarded-User",
        "X-Forwarded-Uri",
        "X-Forwarded-Client-Cert",
        "X-Forwarded",
        "Forwarded",
        "X-Real-IP",
        "X_Real_IP",
        "Client-IP",
        "True-Client-IP",
        "X-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "X-Cluster-Client-IP",
        "X-Original-Forwarded-For",
        "XAuthorization",
        "X-AUTHORIZATION_",
        "XAUTHORIZATION",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Proxy",
        "X-Nextcloud-Federation",
        "X_Nextcloud_Federation",
        "AUTHORIZATION-APP-API",
        "AUTHORIZATION_APP_API",
        "EX-APP-ID",
        "EX_APP_ID",
        "EX-APP-VERSION",
        "AA-VERSION",
        "AA_VERSION",
        "requesttoken",
        "REQUESTTOKEN",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Remote-User",
        "REMOTE_USER",
        "X-Remote-User",
        "Keep-Alive",
        "Via",
        "X-Accel-Redirect",
        "X-Sendfile",
        // CGI servers that make `_` of every odd character: lighttpd, old Apache.
        "X.Forwarded.For",
        "X~Nextcloud~Federation",
        "Authorization.App.Api",
        "EX!APP!ID",
        "X-Forwarded.Host",
    ] {
        let answer = ask(&house, request(&house, FILE, &token, &format!("{name}: canary\r\n"))).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(!upstream.last().contains("canary"), "{name} crossed:\n{}", upstream.last());
    }
    house.close().await;
}

/// What is nobody's identity passes: a test that would also pass if everything were dropped proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn honest_headers_reach_nextcloud_as_they_came() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let fields = "If-Match: \"abc\"\r\nDepth: 1\r\nRange: bytes=0-3\r\nX-OC-MTime: 5\r\nOC-Checksum: SHA1:x\r\n\
                  Accept: a/b\r\nX-Bytes: gr\u{fc}n\r\nUser-Agent: t\r\n";
    assert_eq!(ask(&house, request(&house, FILE, &house.token("alice"), fields)).await.status, 200);
    let head = upstream.last();
    for (name, value) in [
        ("if-match", "\"abc\""),
        ("depth", "1"),
        ("range", "bytes=0-3"),
        ("x-oc-mtime", "5"),
        ("oc-checksum", "sha1:x"),
        ("accept", "a/b"),
        ("x-bytes", "gr\u{fc}n"),
        ("user-agent", "t"),
    ] {
        assert_eq!(field(&head, name), [value], "{name}");
    }
    house.close().await;
}

/// Rows 41, 42, 43: exactly one of each of ours.
#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_gets_our_own_fields_once_each_and_in_our_words() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    let fields = "OCS-APIRequest: \r\nOCS-APIRequest: false\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\n\
                  X-Forwarded-Proto: gopher\r\n";
    assert_eq!(ask(&house, request(&house, FILE, &token, fields)).await.status, 200);
    let raw = upstream.heads.lock().last().cloned().unwrap();
    let head = raw.to_ascii_lowercase();
    assert_eq!(field(&head, "ocs-apirequest"), ["true"]);
    assert_eq!(field(&head, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(field(&head, "x-forwarded-proto"), ["http"]);
    assert_eq!(field(&head, "x-forwarded-host"), [house.running.address.to_string()]);
    assert_eq!(field(&head, "host"), [house.running.address.to_string()]);
    let authorizations: Vec<&str> =
        raw.lines().filter(|line| line.to_ascii_lowercase().starts_with("authorization:")).collect();
    assert_eq!(authorizations.len(), 1);
    assert!(authorizations[0].contains(": Bearer eyJ") && !raw.contains(&token), "{raw}");
    house.close().await;
}

/// The `Host` that Nextcloud is told is ours to choose, never the request's.
#[tokio::test(flavor = "multi_thread")]
async fn the_host_of_the_request_decides_nothing() {
    let upstream = Upstream::answering(OK).await;
    let plan = Plan {
        upstream: Some(upstream.url.clone()),
        nextcloud_lines: "host = \"cloud.example\"".into(),
        ..Plan::default()
    };
    let house = plan.build().await;
    let token = house.token("alice");
    let answer =
        ask(&house, format!("{FILE} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer {token}\r\n\r\n")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(field(&upstream.last(), "host"), ["cloud.example"]);
    assert!(!upstream.last().contains("evil"));
    house.close().await;
}

/// Row 11.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_cross_in_neither_direction() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: nc_token=1\r\nSet-Cookie: oc1=2\r\nSet-Cookie2: a=b\r\nETag: \"e\"\r\n\r\n",
    )
    .await;
    let house = before(&upstream).await;
    let fields = "Cookie: nc_username=bob\r\ncookie: oc123=stolen\r\nCookie2: $Version=1\r\n";
    let answer = ask(&house, request(&house, FILE, &house.token("alice"), fields)).await;
    assert_eq!(answer.status, 200);
    assert!(!upstream.last().contains("cookie"), "{}", upstream.last());
    assert!(!answer.head.contains("cookie"), "{}", answer.head);
    assert_eq!(answer.header("etag").as_deref(), Some("\"e\""));
    house.close().await;
}

/// Row 11, law 5, on the stand-in whose sessions win over bearers: bob with a session of alice's is bob.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_cookie_makes_nobody_somebody_else() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let opened = house.get("/ocs/v2.php/cloud/user?format=json", &alice).await;
    assert!(opened.headers().get("set-cookie").is_none());
    let session = house.nextcloud.sessions().into_iter().find(|own| own.user.as_deref() == Some("alice")).unwrap();
    let cookie = format!("{}={}; nc_username=alice", house.nextcloud.instance_id(), session.id);
    let answer = house.request("GET", "/ocs/v2.php/cloud/user?format=json", &bob).header("cookie", cookie);
    let text = answer.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("\"id\":\"bob\"") && !text.contains("alice"), "{text}");
    house.close().await;
}

/// Row 6: a request that loses a field on its way is another request.
#[tokio::test(flavor = "multi_thread")]
async fn connection_may_not_nominate_an_end_to_end_field() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let token = house.token("alice");
    for named in [
        "Authorization",
        "OCS-APIRequest",
        "Host",
        "Destination",
        "Depth",
        "Overwrite",
        "If",
        "If-Match",
        "Range",
        "If-None-Match",
        "If-Modified-Since",
        "If-Unmodified-Since",
        "If-Range",
        "Content-Type",
        "Content-Length",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "close, Lock-Token",
        "keep-alive,OC-Checksum",
        "Cookie",
        "X-OC-MTime",
        "Accept",
    ] {
        let fields = format!("Connection: {named}\r\nIf-Unmodified-Since: x\r\nOverwrite: F\r\n");
        let answer = ask(&house, request(&house, FILE, &token, &fields)).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request".into()), "{named}");
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

/// Row 6: true hop-by-hop fields may be named, and end here.
#[tokio::test(flavor = "multi_thread")]
async fn connection_may_nominate_hop_by_hop_fields_and_ours_are_added_afterwards() {
    let upstream = Upstream::answering(OK).await;
    let house = before(&upstream).await;
    let fields = "Connection: keep-alive, TE\r\nconnection: Upgrade, HTTP2-Settings\r\nTE: trailers\r\nKeep-Alive: canary\r\n\
                  Upgrade: h2c\r\nHTTP2-Settings: canary\r\nTrailer: canary\r\nProxy-Authenticate: canary\r\n";
    assert_eq!(ask(&house, request(&house, FILE, &house.token("alice"), fields)).await.status, 200);
    let head = upstream.last();
    for gone in ["canary", "\nte:", "upgrade", "http2-settings", "\nconnection:", "trailer"] {
        assert!(!head.contains(gone), "{gone} crossed:\n{head}");
    }
    assert_eq!(field(&head, "ocs-apirequest"), ["true"]);
    house.close().await;
}

/// Row 3: nobody's `X-Forwarded-For` is believed by default; a believed proxy's last stranger is.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_may_say_who_the_client_is() {
    for (trusted, sent, client) in [
        ("", "6.6.6.6", "127.0.0.1"),
        ("trusted_proxies = [\"10.0.0.0/8\"]", "6.6.6.6", "127.0.0.1"),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        ("trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]", "1.1.1.1, 6.6.6.6, 10.1.1.1", "6.6.6.6"),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "6.6.6.6, evil", "127.0.0.1"),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "", "127.0.0.1"),
        ("trusted_proxies = [\"127.0.0.0/8\"]", "::ffff:6.6.6.6", "6.6.6.6"),
    ] {
        let upstream = Upstream::answering(OK).await;
        let plan = Plan { upstream: Some(upstream.url.clone()), top: trusted.into(), ..Plan::default() };
        let house = plan.build().await;
        let fields = format!(
            "X-Forwarded-For: {sent}\r\nX-Real-IP: 7.7.7.7\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
        );
        assert_eq!(ask(&house, request(&house, FILE, &house.token("alice"), &fields)).await.status, 200);
        assert_eq!(field(&upstream.last(), "x-forwarded-for"), [client], "{trusted} {sent}");
        assert!(!upstream.last().contains("evil") && !upstream.last().contains("7.7.7.7"));
        house.close().await;
    }
}

/// What Nextcloud says about its connections and its insides stays there.
#[tokio::test(flavor = "multi_thread")]
async fn hop_by_hop_and_internal_fields_of_an_answer_do_not_reach_the_caller() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Hop\r\nX-Hop: canary\r\nKeep-Alive: canary\r\n\
         Proxy-Authenticate: canary\r\nUpgrade: canary\r\nAlt-Svc: canary\r\nX-Accel-Redirect: /canary\r\n\
         X-Sendfile: canary\r\nWWW-Authenticate: Basic realm=\"canary\"\r\nTrailer: canary\r\nDAV: 1, 3\r\nOC-FileId: 7\r\n\
         Content-Security-Policy: default-src 'none'\r\n\r\n",
    )
    .await;
    let house = before(&upstream).await;
    let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.head.contains("canary"), "{}", answer.head);
    for (name, value) in [("dav", "1, 3"), ("oc-fileid", "7"), ("content-security-policy", "default-src 'none'")] {
        assert_eq!(answer.header(name).as_deref(), Some(value));
    }
    house.close().await;
}

/// Row 45: no challenge but a bearer one, wherever in the list it stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_basic_challenge_never_crosses_not_even_behind_a_bearer_one() {
    for challenge in
        ["Basic realm=\"x\"", "basic", "Bearer realm=\"x\", Basic realm=\"x\"", "Digest realm=\"x\"", "Bearerish x"]
    {
        let upstream = Upstream::answering(format!(
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\nWWW-Authenticate: {challenge}\r\n\r\n"
        ))
        .await;
        let house = before(&upstream).await;
        let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (403, None), "{challenge}");
        house.close().await;
    }
}

/// Row 47.
#[tokio::test(flavor = "multi_thread")]
async fn a_location_on_nextclouds_own_address_becomes_a_public_one_and_others_stay() {
    let ours = |house: &House| format!("http://{}", house.running.address);
    for (sent, wanted) in [
        ("http://cloud.internal/a?b=c", "{}/a?b=c"),
        ("HTTPS://CLOUD.internal/a", "{}/a"),
        ("//cloud.internal/a", "{}/a"),
        ("{up}/a", "{}/a"),
        ("http://cloud.internal.evil/a", "http://cloud.internal.evil/a"),
        ("http://cloud.internal@evil/a", "http://cloud.internal@evil/a"),
        ("/relative", "/relative"),
    ] {
        let answers: std::sync::Arc<parking_lot::Mutex<String>> = std::sync::Arc::default();
        let given = answers.clone();
        let upstream = Upstream::serving(move |mut wire, _| {
            let answer = given.lock().clone();
            async move {
                wire.head().await;
                wire.write(answer).await;
            }
        })
        .await;
        let location = sent.replace("{up}", &upstream.url);
        *answers.lock() =
            format!("HTTP/1.1 301 Moved\r\nConnection: close\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n");
        let plan = Plan {
            upstream: Some(upstream.url.clone()),
            nextcloud_lines: "host = \"cloud.internal\"".into(),
            ..Plan::default()
        };
        let house = plan.build().await;
        let mut wire = Wire::to(&house).await;
        let answer = wire.ask(request(&house, FILE, &house.token("alice"), "")).await;
        assert_eq!(answer.header("location"), Some(wanted.replace("{}", &ours(&house)).to_ascii_lowercase()), "{sent}");
        house.close().await;
    }
}

/// Row 12: a redirect is the caller's to follow; the exchanged token goes nowhere by itself.
#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_of_nextcloud_is_followed_with_the_token() {
    let elsewhere = Upstream::answering(OK).await;
    let redirect = format!("HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: {}/x\r\n\r\n", elsewhere.url);
    let upstream = Upstream::answering(redirect).await;
    let house = before(&upstream).await;
    let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
    assert_eq!(answer.status, 307);
    assert_eq!(elsewhere.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    house.close().await;
}
