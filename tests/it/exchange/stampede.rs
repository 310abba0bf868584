//! One flight for each key, whatever the crowd (checklist row 24).

use obo_proxy::dev::identity_provider::Endpoint;

use crate::house::House;
use crate::verdict::OPEN;

const LOOKUPS: [&str; 2] = [r#"obo_cache_lookups_total{kind="miss"}"#, r#"obo_cache_lookups_total{kind="joined"}"#];

impl House {
    /// How many callers wait for an exchange, or waited.
    async fn boarded(&self) -> f64 {
        self.metric(LOOKUPS[0]).await + self.metric(LOOKUPS[1]).await
    }
}

/// product.md §3: one flight per key across all cores (a thousand connections are spread over both), run apart from the callers, so that a cancelled one cancels nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_stampede_of_a_thousand_with_a_third_gone_costs_one_exchange() {
    let house = House::open().await;
    let token = house.token("alice");
    house.provider.hold(Endpoint::Exchange);
    // The first one leads, and is cancelled as well.
    let leader = tokio::spawn(house.request("GET", OPEN, &token).send());
    house.until("the leader's exchange is asked for", async || house.exchanges() == 1).await;
    let callers: Vec<_> = (1..1_000).map(|_| tokio::spawn(house.request("GET", OPEN, &token).send())).collect();
    house.until("all have come", async || house.boarded().await >= 1_000.0).await;
    leader.abort();
    for caller in callers.iter().step_by(3) {
        caller.abort();
    }
    house.provider.release(Endpoint::Exchange);
    for (number, caller) in callers.into_iter().enumerate() {
        if number % 3 != 0 {
            assert_eq!(caller.await.unwrap().unwrap().status(), 200);
        }
    }
    assert_eq!(house.exchanges(), 1);
    house.close().await;
}

/// Checklist row 24: the key of a flight is the key of the cache. Two who wait at once get each their own.
#[tokio::test(flavor = "multi_thread")]
async fn flights_of_different_tokens_never_meet() {
    let house = House::open().await;
    house.provider.hold(Endpoint::Exchange);
    let mut callers = tokio::task::JoinSet::new();
    for user in ["alice", "bob", "carol", "dave"] {
        for token in [house.token(user), house.token(user)] {
            for _ in 0..5 {
                let request = house.request("GET", OPEN, &token);
                callers.spawn(async move { (user, request.send().await.unwrap().text().await.unwrap()) });
            }
        }
    }
    house.until("all have come", async || house.boarded().await >= 40.0).await;
    // Whoever waits for an exchange may do so a moment before the provider hears of it.
    house.until("each token has its exchange", async || house.exchanges() >= 8).await;
    assert_eq!(house.exchanges(), 8);
    house.provider.release(Endpoint::Exchange);
    for (user, page) in callers.join_all().await {
        assert!(
            page.contains(&format!("<id>{user}</id>")) || page.contains(&format!("\"id\":\"{user}\"")),
            "{user}: {page}"
        );
    }
    assert_eq!(house.exchanges(), 8);
    house.close().await;
}

/// A thousand tokens, each three times at once: a thousand exchanges, no more and no fewer.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tokens_three_times_each_cost_a_thousand_exchanges() {
    let house = House::open().await;
    let mut crowd = tokio::task::JoinSet::new();
    for group in 0..40 {
        // Quotas are not the point here: twenty-five tokens for each of forty people.
        let tokens: Vec<String> = (0..25).map(|_| house.token(&format!("person{group}"))).collect();
        let (client, url) = (house.client.clone(), format!("{}{OPEN}", house.url));
        crowd.spawn(async move {
            for token in tokens {
                let send = || client.get(&url).bearer_auth(&token).send();
                let (one, two, three) = tokio::join!(send(), send(), send());
                for answer in [one, two, three] {
                    assert_eq!(answer.unwrap().status(), 200);
                }
            }
        });
    }
    crowd.join_all().await;
    assert_eq!(house.exchanges(), 1_000);
    assert_eq!(house.nextcloud.seen().len(), 3_000);
    house.close().await;
}
