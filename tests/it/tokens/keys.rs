//! Algorithms, keys and the JOSE header.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::config::Config;
use obo_proxy::dev::identity_provider::{Algorithm, Endpoint, Signature};
use serde_json::json;

use crate::house::{House, Plan};
use crate::verdict::{INVALID, UNAVAILABLE};

/// Checklist row 13: RS256, ES256, EdDSA and PS256, if nothing else is configured; a good signature of another algorithm does not help.
#[tokio::test(flavor = "multi_thread")]
async fn four_asymmetric_algorithms_are_accepted_by_default_and_no_other() {
    let house = House::open().await;
    let publish = |algorithm| house.provider.publish_key(algorithm).unwrap();
    let accepted = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256].map(publish);
    let refused = publish(Algorithm::Rs512);
    house.pass(10);
    assert_eq!(house.judge(house.provider.mint("alice")).await, "200");
    for kid in accepted {
        assert_eq!(house.judge(house.provider.mint("alice").signed(Signature::Key(kid))).await, "200");
    }
    assert_eq!(house.own_judgement(house.provider.mint("alice").signed(Signature::Key(refused))).await, INVALID);
    house.close().await;
}

/// Checklist row 13: no `none`, no HMAC with the public key, no other signer, no broken signature.
#[tokio::test(flavor = "multi_thread")]
async fn unsigned_hmac_foreign_and_broken_signatures_are_refused() {
    let house = House::open().await;
    for signature in [Signature::None, Signature::PublicKeyAsHmac, Signature::Rogue, Signature::Broken] {
        let token = house.provider.mint("alice").signed(signature.clone());
        assert_eq!(house.own_judgement(token).await, INVALID, "{signature:?}");
    }
    // `none` with a `kid` is no better, and HS256 neither under another spelling.
    let unsigned = house.provider.mint("alice").signed(Signature::None).header("kid", house.provider.current_kid());
    assert_eq!(house.own_judgement(unsigned).await, INVALID);
    let spelled = house.provider.mint("alice").signed(Signature::PublicKeyAsHmac).header("alg", "hs256");
    assert_eq!(house.own_judgement(spelled).await, INVALID);
    assert_eq!(house.exchanges(), 0);
    assert_eq!(house.nextcloud.seen().len(), 0);
    house.close().await;
}

/// Checklist row 13: an RSA key that is published for RS256 verifies neither PS256 nor what says ES256. That is the token's fault and
/// never the provider's: the key is known, so nobody has to be asked, cooldown or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_verifies_only_what_it_is_published_for() {
    let house = House::open().await;
    let fetches = house.provider.counts().jwks();
    for algorithm in [Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
        for cooldown in [0, 10] {
            house.pass(cooldown);
            let token = house.provider.mint("alice").signed(Signature::RealmAs(algorithm));
            assert_eq!(house.own_judgement(token).await, INVALID, "{algorithm:?} after {cooldown} s");
        }
    }
    assert_eq!(house.provider.counts().jwks(), fetches, "a stranger made us fetch");
    house.close().await;
}

/// Checklist row 13: the list is the issuer's, in the configuration.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_restricted_to_one_algorithm_accepts_no_other() {
    let house = Plan { issuer_lines: "algorithms = [\"ES256\"]".into(), ..Plan::default() }.build().await;
    let kid = house.provider.publish_key(Algorithm::Es256).unwrap();
    house.pass(10);
    house.provider.tamper_exchange({
        let kid = kid.clone();
        move |answer| answer.signature = Signature::Key(kid.clone())
    });
    assert_eq!(house.own_judgement(house.provider.mint("alice")).await, INVALID);
    let good = house.provider.mint("alice").signed(Signature::Key(kid)).sign().unwrap();
    assert_eq!(house.verdict(&good).await, "200");
    house.close().await;
}

/// Checklist rows 13 and 36: what cannot prove who signed, or grants more than a minute, is a fault of the configuration.
#[test]
fn symmetric_algorithms_and_a_long_leeway_are_no_configuration() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s").unwrap();
    let faults = |line: &str| {
        let toml = format!(
            "public_url = \"http://127.0.0.1:1\"\n[nextcloud]\nurl = \"http://127.0.0.1:2\"\n[issuers.dev]\n\
             issuer = \"http://127.0.0.1:3/realms/dev\"\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n{line}\n",
            secret.path()
        );
        Config::resolve(Figment::new().merge(Toml::string(&toml))).err().map(|faults| faults.to_string())
    };
    assert_eq!(faults(""), None);
    assert_eq!(faults("leeway = \"60s\""), None);
    assert!(faults("leeway = \"61s\"").unwrap().contains("leeway"));
    for algorithm in ["HS256", "HS384", "HS512", "none", "RSA-OAEP"] {
        assert!(faults(&format!("algorithms = [\"{algorithm}\"]")).unwrap().contains("algorithms"), "{algorithm}");
    }
}

/// Checklist row 13: where keys come from is configuration. A token with its own key, or the address of one, is judged by ours.
#[tokio::test(flavor = "multi_thread")]
async fn keys_and_addresses_of_keys_in_the_header_are_ignored() {
    let house = House::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}/keys", listener.local_addr().unwrap());

    let own = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(own.public_key().as_ref()) });
    let header =
        json!({ "alg": "EdDSA", "kid": house.provider.current_kid(), "jwk": jwk, "jku": elsewhere, "x5u": elsewhere });
    let claims = serde_json::Value::Object(house.provider.mint("alice").claims().clone());
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(own.sign(message.as_bytes())));
    assert_eq!(house.verdict(&forged).await, INVALID);

    let token =
        house.provider.mint("alice").header("jku", elsewhere.clone()).header("x5u", elsewhere).header("jwk", jwk);
    assert_eq!(house.judge(token).await, "200");
    let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "somebody asked for keys where the token said");
    house.close().await;
}

/// Checklist row 14.
#[tokio::test(flavor = "multi_thread")]
async fn critical_header_parameters_are_refused() {
    let house = House::open().await;
    for crit in [json!(["exp"]), json!(["b64"]), json!(["urn:example:unknown"]), json!([]), json!("exp")] {
        let token = house.provider.mint("alice").header("crit", crit.clone());
        assert_eq!(house.own_judgement(token).await, INVALID, "{crit}");
    }
    let unencoded = house.provider.mint("alice").header("b64", false).header("crit", json!(["b64"]));
    assert_eq!(house.own_judgement(unencoded).await, INVALID);
    house.close().await;
}

/// A token without `kid` names no key; the encryption key that Keycloak publishes beside the others (`use: enc`) verifies nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_key_id_or_with_that_of_the_encryption_key_is_refused() {
    let house = House::open().await;
    house.pass(10);
    for kid in [serde_json::Value::Null, json!("obo-dev-encryption"), json!("")] {
        let token = house.provider.mint("alice").header("kid", kid.clone());
        assert_eq!(house.own_judgement(token).await, INVALID, "{kid}");
        house.pass(10);
    }
    house.close().await;
}

/// product.md §3: an unknown `kid` fetches once; inside ten seconds the answer is 503, not 401, and strangers make no more fetches.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_key_ids_cost_one_fetch_in_ten_seconds_and_answer_503_meanwhile() {
    let house = House::open().await;
    let stranger = |kid: &str| house.provider.mint("alice").header("kid", kid).sign().unwrap();
    let fetches = || house.provider.counts().jwks();
    let first = fetches();
    assert_eq!(house.verdict(&stranger("a")).await, UNAVAILABLE, "the keys were fetched a moment ago");
    assert_eq!(fetches(), first);
    house.pass(10);
    assert_eq!(house.verdict(&stranger("b")).await, INVALID, "the issuer was asked just now");
    assert_eq!(fetches(), first + 1);
    for number in 0..50 {
        let response = house.get(crate::verdict::OPEN, &stranger(&number.to_string())).await;
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(crate::verdict::verdict(response).await, UNAVAILABLE);
    }
    house.pass(9);
    assert_eq!(house.verdict(&stranger("c")).await, UNAVAILABLE);
    assert_eq!(fetches(), first + 1);
    assert_eq!(house.verdict(&house.token("alice")).await, "200", "nobody else is troubled");
    house.close().await;
}

/// product.md §3: one flight for all who come with the new key.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_followed_with_one_fetch_for_all() {
    let house = House::open().await;
    let (old, fetches) = (house.token("alice"), house.provider.counts().jwks());
    assert_eq!(house.verdict(&old).await, "200");
    house.provider.rotate_keys().unwrap();
    house.pass(10);
    house.provider.hold(Endpoint::Jwks);
    let tokens: Vec<_> = (0..20).map(|_| house.token("bob")).collect();
    let mut callers = tokio::task::JoinSet::new();
    for token in &tokens {
        callers.spawn(house.request("GET", crate::verdict::OPEN, token).send());
    }
    house.until("the keys are fetched", async || house.provider.counts().jwks() == fetches + 1).await;
    house.provider.release(Endpoint::Jwks);
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), 200);
    }
    assert_eq!(house.provider.counts().jwks(), fetches + 1);
    assert_eq!(house.verdict(&old).await, "200", "the old key is still published");
    house.close().await;
}

/// product.md §3: last good keys are kept for an hour while the issuer is down.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_keys_serve_for_an_hour_while_the_issuer_is_down() {
    let house = House::open().await;
    let (unknown, long) =
        (house.provider.mint("alice").header("kid", "new").sign().unwrap(), Duration::from_secs(90_000));
    let bad = |audience: &str| house.provider.mint("alice").audiences(&[audience]).lifetime(long).sign().unwrap();
    let (early, late) = (bad("a"), bad("b"));
    house.provider.refuse_connections().await;
    house.pass(3_590);
    assert_eq!(house.verdict(&early).await, INVALID, "the signature could be checked, the audience is wrong");
    assert_eq!(house.verdict(&unknown).await, UNAVAILABLE);
    house.pass(10);
    assert_eq!(house.verdict(&late).await, UNAVAILABLE, "after an hour nobody knows what the keys are");
    house.provider.resume().await.unwrap();
    house.pass(10);
    assert_eq!(house.verdict(&late).await, INVALID);
    house.close().await;
}

/// Law 8: after an hour without the issuer what it vouched for is over as well. In mode `basic`, where no exchange would notice.
#[tokio::test(flavor = "multi_thread")]
async fn remembered_tokens_end_with_their_issuers_last_good_keys() {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "app-Password-1234").unwrap();
    let plan = Plan {
        top: "mode = \"basic\"".into(),
        nextcloud_lines: format!("username = \"alice\"\npassword_file = {:?}", password.path()),
        nextcloud: Some(Box::new(|options| {
            options.app_passwords.push(("alice".into(), "app-Password-1234".to_owned().into()));
        })),
        ..Plan::default()
    };
    let house = plan.build().await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    house.provider.refuse_connections().await;
    for seconds in [3_590, 20] {
        house.pass(seconds);
        assert_eq!(house.verdict(&token).await, "200", "no look at the keys has failed after that hour yet");
    }
    let unknown = house.provider.mint("alice").header("kid", "unknown").sign().unwrap();
    assert_eq!(house.verdict(&unknown).await, UNAVAILABLE, "a look at the keys, which fails");
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    house.provider.resume().await.unwrap();
    house.pass(10);
    assert_eq!(house.verdict(&token).await, "200", "the issuer is back");
    house.close().await;
}
