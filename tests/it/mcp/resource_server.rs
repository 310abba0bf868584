//! `/mcp` as a protected resource: RFC 9728, RFC 6750 §3, and what MCP makes of them (2026-07-28, authorization).

use obo_proxy::dev::identity_provider::Endpoint;
use reqwest::Response;
use serde_json::{Value, json};

use crate::house::{House, Plan};

const PRM: &str = "/.well-known/oauth-protected-resource";

impl House {
    async fn list_tools(&self, authorization: &[&str], query: &str) -> Response {
        let mut request = self.client.post(format!("{}/mcp{query}", self.url));
        for value in authorization {
            request = request.header("authorization", *value);
        }
        request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).send().await.unwrap()
    }

    async fn metadata(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }
}

fn challenge(answer: &Response) -> String {
    answer.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

/// The value of a parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_error_is_named_only_to_whoever_sent_a_token() {
    let house = House::open().await;
    let mint = |user: &str| house.provider.mint(user);
    let expired = mint("alice").claim("exp", 1_000_000_000).sign().unwrap();
    let elsewhere = mint("alice").audiences(&["https://elsewhere.example/mcp"]).sign().unwrap();
    for (sent, error) in [
        (None, None),
        (Some("Basic YTpi".to_owned()), None),
        (Some("Bearer nonsense".to_owned()), Some("invalid_token")),
        (Some(format!("Bearer {expired}")), Some("invalid_token")),
        (Some(format!("Bearer {elsewhere}")), Some("invalid_token")),
    ] {
        let sent: Vec<&str> = sent.as_deref().into_iter().collect();
        let answer = house.list_tools(&sent, "").await;
        assert_eq!(answer.status(), 401, "{sent:?}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let challenge = challenge(&answer);
        assert_eq!(parameter(&challenge, "error").as_deref(), error, "{challenge}");
        assert_eq!(parameter(&challenge, "resource_metadata"), Some(format!("{}{PRM}/mcp", house.url)), "{challenge}");
        assert!(parameter(&challenge, "scope").unwrap().contains("files.read"), "{challenge}");
    }
    house.close().await;
}

#[tokio::test]
async fn malformed_authorization_is_a_bad_request() {
    let house = House::open().await;
    let bearer = format!("Bearer {}", house.token("alice"));
    assert_eq!(house.list_tools(&[&bearer, &bearer], "").await.status(), 400, "two");
    let query = format!("?access_token={}", house.token("alice"));
    for sent in [vec![], vec![bearer.as_str()]] {
        assert_eq!(house.list_tools(&sent, &query).await.status(), 400, "in the query");
    }
    house.close().await;
}

#[tokio::test]
async fn a_token_that_lacks_a_scope_is_told_what_it_has_and_what_it_needs() {
    let plan = Plan { tables: "[policy]\nimplicit_scopes = []\n".into(), ..Plan::default() };
    let house = plan.build().await;
    let token = house.token_with("alice", "openid files.write");
    let said = house.try_call(&token, "whoami", json!({})).await;
    assert_eq!((said.status, &said.body["error"]), (403, &json!("insufficient_scope")), "{said:?}");
    assert!(said.body.get("jsonrpc").is_none(), "no code of JSON-RPC is invented: {said:?}");
    let challenge = said.headers["www-authenticate"].to_str().unwrap();
    assert_eq!(parameter(challenge, "error").as_deref(), Some("insufficient_scope"));
    assert_eq!(parameter(challenge, "scope").as_deref(), Some("files.write nc.read"), "granted and needed, at once");
    assert_eq!(parameter(challenge, "resource_metadata"), Some(format!("{}{PRM}/mcp", house.url)));
    assert_eq!(said.headers["cache-control"], "no-store");
    assert!(house.nextcloud.seen().is_empty());

    let enough = house.token_with("alice", "nc.read");
    assert_eq!(house.does(&enough, "whoami", json!({})).await["user_id"], "alice");
    house.close().await;
}

#[tokio::test]
async fn anybody_may_read_the_metadata_from_any_page() {
    let house = House::open().await;
    for (path, resource) in [(PRM.to_owned(), house.url.clone()), (format!("{PRM}/mcp"), format!("{}/mcp", house.url))]
    {
        let answer = house.metadata(&path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
        let document: Value = answer.json().await.unwrap();
        assert_eq!(document["resource"], json!(resource), "without a trailing slash");
        assert_eq!(document["authorization_servers"], json!([house.provider.issuer()]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));

        let url = format!("{}{path}", house.url);
        let preflight = house
            .client
            .request("OPTIONS".parse().unwrap(), &url)
            .header("origin", "https://anywhere.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "mcp-protocol-version")
            .send()
            .await
            .unwrap();
        assert_eq!(preflight.status(), 204, "{path}");
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
        assert_eq!(preflight.headers()["access-control-allow-headers"], "*");
        assert_eq!(preflight.headers()["access-control-allow-methods"], "GET, HEAD");
        let post = house.client.post(&url).send().await.unwrap();
        assert_eq!((post.status().as_u16(), &post.headers()["allow"]), (405, &"GET, HEAD, OPTIONS".parse().unwrap()));
    }
    house.close().await;
}

#[tokio::test]
async fn below_a_prefix_all_of_it_stands_below_the_prefix() {
    let house = Plan { prefix: "/nc", ..Plan::default() }.build().await;
    let answer = house.list_tools(&[], "").await;
    let host = house.url.trim_end_matches("/nc");
    assert_eq!(answer.status(), 401);
    assert_eq!(parameter(&challenge(&answer), "resource_metadata"), Some(format!("{host}{PRM}/nc/mcp")));
    let document: Value = house.client.get(format!("{host}{PRM}/nc/mcp")).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["resource"], json!(format!("{}/mcp", house.url)));
    assert_eq!(house.does(&house.token("alice"), "whoami", json!({})).await["user_id"], "alice");

    let token = house.token("alice");
    let beside = house.client.post(format!("{host}/mcp")).bearer_auth(&token);
    let beside = beside.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).send().await.unwrap();
    assert!(beside.status().is_client_error(), "{}", beside.status());
    house.close().await;
}

/// A challenge that led to a page which is not there would send a client round in circles.
#[tokio::test]
async fn where_there_is_no_frontend_nothing_says_that_there_is() {
    for (top, tables) in [("", "[mcp]\nenabled = false\n"), ("mode = \"multi-audience\"", "")] {
        let house = Plan { top: top.into(), tables: tables.into(), ..Plan::default() }.build().await;
        let bearer = house.provider.mint("alice").audiences(&["mcp-server", "nextcloud"]);
        let issued = bearer.claims()["iat"].as_u64().unwrap();
        let token = format!("Bearer {}", bearer.claim("exp", issued + 500).sign().unwrap());
        assert_eq!(house.list_tools(&[&token], "").await.status(), 404, "{top}{tables}");
        let answer = house.list_tools(&[], "").await;
        assert_eq!(answer.status(), 401);
        let challenge = challenge(&answer);
        assert_eq!(parameter(&challenge, "resource_metadata"), Some(format!("{}{PRM}", house.url)), "{challenge}");
        assert_eq!(parameter(&challenge, "scope"), None, "{challenge}");
        assert_eq!(house.metadata(PRM).await.status(), 200);
        assert_eq!(house.metadata(&format!("{PRM}/mcp")).await.status(), 401);
        assert!(house.nextcloud.seen().is_empty());
        house.close().await;
    }
}

/// Keycloak refuses a login that asks for one scope which it does not have. What it has is heard after the start.
#[tokio::test]
async fn nobody_is_told_to_ask_for_a_scope_that_the_issuer_does_not_have() {
    let house = Plan { provider_down: true, ..Plan::default() }.build().await;
    let answer = house.list_tools(&[], "").await;
    assert_eq!(parameter(&challenge(&answer), "scope"), None, "nothing is known yet");
    let early = house.metadata(&format!("{PRM}/mcp")).await;
    assert_eq!(early.headers()["cache-control"], "no-store");
    assert!(early.json::<Value>().await.unwrap().get("scopes_supported").is_none());

    let issuer = house.provider.issuer();
    let discovered = json!({
        "issuer": issuer,
        "token_endpoint": house.provider.token_endpoint(),
        "jwks_uri": house.provider.jwks_uri(),
        "scopes_supported": ["openid", "nc.read", "files.read", "files.write", "offline_access", "unheard.of"],
    });
    house.provider.fail(Endpoint::Discovery, 200, &discovered.to_string());
    house.provider.resume().await.unwrap();
    house.running.ready().await;
    let answer = house.list_tools(&[], "").await;
    assert_eq!(parameter(&challenge(&answer), "scope").as_deref(), Some("files.read files.write nc.read"));
    let document: Value = house.metadata(&format!("{PRM}/mcp")).await.json().await.unwrap();
    assert_eq!(document["scopes_supported"], json!(["files.read", "files.write", "nc.read"]));
    house.close().await;
}

/// By the names that the issuer has for them.
#[tokio::test]
async fn scopes_are_told_by_the_issuers_names() {
    let issuer_lines = "scope_prefix = \"api://x/\"".to_owned();
    let house = Plan { issuer_lines, provider_down: true, ..Plan::default() }.build().await;
    let discovered = json!({
        "issuer": house.provider.issuer(),
        "token_endpoint": house.provider.token_endpoint(),
        "jwks_uri": house.provider.jwks_uri(),
        "scopes_supported": ["openid", "nc.read", "api://x/files.read"],
    });
    house.provider.fail(Endpoint::Discovery, 200, &discovered.to_string());
    house.provider.resume().await.unwrap();
    house.running.ready().await;
    let answer = house.list_tools(&[], "").await;
    assert_eq!(parameter(&challenge(&answer), "scope").as_deref(), Some("api://x/files.read"));
    house.close().await;
}

#[tokio::test]
async fn what_an_operator_writes_is_told_as_it_stands() {
    let tables = "[mcp]\nchallenge_scopes = \"api://nextcloud/files.read nc.read\"\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let answer = house.list_tools(&[], "").await;
    assert_eq!(parameter(&challenge(&answer), "scope").as_deref(), Some("api://nextcloud/files.read nc.read"));
    let document: Value = house.metadata(&format!("{PRM}/mcp")).await.json().await.unwrap();
    assert_eq!(document["scopes_supported"], json!(["api://nextcloud/files.read", "nc.read"]));
    house.close().await;
}
