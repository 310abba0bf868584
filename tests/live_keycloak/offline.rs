//! Offline grants (`offline_access`): what outlives a logout, and what does not.

use std::time::Duration;

use crate::answer::{Answer, Claims};
use crate::browser::Tokens;
use crate::keycloak::{Keycloak, Version};
use crate::realm::{Realm, now};

async fn refresh(realm: &Realm, refresh_token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "mcp-client"), ("refresh_token", refresh_token)];
    let request = realm.kc.http.post(realm.endpoint("token")).form(&form);
    Answer::from(request.send().await.expect("Keycloak answers")).await
}

/// A login with `offline_access`, and the second of it over: Keycloak compares whole seconds.
async fn granted(realm: &Realm) -> Tokens {
    let tokens = realm.login("alice", "alice", &["offline_access"]).await;
    let claims = Claims::of(&tokens.refresh);
    assert_eq!(claims["typ"], "Offline");
    assert!(!claims.has("exp"));
    while now() <= claims["iat"].as_u64().unwrap() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokens
}

#[tokio::test]
async fn an_offline_grant_has_no_online_session_outlives_a_logout_and_can_be_exchanged() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "offline").await;
    let tokens = granted(&realm).await;
    assert!(realm.sessions("alice").await.is_empty());
    let online = realm.alice().await;
    let form = [("client_id", "mcp-client"), ("refresh_token", &online.refresh)];
    let answer = realm.kc.http.post(realm.endpoint("logout")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 204);

    let refreshed = Tokens::from(refresh(&realm, &tokens.refresh).await.ok());
    let claims = realm.exchange(&refreshed.access).audience("nextcloud").send().await.claims();
    assert_eq!(claims["sub"], tokens.claims()["sub"]);
    assert_eq!(claims["sid"], refreshed.sid());
}

#[tokio::test]
async fn a_logout_that_names_the_id_token_of_an_offline_grant_ends_it_in_old_versions() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "offline-hint").await;
    let tokens = granted(&realm).await;
    let mut logout = realm.endpoint("logout");
    logout.query_pairs_mut().append_pair("id_token_hint", &tokens.id);
    realm.get(logout).await.ok();
    let answer = refresh(&realm, &tokens.refresh).await;
    // Which version between 26.4.2 and 26.7.3 changed it was not looked for.
    if kc.version >= Version(26, 7, 0) {
        answer.ok();
    } else {
        answer.is_refused(400, "invalid_grant", "Offline user session not found");
    }
}

#[tokio::test]
async fn an_offline_grant_does_not_outlive_the_logout_of_its_user_by_an_administrator() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "offline-admin").await;
    let tokens = granted(&realm).await;
    // The session stays listed; Keycloak sets a not-before for the user.
    realm.logout_user("alice").await;
    refresh(&realm, &tokens.refresh).await.is_refused(400, "invalid_grant", "Stale token");
}

#[tokio::test]
async fn an_offline_session_gives_the_requester_no_refresh_token() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "offline-refresh").await;
    let tokens = granted(&realm).await;
    let request = realm.exchange(&tokens.access).by("mcp-server-refresh").without("requested_token_type");
    let answer = request.with("requested_token_type", crate::exchange::REFRESH_TOKEN).send().await;
    let text = "Refresh token not valid as requested_token_type because creating a new session is needed";
    answer.is_refused(400, "invalid_request", text);
}
