//! For whom the exchanged token is. `audience` chooses among what the requester's own scopes offer; it adds nothing.

use crate::realm::Realm;

#[tokio::test]
async fn an_exchange_without_an_audience_scope_gives_a_token_without_aud() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let claims = realm.exchange(&tokens.access).by("mcp-server-noaud").send().await.claims();
    assert!(!claims.has("aud"), "{}", claims["aud"]);
}

#[tokio::test]
async fn an_audience_that_no_scope_of_the_requester_offers_is_not_available() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let answer = realm.exchange(&tokens.access).by("mcp-server-noaud").audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", "Requested audience not available: nextcloud");
}

#[tokio::test]
async fn an_optional_scope_of_the_requester_brings_the_audience() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let request = || realm.exchange(&tokens.access).by("mcp-server-noaud").scope("nextcloud-audience");
    assert_eq!(request().send().await.claims()["aud"], "nextcloud");
    assert_eq!(request().audience("nextcloud").send().await.claims()["aud"], "nextcloud");
}

#[tokio::test]
async fn without_audience_the_token_is_for_all_that_the_requester_offers() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let one = realm.exchange(&tokens.access).send().await.claims();
    assert_eq!(one["aud"], "nextcloud");
    let two = realm.exchange(&tokens.access).by("mcp-server-two").send().await.claims();
    assert_eq!(two.aud(), ["mcp-server", "nextcloud"].into());
}

#[tokio::test]
async fn audience_cuts_the_list_down_to_what_was_asked() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let request = || realm.exchange(&tokens.access).by("mcp-server-two").audience("nextcloud");
    assert_eq!(request().send().await.claims()["aud"], "nextcloud");
    let both = request().audience("mcp-server").send().await.claims();
    assert_eq!(both.aud(), ["mcp-server", "nextcloud"].into());
}

#[tokio::test]
async fn one_audience_that_is_not_available_spoils_the_others() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let answer = realm.exchange(&tokens.access).audience("nextcloud").audience("other-target").send().await;
    answer.is_refused(400, "invalid_request", "Requested audience not available: other-target");
}

#[tokio::test]
async fn an_unknown_and_a_disabled_audience_blame_the_client() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let unknown = realm.exchange(&tokens.access).audience("does-not-exist").send().await;
    unknown.is_refused(400, "invalid_client", "Audience not found");
    let disabled = realm.exchange(&tokens.access).audience("disabled-target").send().await;
    disabled.is_refused(400, "invalid_client", "Client disabled");
}

#[tokio::test]
async fn the_audience_of_the_subject_token_is_not_inherited() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login("alice", "alice", &["mcp-url"]).await;
    assert!(tokens.claims().aud().len() > 1);
    assert_eq!(realm.exchange(&tokens.access).send().await.claims()["aud"], "nextcloud");
}

#[tokio::test]
async fn a_custom_audience_in_the_subject_token_does_not_admit_a_requester() {
    let Some(realm) = Realm::shared().await else { return };
    // Whoever takes the URL for the only audience has tokens that nobody can exchange.
    let tokens = realm.login_at("mcp-client-noaud", "alice", "alice", &["mcp-url"]).await;
    assert_eq!(tokens.claims()["aud"], "http://localhost:8080");
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    answer.is_refused(403, "access_denied", "Client is not within the token audience");
}
