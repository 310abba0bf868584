//! How a session ends: unreachable, drained, logged out; for its id, sent once more with a valid bearer, would be a live session again
//! (checklist row 51).

use super::WHO;
use crate::house::House;
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
    house
        .until("it is counted", async || house.metric(r#"obo_session_logouts_total{outcome="ok"}"#).await == 1.0)
        .await;
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
    // The second one comes to a session that is logged out already, or to one that the request made live again; either is left dead.
    house
        .until("another one", async || {
            house.logouts().iter().filter(|logout| logout.status != 0).count() >= 2 && !house.lives(&cookie)
        })
        .await;
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
    house.purge_subject("bob", house.now() + 600);
    house.nextcloud.release();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    assert!(house.last_call().header("cookie").is_some());
    house.close().await;
}

/// Law 8: what waits in our house, for its body or for a session, has not begun; it goes no further.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_while_its_token_is_purged_does_not_reach_nextcloud() {
    let house = House::with_sessions().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    let mut slow = Wire::to(&house).await;
    let put = wire::request(&house, "PUT /remote.php/webdav/late.txt", &token, "Content-Length: 4\r\n");
    slow.write(put + "la").await;
    // Another person, whose session is being opened; once it is, the request before is in our house as well.
    let bob = house.provider.mint("bob");
    let bobs_sid = bob.sid().unwrap().to_owned();
    house.nextcloud.hold();
    let mut waiting = Wire::to(&house).await;
    waiting.write(wire::request(&house, &format!("GET {WHO}"), &bob.sign().unwrap(), "")).await;
    house.until("the opening arrives", async || house.openings().len() == 2).await;
    let calls = house.calls().len();
    house.purge_session(&sid);
    house.purge_session(&bobs_sid);
    house.nextcloud.release();
    slow.write("te").await;
    for (wire, whose) in [(&mut slow, "a body"), (&mut waiting, "an opening")] {
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, answer.error()), (401, "invalid_token".into()), "it waited for {whose}");
    }
    assert_eq!(house.calls().len(), calls);
    assert_eq!((house.openings().len(), house.kept().await), (2, 0.0), "no session is asked for");
    house.close().await;
}
