//! When tokens die before their time: logout, disabled users, not-before.

use serde_json::{Value, json};

use crate::browser::Tokens;
use crate::keycloak::Keycloak;
use crate::realm::{Realm, now};

/// A login and one exchange of it.
async fn pair(realm: &Realm, user: &str) -> (Tokens, String) {
    let tokens = realm.login(user, user, &[]).await;
    let exchanged = realm.exchange(&tokens.access).audience("nextcloud").scope("openid").send().await.token();
    (tokens, exchanged)
}

/// That neither token is good for anything any more.
async fn is_dead(realm: &Realm, tokens: &Tokens, exchanged: &str) {
    let again = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    again.is_refused(400, "invalid_request", "Invalid token");
    assert_eq!(realm.introspect("mcp-server", &tokens.access).await["active"], false);
    assert_eq!(realm.introspect("nextcloud", exchanged).await["active"], false);
}

#[tokio::test]
async fn with_its_session_dies_the_token_and_what_was_exchanged_for_it() {
    let Some(realm) = Realm::shared().await else { return };
    let (tokens, exchanged) = pair(&realm, "alice").await;
    let (other, other_exchanged) = pair(&realm, "alice").await;
    assert_eq!(realm.userinfo(&exchanged).await.ok()["preferred_username"], "alice");

    realm.logout_session(&tokens.sid()).await;
    is_dead(&realm, &tokens, &exchanged).await;
    assert_eq!(realm.userinfo(&exchanged).await.status, 401);
    assert_eq!(realm.userinfo(&tokens.access).await.status, 401);
    // Another session of the same person is none of its business.
    assert_eq!(realm.introspect("nextcloud", &other_exchanged).await["active"], true);
    realm.exchange(&other.access).audience("nextcloud").send().await.ok();
}

#[tokio::test]
async fn the_logout_of_a_user_ends_all_of_her_sessions() {
    let Some(realm) = Realm::shared().await else { return };
    let (first, first_exchanged) = pair(&realm, "dave").await;
    let (second, second_exchanged) = pair(&realm, "dave").await;
    realm.logout_user("dave").await;
    is_dead(&realm, &first, &first_exchanged).await;
    is_dead(&realm, &second, &second_exchanged).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_is_exchanged_no_more() {
    let Some(realm) = Realm::shared().await else { return };
    let (tokens, exchanged) = pair(&realm, "erin").await;
    realm.set_user_enabled("erin", false).await;
    is_dead(&realm, &tokens, &exchanged).await;
    // Nor is it forgotten for good: the session is there still.
    realm.set_user_enabled("erin", true).await;
    let again = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    assert_eq!(again.status, 200, "{}", again.body);
}

#[tokio::test]
async fn what_was_issued_before_not_before_is_dead_and_new_answers_say_so() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "not-before").await;
    let (tokens, exchanged) = pair(&realm, "alice").await;
    assert_eq!(tokens.answer["not-before-policy"], 0);
    // Strictly before: a token of this very second would live on.
    let second = realm.set_not_before(tokens.claims()["iat"].as_u64().unwrap().max(now()) + 1).await;
    is_dead(&realm, &tokens, &exchanged).await;

    while now() < second {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let tokens = realm.alice().await;
    assert_eq!(tokens.answer["not-before-policy"], second);
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    assert_eq!(answer.ok()["not-before-policy"], second);
}

#[tokio::test]
async fn a_revoked_subject_token_is_exchanged_no_more_while_what_was_exchanged_lives_on() {
    let Some(realm) = Realm::shared().await else { return };
    let (tokens, exchanged) = pair(&realm, "alice").await;
    let form = [("client_id", "mcp-client"), ("token", &tokens.access)];
    let answer = realm.kc.http.post(realm.endpoint("revoke")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let again = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    again.is_refused(400, "invalid_request", "Invalid token");
    assert_eq!(realm.introspect("mcp-server", &tokens.access).await, json!({"active": false}));
    assert_eq!(realm.introspect("nextcloud", &exchanged).await["active"], Value::Bool(true));
}
