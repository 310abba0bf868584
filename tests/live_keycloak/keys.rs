//! What tokens are signed with, and what becomes of them when keys change.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::keycloak::Keycloak;
use crate::realm::Realm;

async fn jwks(realm: &Realm) -> JwkSet {
    serde_json::from_value(realm.get(realm.endpoint("certs")).await.ok()).unwrap()
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.expect("a kid")
}

/// Verifies as obo-proxy does: the key by `kid` among those for signatures, the algorithm not from the token.
fn verified(token: &str, keys: &JwkSet, issuer: &str) -> Option<Value> {
    let key = keys.find(&kid(token)).filter(|it| it.common.public_key_use == Some(PublicKeyUse::Signature))?;
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_issuer(&[issuer]);
    rules.validate_aud = false;
    Some(decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules).ok()?.claims)
}

#[tokio::test]
async fn among_the_published_keys_is_one_for_encryption_sometimes_the_first() {
    let Some(realm) = Realm::shared().await else { return };
    let keys = jwks(&realm).await;
    let uses: Vec<_> = keys.keys.iter().map(|it| it.common.public_key_use.clone().unwrap()).collect();
    assert_eq!(uses.len(), 2);
    assert!(uses.contains(&PublicKeyUse::Signature) && uses.contains(&PublicKeyUse::Encryption), "{uses:?}");
    let tokens = realm.alice().await;
    assert!(verified(&tokens.access, &keys, &realm.issuer()).is_some());
}

#[tokio::test]
async fn the_published_keys_forbid_to_be_cached() {
    let Some(realm) = Realm::shared().await else { return };
    let answer = realm.get(realm.endpoint("certs")).await;
    assert_eq!(answer.headers["cache-control"], "no-cache");
}

#[tokio::test]
async fn a_new_key_signs_at_once_and_the_old_one_is_good_until_it_is_disabled() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "rotation").await;
    let old = realm.alice().await;
    let known = jwks(&realm).await;
    let retired = realm.rotate_keys().await;

    // The new kid is unknown to whoever fetched the keys before.
    let new = realm.alice().await;
    assert_ne!(kid(&new.access), kid(&old.access));
    assert!(known.find(&kid(&new.access)).is_none());
    let exchanged = realm.exchange(&old.access).audience("nextcloud").send().await.token();
    assert_eq!(kid(&exchanged), kid(&new.access));

    // Passive: published still, tokens of it good.
    for key in &retired {
        realm.retire_key(key, true).await;
    }
    let keys = jwks(&realm).await;
    assert!(verified(&old.access, &keys, &realm.issuer()).is_some());
    assert!(verified(&new.access, &keys, &realm.issuer()).is_some());
    realm.exchange(&old.access).audience("nextcloud").send().await.ok();

    // Disabled: gone, and tokens of it with it; the session is not.
    for key in &retired {
        realm.retire_key(key, false).await;
    }
    let keys = jwks(&realm).await;
    assert!(keys.keys.iter().filter_map(|it: &Jwk| it.common.key_id.clone()).all(|it| it != kid(&old.access)));
    assert!(verified(&old.access, &keys, &realm.issuer()).is_none());
    let answer = realm.exchange(&old.access).audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", "Invalid token");
    assert_eq!(realm.introspect("mcp-server", &old.access).await["active"], false);
    assert_eq!(realm.introspect("nextcloud", &exchanged).await["active"], true);
}
