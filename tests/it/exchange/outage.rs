//! The provider is down: those who are known feel nothing (product.md §3).

use obo_proxy::dev::identity_provider::Endpoint;

use crate::house::{House, Plan};
use crate::verdict::{OPEN, UNAVAILABLE, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_down_cached_callers_are_served_and_new_ones_told_to_wait() {
    let house = House::open().await;
    let (known, new) = (house.token("alice"), house.token("bob"));
    assert_eq!(house.verdict(&known).await, "200");
    house.provider.refuse_connections().await;
    for seconds in [0, 80, 20, 14] {
        house.pass(seconds);
        for _ in 0..10 {
            assert_eq!(house.verdict(&known).await, "200", "renewals fail, and nobody feels it");
        }
        let response = house.get(OPEN, &new).await;
        assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
        assert_eq!(verdict(response).await, UNAVAILABLE);
    }
    house.provider.resume().await.unwrap();
    assert_eq!(house.verdict(&new).await, "200", "an outage is not remembered");
    assert_eq!(house.verdict(&known).await, "200");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_provider_is_503_within_the_deadline() {
    let house = Plan { listen_lines: "auth_timeout = \"1s\"".into(), ..Plan::default() }.build().await;
    let known = house.token("alice");
    assert_eq!(house.verdict(&known).await, "200");
    house.provider.hold(Endpoint::Exchange);
    let began = std::time::Instant::now();
    assert_eq!(house.verdict(&house.token("bob")).await, UNAVAILABLE);
    assert!(began.elapsed().as_secs() < 5);
    assert_eq!(house.verdict(&known).await, "200");
    house.provider.release(Endpoint::Exchange);
    house.close().await;
}

/// A caller that gave up is not what the exchange was for alone: its result serves the next one.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_came_too_late_for_its_caller_serves_the_next() {
    let house = Plan { listen_lines: "auth_timeout = \"1s\"".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.provider.hold(Endpoint::Exchange);
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    house.provider.release(Endpoint::Exchange);
    house.until("the exchange lands", async || house.metric(r#"obo_exchanges_total{outcome="ok"}"#).await > 0.0).await;
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 1);
    house.close().await;
}
