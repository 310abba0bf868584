//! How a session is opened, whose it is, and who waits for it.

use std::time::Duration;

use futures_util::future::join_all;

use super::{FILE, WHO, plan};
use crate::house::{House, Plan};
use crate::wire::{self, Wire};

/// Our own requests go where callers' go: behind Nextcloud's web root.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_web_root_a_session_is_opened_and_ended_there() {
    let change = |options: &mut obo_proxy::dev::nextcloud::Options| options.webroot = "/nextcloud".into();
    let plan = Plan { nextcloud: Some(Box::new(change)), upstream_root: "/nextcloud", prefix: "/nc", ..plan() };
    let house = plan.build().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    assert_eq!(house.kept().await, 1.0);
    assert!(house.last_call().header("cookie").is_some());
    house.purge_session(&sid);
    house.until("it is logged out", async || !house.own("/nextcloud/index.php/logout").is_empty()).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_has_a_session_opened_and_goes_with_its_two_cookies() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    let [opening] = &house.openings()[..] else { panic!("{:?}", house.openings()) };
    let call = house.last_call();
    for request in [opening, &call] {
        assert!(request.header("authorization").unwrap().starts_with("Bearer "));
        assert_eq!(request.header("ocs-apirequest"), Some("true"));
        assert_eq!(request.header("host"), Some(house.url.trim_start_matches("http://")));
    }
    assert_eq!(opening.header("authorization"), call.header("authorization"));
    let cookie = call.header("cookie").unwrap();
    let names: Vec<&str> = cookie.split("; ").map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["oc_sessionPassphrase", house.nextcloud.instance_id()]);
    assert!(house.lives(cookie));
    assert_eq!((house.events("opened").await, house.events("reused").await, house.kept().await), (1.0, 1.0, 1.0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_first_requests_open_one_session() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    join_all((0..100).map(|_| house.is(&token, "alice"))).await;
    assert_eq!((house.openings().len(), house.nextcloud.logins()), (1, 1));
    assert!(house.calls().iter().all(|call| call.header("cookie").is_some()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_later_request_of_any_family_pays_for_a_login() {
    let slow = Box::new(|options: &mut obo_proxy::dev::nextcloud::Options| {
        options.session_delay = Duration::from_millis(200);
    });
    let house = Plan { nextcloud: Some(slow), ..plan() }.build().await;
    let token = house.token("alice");
    for path in [WHO, FILE, "/index.php/apps/notes/api/v1/notes", "/ocs/v2.php/cloud/capabilities?format=json"] {
        for _ in 0..3 {
            assert_eq!(house.get(path, &token).await.status(), 200, "{path}");
        }
    }
    assert_eq!(house.nextcloud.logins(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_tokens_of_both_kinds_within_one_login() {
    let house = House::with_sessions().await;
    let first = house.provider.mint("alice");
    let sid = first.sid().unwrap().to_owned();
    let (first, second) = (first.sign().unwrap(), house.provider.mint_in_session("alice", &sid).sign().unwrap());
    house.is(&first, "alice").await;
    house.is(&second, "alice").await;
    for _ in 0..12 {
        house.pass(55);
        house.is(&second, "alice").await;
    }
    assert!(house.exchanges() >= 3, "the exchanged tokens were renewed");
    assert_eq!((house.openings().len(), house.nextcloud.logins()), (1, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_login_actor_or_name_has_another_session() {
    let house = House::with_sessions().await;
    let tampered = |claim: &'static str, value: &'static str| {
        house.provider.tamper_exchange(move |answer| {
            answer.claims.insert(claim.to_owned(), value.into());
        });
    };
    let sid = house.provider.mint("alice");
    let in_session = || house.provider.mint_in_session("alice", sid.sid().unwrap());
    house.is(&in_session().sign().unwrap(), "alice").await;
    house.is(&in_session().client("another-client").sign().unwrap(), "alice").await;
    house.is(&house.token("alice"), "alice").await;
    tampered("act", "agent");
    house.is(&in_session().sign().unwrap(), "alice").await;
    tampered("preferred_username", "renamed");
    house.is(&in_session().sign().unwrap(), "renamed").await;
    assert_eq!(house.openings().len(), 5);
    let mut cookies: Vec<_> = house.calls().iter().map(|call| call.header("cookie").unwrap().to_owned()).collect();
    cookies.sort();
    cookies.dedup();
    assert_eq!(cookies.len(), 5);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_client_goes_without() {
    let house = House::with_sessions().await;
    let token = house.provider.mint("alice").without("azp").sign().unwrap();
    house.is(&token, "alice").await;
    assert_eq!((house.openings().len(), house.last_call().header("cookie")), (0, None));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_wait_goes_without_and_the_next_one_has_it() {
    let slow = Box::new(|options: &mut obo_proxy::dev::nextcloud::Options| {
        options.session_delay = Duration::from_millis(300);
    });
    let house = Plan { nextcloud: Some(slow), session_lines: "wait = \"20ms\"".into(), ..plan() }.build().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    assert_eq!(house.last_call().header("cookie"), None);
    house.until("a session is kept", async || house.kept().await > 0.0).await;
    house.is(&token, "alice").await;
    assert!(house.last_call().header("cookie").is_some());
    assert_eq!(house.openings().len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_cancels_nobodys_session() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.nextcloud.hold();
    let mut wire = Wire::to(&house).await;
    wire.write(wire::request(&house, &format!("GET {WHO}"), &token, "")).await;
    house.until("the opening arrives", async || house.openings().len() == 1).await;
    drop(wire);
    house.nextcloud.release();
    house.until("a session is kept", async || house.kept().await > 0.0).await;
    house.is(&token, "alice").await;
    assert_eq!(house.nextcloud.logins(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_session_is_never_adopted_and_the_refusal_remembered_for_half_a_minute() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.nextcloud.reject_next(1);
    for _ in 0..3 {
        house.is(&token, "alice").await;
    }
    assert_eq!(house.openings()[0].status, 401);
    assert!(house.calls().iter().all(|call| call.header("cookie").is_none()));
    house.pass(29);
    house.is(&token, "alice").await;
    assert_eq!((house.openings().len(), house.events("refused").await), (1, 1.0));
    house.pass(1);
    house.is(&token, "alice").await;
    assert_eq!(house.openings().len(), 2);
    assert!(house.last_call().header("cookie").is_some());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_where_it_is_switched_off_or_in_the_other_modes() {
    let basic = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(basic.path(), "app-password").unwrap();
    let account = Box::new(|options: &mut obo_proxy::dev::nextcloud::Options| {
        options.app_passwords.push(("alice".into(), "app-password".to_owned().into()));
    });
    for plan in [
        Plan { sessions: false, ..plan() },
        Plan {
            top: "mode = \"basic\"".into(),
            nextcloud: Some(account),
            nextcloud_lines: format!("username = \"alice\"\npassword_file = {:?}", basic.path()),
            ..plan()
        },
        Plan { top: "mode = \"multi-audience\"".into(), ..plan() },
    ] {
        let top = plan.top.clone();
        let house = plan.build().await;
        let audiences = ["mcp-server", "nextcloud"];
        let token = house.provider.mint("alice").audiences(&audiences).lifetime(Duration::from_secs(500)).sign();
        let token = token.unwrap();
        for _ in 0..2 {
            house.is(&token, "alice").await;
        }
        assert_eq!((house.openings().len(), house.last_call().header("cookie")), (0, None), "{top}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_s_cookie_never_arrives_and_nextcloud_s_never_leaves() {
    let house = House::with_sessions().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    house.is(&alice, "alice").await;
    let stolen = house.last_call().header("cookie").unwrap().to_owned();
    for path in [WHO, "/remote.php/webdav/bob.txt"] {
        let fields = format!("Cookie: {stolen}\r\nCookie: nc_username=alice; mark=1\r\n");
        let answer = wire::ask(&house, wire::request(&house, &format!("GET {path}"), &bob, &fields)).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None));
        let call = house.last_call();
        assert_eq!(call.user.as_deref(), Some("bob"));
        let cookies: Vec<_> = call.headers.iter().filter(|(name, _)| name == "cookie").collect();
        assert_eq!(cookies.len(), 1, "never merged");
        assert!(cookies[0].1 != stolen && !cookies[0].1.contains("mark"), "{cookies:?}");
    }
    house.close().await;
}
