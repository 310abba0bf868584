//! Signing in: the code flow with PKCE, its page, and refreshing.

use obo_proxy::dev::identity_provider::IdentityProvider;
use reqwest::{Response, Url};
use serde_json::{Value, json};

use super::client::{VERIFIER, challenge, claims, client, introspect, parameter, provider, refusal, refused};

/// The login page of a request, and its form's hidden value.
pub async fn login_page(provider: &IdentityProvider, changes: &[(&str, &str)]) -> Response {
    let challenge = challenge();
    let mut query = vec![
        ("client_id", "mcp-client"),
        ("redirect_uri", "http://127.0.0.1:49152/callback"),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("code_challenge", challenge.as_str()),
        ("state", "a \"state\"<>"),
        ("nonce", "once"),
        ("scope", "openid files.read"),
    ];
    for (name, value) in changes {
        query.retain(|(known, _)| known != name);
        if !value.is_empty() {
            query.push((name, value));
        }
    }
    let url = Url::parse_with_params(&format!("{}/protocol/openid-connect/auth", provider.issuer()), query).unwrap();
    client().get(url).send().await.unwrap()
}

pub async fn code(provider: &IdentityProvider, changes: &[(&str, &str)]) -> Url {
    let page = login_page(provider, changes).await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    let id = html.split("name=\"page\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = client()
        .post(format!("{}/login-actions/authenticate", provider.issuer()))
        .form(&[("page", id.as_str()), ("username", "alice")])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

async fn redeem(provider: &IdentityProvider, code: &str, verifier: &str) -> Response {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", "mcp-client"),
        ("redirect_uri", "http://127.0.0.1:49152/callback"),
        ("code", code),
    ];
    if !verifier.is_empty() {
        form.push(("code_verifier", verifier));
    }
    client().post(provider.token_endpoint()).form(&form).send().await.unwrap()
}

async fn refresh(provider: &IdentityProvider, token: &str) -> Response {
    let form = [("grant_type", "refresh_token"), ("client_id", "mcp-client"), ("refresh_token", token)];
    client().post(provider.token_endpoint()).form(&form).send().await.unwrap()
}

#[tokio::test]
async fn a_code_login_gives_a_token_of_the_recorded_shape() {
    let provider = provider().await;
    let back = code(&provider, &[]).await;
    assert_eq!(parameter(&back, "state"), "a \"state\"<>");
    assert_eq!(parameter(&back, "iss"), provider.issuer());
    let body: Value = redeem(&provider, &parameter(&back, "code"), VERIFIER).await.json().await.unwrap();
    let access = claims(body["access_token"].as_str().unwrap());
    assert_eq!(access["aud"], "mcp-server");
    assert_eq!(access["azp"], "mcp-client");
    assert_eq!(access["typ"], "Bearer");
    assert_eq!(access["preferred_username"], "alice");
    assert_eq!(access["scope"], "openid files.read profile email");
    assert!(access["jti"].as_str().unwrap().starts_with("onrtac:"));
    assert_eq!(access["exp"].as_u64().unwrap() - access["iat"].as_u64().unwrap(), 8 * 3600);
    let id = claims(body["id_token"].as_str().unwrap());
    assert_eq!((&id["nonce"], &id["aud"]), (&json!("once"), &json!("mcp-client")));
}

#[tokio::test]
async fn a_login_without_scopes_gets_all_of_them() {
    let provider = provider().await;
    let back = code(&provider, &[("scope", "")]).await;
    let body: Value = redeem(&provider, &parameter(&back, "code"), VERIFIER).await.json().await.unwrap();
    let scope = body["scope"].as_str().unwrap();
    assert!(["nc.read", "files.write", "status.write"].iter().all(|name| scope.split(' ').any(|known| known == *name)));
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_verifier_only() {
    let provider = provider().await;
    let again = parameter(&code(&provider, &[]).await, "code");
    let first: Value = redeem(&provider, &again, VERIFIER).await.json().await.unwrap();
    let second = refusal(redeem(&provider, &again, VERIFIER).await).await;
    assert_eq!(second, refused(400, "invalid_grant", "Code not valid"));
    // RFC 6749 §4.1.2: what the first use gave is gone as well.
    let token = first["access_token"].as_str().unwrap();
    assert_eq!(introspect(&provider, token, "mcp-server", "mcp-server-secret").await["active"], false);

    let wrong = parameter(&code(&provider, &[]).await, "code");
    let answer = refusal(redeem(&provider, &wrong, &VERIFIER.replace('a', "b")).await).await;
    assert_eq!(answer, refused(400, "invalid_grant", "PKCE verification failed: Code mismatch"));
    let none = parameter(&code(&provider, &[]).await, "code");
    let answer = refusal(redeem(&provider, &none, "").await).await;
    assert_eq!(answer, refused(400, "invalid_grant", "PKCE code verifier not specified"));
}

#[tokio::test]
async fn a_foreign_redirect_uri_is_never_followed() {
    let provider = provider().await;
    for uri in
        ["https://evil.example/", "http://127.0.0.1.evil.example/", "http://user@127.0.0.1/", "javascript:alert(1)", ""]
    {
        let page = login_page(&provider, &[("redirect_uri", uri)]).await;
        assert_eq!(page.status(), 400, "{uri}");
        assert!(page.headers().get("location").is_none());
    }
    for uri in ["http://localhost:1/x", "http://[::1]:65535/cb?x=1"] {
        assert_eq!(login_page(&provider, &[("redirect_uri", uri)]).await.status(), 200, "{uri}");
    }
}

#[tokio::test]
async fn what_the_login_page_reflects_is_escaped() {
    let provider = provider().await;
    let page = login_page(&provider, &[]).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(policy.contains("form-action 'self' http://127.0.0.1:49152;"), "{policy}");
    assert!(!page.text().await.unwrap().contains("<>"));
    let bad = login_page(&provider, &[("scope", "<script>alert(1)</script>")]).await;
    assert_eq!(bad.status(), 302);
    assert!(!bad.headers()["location"].to_str().unwrap().contains('<'));
}

#[tokio::test]
async fn faults_of_the_request_go_back_to_the_client() {
    let provider = provider().await;
    for (change, error) in [
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("prompt", "none"), "login_required"),
        (("scope", "files.everything"), "invalid_scope"),
    ] {
        let answer = login_page(&provider, &[change]).await;
        let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        assert_eq!(parameter(&back, "error"), error);
        assert_eq!(parameter(&back, "iss"), provider.issuer());
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_replay_costs_the_grant() {
    let provider = provider().await;
    let back = code(&provider, &[]).await;
    let body: Value = redeem(&provider, &parameter(&back, "code"), VERIFIER).await.json().await.unwrap();
    let old = body["refresh_token"].as_str().unwrap().to_owned();
    let next: Value = refresh(&provider, &old).await.json().await.unwrap();
    assert!(claims(next["access_token"].as_str().unwrap())["jti"].as_str().unwrap().starts_with("onrtrt:"));
    let replay = refusal(refresh(&provider, &old).await).await;
    assert_eq!(replay, refused(400, "invalid_grant", "Maximum allowed refresh token reuse exceeded"));
    let then = refusal(refresh(&provider, next["refresh_token"].as_str().unwrap()).await).await;
    assert_eq!(then, refused(400, "invalid_grant", "Session doesn't have required client"));
}
