//! user_oidc 8.7 to 8.10 opens no login session for a bearer: nobody waits for what is not to be had.

use obo_proxy::dev::nextcloud::Generation;

use super::plan;
use crate::house::{House, Plan};

async fn house() -> House {
    let generation = Box::new(|options: &mut obo_proxy::dev::nextcloud::Options| options.user_oidc = Generation::V8_10);
    Plan { nextcloud: Some(generation), ..plan() }.build().await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_costs_one_probe_in_ten_minutes_whoever_comes() {
    let house = house().await;
    let tokens: Vec<String> = (0..5).map(|number| house.token(&format!("user{number}"))).collect();
    for round in 1..=3 {
        for _ in 0..3 {
            for (number, token) in tokens.iter().enumerate() {
                house.is(token, &format!("user{number}")).await;
            }
        }
        house
            .until("the probe is answered", async || house.openings().iter().all(|opening| opening.status == 200))
            .await;
        assert_eq!(house.openings().len(), round);
        house.pass(599);
        house.is(&tokens[0], "user0").await;
        assert_eq!(house.openings().len(), round);
        house.pass(1);
    }
    assert!(house.calls().iter().all(|call| call.header("cookie").is_none()));
    assert_eq!((house.kept().await, house.events("reused").await), (0.0, 0.0));
    assert_eq!(house.events("useless").await, 3.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bobs_bearer_is_bob_whatever_cookies_he_sends() {
    let house = house().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    for _ in 0..3 {
        house.is(&alice, "alice").await;
        house.is(&bob, "bob").await;
    }
    house.close().await;
}
