//! Nextcloud refuses a request that went with a session: token and session are dropped, and one exchange and one retry tell (checklist row 53).

use super::{FILE, WHO, plan};
use crate::house::{House, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_401_drops_the_very_token_and_its_session_and_the_retry_goes_without() {
    for path in [WHO, FILE, "/index.php/apps/notes/api/v1/notes"] {
        let house = House::with_sessions().await;
        let token = house.token("alice");
        house.is(&token, "alice").await;
        let cookie = house.last_call().header("cookie").unwrap().to_owned();
        house.nextcloud.forget_seen();
        house.nextcloud.reject_next(1);
        assert_eq!(house.get(path, &token).await.status(), 200, "{path}");
        let calls = house.calls();
        assert_eq!(calls.iter().map(|call| call.header("cookie")).collect::<Vec<_>>(), [Some(&*cookie), None]);
        assert_ne!(calls[0].header("authorization"), calls[1].header("authorization"));
        assert_eq!((house.exchanges(), house.ends("rejected").await, house.kept().await), (2, 1.0, 0.0));
        house.until("it is logged out", async || !house.lives(&cookie)).await;
        house.is(&token, "alice").await;
        assert!(house.last_call().header("cookie").is_some_and(|other| other != cookie), "a new one");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_went_stale_holds_off_no_exchange() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    for round in 1..=3 {
        house.is(&token, "alice").await;
        house.nextcloud.reject_next(1);
        house.is(&token, "alice").await;
        assert_eq!(house.exchanges(), round + 1);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refusals_are_502_and_the_next_ones_cost_no_exchange_no_opening_and_no_login() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.nextcloud.disable("alice");
    assert_eq!(house.get(WHO, &token).await.status(), 502);
    let exchanges = house.exchanges();
    for _ in 0..5 {
        assert_eq!(house.get(WHO, &token).await.status(), 502);
    }
    // The one that was forgotten with the second refusal.
    assert_eq!(house.exchanges(), exchanges + 1);
    assert_eq!((house.openings().len(), house.nextcloud.logins()), (2, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_sent_again_still_drops_both() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.nextcloud.reject_next(1);
    let large = vec![0_u8; 100 * 1024];
    let answer = house.request("PUT", "/remote.php/webdav/large.bin", &token).body(large).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!((house.ends("rejected").await, house.kept().await), (1.0, 0.0));
    house.is(&token, "alice").await;
    assert_eq!((house.exchanges(), house.openings().len()), (2, 2));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refusals_of_one_session_end_it_once_and_the_next_one_stays() {
    let house = Plan { threads: Some(1), ..plan() }.build().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.nextcloud.hold();
    house.nextcloud.reject_next(8);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let request = house.request("GET", WHO, &token);
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    house.until("all of them arrive", async || house.calls().len() == 9).await;
    house.nextcloud.release();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    house.is(&token, "alice").await;
    assert_eq!((house.exchanges(), house.ends("rejected").await, house.kept().await), (2, 1.0, 1.0));
    house.close().await;
}
