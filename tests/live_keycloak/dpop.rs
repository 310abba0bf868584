//! Subject tokens that are bound to a key of the caller (DPoP, RFC 9449). A sidecar never holds that key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use url::Url;

use crate::browser::Tokens;
use crate::keycloak::Version;
use crate::realm::{Realm, now};

/// The first key pair of RFC 8032 §7.1: known to all, good for nothing but tests.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72,
    0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];
/// What stands before the seed of an Ed25519 key in PKCS #8 (RFC 8410 §7).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A proof of possession for one POST to this endpoint.
fn proof(endpoint: &Url) -> String {
    let public = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(PUBLIC)});
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("dpop+jwt".to_owned());
    header.jwk = Some(serde_json::from_value::<Jwk>(public).unwrap());
    let jti = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
    let claims = json!({"htm": "POST", "htu": endpoint.as_str(), "iat": now(), "jti": jti});
    encode(&header, &claims, &EncodingKey::from_ed_der(&[PKCS8.as_slice(), &SEED].concat())).unwrap()
}

#[tokio::test]
async fn a_token_bound_to_a_key_of_the_caller_is_exchanged_by_old_versions_and_loses_its_binding() {
    let Some(realm) = Realm::shared().await else { return };
    let code = realm.code("mcp-client", "alice", "alice", "openid").await;
    let answer = realm.redeem("mcp-client", &code, Some(&proof(&realm.endpoint("token")))).await;
    let tokens = Tokens::from(answer.ok());
    assert_eq!(tokens.answer["token_type"], "DPoP");
    assert!(tokens.claims()["cnf"]["jkt"].is_string(), "{:?}", tokens.claims());

    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    if realm.kc.version >= Version(26, 6, 0) {
        let text = "Sender-constrained token exchange rejected as the token was not issued for the requesting client";
        answer.is_refused(400, "invalid_request", text);
    } else {
        assert_eq!(answer.body["token_type"], "Bearer");
        assert!(!answer.claims().has("cnf"));
    }
}
