//! Whose name a token carries. The server is asked by its hostname (`localhost`) and by its address (`127.0.0.1`),
//! which stand for the public and the internal URL of a cluster.

use serde_json::Value;
use url::Url;

use crate::keycloak::{Keycloak, Version};
use crate::realm::Realm;

async fn discovery(realm: &Realm, base: &Url) -> Value {
    let url = base.join(&format!("realms/{}/.well-known/openid-configuration", realm.name)).unwrap();
    realm.get(url).await.ok()
}

#[tokio::test]
async fn discovery_asked_inside_names_the_public_issuer_and_internal_back_channels() {
    let Some(realm) = Realm::shared().await else { return };
    let inside = realm.kc.inside();
    let found = discovery(&realm, &inside).await;
    assert_eq!(found["issuer"], realm.issuer());
    for name in ["token_endpoint", "jwks_uri", "introspection_endpoint", "userinfo_endpoint", "registration_endpoint"] {
        assert!(found[name].as_str().unwrap().starts_with(inside.as_str()), "{name} {}", found[name]);
    }
    // Revocation is public all the same: a sidecar without a way out must derive the internal one.
    for name in ["authorization_endpoint", "end_session_endpoint", "revocation_endpoint"] {
        assert!(found[name].as_str().unwrap().starts_with(realm.kc.base.as_str()), "{name} {}", found[name]);
    }
}

#[tokio::test]
async fn discovery_asked_by_the_hostname_names_it_everywhere() {
    let Some(realm) = Realm::shared().await else { return };
    let found = discovery(&realm, &realm.kc.base).await;
    for name in ["issuer", "token_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint"] {
        assert!(found[name].as_str().unwrap().starts_with(realm.kc.base.as_str()), "{name} {}", found[name]);
    }
}

#[tokio::test]
async fn an_exchange_asked_inside_gives_a_token_of_the_public_issuer() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let inside = realm.kc.inside();
    let claims = realm.exchange(&tokens.access).at(&inside).audience("nextcloud").send().await.claims();
    assert_eq!(claims["iss"], realm.issuer());
}

#[tokio::test]
async fn a_path_with_an_empty_segment_is_refused_by_newer_versions() {
    let Some(realm) = Realm::shared().await else { return };
    let url = realm.kc.url(&format!("realms/{}//protocol/openid-connect/certs", realm.name));
    let status = realm.get(url).await.status;
    let expected = if realm.kc.version >= Version(26, 5, 0) { 400 } else { 200 };
    assert_eq!(status, expected);
}

#[tokio::test]
#[ignore = "needs a Keycloak without fixed hostname; scripts/live-keycloak runs it apart"]
async fn without_a_fixed_hostname_a_token_is_no_good_at_another_address() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::operators(&kc);
    let tokens = realm.alice().await;
    assert_eq!(tokens.claims()["iss"], realm.issuer());
    realm.exchange(&tokens.access).audience("nextcloud").send().await.ok();
    // The same server, the same token, another way to it.
    let inside = kc.inside();
    let answer = realm.exchange(&tokens.access).at(&inside).audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", "Invalid token");
    assert_ne!(discovery(&realm, &inside).await["issuer"], realm.issuer());
}
