//! What the exchanged token may do. Scopes are the requester's, whatever the subject token had.

use crate::answer::words;
use crate::realm::Realm;

#[tokio::test]
async fn without_scope_the_token_has_the_defaults_of_the_requester_and_nothing_of_the_subject_token() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login("alice", "alice", &["files.read"]).await;
    assert_eq!(tokens.claims().scope(), ["openid", "profile", "email", "files.read"].into());
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    assert_eq!(words(&answer.body["scope"]), ["profile", "email"].into());
    assert_eq!(answer.claims().scope(), ["profile", "email"].into());
}

#[tokio::test]
async fn a_scope_asked_for_is_added_to_the_defaults() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login("alice", "alice", &["files.read"]).await;
    let answer = realm.exchange(&tokens.access).audience("nextcloud").scope("files.read").send().await;
    assert_eq!(words(&answer.body["scope"]), ["profile", "email", "files.read"].into());
    assert_eq!(answer.claims().scope(), ["profile", "email", "files.read"].into());
}

#[tokio::test]
async fn an_exchange_can_give_more_than_the_subject_token_had() {
    let Some(realm) = Realm::shared().await else { return };
    // Keycloak does not hold it back: that only scopes of the caller are asked for is our task.
    let tokens = realm.login("alice", "alice", &["files.read"]).await;
    let answer = realm.exchange(&tokens.access).audience("nextcloud").scope("files.write calendar.write").send().await;
    assert_eq!(answer.claims().scope(), ["profile", "email", "files.write", "calendar.write"].into());
}

#[tokio::test]
async fn openid_may_be_asked_for_and_brings_an_id_token() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let answer = realm.exchange(&tokens.access).audience("nextcloud").scope("openid").send().await;
    assert!(answer.body["id_token"].is_string());
    assert_eq!(answer.claims().scope(), ["openid", "profile", "email"].into());
}

#[tokio::test]
async fn a_scope_that_the_requester_has_not_is_invalid() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login_at("mcp-client-scoped", "alice", "alice", &["phone"]).await;
    assert!(tokens.claims().scope().contains("phone"));
    // Unknown to the realm, or known to the login client only: no difference.
    for scope in ["unknown", "phone", "mcp-url", "offline_access"] {
        let answer = realm.exchange(&tokens.access).audience("nextcloud").scope(scope).send().await;
        answer.is_refused(400, "invalid_scope", &format!("Invalid scopes: {scope}"));
    }
}

#[tokio::test]
async fn a_default_scope_may_be_named_and_changes_nothing() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let claims = realm.exchange(&tokens.access).audience("nextcloud").scope("profile").send().await.claims();
    assert_eq!(claims.scope(), ["profile", "email"].into());
}
