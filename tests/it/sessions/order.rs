//! How a session ends: unreachable, drained, logged out; for its id, sent once more with a valid bearer, would be a live session again
//! (checklist row 51).

use super::{WHO, plan};
use crate::house::{House, Plan};
use crate::wire::{self, Wire};

/// A request of this token that Nextcloud has, and does not answer before it is released.
async fn held(house: &House, token: &str) -> Wire {
    let before = house.calls().len();
    let mut wire = Wire::to(house).await;
    wire.write(wire::request(house, &format!("GET {WHO}"), token, "")).await;
    house.until("the request arrives", async || house.calls().len() > before).await;
    wire
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_session_is_drained_before_it_is_logged_out() {
    let house = House::with_sessions().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    let cookie = house.last_call().header("cookie").unwrap().to_owned();
    house.nextcloud.hold();
    let mut wire = held(&house, &token).await;
    house.purge_session(&sid);
    assert_eq!(house.get(WHO, &token).await.status(), 401, "unreachable at once");
    house.pass(29);
    house.sweep();
    assert_eq!(house.logouts().len(), 0, "it is in use");
    house.nextcloud.release();
    assert_eq!(wire.answer().await.unwrap().status, 200, "what was under way is drained");
    house.until("it is logged out", async || !house.lives(&cookie)).await;
    let [logout] = &house.logouts()[..] else { panic!("{:?}", house.logouts()) };
    assert!(logout.number > house.last_call().number);
    assert_eq!(logout.header("cookie"), Some(&*cookie));
    assert_eq!((logout.header("ocs-apirequest"), logout.header("authorization")), (Some("true"), None));
    assert_eq!(house.metric(r#"obo_session_logouts_total{outcome="ok"}"#).await, 1.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_without_end_is_cut_short_and_the_session_logged_out_once_more_after_it() {
    let house = House::with_sessions().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    let cookie = house.last_call().header("cookie").unwrap().to_owned();
    house.nextcloud.hold();
    let mut wire = held(&house, &token).await;
    house.purge_session(&sid);
    house.pass(30);
    for _ in 0..3 {
        house.sweep();
    }
    house.until("a logout all the same", async || house.logouts().len() == 1).await;
    house.nextcloud.release();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    house.until("another one", async || house.logouts().iter().filter(|logout| logout.status != 0).count() == 2).await;
    assert!(!house.lives(&cookie));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_being_opened_when_its_owner_was_purged_is_kept_by_nobody() {
    for provider_says_so in [false, true] {
        let house = House::with_sessions().await;
        let alice = house.provider.mint("alice");
        let sid = alice.sid().unwrap().to_owned();
        let token = alice.sign().unwrap();
        house.nextcloud.hold();
        let mut wire = Wire::to(&house).await;
        wire.write(wire::request(&house, &format!("GET {WHO}"), &token, "")).await;
        house.until("the opening arrives", async || house.openings().len() == 1).await;
        if provider_says_so {
            let entry = house.running.entries.find(&obo_proxy::token::Digest::of(token.as_bytes())).unwrap();
            house.running.sessions.as_ref().unwrap().subject_refused(entry.identity());
        } else {
            house.purge_session(&sid);
        }
        house.nextcloud.release();
        let answer = wire.answer().await.unwrap();
        house.until("it is logged out", async || house.logouts().iter().any(|logout| logout.status == 303)).await;
        assert_eq!((house.events("overtaken").await, house.kept().await), (1.0, 0.0));
        if provider_says_so {
            assert_eq!((answer.status, house.last_call().header("cookie")), (200, None), "it went without");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_of_somebody_else_overtakes_nobody() {
    let house = House::with_sessions().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    house.is(&bob, "bob").await;
    house.nextcloud.hold();
    let mut wire = Wire::to(&house).await;
    wire.write(wire::request(&house, &format!("GET {WHO}"), &alice, "")).await;
    house.until("the opening arrives", async || house.openings().len() == 2).await;
    house.purge_subject("bob", house.now());
    house.nextcloud.release();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    assert!(house.last_call().header("cookie").is_some());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_under_way_is_waited_for_like_any_request() {
    let house = Plan { session_lines: "wait = \"20ms\"".into(), ..plan() }.build().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    house.until("a session is kept", async || house.kept().await > 0.0).await;
    house.is(&token, "alice").await;
    house.pass(45);
    house.nextcloud.hold();
    let mut wire = held(&house, &token).await;
    house.until("a proof", async || house.proofs().len() == 1).await;
    house.purge_session(&sid);
    assert_eq!(house.logouts().len(), 0);
    house.nextcloud.release();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    house.until("it is logged out", async || house.logouts().len() == 1).await;
    assert!(house.logouts()[0].number > house.proofs()[0].number);
    house.close().await;
}
