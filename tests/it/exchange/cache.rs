//! How long an exchanged token serves, when it is renewed, and whose it is (product.md §3; checklist rows 23, 25, 26).

use std::time::Duration;

use obo_proxy::dev::identity_provider::{Endpoint, Options, Signature};

use crate::house::{House, Plan};
use crate::verdict::{INVALID, OPEN, UNAVAILABLE};

/// A house whose exchanged tokens live so long.
async fn exchanged_for(seconds: u64) -> House {
    let provider = Options { exchanged_lifetime: Duration::from_secs(seconds), ..Options::default() };
    Plan { provider, ..Plan::default() }.build().await
}

impl House {
    async fn provider_down(&self) {
        self.provider.fail_exchanges_with(503, "");
    }
}

/// RFC 8693 §2.1 with product.md §3: what is asked for, and who asks.
#[tokio::test(flavor = "multi_thread")]
async fn the_exchange_asks_for_an_access_token_for_nextcloud_and_nothing_else() {
    let house = House::open().await;
    assert_eq!(house.verdict(&house.token("alice")).await, "200");
    let seen = &house.provider.exchanges()[0];
    assert_eq!((seen.client_id.as_deref(), seen.basic, seen.status), (Some("mcp-server"), true, 200));
    let mut parameters = seen.parameters.clone();
    parameters.sort();
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    let expected = [
        ("audience", "nextcloud"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", access_token),
        ("subject_token_type", access_token),
    ];
    assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    house.close().await;
}

/// Checklist row 26: five minutes are the most.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_token_serves_five_minutes_at_most() {
    let house = exchanged_for(3_600).await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.provider_down().await;
    house.pass(299);
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(1);
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    house.close().await;
}

/// Checklist row 26: … and not its last five seconds. The margin for the seconds that minting took is two.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_token_is_put_away_before_it_expires() {
    let house = exchanged_for(100).await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.provider_down().await;
    house.pass(94);
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(4);
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    house.close().await;
}

/// Checklist row 26: … and never past the subject token's `exp`.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_token_does_not_outlive_the_subject_token() {
    let house = exchanged_for(3_600).await;
    let token = house.provider.mint("alice").claim("exp", house.now() + 60).sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    house.provider_down().await;
    house.pass(59);
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(1);
    assert_ne!(house.verdict(&token).await, "200");
    house.pass(30);
    assert_eq!(house.verdict(&token).await, INVALID);
    house.close().await;
}

/// product.md §3: renewed in the background in its last 30 s while the old one serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_happens_in_the_background_while_the_old_token_serves() {
    let house = exchanged_for(3_600).await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(269);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 1, "it is fresh still");
    house.pass(1);
    house.provider.hold(Endpoint::Exchange);
    let old = authorization(&house);
    for _ in 0..5 {
        assert_eq!(house.verdict(&token).await, "200", "the renewal hangs, and nobody waits for it");
        assert_eq!(authorization(&house), old);
    }
    house.until("one renewal is asked for", async || house.exchanges() == 2).await;
    house.provider.release(Endpoint::Exchange);
    house
        .until("the new token serves", async || house.verdict(&token).await == "200" && authorization(&house) != old)
        .await;
    house.pass(200);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 2, "it has five minutes of its own");
    house.close().await;
}

fn authorization(house: &House) -> String {
    house.nextcloud.seen().last().unwrap().header("authorization").unwrap().to_owned()
}

/// product.md §3: one attempt in ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_is_tried_once_in_ten_seconds_and_nobody_feels_it() {
    let house = exchanged_for(3_600).await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.provider_down().await;
    house.pass(272);
    for attempts in [2, 3] {
        assert_eq!(house.verdict(&token).await, "200");
        house.until("it is tried", async || house.exchanges() == attempts).await;
        for _ in 0..5 {
            assert_eq!(house.verdict(&token).await, "200");
        }
        house.pass(9);
        assert_eq!(house.verdict(&token).await, "200");
        assert_eq!(house.exchanges(), attempts, "inside ten seconds");
        house.pass(1);
    }
    house.provider.recover(Endpoint::Exchange);
    assert_eq!(house.verdict(&token).await, "200");
    house.until("it is tried again", async || house.exchanges() == 4).await;
    house.close().await;
}

/// product.md §3: … and only if it extends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_with_the_subject_token_is_not_renewed() {
    let house = exchanged_for(3_600).await;
    let token = house.provider.mint("alice").claim("exp", house.now() + 100).sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(99);
    for _ in 0..5 {
        assert_eq!(house.verdict(&token).await, "200");
    }
    // A second person's exchange comes back, so a renewal that had been begun would have been counted by now.
    assert_eq!(house.verdict(&house.token("bob")).await, "200");
    assert_eq!(house.exchanges(), 2);
    house.close().await;
}

/// Checklist row 23: the key is the whole token. What differs in the last letters alone is another token.
#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_token_vouches_for_no_other_that_begins_like_it() {
    let house = House::open().await;
    let good = house.token("alice");
    assert_eq!(house.verdict(&good).await, "200");
    for changed in 1..=3 {
        let (kept, end) = good.split_at(good.len() - changed * 4);
        let turned: String = end.chars().map(|letter| if letter == 'A' { 'B' } else { 'A' }).collect();
        assert_eq!(house.verdict(&format!("{kept}{turned}")).await, INVALID);
    }
    let minted = house.provider.mint("alice");
    let token = minted.clone().sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.judge(minted.signed(Signature::Broken)).await, INVALID);
    house.close().await;
}

/// Checklist row 25: two people at once, again and again: each is served with a token of their own.
#[tokio::test(flavor = "multi_thread")]
async fn people_who_come_at_once_are_each_served_as_themselves() {
    let house = House::open().await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..120 {
        let user = format!("person{}", number % 12);
        let request = house.request("GET", OPEN, &house.token(&user));
        callers.spawn(async move { (user, request.send().await.unwrap().text().await.unwrap()) });
    }
    for (user, page) in callers.join_all().await {
        assert!(
            page.contains(&format!("<id>{user}</id>")) || page.contains(&format!("\"id\":\"{user}\"")),
            "{user}: {page}"
        );
    }
    assert_eq!(house.exchanges(), 120);
    house.close().await;
}

/// product.md §3: 32 tokens for each principal, the owner's oldest goes, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_principal_has_thirty_two_tokens_and_its_oldest_goes() {
    let house = House::open().await;
    let bob = house.token("bob");
    assert_eq!(house.verdict(&bob).await, "200");
    let tokens: Vec<String> = (0..33).map(|_| house.token("alice")).collect();
    for token in &tokens[..32] {
        assert_eq!(house.verdict(token).await, "200");
    }
    for token in &tokens[..32] {
        assert_eq!(house.verdict(token).await, "200");
    }
    assert_eq!(house.exchanges(), 33, "thirty-two are remembered");
    assert_eq!(house.verdict(&tokens[32]).await, "200");
    for remembered in [&tokens[1], &tokens[32], &bob] {
        assert_eq!(house.verdict(remembered).await, "200");
    }
    assert_eq!(house.exchanges(), 34);
    assert_eq!(house.verdict(&tokens[0]).await, "200", "the oldest is no worse than a new one");
    assert_eq!(house.exchanges(), 35, "the oldest was not forgotten");
    house.close().await;
}

/// product.md §3: the quota counts tokens, not calls. One that is inside the leeway after its `exp` is verified at each call, and takes no
/// other token's place by that.
#[tokio::test(flavor = "multi_thread")]
async fn many_calls_with_a_token_at_its_end_cost_its_owner_no_other_token() {
    let house = exchanged_for(7_200).await;
    let ending = house.provider.mint("alice").claim("exp", house.now() + 1_000).sign().unwrap();
    let other = house.token("alice");
    house.pass(1_005);
    assert_eq!(house.verdict(&other).await, "200");
    for _ in 0..40 {
        assert_eq!(house.verdict(&ending).await, "200");
    }
    let exchanges = house.exchanges();
    assert_eq!(house.verdict(&other).await, "200");
    assert_eq!(house.exchanges(), exchanges, "the other token was thrown out");
    house.close().await;
}

/// Checklist row 26: the whole house is bounded as well, and whoever does not fit is served all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_house_remembers_a_bounded_number_of_tokens() {
    let house = Plan { listen_lines: "max_tokens = 10".into(), ..Plan::default() }.build().await;
    for number in 0..60 {
        assert_eq!(house.verdict(&house.token(&format!("person{number}"))).await, "200");
    }
    house.running.entries.sweep();
    let entries = house.metric("obo_entries").await;
    assert!((1.0..=10.0).contains(&entries), "{entries} entries");
    house.close().await;
}
