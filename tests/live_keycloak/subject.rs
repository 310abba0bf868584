//! Which tokens may be exchanged, and which requests are none.

use std::time::Duration;

use crate::exchange::{ACCESS_TOKEN, JWT, REFRESH_TOKEN};
use crate::keycloak::Version;
use crate::realm::{Realm, now};

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const INVALID: &str = "Invalid token";

#[tokio::test]
async fn every_token_that_is_no_good_gets_the_same_answer() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let (head, signature) = tokens.access.rsplit_once('.').unwrap();
    let tampered = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for bad in [&tokens.id, &tokens.refresh, &tampered, "garbage"] {
        let answer = realm.exchange(bad).audience("nextcloud").send().await;
        answer.is_refused(400, "invalid_request", INVALID);
    }
}

#[tokio::test]
async fn an_expired_token_is_not_exchanged() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login_at("mcp-client-short", "alice", "alice", &[]).await;
    let exp = tokens.claims()["exp"].as_u64().unwrap();
    // The server keeps the time of these, there is no other clock to turn.
    while now() <= exp {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", INVALID);
}

#[tokio::test]
async fn a_token_of_another_realm_is_not_exchanged() {
    let Some(realm) = Realm::shared().await else { return };
    let foreign = Realm::operators(&realm.kc).alice().await;
    let answer = realm.exchange(&foreign.access).audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", INVALID);
}

#[tokio::test]
async fn the_type_of_the_subject_token_must_be_said_and_be_access_token() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let request = || realm.exchange(&tokens.access).without("subject_token_type").audience("nextcloud");
    for other in [JWT, ID_TOKEN, REFRESH_TOKEN] {
        let answer = request().with("subject_token_type", other).send().await;
        answer.is_refused(400, "invalid_request", "Parameter 'subject_token' supports access tokens only");
    }
    let required = "Parameter 'subject_token_type' required for standard token exchange";
    request().send().await.is_refused(400, "invalid_request", required);
}

#[tokio::test]
async fn without_a_subject_token_there_is_no_exchange() {
    let Some(realm) = Realm::shared().await else { return };
    let answer = realm.exchange("").without("subject_token").audience("nextcloud").send().await;
    let required = "Parameter 'subject_token' required for standard token exchange";
    answer.is_refused(400, "invalid_request", required);
}

#[tokio::test]
async fn nobody_is_impersonated_while_v1_is_off() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    for name in ["requested_subject", "requested_issuer", "subject_issuer"] {
        let answer = realm.exchange(&tokens.access).audience("nextcloud").with(name, "bob").send().await;
        let text = format!("Parameter '{name}' is not supported for standard token exchange");
        answer.is_refused(400, "invalid_request", &text);
    }
    let naked = realm.exchange("").without("subject_token").with("requested_subject", "bob").send().await;
    let text = "Parameter 'requested_subject' is not supported for standard token exchange";
    naked.is_refused(400, "invalid_request", text);
}

#[tokio::test]
async fn other_types_of_token_are_not_to_be_had() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let request = || realm.exchange(&tokens.access).without("requested_token_type").audience("nextcloud");
    for other in [JWT, REFRESH_TOKEN, "urn:ietf:params:oauth:token-type:saml2"] {
        let answer = request().with("requested_token_type", other).send().await;
        answer.is_refused(400, "invalid_request", "requested_token_type unsupported");
    }
    // Access token is what one gets without asking.
    assert_eq!(request().send().await.ok()["issued_token_type"], ACCESS_TOKEN);
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused_unless_it_is_audience() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let twice = realm.exchange(&tokens.access).scope("files.read").scope("files.read").send().await;
    twice.is_refused(400, "invalid_request", "duplicated parameter");
    realm.exchange(&tokens.access).audience("nextcloud").audience("nextcloud").send().await.ok();
}

#[tokio::test]
async fn a_good_token_of_more_than_four_thousand_characters_is_exchanged() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login_at("mcp-client-big", "alice", "alice", &[]).await;
    assert!(tokens.access.len() > 6000, "{}", tokens.access.len());
    let claims = realm.exchange(&tokens.access).audience("nextcloud").send().await.claims();
    assert_eq!(claims["sub"], tokens.claims()["sub"]);
    assert!(!claims.has("long-1"), "claims of the login client do not cross");
}

#[tokio::test]
async fn a_token_of_twenty_five_thousand_characters_is_refused_and_never_dropped() {
    let Some(realm) = Realm::shared().await else { return };
    let answer = realm.exchange(&"x".repeat(25_000)).audience("nextcloud").send().await;
    // Dropped, it would have been a request without subject token: CVE-2026-9704.
    let text = if realm.kc.version >= Version(26, 6, 3) {
        "The size of OIDC parameter 'subject_token' is longer than allowed."
    } else {
        INVALID
    };
    answer.is_refused(400, "invalid_request", text);
}
