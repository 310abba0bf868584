//! That `keycloak/realm.json` works as delivered, and gives nothing away. Asked of the realm that Keycloak imported
//! itself, with no client of the tests in it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::browser::REDIRECT;
use crate::exchange::Requester;
use crate::keycloak::Keycloak;
use crate::overlay;
use crate::realm::Realm;

fn realm() -> Option<Realm> {
    Keycloak::running().map(|kc| Realm::operators(&kc))
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|it| it.as_str().or(it["name"].as_str()).unwrap()).collect()
}

/// The scopes that the route policy knows (`files.read` …), among all that the file defines.
fn nextcloud_scopes(file: &Value) -> BTreeSet<&str> {
    names(&file["clientScopes"]).into_iter().filter(|it| it.contains('.')).collect()
}

#[tokio::test]
async fn a_token_of_the_login_client_is_for_the_proxy_and_not_for_nextcloud() {
    let Some(realm) = realm() else { return };
    let tokens = realm.login("alice", "alice", &["files.read", "files.write"]).await;
    let claims = tokens.claims();
    assert_eq!(claims["aud"], "mcp-server");
    assert_eq!(claims["azp"], "mcp-client");
    assert_eq!(claims["preferred_username"], "alice");
    assert_eq!(claims.scope(), ["openid", "profile", "email", "files.read", "files.write"].into());
}

#[tokio::test]
async fn the_scope_mcp_url_adds_the_public_url_to_the_audience() {
    let Some(realm) = realm() else { return };
    let tokens = realm.login("bob", "bob", &["mcp-url"]).await;
    let file = overlay::operators_file();
    let scopes = file["clientScopes"].as_array().unwrap();
    let scope = scopes.iter().find(|it| it["name"] == "mcp-url").unwrap();
    let url = scope["protocolMappers"][0]["config"]["included.custom.audience"].as_str().unwrap();
    assert!(url.starts_with("http"), "{url} is a URL, not a placeholder");
    assert_eq!(tokens.claims().aud(), ["mcp-server", url].into());
    // With the URL alone it could not be exchanged.
    realm.exchange(&tokens.access).audience("nextcloud").send().await.ok();
}

#[tokio::test]
async fn every_scope_can_be_granted_at_login_and_asked_for_in_an_exchange() {
    let Some(realm) = realm() else { return };
    let file = overlay::operators_file();
    let all = nextcloud_scopes(&file);
    assert_eq!(all.len(), 26);
    let list: Vec<_> = all.iter().copied().collect();
    let tokens = realm.login("alice", "alice", &list).await;
    assert!(tokens.claims().scope().is_superset(&all));
    let exchanged = realm.exchange(&tokens.access).audience("nextcloud").scope(&list.join(" ")).send().await.claims();
    assert_eq!(exchanged.scope(), all.union(&["profile", "email"].into()).copied().collect());
}

#[tokio::test]
async fn clients_that_register_themselves_may_ask_for_audience_and_scopes() {
    let Some(realm) = realm() else { return };
    let optional = realm.admin("GET", "/default-optional-client-scopes", None).await;
    let file = overlay::operators_file();
    assert!(names(&optional).is_superset(&nextcloud_scopes(&file)));
    assert!(names(&optional).is_superset(&["mcp-audience", "mcp-url", "offline_access"].into()));
    let default = realm.admin("GET", "/default-default-client-scopes", None).await;
    assert!(names(&default).is_superset(&["basic", "profile", "email", "roles", "web-origins", "acr"].into()));
    assert!(!names(&default).contains("mcp-audience"), "not every client of the realm is one of ours");
}

#[tokio::test]
async fn the_imported_built_in_scopes_are_those_of_a_new_realm() {
    let Some(realm) = realm() else { return };
    // The master realm is made by Keycloak itself.
    let theirs = realm.kc.admin("GET", "/master/client-scopes", None).await.ok();
    let ours = realm.admin("GET", "/client-scopes", None).await;
    for their in theirs.as_array().unwrap() {
        // Of newer versions only, for SAML.
        if their["name"] == "AuthnContextClassRef" {
            continue;
        }
        let our = ours.as_array().unwrap().iter().find(|it| it["name"] == their["name"]);
        assert_eq!(our.map(essence), Some(essence(their)));
    }
}

/// A client scope without ids, and without what says the same by being there or not.
fn essence(scope: &Value) -> Value {
    let mut scope = scope.clone();
    scope["id"].take();
    for mapper in scope["protocolMappers"].as_array_mut().into_iter().flatten() {
        mapper["id"].take();
        let config = mapper["config"].as_object_mut().unwrap();
        config.retain(|name, value| !(name == "userinfo.token.claim" && value == "false"));
    }
    if let Some(mappers) = scope["protocolMappers"].as_array_mut() {
        mappers.sort_by_key(|it| it["name"].to_string());
    }
    scope
}

#[tokio::test]
async fn nobody_logs_in_by_password_or_as_a_client() {
    let Some(realm) = realm() else { return };
    let token = |requester: Requester, form: &[(&str, &str)]| {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        requester.sign(realm.kc.http.post(realm.endpoint("token")), form).send()
    };
    let password = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
    let service = [("grant_type", "client_credentials")];
    for answer in [
        token(Requester::IdOnly("mcp-client".into()), &password).await,
        token(realm.basic("mcp-server"), &password).await,
        token(realm.basic("nextcloud"), &password).await,
        // With the audience mapper of `mcp-server` that would be a token for Nextcloud without a user.
        token(realm.basic("mcp-server"), &service).await,
        token(realm.basic("nextcloud"), &service).await,
    ] {
        let answer = crate::answer::Answer::from(answer.unwrap()).await;
        assert_eq!((answer.status / 100, answer.body["error"].as_str()), (4, Some("unauthorized_client")));
    }
}

#[tokio::test]
async fn the_login_client_must_prove_its_code_and_return_to_its_own_machine() {
    let Some(realm) = realm() else { return };
    let mut page = realm.endpoint("auth");
    let redirect = ("redirect_uri", REDIRECT);
    page.query_pairs_mut().extend_pairs([("response_type", "code"), ("client_id", "mcp-client"), redirect]);
    let without_pkce = realm.get(page.clone()).await;
    let location = without_pkce.headers["location"].to_str().unwrap();
    assert!(location.contains("error=invalid_request"), "{location}");

    let elsewhere = page.as_str().replace("127.0.0.1", "example.org");
    assert_eq!(realm.get(elsewhere.parse().unwrap()).await.status, 400);

    let mut code = realm.code("mcp-client", "alice", "alice", "openid").await;
    assert_eq!(code.callback["iss"], realm.issuer());
    code.verifier = "x".repeat(43);
    let answer = realm.redeem("mcp-client", &code, None).await;
    answer.is_refused(400, "invalid_grant", "PKCE verification failed: Code mismatch");
}
