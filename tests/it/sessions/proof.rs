//! Nextcloud lets a disabled user go on in a session for minutes; so every session is asked again before its last proof is a minute old
//! (checklist row 52).

use std::time::Duration;

use super::{FILE, plan};
use crate::house::{House, Plan};

async fn file(house: &House, token: &str) -> u16 {
    house.get(FILE, token).await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_use_is_proved_in_the_background_before_its_proof_is_a_minute_old() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.pass(44);
    house.is(&token, "alice").await;
    assert_eq!(house.proofs().len(), 0);
    house.pass(1);
    house.is(&token, "alice").await;
    house.until("a proof", async || house.proofs().iter().any(|proof| proof.status == 200)).await;
    let proof = &house.proofs()[0];
    assert_eq!(proof.header("cookie"), house.last_call().header("cookie"));
    assert!(proof.header("authorization").is_some() && proof.header("ocs-apirequest").is_some());
    house.pass(44);
    house.is(&token, "alice").await;
    assert_eq!((house.proofs().len(), house.nextcloud.logins()), (1, 1), "it counts from the proof");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_disabled_in_nextcloud_is_out_within_a_minute_busy_or_idle() {
    for steps in [&[59, 1][..], &[60], &[20, 20, 20], &[45, 15], &[300]] {
        let house = House::with_sessions().await;
        let token = house.token("alice");
        assert_eq!(file(&house, &token).await, 200);
        house.nextcloud.disable("alice");
        assert_eq!(file(&house, &token).await, 200, "Nextcloud itself lets the session go on");
        let mut told = 0;
        for seconds in steps {
            house.pass(*seconds);
            told = file(&house, &token).await;
        }
        assert_eq!(told, 502, "after {steps:?}");
        assert_eq!(house.nextcloud.logins(), 1);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_that_need_a_proof_wait_for_one() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.pass(100);
    futures_util::future::join_all((0..50).map(|_| house.is(&token, "alice"))).await;
    assert_eq!((house.proofs().len(), house.nextcloud.logins()), (1, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_disabled_503_ends_the_session() {
    let at_once = Box::new(|options: &mut obo_proxy::dev::nextcloud::Options| {
        options.disabled_session_lives = Duration::ZERO;
    });
    let house = Plan { nextcloud: Some(at_once), ..plan() }.build().await;
    let token = house.token("alice");
    assert_eq!(file(&house, &token).await, 200);
    house.nextcloud.disable("alice");
    assert_eq!(file(&house, &token).await, 503, "it passes as it is");
    house.until("a logout", async || !house.logouts().is_empty()).await;
    assert_eq!((house.ends("refuted").await, house.kept().await), (1.0, 0.0));
    assert_eq!(file(&house, &token).await, 502);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_ends_no_session_and_one_that_cannot_be_proved_is_not_used() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    assert_eq!(file(&house, &token).await, 200);
    house.nextcloud.maintenance(true);
    assert_eq!(file(&house, &token).await, 503);
    assert_eq!(house.proofs().len(), 0, "maintenance casts no doubt on anybody");
    house.pass(60);
    assert_eq!(file(&house, &token).await, 503);
    assert_eq!((house.proofs().len(), house.last_call().header("cookie")), (1, None));
    assert_eq!(file(&house, &token).await, 503);
    assert_eq!(house.proofs().len(), 1, "Nextcloud is not hammered");
    house.nextcloud.maintenance(false);
    house.pass(5);
    assert_eq!(file(&house, &token).await, 200);
    assert!(house.last_call().header("cookie").is_some(), "the session was there all the time");
    assert_eq!((house.proofs().len(), house.openings().len()), (2, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_does_not_wait_for_a_proof_without_end() {
    let house = Plan { session_lines: "wait = \"30ms\"".into(), ..plan() }.build().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.pass(60);
    house.nextcloud.hold();
    let call = tokio::spawn({
        let request = house.request("GET", FILE, &token);
        async move { request.send().await.unwrap().status().as_u16() }
    });
    house
        .until("the request arrives without the session", async || {
            house.calls().len() == 2 && house.last_call().header("cookie").is_none()
        })
        .await;
    assert_eq!(house.proofs().len(), 1);
    house.nextcloud.release();
    assert_eq!(call.await.unwrap(), 200);
    house.close().await;
}
