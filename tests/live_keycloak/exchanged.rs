//! What an exchanged token, and the answer that brings it, look like.

use crate::exchange::{ACCESS_TOKEN, REFRESH_TOKEN};
use crate::realm::{Realm, now};

#[tokio::test]
async fn an_exchanged_token_names_the_same_user_and_session_and_the_requester() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let subject = tokens.claims();
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    assert_eq!(answer.body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["refresh_expires_in"], 0);
    assert_eq!(answer.body.get("refresh_token"), None);
    assert_eq!(answer.body.get("id_token"), None);
    assert_eq!(answer.headers["cache-control"], "no-store");

    let claims = answer.claims();
    assert_eq!(claims["iss"], realm.issuer());
    assert_eq!(claims["aud"], "nextcloud");
    assert_eq!(claims["azp"], "mcp-server");
    assert_eq!(claims["typ"], "Bearer");
    assert_eq!((&claims["sub"], &claims["sid"]), (&subject["sub"], &subject["sid"]));
    assert_eq!((&claims["preferred_username"], &claims["email"]), (&"alice".into(), &"alice@example.org".into()));
    assert!(!claims.has("act") && !claims.has("may_act") && !claims.has("realm_access"));
}

#[tokio::test]
async fn a_jti_tells_how_its_token_came_about() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let jti = |claims: &crate::answer::Claims| claims["jti"].as_str().unwrap().split(':').next().unwrap().to_owned();
    assert_eq!(jti(&tokens.claims()), "onrtac");
    let exchanged = realm.exchange(&tokens.access).audience("nextcloud").send().await.claims();
    assert_eq!(jti(&exchanged), "ntrtte");
}

#[tokio::test]
async fn an_exchanged_token_lives_as_long_as_the_requester_says_even_past_the_subject_token() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login_at("mcp-client-short", "alice", "alice", &[]).await;
    let before = now();
    let answer = realm.exchange(&tokens.access).audience("nextcloud").send().await;
    let claims = answer.claims();
    let exp = claims["exp"].as_u64().unwrap();
    assert!((before + 119..=now() + 121).contains(&exp), "{exp} at {before}");
    assert!(exp > tokens.claims()["exp"].as_u64().unwrap() + 100);
}

#[tokio::test]
async fn an_exchange_opens_no_session_and_makes_the_requester_no_part_of_one() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.login("carol", "carol", &[]).await;
    let before = realm.sessions("carol").await.len();
    realm.exchange(&tokens.access).audience("nextcloud").send().await.ok();
    let sessions = realm.sessions("carol").await;
    assert_eq!(sessions.len(), before);
    // So no back-channel logout ever reaches `mcp-server`: the login client has to send it.
    let session = sessions.iter().find(|it| it["id"] == tokens.sid()).unwrap();
    let clients: Vec<_> = session["clients"].as_object().unwrap().values().collect();
    assert_eq!(clients, ["mcp-client"]);
}

#[tokio::test]
async fn a_refresh_token_is_given_only_where_the_requester_may_have_one() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let request = |client: &str| {
        let request = realm.exchange(&tokens.access).by(client).without("requested_token_type");
        request.with("requested_token_type", REFRESH_TOKEN).audience("nextcloud")
    };
    let refused = request("mcp-server").send().await;
    refused.is_refused(400, "invalid_request", "requested_token_type unsupported");

    let given = request("mcp-server-refresh").send().await;
    assert_eq!(given.body["issued_token_type"], REFRESH_TOKEN);
    assert!(given.body["refresh_token"].is_string());
    assert_eq!(given.claims()["sid"], tokens.sid());
}
