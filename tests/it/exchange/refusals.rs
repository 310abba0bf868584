//! What a provider's refusal becomes (keycloak.md §1.6, product.md §4), and for how long it is remembered.

use obo_proxy::dev::identity_provider::Endpoint;
use serde_json::json;

use crate::house::House;
use crate::verdict::{INVALID, MALFORMED, OPEN, UNAVAILABLE, verdict};

const MISCONFIGURED: &str = "502 idp_misconfigured";
const REFUSED: &str = "403 exchange_refused";

/// Keycloak's table, each row as it was measured.
#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_keycloaks_table_is_told_to_whom_it_concerns() {
    let house = House::open().await;
    let sender = "Sender-constrained token exchange rejected as the token was not issued for the requesting client";
    for (status, error, description, told) in [
        (400, "invalid_request", "Invalid token", INVALID),
        (400, "invalid_grant", "Session not active", INVALID),
        (403, "access_denied", "Client is not within the token audience", REFUSED),
        (400, "invalid_request", sender, REFUSED),
        (400, "invalid_request", "DPoP proof is missing", REFUSED),
        (403, "access_denied", "not allowed by policy", REFUSED),
        (400, "invalid_request", "Standard token exchange is not enabled for the requested client", MISCONFIGURED),
        (400, "invalid_request", "Requested audience not available: nextcloud", MISCONFIGURED),
        (400, "invalid_request", "requested_token_type unsupported", MISCONFIGURED),
        (400, "invalid_request", "Missing form parameter: grant_type", MISCONFIGURED),
        (400, "invalid_request", "duplicated parameter", MISCONFIGURED),
        (400, "invalid_request", "Parameter 'subject_token' supports access tokens only", MISCONFIGURED),
        (403, "invalid_request", "HTTPS required", MISCONFIGURED),
        (403, "access_denied", "Realm not enabled", MISCONFIGURED),
        (400, "unsupported_grant_type", "Unsupported grant_type", MISCONFIGURED),
        (400, "invalid_client", "Missing client_id parameter", MISCONFIGURED),
        (401, "invalid_client", "Invalid client or Invalid client credentials", MISCONFIGURED),
        (401, "unauthorized_client", "Invalid client or Invalid client credentials", MISCONFIGURED),
        (400, "invalid_client", "Bearer-only not allowed", MISCONFIGURED),
        (400, "invalid_client", "Public client is not allowed to exchange token", MISCONFIGURED),
        (400, "invalid_client", "Audience not found", MISCONFIGURED),
        (400, "invalid_client", "Client disabled", MISCONFIGURED),
        (400, "invalid_scope", "Invalid scopes: files.read", MISCONFIGURED),
        (400, "invalid_scope", "Missing consents for Token Exchange in client mcp-server", MISCONFIGURED),
        (400, "something_new", "in Keycloak 27", MISCONFIGURED),
    ] {
        let body = json!({ "error": error, "error_description": description }).to_string();
        house.provider.fail_exchanges_with(status, &body);
        let response = house.get(OPEN, &house.token("alice")).await;
        let text = response.text().await.unwrap();
        let told_body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told_body["error"], told.split_once(' ').unwrap().1, "{status} {error}: {description}");
        assert_eq!(house.verdict(&house.token("alice")).await, told, "{status} {error}: {description}");
        assert!(!text.contains(description), "the provider's words are not the caller's: {text}");
    }
    assert!(house.nextcloud.seen().is_empty());
    house.provider.recover(Endpoint::Exchange);
    assert_eq!(house.verdict(&house.token("alice")).await, "200");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_503_and_what_is_no_oauth_error_is_malformed() {
    let house = House::open().await;
    for (status, body, told) in [
        (500, "", UNAVAILABLE),
        (502, "<html>", UNAVAILABLE),
        (503, r#"{"error":"invalid_request","error_description":"Invalid token"}"#, UNAVAILABLE),
        (429, "", UNAVAILABLE),
        (400, "", MALFORMED),
        (400, "<html>", MALFORMED),
        (404, "{}", MALFORMED),
        (401, r#"{"error":7}"#, MALFORMED),
    ] {
        house.provider.fail_exchanges_with(status, body);
        let response = house.get(OPEN, &house.token("alice")).await;
        assert_eq!(response.headers().contains_key("retry-after"), told == UNAVAILABLE, "{status}");
        assert_eq!(verdict(response).await, told, "{status} {body}");
    }
    house.close().await;
}

/// product.md §3: definite refusals are cached for seconds, never longer.
#[tokio::test(flavor = "multi_thread")]
async fn definite_refusals_are_remembered_for_seconds_and_never_longer() {
    for (status, error, description, told) in [
        (400, "invalid_request", "Invalid token", INVALID),
        (403, "access_denied", "no", REFUSED),
        (400, "invalid_scope", "Invalid scopes: x", MISCONFIGURED),
        (400, "", "", MISCONFIGURED),
    ] {
        let house = House::open().await;
        let token = house.token("alice");
        let body = json!({ "error": error, "error_description": description }).to_string();
        house.provider.fail_exchanges_with(status, &body);
        for _ in 0..10 {
            assert_eq!(house.verdict(&token).await, told);
        }
        assert_eq!(house.exchanges(), 1, "{description}: each call cost an exchange");
        house.provider.recover(Endpoint::Exchange);
        house.pass(15);
        assert_eq!(house.verdict(&token).await, "200", "{description}: it was remembered too long");
        house.close().await;
    }
}

/// An outage is no verdict, and is not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_not_remembered() {
    let house = House::open().await;
    let token = house.token("alice");
    house.provider.fail_exchanges_with(503, "");
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    house.provider.recover(Endpoint::Exchange);
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}

/// A renewal that the provider refuses because the session is over ends the held token at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_found_ended_at_a_renewal_ends_what_is_held() {
    let house = House::open().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    house.provider.logout(&sid);
    house.pass(90);
    let _ = house.verdict(&token).await;
    house.until("the renewal is refused", async || house.verdict(&token).await == INVALID).await;
    assert_eq!(house.exchanges(), 2);
    house.close().await;
}
