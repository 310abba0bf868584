//! Discovery, keys, introspection, revocation.

use serde_json::{Value, json};

use super::client::{client, exchange, introspect, provider, refusal, refused};

#[tokio::test]
async fn discovery_is_found_on_both_paths() {
    let provider = provider().await;
    let issuer = provider.issuer();
    let origin = issuer.strip_suffix("/realms/dev").unwrap();
    for url in [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server/realms/dev"),
    ] {
        let document: Value = client().get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["issuer"], issuer);
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    }
    assert_eq!(provider.counts().discovery(), 2);
}

#[tokio::test]
async fn introspection_answers_only_whom_the_token_is_for() {
    let provider = provider().await;
    let token = provider.mint("alice").sign().unwrap();
    let seen = introspect(&provider, &token, "mcp-server", "mcp-server-secret").await;
    assert_eq!(
        (&seen["active"], &seen["username"], &seen["client_id"]),
        (&json!(true), &json!("alice"), &json!("mcp-client"))
    );
    let nextcloud = introspect(&provider, &token, "nextcloud", "nextcloud-secret").await;
    assert_eq!(nextcloud, json!({ "active": false }));
    let exchanged = provider.mint_exchanged("alice").sign().unwrap();
    assert_eq!(introspect(&provider, &exchanged, "mcp-server", "mcp-server-secret").await["active"], false);
    assert_eq!(introspect(&provider, &exchanged, "nextcloud", "nextcloud-secret").await["active"], true);
    assert_eq!(
        introspect(&provider, &token, "mcp-server", "wrong").await["error_description"],
        "Authentication failed."
    );
}

#[tokio::test]
async fn an_opaque_token_means_what_the_jwt_would() {
    let provider = provider().await;
    let token = provider.mint("alice");
    let sid = token.sid().unwrap().to_owned();
    let opaque = token.opaque();
    assert!(!opaque.contains('.'));
    let seen = introspect(&provider, &opaque, "mcp-server", "mcp-server-secret").await;
    assert_eq!((&seen["active"], &seen["preferred_username"]), (&json!(true), &json!("alice")));
    assert_eq!(exchange(&provider, &[], &opaque).await.status(), 200);
    provider.logout(&sid);
    assert_eq!(introspect(&provider, &opaque, "mcp-server", "mcp-server-secret").await["active"], false);
}

#[tokio::test]
async fn a_client_revokes_its_own_tokens_only() {
    let provider = provider().await;
    let token = provider.mint("alice").sign().unwrap();
    let url = format!("{}/protocol/openid-connect/revoke", provider.issuer());
    let foreign = [("token", token.as_str()), ("client_id", "mcp-server"), ("client_secret", "mcp-server-secret")];
    let answer = refusal(client().post(&url).form(&foreign).send().await.unwrap()).await;
    assert_eq!(answer, refused(400, "invalid_request", "Unmatching clients"));
    let own = [("token", token.as_str()), ("client_id", "mcp-client")];
    let answer = client().post(&url).form(&own).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(refusal(exchange(&provider, &[], &token).await).await.2, "Invalid token");
    let garbage = [("token", "garbage"), ("client_id", "mcp-client")];
    let answer = refusal(client().post(&url).form(&garbage).send().await.unwrap()).await;
    assert_eq!(answer, refused(200, "invalid_token", "Invalid token"));
}

#[tokio::test]
async fn keys_rotate_and_go() {
    let provider = provider().await;
    let kids = || async {
        let set: Value = client().get(provider.jwks_uri()).send().await.unwrap().json().await.unwrap();
        let keys = set["keys"].as_array().unwrap().clone();
        keys.iter()
            .map(|key| (key["use"].as_str().unwrap().to_owned(), key["kid"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let first = provider.current_kid();
    let before = provider.mint("alice").sign().unwrap();
    assert_eq!(kids().await.iter().map(|(usage, _)| usage.as_str()).collect::<Vec<_>>(), ["sig", "enc"]);
    provider.rotate_keys().unwrap();
    assert_ne!(provider.current_kid(), first);
    assert_eq!(kids().await.len(), 3);
    assert_eq!(exchange(&provider, &[], &before).await.status(), 200);
    provider.drop_old_keys();
    assert!(!kids().await.iter().any(|(_, kid)| *kid == first));
    assert_eq!(exchange(&provider, &[], &before).await.status(), 400);
    assert_eq!(provider.counts().jwks(), 3);
}

#[tokio::test]
async fn a_provider_that_is_down_refuses_and_comes_back_on_its_port() {
    let provider = provider().await;
    let client = client();
    assert_eq!(client.get(provider.jwks_uri()).send().await.unwrap().status(), 200);
    provider.refuse_connections().await;
    assert!(client.get(provider.jwks_uri()).send().await.unwrap_err().is_connect());
    provider.resume().await.unwrap();
    assert_eq!(client.get(provider.jwks_uri()).send().await.unwrap().status(), 200);
    provider.shutdown();
}
