//! The realm file of operators, and what only the tests add to it.

use serde_json::{Value, json};

use crate::keycloak::var;

const FILE: &str = include_str!("../../keycloak/realm.json");

/// The realm file as Keycloak reads it at its start: placeholders `${NAME:default}` filled in.
/// (The Admin API takes them literally.)
pub fn operators_file() -> Value {
    let mut filled = String::new();
    let mut rest = FILE;
    while let Some((before, after)) = rest.split_once("${") {
        let (placeholder, after) = after.split_once('}').expect("a placeholder ends");
        filled.push_str(before);
        match placeholder.split_once(':') {
            Some((name, default)) => filled.push_str(&var(name).unwrap_or_else(|| default.to_owned())),
            // Keycloak's own, such as the texts of consent screens.
            None => filled.extend(["${", placeholder, "}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    serde_json::from_str(&filled).expect("keycloak/realm.json is JSON")
}

/// The same realm under another name, with clients and users that no operator should have.
///
/// | client | what it is for |
/// |---|---|
/// | `mcp-client-noaud` | logs in, but its tokens are not meant for `mcp-server` |
/// | `mcp-client-short` | its tokens live for five seconds |
/// | `mcp-client-big` | its tokens are longer than 4,000 characters |
/// | `mcp-client-scoped` | offers scopes that `mcp-server` has not |
/// | `mcp-server-off` | confidential, exchange not switched on |
/// | `mcp-server-public` | public, exchange switched on |
/// | `mcp-server-refresh` | may ask for refresh tokens |
/// | `mcp-server-noaud` | its tokens name no audience unless it asks for the scope `nextcloud-audience` |
/// | `mcp-server-two` | its tokens name `nextcloud` and `mcp-server` |
/// | `mcp-server-odd` | a secret full of characters that Basic authentication must escape |
/// | `mcp-server-service` | has a service account |
/// | `other-target`, `disabled-target` | audiences that cannot be had |
pub fn with_test_clients(name: &str) -> Value {
    let mut file = operators_file();
    file["realm"] = json!(name);
    // It lets only one attempt for a user through at a time, right or wrong; tests log in side by side.
    file["bruteForceProtected"] = json!(false);

    let login = client(&file, "mcp-client");
    let requester = client(&file, "mcp-server");
    let target = client(&file, "nextcloud");

    let mut noaud_login = renamed(&login, "mcp-client-noaud");
    remove(&mut noaud_login["defaultClientScopes"], "mcp-audience");
    let mut short = renamed(&login, "mcp-client-short");
    short["attributes"]["access.token.lifespan"] = json!("5");
    let mut big = renamed(&login, "mcp-client-big");
    // In two claims, for the value of one is limited.
    big["protocolMappers"] = json!([hardcoded("long-1", &"x".repeat(2500)), hardcoded("long-2", &"y".repeat(2500))]);
    let mut scoped = renamed(&login, "mcp-client-scoped");
    scoped["optionalClientScopes"].as_array_mut().unwrap().push(json!("phone"));

    let mut off = renamed(&requester, "mcp-server-off");
    off["attributes"]["standard.token.exchange.enabled"] = json!("false");
    let mut public = renamed(&requester, "mcp-server-public");
    public["publicClient"] = json!(true);
    let mut refresh = renamed(&requester, "mcp-server-refresh");
    refresh["attributes"]["standard.token.exchange.enableRefreshRequestedTokenType"] = json!("SAME_SESSION");
    let mut noaud = renamed(&requester, "mcp-server-noaud");
    noaud["protocolMappers"] = json!([]);
    noaud["optionalClientScopes"].as_array_mut().unwrap().push(json!("nextcloud-audience"));
    let mut two = renamed(&requester, "mcp-server-two");
    two["protocolMappers"].as_array_mut().unwrap().push(audience("mcp-server"));
    let mut odd = renamed(&requester, "mcp-server-odd");
    odd["secret"] = json!("%+:/ ä&=%41");
    let mut service = renamed(&requester, "mcp-server-service");
    service["serviceAccountsEnabled"] = json!(true);

    let other = renamed(&target, "other-target");
    let mut disabled = renamed(&target, "disabled-target");
    disabled["enabled"] = json!(false);

    push(
        &mut file["clientScopes"],
        [json!({
            "name": "nextcloud-audience", "protocol": "openid-connect",
            "attributes": {"include.in.token.scope": "true"}, "protocolMappers": [audience("nextcloud")],
        })],
    );
    // Every requester must be in the audience of what it exchanges, or it is refused for that alone.
    let requesters = [&off, &public, &refresh, &noaud, &two, &odd, &service].map(|it| audience(text(&it["clientId"])));
    let scopes = file["clientScopes"].as_array_mut().unwrap();
    let scope = scopes.iter_mut().find(|it| it["name"] == "mcp-audience").unwrap();
    push(&mut scope["protocolMappers"], requesters);
    push(
        &mut file["clients"],
        [noaud_login, short, big, scoped, off, public, refresh, noaud, two, odd, service, other, disabled],
    );
    let users = file["users"].as_array_mut().unwrap();
    for user in &mut *users {
        user["realmRoles"] = json!([format!("default-roles-{name}")]);
    }
    // One user for each test that counts or ends all sessions of a user.
    let alice = file["users"][0].clone();
    push(
        &mut file["users"],
        ["carol", "dave", "erin"].map(|name| {
            let mut user = alice.clone();
            user["username"] = json!(name);
            user["email"] = json!(format!("{name}@example.org"));
            user["credentials"][0]["value"] = json!(name);
            user
        }),
    );
    file
}

/// A client of a realm file by its `clientId`.
pub fn client(file: &Value, id: &str) -> Value {
    let clients = file["clients"].as_array().expect("clients");
    clients.iter().find(|it| it["clientId"] == id).unwrap_or_else(|| panic!("no client {id}")).clone()
}

fn renamed(client: &Value, id: &str) -> Value {
    let mut client = client.clone();
    client["clientId"] = json!(id);
    if client["secret"].is_string() {
        client["secret"] = json!(format!("{id}-secret"));
    }
    client
}

fn audience(client: &str) -> Value {
    json!({
        "name": format!("audience {client}"), "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": client, "access.token.claim": "true", "introspection.token.claim": "true"},
    })
}

fn hardcoded(claim: &str, value: &str) -> Value {
    json!({
        "name": claim, "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": {"claim.name": claim, "claim.value": value, "jsonType.label": "String", "access.token.claim": "true"},
    })
}

fn push(list: &mut Value, items: impl IntoIterator<Item = Value>) {
    list.as_array_mut().expect("a list").extend(items);
}

fn remove(list: &mut Value, item: &str) {
    list.as_array_mut().expect("a list").retain(|it| it != item);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
