//! Nextcloud says "this token is not good": one exchange, one retry, then a 502 of ours; never its own `Basic` challenge (rows 45, 53).

use std::time::Duration;

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Answer, Upstream, Wire, ask, request};

/// A request of each family, each refused in a shape of its own.
const FAMILIES: [&str; 6] = [
    "GET /ocs/v2.php/cloud/user?format=json",
    "GET /ocs/v1.php/cloud/user",
    "PROPFIND /remote.php/dav/files/alice/",
    "GET /remote.php/webdav/alice.txt",
    "GET /index.php/apps/notes/api/v1/notes",
    "GET /apps/notes/api/v1/notes",
];
const PUT: &str = "PUT /remote.php/dav/files/alice/x.txt";

fn exchanges(house: &House) -> u64 {
    house.provider.counts().exchanges()
}

fn assert_rejected(answer: &Answer, of: &str) {
    assert_eq!((answer.status, answer.error()), (502, "nextcloud_rejected_token".into()), "{of}");
    assert!(!answer.head.contains("www-authenticate"), "{of}: {}", answer.head);
    assert!(!String::from_utf8_lossy(&answer.body).contains("Sabre"), "{of}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_in_any_familys_shape_costs_one_exchange_and_the_caller_nothing() {
    for line in FAMILIES {
        let house = House::open().await;
        let token = house.token("alice");
        assert!(ask(&house, request(&house, line, &token, "")).await.status < 300, "{line}");
        let first = house.nextcloud.seen().pop().unwrap().header("authorization").unwrap().to_owned();
        assert_eq!(exchanges(&house), 1);
        house.nextcloud.reject_next(1);
        let answer = ask(&house, request(&house, line, &token, "")).await;
        assert!(answer.status < 300, "{line}: {answer:?}");
        let seen = house.nextcloud.seen();
        assert_eq!((exchanges(&house), seen.len()), (2, 3), "{line}");
        assert_eq!(seen[1].header("authorization"), Some(first.as_str()));
        assert_ne!(seen[2].header("authorization"), Some(first.as_str()), "{line}: the refused token was sent again");
        // The new one is kept.
        assert!(ask(&house, request(&house, line, &token, "")).await.status < 300);
        assert_eq!(exchanges(&house), 2, "{line}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refusals_in_any_familys_shape_are_a_502_of_ours_and_no_challenge() {
    for line in FAMILIES {
        let house = House::open().await;
        let token = house.token("alice");
        house.nextcloud.reject_next(2);
        assert_rejected(&ask(&house, request(&house, line, &token, "")).await, line);
        assert_eq!((exchanges(&house), house.nextcloud.seen().len()), (2, 2), "{line}");
        house.close().await;
    }
}

/// HTML routes say it by a redirect to the login page.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_the_login_page_is_a_refusal_and_another_redirect_is_not() {
    for (location, wanted) in [
        ("/login?redirect_url=/x", 502),
        ("http://nextcloud.test/index.php/login", 502),
        ("/apps/x", 303),
        ("/loginx", 303),
    ] {
        let upstream =
            Upstream::answering(format!("HTTP/1.1 303 Go\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n")).await;
        let house = before(&upstream).await;
        let answer = ask(&house, request(&house, "GET /avatar/alice/64", &house.token("alice"), "")).await;
        assert_eq!(answer.status, wanted, "{location}");
        assert_eq!(upstream.heads.lock().len(), if wanted == 502 { 2 } else { 1 });
        house.close().await;
    }
}

/// Apache compresses XML for callers who accept that.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_refusal_is_one_and_a_compressed_401_of_an_app_is_passed_on() {
    for (words, wanted) in [("Current user is not logged in", 502), ("This share needs a password", 401)] {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, words.as_bytes()).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!(
            "HTTP/1.1 401 No\r\nContent-Type: application/xml\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let upstream = Upstream::answering([head.as_bytes(), &body].concat()).await;
        let house = before(&upstream).await;
        let answer = ask(&house, request(&house, "GET /ocs/v1.php/cloud/user", &house.token("alice"), "")).await;
        assert_eq!(answer.status, wanted, "{words}");
        if wanted == 401 {
            assert_eq!(answer.body, body, "byte for byte");
        }
        house.close().await;
    }
}

/// The answer to HEAD has no words, and those in a coding that we do not know cannot be read: a 401 of Nextcloud's kind is a refusal then.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_whose_words_cannot_be_had_is_a_refusal() {
    for (line, field) in
        [("HEAD /ocs/v2.php/cloud/user", ""), ("GET /ocs/v2.php/cloud/user", "Content-Encoding: br\r\n")]
    {
        let body = if line.starts_with("HEAD") { "" } else { "xyz" };
        let answer =
            format!("HTTP/1.1 401 No\r\nContent-Type: application/json\r\n{field}Content-Length: 3\r\n\r\n{body}");
        let upstream = Upstream::answering(answer).await;
        let house = before(&upstream).await;
        let token = house.token("alice");
        let (method, path) = line.split_once(' ').unwrap();
        assert_eq!(house.request(method, path, &token).send().await.unwrap().status(), 502, "{line}");
        assert_eq!(upstream.heads.lock().len(), 2, "{line}");
        house.close().await;
    }
}

/// Row 53: after a second refusal, refusals are final for 30 s: no exchange, no retry; then it is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_second_refusal_there_is_peace_for_thirty_seconds() {
    let house = House::open().await;
    let (token, bob) = (house.token("alice"), house.token("bob"));
    let line = "PROPFIND /remote.php/dav/files/alice/";
    house.nextcloud.reject_next(100);
    assert_rejected(&ask(&house, request(&house, line, &token, "")).await, "first");
    let spent = exchanges(&house);
    for _ in 0..5 {
        assert_rejected(&ask(&house, request(&house, line, &token, "")).await, "held off");
    }
    assert!(exchanges(&house) <= spent + 1, "each refusal in the hold-off costs an exchange");
    assert_eq!(house.nextcloud.seen().len(), 2 + 5, "no retry in the hold-off");
    house.clock.advance(Duration::from_secs(29));
    let before_last = house.nextcloud.seen().len();
    assert_rejected(&ask(&house, request(&house, line, &token, "")).await, "29 s");
    assert_eq!(house.nextcloud.seen().len(), before_last + 1);
    house.clock.advance(Duration::from_secs(2));
    house.nextcloud.reject_next(1);
    assert_eq!(ask(&house, request(&house, line, &token, "")).await.status, 207, "after 30 s it is tried again");
    // It was alice's trouble alone.
    assert_eq!(ask(&house, request(&house, "GET /remote.php/webdav/bob.txt", &bob, "")).await.status, 200);
    house.close().await;
}

/// A body that is small goes along with the retry, whole and once.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_body_is_sent_again_with_the_new_token() {
    let house = House::open().await;
    house.nextcloud.reject_next(1);
    let body = "x".repeat(64 * 1024);
    let fields = format!("Content-Length: {}\r\n", body.len());
    let answer = ask(&house, request(&house, PUT, &house.token("alice"), &fields) + &body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(house.nextcloud.file("alice", "x.txt").await.unwrap(), body);
    assert_eq!(house.nextcloud.seen().len(), 2);
    house.close().await;
}

/// A body that cannot be sent again: 502 at the first refusal, and the next request has another token.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_refused_once_and_the_token_is_replaced_for_the_next_request() {
    for (fields, body) in [
        ("Content-Length: 65537\r\n", "x".repeat(65537)),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n".to_owned()),
    ] {
        let house = House::open().await;
        let token = house.token("alice");
        house.nextcloud.reject_next(1);
        assert_rejected(&ask(&house, request(&house, PUT, &token, fields) + &body).await, fields);
        assert_eq!((exchanges(&house), house.nextcloud.seen().len()), (1, 1));
        assert!(house.nextcloud.file("alice", "x.txt").await.is_none());
        assert_eq!(ask(&house, request(&house, PUT, &token, fields) + &body).await.status, 201);
        assert_eq!(exchanges(&house), 2);
        house.close().await;
    }
}

/// An app's own 401 is the app's answer: read, not judged a refusal, and passed on whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_apps_own_401_passes_and_costs_nothing() {
    for (kind, body) in [
        ("application/json", r#"{"message":"The share password is wrong"}"#),
        ("application/xml", "<error>wrong password</error>"),
        ("text/plain", "Current user is not logged in"),
    ] {
        let upstream = Upstream::answering(format!(
            "HTTP/1.1 401 No\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nETag: \"e\"\r\n\r\n{body}",
            body.len()
        ))
        .await;
        let house = before(&upstream).await;
        let answer = ask(&house, request(&house, FAMILIES[0], &house.token("alice"), "")).await;
        assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).as_ref()), (401, body));
        assert_eq!(answer.header("etag").as_deref(), Some("\"e\""));
        assert_eq!((exchanges(&house), upstream.heads.lock().len()), (1, 1));
        house.close().await;
    }
}

/// Row 46: maintenance is no token failure, and neither is a full house.
#[tokio::test(flavor = "multi_thread")]
async fn maintenance_and_too_many_requests_pass_and_cost_nothing() {
    let house = House::open().await;
    let token = house.token("alice");
    house.nextcloud.maintenance(true);
    let answer = ask(&house, request(&house, FAMILIES[2], &token, "")).await;
    assert_eq!((answer.status, answer.header("x-nextcloud-maintenance-mode").as_deref()), (503, Some("1")));
    house.nextcloud.maintenance(false);
    house.nextcloud.too_many_next(1);
    let answer = ask(&house, request(&house, FAMILIES[2], &token, "")).await;
    assert_eq!((answer.status, answer.header("retry-after").as_deref()), (429, Some("1")));
    assert_eq!(ask(&house, request(&house, FAMILIES[2], &token, "")).await.status, 207);
    assert_eq!((exchanges(&house), house.nextcloud.seen().len()), (1, 3));
    house.close().await;
}

/// The provider says no at the second exchange: its answer counts, and Nextcloud's refusal is not told.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_the_second_exchange_is_told_as_such() {
    let house = House::open().await;
    let token = house.token("alice");
    assert_eq!(ask(&house, request(&house, FAMILIES[2], &token, "")).await.status, 207);
    house.nextcloud.reject_next(1);
    house.provider.refuse_connections().await;
    let answer = ask(&house, request(&house, FAMILIES[2], &token, "")).await;
    assert_eq!((answer.status, answer.error()), (503, "idp_unavailable".into()));
    assert!(!answer.head.contains("basic"));
    house.close().await;
}

/// Row 53: in mode `basic` the operator's password is refused, and nothing is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn in_mode_basic_a_refusal_is_final_and_shows_no_challenge() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "wrong").unwrap();
    let plan = Plan {
        top: "mode = \"basic\"".into(),
        nextcloud_lines: format!("username = \"alice\"\npassword_file = {:?}", secret.path()),
        ..Plan::default()
    };
    let house = plan.build().await;
    let answer = ask(&house, request(&house, FAMILIES[2], &house.token("alice"), "")).await;
    assert_rejected(&answer, "basic");
    assert_eq!((exchanges(&house), house.nextcloud.seen().len()), (0, 1));
    house.close().await;
}

/// Many callers with one refused token: one exchange for all.
#[tokio::test(flavor = "multi_thread")]
async fn many_callers_of_one_refused_token_share_one_exchange() {
    let house = House::open().await;
    let token = house.token("alice");
    assert_eq!(house.get("/remote.php/webdav/alice.txt", &token).await.status(), 200);
    house.nextcloud.hold();
    house.nextcloud.reject_next(8);
    let mut wires = Vec::new();
    for _ in 0..8 {
        let mut wire = Wire::to(&house).await;
        wire.write(request(&house, "GET /remote.php/webdav/alice.txt", &token, "")).await;
        wires.push(wire);
    }
    while house.nextcloud.seen().len() < 9 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    house.nextcloud.release();
    for mut wire in wires {
        assert_eq!(wire.answer().await.unwrap().status, 200);
    }
    assert_eq!(exchanges(&house), 2);
    house.close().await;
}
