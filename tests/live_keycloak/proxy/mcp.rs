//! MCP clients between a person, a real Keycloak and obo-proxy: `tests/mcp`, with this house instead of `obo-proxy dev`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::house::{House, Plan, bearer};
use crate::keycloak::Keycloak;
use crate::realm::Realm;

/// What the tests of these clients do, and what a token needs to be meant for us (see [`clients_that_register_with_scopes_get_no_others`]).
const SCOPES: &str =
    "mcp-audience nc.read files.read files.write shares.read shares.write calendar.read calendar.write";

/// Runs `scripts/mcp`; `client_id` is the client that people use, if clients are not to register.
async fn run(house: &House, realm: &Realm, client_id: Option<&str>, selected: &[&str]) {
    let mut there = json!({ "mcp": format!("{}/mcp", house.url()), "issuer": realm.issuer() });
    if let Some(client_id) = client_id {
        there["client_id"] = client_id.into();
    }
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/mcp"));
    command.args(selected).env("OBO_HOUSE", there.to_string()).stdin(Stdio::null());
    // In this very process are the proxy and the stand-in.
    let output = tokio::task::spawn_blocking(move || command.output().expect("scripts/mcp runs")).await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");

    let seen = house.nextcloud.seen();
    assert!(complained.contains("SKIPPED") || !seen.is_empty(), "{said}");
    for seen in &seen {
        // Nextcloud saw people, by tokens that were exchanged for it.
        assert!(matches!(seen.user.as_deref(), Some("alice" | "bob")), "{seen:?}");
        let token = bearer(seen);
        assert_eq!((&token["aud"], &token["azp"]), (&json!("nextcloud"), &json!("mcp-server")));
    }
}

/// Lets clients register that run on this machine, as Keycloak's documentation says; out of the box it lets nobody.
async fn open_registration(realm: &Realm) {
    let kind = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy";
    let policies = realm.admin("GET", &format!("/components?type={kind}"), None).await;
    let policies = policies.as_array().expect("a list");
    let mut policy = policies.iter().find(|it| it["providerId"] == "trusted-hosts").expect("the policy").clone();
    policy["config"] = json!({
        "trusted-hosts": ["127.0.0.1", "localhost"],
        "host-sending-registration-request-must-match": ["true"],
        "client-uris-must-match": ["true"],
    });
    let path = format!("/components/{}", policy["id"].as_str().expect("an id"));
    realm.admin("PUT", &path, Some(policy)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_the_operator_set_up_does_all_in_alices_name_and_asks_for_more_scopes() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).in_real_time().open().await;
    run(&house, &realm, Some("mcp-client"), &["-k", "with_sdks and python and auto"]).await;
    run(&house, &realm, Some("mcp-client"), &["-k", "with_scopes and not legacy and not typescript"]).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_registers_itself_does_all_in_alices_name() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "mcp").await;
    open_registration(&realm).await;
    let house = Plan::at(&realm).in_real_time().top(&format!("mcp.challenge_scopes = {SCOPES:?}")).open().await;
    run(&house, &realm, None, &["-k", "with_sdks and auto"]).await;
    house.close().await;
}

/// Why operators have to name `mcp-audience` among the challenge's scopes: whoever registers with scopes has these and no others.
#[tokio::test]
async fn clients_that_register_with_scopes_get_no_others() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "mcp").await;
    let register = |scope: &'static str| {
        let url = kc.url(&format!("realms/{}/clients-registrations/openid-connect", realm.name));
        let metadata = json!({
            "redirect_uris": [crate::browser::REDIRECT], "token_endpoint_auth_method": "none", "scope": scope,
        });
        let request = kc.http.post(url).json(&metadata);
        async move { request.send().await.expect("Keycloak answers") }
    };
    assert_eq!(register("nc.read").await.status(), 403, "out of the box");
    open_registration(&realm).await;
    assert_eq!(register("openid nc.read").await.status(), 403, "no client scope");
    let answer: Value = register("nc.read offline_access").await.json().await.unwrap();
    assert_eq!(answer["scope"], "nc.read offline_access");

    // No `profile`, no `email`, nobody it is for; nothing it could step up to.
    let client = answer["client_id"].as_str().unwrap();
    let id = realm.admin("GET", &format!("/clients?clientId={client}"), None).await[0]["id"].clone();
    let scopes = async |kind: &str| {
        let path = format!("/clients/{}/{kind}-client-scopes", id.as_str().unwrap());
        let list = realm.admin("GET", &path, None).await;
        let mut names: Vec<_> =
            list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(scopes("optional").await, ["nc.read", "offline_access"]);
    assert_eq!(scopes("default").await, ["basic"]);
}
