//! What clients need that nobody set up: registration (RFC 7591) and resource indicators (RFC 8707).

use obo_proxy::dev::identity_provider::{IdentityProvider, Options};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::client::{
    VERIFIER, claims, client, exchange, introspect, parameter, provider, provider_with, refusal, refused,
};
use super::login::{code, login_page};

const HERE: &str = "http://127.0.0.1:49152/callback";
const MCP: &str = "https://cloud.example/mcp";

async fn ask_to_register(provider: &IdentityProvider, metadata: &Value) -> Response {
    let url = format!("{}/clients-registrations/openid-connect", provider.issuer());
    client().post(url).json(metadata).send().await.unwrap()
}

async fn registered(provider: &IdentityProvider, metadata: &Value) -> Value {
    let answer = ask_to_register(provider, metadata).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.json().await.unwrap()
}

fn public(redirect_uri: &str) -> Value {
    json!({ "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none", "client_name": "<b>A client" })
}

async fn token(provider: &IdentityProvider, form: &[(&str, &str)]) -> Response {
    client().post(provider.token_endpoint()).form(form).send().await.unwrap()
}

/// The token request of a login at [`HERE`].
async fn redeem(provider: &IdentityProvider, code: &str, more: &[(&str, &str)]) -> Response {
    let mut form =
        vec![("grant_type", "authorization_code"), ("redirect_uri", HERE), ("code", code), ("code_verifier", VERIFIER)];
    form.extend(more);
    token(provider, &form).await
}

async fn with_resources() -> IdentityProvider {
    let resources = vec!["https://cloud.example".into(), MCP.into()];
    provider_with(Options { resources, ..Options::default() }).await
}

#[tokio::test]
async fn all_metadata_documents_name_what_an_mcp_client_looks_for() {
    let provider = provider().await;
    let issuer = provider.issuer();
    let host = issuer.strip_suffix("/realms/dev").unwrap();
    for url in [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{host}/.well-known/oauth-authorization-server/realms/dev"),
        format!("{host}/.well-known/openid-configuration/realms/dev"),
    ] {
        let document: Value = client().get(&url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["issuer"], issuer, "{url}");
        assert_eq!(document["registration_endpoint"], format!("{issuer}/clients-registrations/openid-connect"));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert!(document["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
    }
}

#[tokio::test]
async fn a_client_that_registered_itself_signs_a_person_in() {
    let provider = provider().await;
    let metadata = json!({
        "redirect_uris": [HERE],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "response_types": ["code"],
        "scope": "nc.read files.read",
        "application_type": "native",
    });
    let it = registered(&provider, &metadata).await;
    assert_eq!(it["redirect_uris"], json!([HERE]));
    assert_eq!(it["token_endpoint_auth_method"], "none");
    assert_eq!(it["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(it["scope"], "nc.read files.read");
    assert!(it.get("client_secret").is_none(), "a public client has none");
    let id = it["client_id"].as_str().unwrap();

    let back = code(&provider, &[("client_id", id), ("scope", "files.read files.write")]).await;
    assert_eq!(parameter(&back, "iss"), provider.issuer());
    let tokens: Value = redeem(&provider, &parameter(&back, "code"), &[("client_id", id)]).await.json().await.unwrap();
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((&access["azp"], &access["aud"]), (&json!(id), &json!("mcp-server")));
    assert_eq!(access["scope"], "files.read files.write profile email");

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", refresh)];
    assert_eq!(token(&provider, &form).await.status(), 200);
    let exchanged = exchange(&provider, &[], tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(exchanged.status(), 200);
}

#[tokio::test]
async fn a_confidential_client_is_given_a_secret_and_has_to_show_it() {
    let provider = provider().await;
    // RFC 7591 §2: nothing said is `client_secret_basic`.
    let it = registered(&provider, &json!({ "redirect_uris": [HERE] })).await;
    assert_eq!(it["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(it["client_secret_expires_at"], 0);
    let (id, secret) = (it["client_id"].as_str().unwrap(), it["client_secret"].as_str().unwrap());
    let other = registered(&provider, &json!({ "redirect_uris": [HERE] })).await;
    assert_ne!((&it["client_id"], &it["client_secret"]), (&other["client_id"], &other["client_secret"]));

    let first = parameter(&code(&provider, &[("client_id", id)]).await, "code");
    let without = refusal(redeem(&provider, &first, &[("client_id", id)]).await).await;
    assert_eq!(without, refused(401, "unauthorized_client", "Invalid client or Invalid client credentials"));
    let proven = [("client_id", id), ("client_secret", secret)];
    assert_eq!(redeem(&provider, &first, &proven).await.status(), 200);
}

#[tokio::test]
async fn a_registered_client_can_neither_exchange_nor_be_a_person() {
    let provider = provider().await;
    let it = registered(&provider, &json!({ "redirect_uris": [HERE] })).await;
    let (id, secret) = (it["client_id"].as_str().unwrap(), it["client_secret"].as_str().unwrap());
    let subject = provider.mint("alice").audiences(&["mcp-server", id]).sign().unwrap();
    let form = [
        ("grant_type", super::client::EXCHANGE),
        ("subject_token", subject.as_str()),
        ("subject_token_type", super::client::ACCESS_TOKEN),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let answer = refusal(token(&provider, &form).await).await;
    let text = "Standard token exchange is not enabled for the requested client";
    assert_eq!(answer, refused(400, "invalid_request", text));
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let text = "Client not enabled to retrieve service account";
    assert_eq!(refusal(token(&provider, &form).await).await, refused(401, "unauthorized_client", text));
}

#[tokio::test]
async fn a_registered_redirect_uri_is_exact_but_for_a_port_that_was_left_open() {
    let provider = provider().await;
    for (registered_as, asked_for, status) in [
        (HERE, HERE, 200),
        (HERE, "http://127.0.0.1:49153/callback", 400),
        (HERE, "http://127.0.0.1:49152/callback/", 400),
        (HERE, "http://127.0.0.1:49152/callback?x=1", 400),
        (HERE, "http://localhost:49152/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1:7/callback", 200),
        ("http://localhost/callback", "http://localhost:65000/callback", 200),
        ("http://127.0.0.1/callback", "http://127.0.0.1:7/other", 400),
        ("http://127.0.0.1/callback", "http://localhost:7/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1:/callback", 400),
        ("http://127.0.0.1/callback", "http://127.0.0.1:80@evil.example/callback", 400),
    ] {
        let it = registered(&provider, &public(registered_as)).await;
        let change = [("client_id", it["client_id"].as_str().unwrap()), ("redirect_uri", asked_for)];
        assert_eq!(login_page(&provider, &change).await.status(), status, "{registered_as} {asked_for}");
    }
}

#[tokio::test]
async fn what_cannot_be_registered_is_said_clearly() {
    let provider = provider().await;
    let host = "Policy 'Trusted Hosts' rejected request to client-registration service. \
                Details: URI doesn't match any trusted host or trusted domain";
    let scope = "Policy 'Allowed Client Scopes' rejected request to client-registration service. \
                 Details: Not permitted to use specified clientScope";
    let long = format!("http://127.0.0.1/{}", "x".repeat(2_000));
    for (metadata, status, error, description) in [
        (json!({}), 400, "invalid_redirect_uri", "redirect_uris has to have one at least"),
        (json!({ "redirect_uris": [] }), 400, "invalid_redirect_uri", "redirect_uris has to have one at least"),
        (json!({ "redirect_uris": ["/callback"] }), 400, "invalid_redirect_uri", "A redirect URI is not a valid URI"),
        (
            public("http://127.0.0.1/#fragment"),
            400,
            "invalid_redirect_uri",
            "A redirect URI must not contain an URL fragment",
        ),
        (public(&long), 400, "invalid_redirect_uri", "redirect_uris are too many or too long"),
        (
            json!({ "redirect_uris": vec![HERE; 21] }),
            400,
            "invalid_redirect_uri",
            "redirect_uris are too many or too long",
        ),
        (public("https://evil.example/callback"), 403, "insufficient_scope", host),
        (public("http://user@127.0.0.1/callback"), 403, "insufficient_scope", host),
        (public("javascript:alert(1)"), 403, "insufficient_scope", host),
        (json!({ "redirect_uris": [HERE, "https://evil.example/"] }), 403, "insufficient_scope", host),
        (json!({ "redirect_uris": [HERE], "scope": "files.read everything" }), 403, "insufficient_scope", scope),
        (json!({ "redirect_uris": [HERE], "scope": "openid files.read" }), 403, "insufficient_scope", scope),
        (
            json!({ "redirect_uris": [HERE], "client_id": "mcp-server" }),
            400,
            "invalid_client_metadata",
            "Client Identifier included",
        ),
        (
            json!({ "redirect_uris": [HERE], "token_endpoint_auth_method": "private_key_jwt" }),
            400,
            "invalid_client_metadata",
            "token_endpoint_auth_method has to be none, client_secret_basic or client_secret_post",
        ),
        (
            json!({ "redirect_uris": [HERE], "grant_types": ["client_credentials"] }),
            400,
            "invalid_client_metadata",
            "grant_types has to have authorization_code",
        ),
        (
            json!({ "redirect_uris": [HERE], "response_types": ["token"] }),
            400,
            "invalid_client_metadata",
            "response_types has to have code",
        ),
        (
            json!({ "redirect_uris": [HERE], "client_name": "x".repeat(2_001) }),
            400,
            "invalid_client_metadata",
            "client_name is too long",
        ),
        (
            json!({ "redirect_uris": "all" }),
            400,
            "invalid_client_metadata",
            "The body is no JSON object of client metadata",
        ),
        (json!("all"), 400, "invalid_client_metadata", "The body is no JSON object of client metadata"),
    ] {
        let answer = refusal(ask_to_register(&provider, &metadata).await).await;
        assert_eq!(answer, refused(status, error, description), "{metadata}");
    }
    let url = format!("{}/clients-registrations/openid-connect", provider.issuer());
    let form = client().post(url).form(&[("redirect_uris", HERE)]).send().await.unwrap();
    assert_eq!(form.status(), 415);
}

#[tokio::test]
async fn a_host_that_the_realm_was_told_of_may_be_registered() {
    let claude = "https://claude.ai/api/mcp/auth_callback";
    let options = Options { client_redirect_uris: vec![claude.into()], ..Options::default() };
    let provider = provider_with(options).await;
    let it = registered(&provider, &public(claude)).await;
    let change = [("client_id", it["client_id"].as_str().unwrap()), ("redirect_uri", claude)];
    assert_eq!(login_page(&provider, &change).await.status(), 200);
    assert_eq!(ask_to_register(&provider, &public("https://claude.ai/")).await.status(), 403);
}

#[tokio::test]
async fn a_realm_takes_two_hundred_clients_and_no_more() {
    let provider = provider().await;
    for _ in 0..200 {
        registered(&provider, &public(HERE)).await;
    }
    let text = "Policy 'Max Clients Limit' rejected request to client-registration service. \
                Details: It's allowed to have max 200 clients per realm";
    let answer = refusal(ask_to_register(&provider, &public(HERE)).await).await;
    assert_eq!(answer, refused(403, "insufficient_scope", text));
}

#[tokio::test]
async fn the_name_that_a_client_gave_itself_is_escaped() {
    let provider = provider().await;
    let it = registered(&provider, &public(HERE)).await;
    let page = login_page(&provider, &[("client_id", it["client_id"].as_str().unwrap())]).await.text().await.unwrap();
    assert!(page.contains("<b>&lt;b&gt;A client</b> asks to act for you"), "{page}");
}

#[tokio::test]
async fn a_token_is_for_the_resource_it_was_asked_for_and_stays_so() {
    let provider = with_resources().await;
    let login = [("client_id", "mcp-client")];
    let back = code(&provider, &[("resource", MCP)]).await;
    let more = [("client_id", "mcp-client"), ("resource", MCP)];
    let tokens: Value = redeem(&provider, &parameter(&back, "code"), &more).await.json().await.unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims(access)["aud"], MCP);
    // It is the requester's, for the resource is.
    assert_eq!(exchange(&provider, &[], access).await.status(), 200);
    assert_eq!(introspect(&provider, access, "mcp-server", "mcp-server-secret").await["active"], true);
    assert_eq!(introspect(&provider, access, "nextcloud", "nextcloud-secret").await["active"], false);

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("client_id", "mcp-client"), ("refresh_token", refresh)];
    let next: Value = token(&provider, &form).await.json().await.unwrap();
    assert_eq!(claims(next["access_token"].as_str().unwrap())["aud"], MCP);

    // Named at the token endpoint only, or nowhere.
    let back = code(&provider, &[]).await;
    let tokens: Value = redeem(&provider, &parameter(&back, "code"), &more).await.json().await.unwrap();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["aud"], MCP);
    let back = code(&provider, &[]).await;
    let tokens: Value = redeem(&provider, &parameter(&back, "code"), &login).await.json().await.unwrap();
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["aud"], "mcp-server");
}

#[tokio::test]
async fn a_resource_that_nobody_granted_is_refused() {
    let provider = with_resources().await;
    let answer = login_page(&provider, &[("resource", "https://elsewhere.example/mcp")]).await;
    assert_eq!(answer.status(), 302);
    assert!(answer.headers()["location"].to_str().unwrap().contains("error=invalid_target"));

    let back = code(&provider, &[("resource", MCP)]).await;
    let more = [("client_id", "mcp-client"), ("resource", "https://cloud.example")];
    let answer = refusal(redeem(&provider, &parameter(&back, "code"), &more).await).await;
    assert_eq!(answer, refused(400, "invalid_target", "Invalid resource: https://cloud.example"));
}

#[tokio::test]
async fn a_realm_without_resources_ignores_them() {
    let provider = provider().await;
    let back = code(&provider, &[("resource", MCP)]).await;
    let more = [("client_id", "mcp-client"), ("resource", MCP)];
    let tokens: Value = redeem(&provider, &parameter(&back, "code"), &more).await.json().await.unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims(access)["aud"], "mcp-server");
    // And a token that names one belongs to nobody.
    let foreign = provider.mint("alice").audiences(&[MCP]).sign().unwrap();
    let answer = refusal(exchange(&provider, &[], &foreign).await).await;
    assert_eq!(answer, refused(403, "access_denied", "Client is not within the token audience"));
}

#[tokio::test]
async fn a_page_of_any_origin_may_ask_what_goes_by_no_cookie() {
    let provider = provider().await;
    let discovery = format!("{}/.well-known/openid-configuration", provider.issuer());
    let registration = format!("{}/clients-registrations/openid-connect", provider.issuer());
    for url in [discovery, registration, provider.token_endpoint(), provider.jwks_uri()] {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let preflight = method == Method::OPTIONS;
            let answer = client().request(method, &url).header("origin", "https://app.example").send().await.unwrap();
            assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{url}");
            assert!(answer.headers().get("access-control-allow-credentials").is_none());
            assert!(!preflight || answer.status() == 204);
        }
    }
    let page = login_page(&provider, &[]).await;
    assert!(page.headers().get("access-control-allow-origin").is_none(), "a login page is for the person");
}
