//! Whose requests arrive at Nextcloud, and as whose.

use super::house::{House, Plan, WHOAMI, bearer};
use crate::realm::{Realm, now};

async fn house(realm: &Realm) -> House {
    Plan::at(realm).open().await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_alice_and_bob_arrive_as_theirs_with_tokens_that_keycloak_issued_for_nextcloud() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let alice = realm.login("alice", "alice", &["nc.read", "files.read"]).await;
    let bob = realm.login("bob", "bob", &["nc.read", "files.read"]).await;
    assert_eq!((house.whoami(&alice.access).await, house.whoami(&bob.access).await), ("alice".into(), "bob".into()));
    let file = house.get("/remote.php/dav/files/alice/alice.txt", &alice.access).await;
    assert!(file.status == 200 && file.body.as_str().unwrap().contains("alice"), "{file:?}");
    assert_eq!(house.get("/remote.php/dav/files/alice/alice.txt", &bob.access).await.status, 404);

    let seen = house.nextcloud.seen();
    for (user, tokens) in [("alice", &alice), ("bob", &bob)] {
        let own: Vec<_> = seen.iter().filter(|seen| seen.user.as_deref() == Some(user)).collect();
        assert!(own.len() >= 2, "{own:?}");
        for (of_files, token) in own.into_iter().map(|seen| (seen.path().contains("/files/"), bearer(seen))) {
            let subject = tokens.claims();
            assert_eq!(token["aud"], "nextcloud");
            assert_eq!(token["azp"], "mcp-server");
            assert_eq!(token["iss"], realm.issuer());
            assert_eq!((&token["sub"], &token["sid"]), (&subject["sub"], &subject["sid"]));
            assert_eq!(token["preferred_username"], user);
            // Of the caller's scopes those cross that the route needs.
            let scopes: &[&str] = if of_files { &["email", "files.read", "profile"] } else { &["email", "profile"] };
            assert_eq!(token.scope(), scopes.iter().copied().collect());
            assert!(token["jti"].as_str().unwrap().starts_with("ntrtte:"), "{}", token["jti"]);
            assert!(token["exp"].as_u64().unwrap() <= now() + 120);
            assert_ne!(token["jti"], subject["jti"]);
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_exchange_serves_all_requests_of_a_session_and_another_session_has_its_own() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let (first, second) = (realm.alice().await, realm.alice().await);
    for tokens in [&first, &second, &first, &second] {
        house.whoami(&tokens.access).await;
    }
    let mut tokens: Vec<_> = house.nextcloud.seen().iter().map(|seen| bearer(seen)["jti"].to_string()).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_meant_for_the_proxy_is_refused() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let tokens = realm.login_at("mcp-client-noaud", "alice", "alice", &[]).await;
    let answer = house.refuses(&tokens.access, 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token is not meant for this server");
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_token_is_not_for_callers() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let tokens = realm.alice().await;
    let exchanged = realm.exchange(&tokens.access).audience("nextcloud").send().await.token();
    house.refuses(&exchanged, 401, "invalid_token").await;
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_nobody_to_act_for_even_if_its_token_is_meant_for_us() {
    let Some(realm) = Realm::shared().await else { return };
    // Its token names `nextcloud`, so that has to be an audience of ours here, and not Nextcloud's.
    let plan = Plan::at(&realm).top("audiences = [\"nextcloud\"]").issuer("nextcloud_audience = \"other-target\"");
    let house = plan.open().await;
    let own = realm.service_account("mcp-server-service").await;
    let exchanged = realm.exchange(&own).by("mcp-server-service").audience("nextcloud").send().await.token();
    for token in [own, exchanged] {
        let answer = house.refuses(&token, 401, "invalid_token").await;
        assert_eq!(answer.body["error_description"], "the token belongs to a service account, not to a user");
    }
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_an_id_token_nor_a_refresh_token_is_an_access_token() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let tokens = realm.alice().await;
    let answer = house.refuses(&tokens.id, 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token is not an access token");
    // Keycloak signs it with a secret of its own.
    let answer = house.refuses(&tokens.refresh, 401, "invalid_token").await;
    assert_eq!(answer.body["error_description"], "the token's algorithm is not accepted");
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_another_signature_or_of_another_realm_is_refused() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let (alice, bob) = (realm.alice().await, realm.login("bob", "bob", &[]).await);
    let (head, _) = alice.access.rsplit_once('.').unwrap();
    let (_, signature) = bob.access.rsplit_once('.').unwrap();
    house.refuses(&format!("{head}.{signature}"), 401, "invalid_token").await;
    let foreign = Realm::operators(&realm.kc).alice().await;
    house.refuses(&foreign.access, 401, "invalid_token").await;
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_six_thousand_characters_goes_through() {
    let Some(realm) = Realm::shared().await else { return };
    let house = house(&realm).await;
    let tokens = realm.login_at("mcp-client-big", "alice", "alice", &[]).await;
    assert!(tokens.access.len() > 6000);
    assert_eq!(house.get(WHOAMI, &tokens.access).await.status, 200);
    house.close().await;
}
