//! Dynamic client registration (RFC 7591): anonymous, as a Keycloak realm answers whose policy "Trusted Hosts" trusts loopback.
//!
//! Registered are clients of the code flow and nothing else. There is no management of them (RFC 7592); they live as long as the realm.
//! Deliberately unlike Keycloak, whose client gets the scopes that it registered with and never others, not even the default ones with the
//! audience in them (26.7.3; `tests/live_keycloak` has it): here they are no limit, so that clients can be tried that ask for more later.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::clock;
use super::clients::is_loopback;
use super::oauth_error::{OAuthError, uncached};
use super::realm::Realm;
use super::scopes;

/// Where clients register, below the issuer.
pub(super) const PATH: &str = "/clients-registrations/openid-connect";

/// Keycloak's own limit (policy "Max Clients Limit"): a realm in memory must not grow by whoever asks.
pub(super) const MOST_CLIENTS: usize = 200;
const MOST_REDIRECT_URIS: usize = 20;
/// Of a redirect URI or a name, in bytes.
const LONGEST: usize = 2_000;

/// A client that registered itself.
#[derive(Debug)]
pub(super) struct Registered {
    pub id: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// `None` of a public client.
    pub secret: Option<SecretString>,
    redirect_uris: Vec<String>,
}

/// What of RFC 7591 §2 the realm looks at. The rest is taken and ignored.
#[derive(Deserialize)]
struct Wanted {
    client_id: Option<Value>,
    redirect_uris: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    scope: Option<String>,
}

// === impl Registered ===

impl Registered {
    /// Exact, but that a loopback address registered without a port stands for all ports (RFC 8252 §7.3, as far as Keycloak
    /// goes: not for one registered with a port, nor for `[::1]`).
    pub(super) fn may_redirect_to(&self, redirect_uri: &str) -> bool {
        let portless = without_port(redirect_uri);
        self.redirect_uris.iter().any(|known| known == redirect_uri || portless.as_ref() == Some(known))
    }
}

/// RFC 7591 §3.
pub(super) fn register(realm: &Realm, headers: &HeaderMap, body: &[u8]) -> Result<Answer, OAuthError> {
    let is_json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        return Err(OAuthError::new(415, "invalid_request", "The client's metadata has to be application/json"));
    }
    let wanted: Wanted =
        serde_json::from_slice(body).map_err(|_| metadata("The body is no JSON object of client metadata"))?;
    if wanted.client_id.is_some() {
        return Err(metadata("Client Identifier included"));
    }
    let redirect_uris = redirect_uris(realm, wanted.redirect_uris.unwrap_or_default())?;
    // RFC 7591 §2: the default where nothing is said.
    let method = wanted.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    let secret = match method {
        "none" => None,
        "client_secret_basic" | "client_secret_post" => Some(SecretString::from(clock::unguessable(32))),
        _ => {
            return Err(metadata(
                "token_endpoint_auth_method has to be none, client_secret_basic or client_secret_post",
            ));
        }
    };
    if wanted.grant_types.is_some_and(|grants| !grants.iter().any(|grant| grant == "authorization_code")) {
        return Err(metadata("grant_types has to have authorization_code"));
    }
    if wanted.response_types.is_some_and(|types| !types.iter().any(|it| it == "code")) {
        return Err(metadata("response_types has to have code"));
    }
    if wanted.client_name.as_ref().is_some_and(|name| name.len() > LONGEST) {
        return Err(metadata("client_name is too long"));
    }
    // `openid` is no scope of a client there.
    let asks_openid = wanted.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|it| it == "openid"));
    if asks_openid || scopes::granted(wanted.scope.as_deref()).is_err() {
        return Err(policy("Allowed Client Scopes", "Not permitted to use specified clientScope"));
    }

    let client = Arc::new(Registered { id: clock::uuid(), name: wanted.client_name, secret, redirect_uris });
    if !realm.keep_client(client.clone(), MOST_CLIENTS) {
        return Err(policy("Max Clients Limit", &format!("It's allowed to have max {MOST_CLIENTS} clients per realm")));
    }
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": clock::now(),
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": method,
        // Whatever else it asked for, it got these.
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    for (name, value) in [("client_name", &client.name), ("scope", &wanted.scope)] {
        if let Some(value) = value {
            answer[name] = value.as_str().into();
        }
    }
    if let Some(secret) = &client.secret {
        answer["client_secret"] = secret.expose_secret().into();
        answer["client_secret_expires_at"] = 0.into();
    }
    Ok(uncached(Answer::json(201, &answer)))
}

fn redirect_uris(realm: &Realm, uris: Vec<String>) -> Result<Vec<String>, OAuthError> {
    let invalid = |text: &str| OAuthError::new(400, "invalid_redirect_uri", text);
    if uris.is_empty() {
        return Err(invalid("redirect_uris has to have one at least"));
    }
    if uris.len() > MOST_REDIRECT_URIS || uris.iter().any(|uri| uri.len() > LONGEST) {
        return Err(invalid("redirect_uris are too many or too long"));
    }
    for uri in &uris {
        match url::Url::parse(uri) {
            Ok(url) if url.fragment().is_none() => {}
            Ok(_) => return Err(invalid("A redirect URI must not contain an URL fragment")),
            Err(_) => return Err(invalid("A redirect URI is not a valid URI")),
        }
        if !is_loopback(uri) && !realm.options().client_redirect_uris.contains(uri) {
            return Err(policy("Trusted Hosts", "URI doesn't match any trusted host or trusted domain"));
        }
    }
    Ok(uris)
}

fn without_port(redirect_uri: &str) -> Option<String> {
    ["http://127.0.0.1", "http://localhost"].iter().find_map(|host| {
        let rest = redirect_uri.strip_prefix(host)?.strip_prefix(':')?;
        let path = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        (path.len() < rest.len()).then(|| format!("{host}{path}"))
    })
}

fn metadata(text: &str) -> OAuthError {
    OAuthError::new(400, "invalid_client_metadata", text)
}

/// Keycloak's answer where one of its policies says no; RFC 7591 §3.2.2 has no code for that.
fn policy(name: &str, details: &str) -> OAuthError {
    let text = format!("Policy '{name}' rejected request to client-registration service. Details: {details}");
    OAuthError::new(403, "insufficient_scope", text)
}
