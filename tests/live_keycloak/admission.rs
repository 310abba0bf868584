//! Who may exchange a token, and how it proves who it is.

use crate::answer::Claims;
use crate::exchange::Requester;
use crate::keycloak::Keycloak;
use crate::realm::Realm;

const BAD_CLIENT: &str = "Invalid client or Invalid client credentials";
const SWITCHED_OFF: &str = "Standard token exchange is not enabled for the requested client";

#[tokio::test]
async fn a_requester_outside_the_audience_of_the_subject_token_is_refused() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login_at("mcp-client-noaud", "alice", "alice", &[]).await;
    assert!(!tokens.claims().aud().contains("mcp-server"));
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    answer.is_refused(403, "access_denied", "Client is not within the token audience");
}

#[tokio::test]
async fn a_requester_without_the_switch_is_refused() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let answer = realm.exchange(&tokens.access).by("mcp-server-off").audience("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", SWITCHED_OFF);
    let answer = realm.exchange(&tokens.access).by("nextcloud").send().await;
    answer.is_refused(400, "invalid_request", SWITCHED_OFF);
}

#[tokio::test]
async fn a_public_client_cannot_exchange_even_its_own_token() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let own = realm.exchange(&tokens.access).authenticated(Requester::IdOnly("mcp-client".into())).send().await;
    own.is_refused(400, "invalid_request", SWITCHED_OFF);
}

#[tokio::test]
async fn the_switch_does_nothing_for_a_public_client() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let public = Requester::IdOnly("mcp-server-public".into());
    let answer = realm.exchange(&tokens.access).authenticated(public).send().await;
    answer.is_refused(400, "invalid_client", "Public client is not allowed to exchange token");
}

#[tokio::test]
async fn a_wrong_secret_no_secret_and_an_unknown_client_share_one_text_but_not_one_error() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    for (requester, error) in [
        (Requester::Basic("mcp-server".into(), "wrong".into()), "unauthorized_client"),
        (Requester::Post("mcp-server".into(), "wrong".into()), "unauthorized_client"),
        (Requester::IdOnly("mcp-server".into()), "unauthorized_client"),
        (Requester::Basic("nobody".into(), "wrong".into()), "invalid_client"),
    ] {
        let answer = realm.exchange(&tokens.access).authenticated(requester).send().await;
        answer.is_refused(401, error, BAD_CLIENT);
    }
}

#[tokio::test]
async fn a_secret_with_reserved_characters_goes_by_post_as_it_is_and_by_basic_form_urlencoded() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let id = || "mcp-server-odd".to_owned();
    let secret = || realm.secret("mcp-server-odd");
    for good in [Requester::Basic(id(), secret()), Requester::Post(id(), secret())] {
        realm.exchange(&tokens.access).authenticated(good).audience("nextcloud").send().await.ok();
    }
    // Unencoded, `%+` is a broken escape: not even "invalid credentials".
    let raw = realm.exchange(&tokens.access).authenticated(Requester::BasicRaw(id(), secret())).send().await;
    raw.is_refused(400, "unauthorized_client", "Unexpected error when authenticating client");
}

#[tokio::test]
async fn a_requester_may_exchange_the_token_of_its_own_service_account() {
    let Some(realm) = Realm::shared().await else { return };
    let own = realm.service_account("mcp-server-service").await;
    let claims = Claims::of(&own);
    assert!(claims["jti"].as_str().unwrap().starts_with("trrtcc:"), "{}", claims["jti"]);
    assert_eq!(claims["preferred_username"], "service-account-mcp-server-service");
    assert!(!claims.has("sid"));

    // What obo-proxy must never send to Nextcloud: good for it in every respect but these marks.
    let exchanged = realm.exchange(&own).by("mcp-server-service").audience("nextcloud").send().await.claims();
    assert!(exchanged["jti"].as_str().unwrap().starts_with("trrtte:"), "{}", exchanged["jti"]);
    assert_eq!(exchanged["aud"], "nextcloud");
    assert_eq!(exchanged["preferred_username"], "service-account-mcp-server-service");
    assert!(!exchanged.has("sid"));
}

#[tokio::test]
async fn an_exchanged_token_can_be_exchanged_again_by_whoever_is_in_its_audience() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    // `mcp-server-two` names `nextcloud` and `mcp-server`; the second step is admitted by the latter alone.
    let first = realm.exchange(&tokens.access).by("mcp-server-two").audience("mcp-server").send().await.token();
    let second = realm.exchange(&first).audience("nextcloud").send().await.claims();
    assert_eq!((&second["sub"], &second["sid"]), (&tokens.claims()["sub"], &tokens.claims()["sid"]));
    // Its own token a requester may exchange without any audience.
    let own = realm.exchange(&tokens.access).audience("nextcloud").send().await.token();
    realm.exchange(&own).audience("nextcloud").send().await.ok();
}

#[tokio::test]
async fn discovery_names_the_exchange_grant() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::operators(&kc);
    let discovery = realm.get(kc.url("realms/mcp/.well-known/openid-configuration")).await.ok();
    let grants = discovery["grant_types_supported"].as_array().unwrap();
    assert!(grants.iter().any(|it| it == crate::exchange::GRANT), "{grants:?}");
}
