//! When Keycloak takes something back: sessions, tokens issued before a moment, keys.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::house::{House, Plan};
use crate::keycloak::Keycloak;
use crate::realm::{Realm, now};

/// In which an unknown key id does not make the proxy ask for keys once more.
const COOLDOWN: Duration = Duration::from_secs(10);
/// A refusal is remembered this long.
const NEGATIVE: Duration = Duration::from_secs(5);

/// A stranger's token, of a key that nobody has.
fn of_an_invented_key(realm: &Realm) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "typ": "JWT", "kid": format!("{:x}", rand::random::<u64>())}));
    let claims = part(json!({"iss": realm.issuer(), "sub": "mallory", "exp": now() + 60, "typ": "Bearer"}));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 256]))
}

/// Makes the proxy ask for the keys, as any stranger can.
async fn refetch_keys(realm: &Realm, house: &House) {
    house.clock.advance(COOLDOWN);
    let answer = house.refuses(&of_an_invented_key(realm), 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token's signing key is not published by its issuer");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_logout_a_cached_exchange_serves_until_it_would_be_renewed_and_no_longer() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).open().await;
    let (alice, elsewhere) = (realm.alice().await, realm.alice().await);
    house.whoami(&elsewhere.access).await;
    house.whoami(&alice.access).await;

    realm.logout_session(&alice.sid()).await;
    // Nobody told the proxy. It serves until 5 s before the end, of which the last 30 s are for the renewal.
    let renewal = house.exchanged_until() - 35;
    house.turn_to(renewal - 1);
    assert_eq!(house.whoami(&alice.access).await, "alice");
    house.turn_to(renewal);
    house.until_refused(&alice.access, 401).await;
    let answer = house.refuses(&alice.access, 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token is no longer accepted by its issuer");
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");

    // It stays so, asked anew or not; her other session goes on.
    house.clock.advance(NEGATIVE);
    house.refuses(&alice.access, 401, "invalid_token").await;
    assert_eq!(house.whoami(&elsewhere.access).await, "alice");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_logout_nothing_outlives_the_exchanged_token_even_if_nobody_asked_in_between() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).open().await;
    let alice = realm.alice().await;
    house.whoami(&alice.access).await;
    realm.logout_session(&alice.sid()).await;
    house.turn_to(house.exchanged_until() - 5);
    let before = house.nextcloud.seen().len();
    house.refuses(&alice.access, 401, "invalid_token").await;
    assert_eq!(house.nextcloud.seen().len(), before);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_session_that_is_over_never_gets_an_exchange() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).open().await;
    let alice = realm.alice().await;
    realm.logout_session(&alice.sid()).await;
    house.refuses(&alice.access, 401, "invalid_token").await;
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_before_reaches_cached_tokens_with_the_next_exchange_of_anybody() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-not-before").await;
    let house = Plan::at(&realm).open().await;
    let (alice, unseen) = (realm.alice().await, realm.alice().await);
    house.whoami(&alice.access).await;

    let second = realm.set_not_before(now().max(alice.claims()["iat"].as_u64().unwrap()) + 1).await;
    house.refuses(&unseen.access, 401, "invalid_token").await;
    while now() < second {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Keycloak tells it with each answer.
    let bob = realm.login("bob", "bob", &[]).await;
    assert_eq!(house.whoami(&bob.access).await, "bob");
    let answer = house.refuses(&alice.access, 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token was revoked");
    assert_eq!(house.whoami(&realm.alice().await.access).await, "alice");
    assert_eq!(house.whoami(&bob.access).await, "bob");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_keys_logs_nobody_out_until_the_old_key_is_disabled() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-rotation").await;
    let house = Plan::at(&realm).open().await;
    let (old, unseen) = (realm.alice().await, realm.alice().await);
    house.whoami(&old.access).await;
    let retired = realm.rotate_keys().await;

    // The keys were fetched a moment ago: until they may be again, nobody is told that the token is bad.
    let new = realm.login("bob", "bob", &[]).await;
    let answer = house.refuses(&new.access, 503, "idp_unavailable").await;
    assert!(answer.headers.contains_key("retry-after"));
    house.clock.advance(COOLDOWN);
    assert_eq!(house.whoami(&new.access).await, "bob");
    assert_eq!(house.whoami(&old.access).await, "alice");

    // Passive: the old one is published still, also for tokens that were never seen.
    for key in &retired {
        realm.retire_key(key, true).await;
    }
    refetch_keys(&realm, &house).await;
    assert_eq!(house.whoami(&old.access).await, "alice");
    assert_eq!(house.whoami(&unseen.access).await, "alice");

    // Gone, and with it all that it vouched for, cached exchanges included.
    for key in &retired {
        realm.retire_key(key, false).await;
    }
    refetch_keys(&realm, &house).await;
    let before = house.nextcloud.seen().len();
    for tokens in [&old, &unseen] {
        house.refuses(&tokens.access, 503, "idp_unavailable").await;
    }
    for tokens in [&old, &unseen] {
        house.clock.advance(COOLDOWN);
        house.refuses(&tokens.access, 401, "invalid_token").await;
    }
    assert_eq!(house.nextcloud.seen().len(), before);
    assert_eq!(house.whoami(&new.access).await, "bob");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_is_imported_anew_has_other_keys_and_people_and_needs_no_restart() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-import").await;
    let house = Plan::at(&realm).open().await;
    let old = realm.alice().await;
    house.whoami(&old.access).await;

    realm.import_anew().await;
    let new = realm.alice().await;
    assert_ne!(new.claims()["sub"], old.claims()["sub"]);
    // The import took its time.
    house.turn_to(now());
    house.clock.advance(COOLDOWN);
    assert_eq!(house.whoami(&new.access).await, "alice");
    house.clock.advance(COOLDOWN);
    house.refuses(&old.access, 401, "invalid_token").await;
    house.close().await;
}
