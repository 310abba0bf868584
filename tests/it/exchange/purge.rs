//! Revocation reaches us, and stays (law 8; checklist rows 51 and 53).

use std::time::Duration;

use obo_proxy::dev::identity_provider::{Endpoint, Options};

use crate::house::{House, Plan};
use crate::verdict::{INVALID, OPEN, verdict};

const REJECTED: &str = "502 nextcloud_rejected_token";

/// What a purge has in common, however it came: the token is 401 at once and for good, and Nextcloud hears nothing more.
async fn is_gone(house: &House, token: &str) {
    let (seen, exchanges) = (house.nextcloud.seen().len(), house.exchanges());
    for seconds in [0, 5, 60, 3_600] {
        house.pass(seconds);
        assert_eq!(house.verdict(token).await, INVALID, "after {seconds} s more");
    }
    assert_eq!((house.nextcloud.seen().len(), house.exchanges()), (seen, exchanges));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_every_token_of_its_session_and_no_other() {
    let house = House::open().await;
    let first = house.provider.mint("alice");
    let sid = first.sid().unwrap().to_owned();
    let tokens = [first.sign().unwrap(), house.provider.mint_in_session("alice", &sid).sign().unwrap()];
    let never_seen = house.provider.mint_in_session("alice", &sid).sign().unwrap();
    let others = [house.token("alice"), house.token("bob")];
    for token in tokens.iter().chain(&others) {
        assert_eq!(house.verdict(token).await, "200");
    }
    house.purge_session(&sid);
    for token in tokens.iter().chain([&never_seen]) {
        assert_eq!(house.verdict(token).await, INVALID);
    }
    let exchanges = house.exchanges();
    for token in &others {
        assert_eq!(house.verdict(token).await, "200");
    }
    assert_eq!(house.exchanges(), exchanges, "others keep what they have");
    assert_eq!(house.metric(r#"obo_purges_total{cause="session"}"#).await, 1.0);
    is_gone(&house, &tokens[0]).await;
    house.close().await;
}

/// Law 8: tombstones by (`iss`, `sub`, `iat` ≤ t).
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_by_subject_ends_what_was_issued_until_then_and_nothing_newer() {
    let house = House::open().await;
    let at = house.now();
    let issued = |user: &str, iat: i64| house.provider.mint(user).claim("iat", iat).sign().unwrap();
    let (before, then, after, bob) =
        (issued("alice", at - 1), issued("alice", at), issued("alice", at + 1), issued("bob", at));
    for token in [&before, &then, &after, &bob] {
        assert_eq!(house.verdict(token).await, "200");
    }
    house.purge_subject("alice", at);
    for (token, told) in [(&before, INVALID), (&then, INVALID), (&after, "200"), (&bob, "200")] {
        assert_eq!(house.verdict(token).await, told);
    }
    // An older order does not lift a newer one; a token without `iat` is as old as can be.
    house.purge_subject("alice", at - 100);
    assert_eq!(house.verdict(&then).await, INVALID);
    assert_eq!(house.judge(house.provider.mint("alice").without("iat")).await, INVALID);
    is_gone(&house, &before).await;
    house.close().await;
}

/// Checklist row 51: an exchange that was begun before a purge serves nobody after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_while_an_exchange_is_under_way_wins() {
    let house = House::open().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.sign().unwrap();
    house.provider.hold(Endpoint::Exchange);
    let callers: Vec<_> = (0..10).map(|_| tokio::spawn(house.request("GET", OPEN, &token).send())).collect();
    house.until("the exchange is asked for", async || house.exchanges() == 1).await;
    house.purge_session(&sid);
    house.provider.release(Endpoint::Exchange);
    for caller in callers {
        assert_eq!(verdict(caller.await.unwrap().unwrap()).await, INVALID);
    }
    assert!(house.nextcloud.seen().is_empty());
    is_gone(&house, &token).await;
    house.close().await;
}

/// Checklist row 51, one step earlier: the token is being verified when the purge comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_while_a_token_is_being_verified_wins() {
    let house = House::open().await;
    house.provider.rotate_keys().unwrap();
    house.pass(10);
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let (token, fetches) = (minted.sign().unwrap(), house.provider.counts().jwks());
    house.provider.hold(Endpoint::Jwks);
    let caller = tokio::spawn(house.request("GET", OPEN, &token).send());
    house.until("the keys are asked for", async || house.provider.counts().jwks() > fetches).await;
    house.purge_session(&sid);
    house.provider.release(Endpoint::Jwks);
    assert_eq!(verdict(caller.await.unwrap().unwrap()).await, INVALID);
    assert_eq!(house.exchanges(), 0);
    is_gone(&house, &token).await;
    house.close().await;
}

/// Checklist row 51 for opaque tokens: an introspection that was answered before the purge admits nobody after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_while_a_token_is_introspected_wins() {
    let house = Plan { issuer_lines: "introspection = true".into(), ..Plan::default() }.build().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.opaque();
    house.provider.hold(Endpoint::Introspection);
    let caller = tokio::spawn(house.request("GET", OPEN, &token).send());
    house.until("it is asked about", async || house.provider.counts().introspections() == 1).await;
    house.purge_session(&sid);
    house.provider.release(Endpoint::Introspection);
    assert_eq!(verdict(caller.await.unwrap().unwrap()).await, INVALID);
    assert_eq!(house.exchanges(), 0);
    assert_eq!(house.verdict(&token).await, INVALID);
    house.close().await;
}

/// A purge of somebody else overtakes nobody for long: what was being verified is verified again and served.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_of_somebody_else_costs_a_caller_under_way_nothing() {
    let house = House::open().await;
    house.provider.rotate_keys().unwrap();
    house.pass(10);
    let (token, fetches) = (house.token("alice"), house.provider.counts().jwks());
    house.provider.hold(Endpoint::Jwks);
    let caller = tokio::spawn(house.request("GET", OPEN, &token).send());
    house.until("the keys are asked for", async || house.provider.counts().jwks() > fetches).await;
    house.purge_session("a session of bob's");
    house.provider.release(Endpoint::Jwks);
    assert_eq!(caller.await.unwrap().unwrap().status(), 200);
    house.close().await;
}

/// Law 8: a realm's not-before policy, which Keycloak tells with each answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_not_before_policy_ends_everything_older() {
    let house = House::open().await;
    let now = house.now();
    let issued = |user: &str, iat: i64| house.provider.mint(user).claim("iat", iat).sign().unwrap();
    let (old, new, bob) = (issued("alice", now - 100), issued("alice", now), issued("bob", now));
    for token in [&old, &new] {
        assert_eq!(house.verdict(token).await, "200");
    }
    house.provider.set_not_before(u64::try_from(now - 50).unwrap());
    assert_eq!(house.verdict(&old).await, "200", "nobody has told us yet");
    assert_eq!(house.verdict(&bob).await, "200");
    assert_eq!(house.verdict(&old).await, INVALID, "bob's exchange told us");
    assert_eq!(house.verdict(&new).await, "200");
    // It only moves forward.
    house.provider.set_not_before(u64::try_from(now - 500).unwrap());
    assert_eq!(house.verdict(&issued("carol", now)).await, "200");
    is_gone(&house, &old).await;
    house.close().await;
}

/// Law 8: a key that its issuer no longer publishes takes what it signed along.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_disappears_takes_its_tokens_along() {
    let provider = Options { exchanged_lifetime: Duration::from_secs(3_600), ..Options::default() };
    let house = Plan { provider, ..Plan::default() }.build().await;
    let (old, spare) = (house.token("alice"), house.token("bob"));
    assert_eq!(house.verdict(&old).await, "200");
    house.provider.rotate_keys().unwrap();
    house.pass(10);
    let new = house.token("alice");
    assert_eq!(house.verdict(&new).await, "200");
    assert_eq!(house.verdict(&old).await, "200", "both keys are published");
    house.provider.drop_old_keys();
    house.pass(10);
    let stranger = house.provider.mint("alice").header("kid", "unknown").sign().unwrap();
    assert_eq!(house.verdict(&stranger).await, INVALID, "a look at the keys");
    assert_eq!(house.verdict(&new).await, "200");
    assert_ne!(house.verdict(&old).await, "200", "at once");
    for token in [&old, &spare, &old] {
        house.pass(10);
        assert_eq!(house.verdict(token).await, INVALID, "its issuer, asked again, does not publish the key");
    }
    assert_eq!(house.metric(r#"obo_purges_total{cause="keys"}"#).await, 1.0);
    house.close().await;
}

/// Checklist row 53: one refusal of Nextcloud's costs one exchange, which serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nextcloud_refused_is_replaced_once() {
    let house = House::open().await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.nextcloud.reject_next(1);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 2);
    let seen = house.nextcloud.seen();
    let authorizations: Vec<_> = seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(authorizations[0], authorizations[1]);
    assert_ne!(authorizations[1], authorizations[2]);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 2, "the replacement is kept");
    house.close().await;
}

/// Checklist row 53: after the second refusal no exchange is spent for thirty seconds.
#[tokio::test(flavor = "multi_thread")]
async fn after_two_refusals_nextclouds_word_is_final_for_thirty_seconds() {
    let provider = Options { exchanged_lifetime: Duration::from_secs(3_600), ..Options::default() };
    let house = Plan { provider, ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.nextcloud.reject_next(100);
    assert_eq!(house.verdict(&token).await, REJECTED);
    assert_eq!(house.exchanges(), 2);
    // Both tokens are forgotten, so one more is fetched; refused, it is the last for now.
    assert_eq!(house.verdict(&token).await, REJECTED);
    let spent = house.exchanges();
    assert!(spent <= 3);
    for _ in 0..5 {
        assert_eq!(house.verdict(&token).await, REJECTED);
    }
    assert_eq!(house.exchanges(), spent, "each refusal cost an exchange");
    house.pass(29);
    assert_eq!(house.verdict(&token).await, REJECTED);
    assert_eq!(house.exchanges(), spent, "inside thirty seconds");
    house.nextcloud.reject_next(0);
    house.pass(2);
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}
