//! ID tokens (OpenID Connect Core 1.0 §3.1.3.7): who signed in just now, at this issuer, to us, in this login.

use super::issuer::Issuer;
use super::jwt::{Claims, UnverifiedJwt};
use super::login::LoginFault;
use super::settings::IssuerSettings;
use super::verifier::{self, LONGEST_JWT, VerifyError};
use crate::token::{Digest, Principal, Timestamp};

/// Checks an ID token that came from the issuer for a login with this nonce.
///
/// # Errors
/// [`LoginFault::Malformed`], with the rule that it breaks; [`LoginFault::Unavailable`] if the issuer's keys cannot be had.
pub async fn check(issuer: &Issuer, token: &str, nonce: &str, now: Timestamp) -> Result<Principal, LoginFault> {
    let settings = &issuer.settings;
    if token.len() > LONGEST_JWT {
        return Err(broken("is too long"));
    }
    let jwt = UnverifiedJwt::parse(token).map_err(|_| broken("cannot be read"))?;
    if jwt.claimed_issuer() != Some(&*settings.issuer) {
        return Err(broken("is of another issuer"));
    }
    let kid = jwt.claimed_key_id().ok_or_else(|| broken("names no key"))?.to_owned();
    let (_, claims) = verifier::verify_signature(issuer, jwt, &kid).await.map_err(|error| match error {
        VerifyError::Unavailable(said) => LoginFault::Unavailable(said),
        error => broken(&error.to_string()),
    })?;
    judge(settings, &claims, nonce, now)
}

fn broken(rule: &str) -> LoginFault {
    LoginFault::Malformed(format!("the ID token {rule}"))
}

/// Judges the claims of an ID token whose origin is proved.
fn judge(settings: &IssuerSettings, claims: &Claims, nonce: &str, now: Timestamp) -> Result<Principal, LoginFault> {
    // Keycloak's kinds; elsewhere the claim is not there.
    if claims.typ.as_deref().is_some_and(|kind| kind != "ID") {
        return Err(broken("is a token of another kind"));
    }
    let client_id = settings.client_auth.client_id();
    if !claims.aud.contains(client_id) {
        return Err(broken("is not for our client"));
    }
    let authorized = claims.azp.as_deref();
    if authorized.is_some_and(|client| client != client_id)
        || (authorized.is_none() && !claims.aud.is_exactly(client_id))
    {
        return Err(broken("was issued to another client"));
    }
    let expires = claims.exp.as_ref().ok_or_else(|| broken("does not expire"))?.0;
    if now >= expires.after(settings.leeway) {
        return Err(broken("has expired"));
    }
    if claims.iat.as_ref().is_none_or(|issued| now < issued.0.before(settings.leeway)) {
        return Err(broken("is not valid yet"));
    }
    // By digests, which take the same time wherever they differ.
    if claims.nonce.as_ref().is_none_or(|own| Digest::of(own.as_bytes()) != Digest::of(nonce.as_bytes())) {
        return Err(broken("belongs to another login"));
    }
    Principal::new(&settings.issuer, claims.sub.as_deref().unwrap_or_default()).ok_or_else(|| broken("names nobody"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::oauth::ClientAuth;
    use crate::oauth::settings::{Profile, ScopesFrom};
    use crate::token::ScopeSet;

    fn settings() -> IssuerSettings {
        IssuerSettings {
            issuer: "https://sso".into(),
            discovery_url: url::Url::parse("https://sso/x").unwrap(),
            token_endpoint: None,
            jwks_uri: None,
            introspection_endpoint: None,
            profile: Profile::Keycloak,
            algorithms: Vec::new(),
            audiences: vec!["https://cloud/mcp".into()],
            allowed_clients: Vec::new(),
            leeway: Duration::from_secs(30),
            introspection: false,
            client_auth: ClientAuth::Post { client_id: "mcp-server".into(), secret: "hush".into() },
            nextcloud_audience: "nextcloud".into(),
            exchange_scopes: ScopeSet::default(),
            default_scopes: ScopeSet::default(),
            scopes_from: ScopesFrom::Caller,
            scope_prefix: "".into(),
        }
    }

    fn judged(changes: &Value) -> Result<Principal, LoginFault> {
        let mut claims = json!({ "sub": "alice", "aud": "mcp-server", "azp": "mcp-server", "typ": "ID", "nonce": "n", "iat": 100, "exp": 200 });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        judge(&settings(), &serde_json::from_value(claims).unwrap(), "n", Timestamp(150))
    }

    #[test]
    fn an_id_token_names_its_person() {
        let alice = Principal::new(&"https://sso".into(), "alice").unwrap();
        for changes in [
            json!({}),
            json!({ "typ": null, "azp": null }),
            json!({ "aud": ["other", "mcp-server"] }),
            json!({ "exp": 121 }),
            json!({ "iat": 180 }),
        ] {
            assert_eq!(judged(&changes).as_ref(), Ok(&alice), "{changes}");
        }
    }

    #[test]
    fn an_id_token_that_is_not_for_us_now_and_in_this_login_names_nobody() {
        for changes in [
            json!({ "typ": "Bearer" }),
            json!({ "aud": "https://cloud/mcp" }),
            json!({ "aud": [] }),
            json!({ "azp": "mcp-client" }),
            json!({ "aud": ["other", "mcp-server"], "azp": null }),
            json!({ "exp": 120 }),
            json!({ "exp": null }),
            json!({ "iat": 181 }),
            json!({ "iat": null }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "sub": "" }),
            json!({ "sub": null }),
        ] {
            assert!(matches!(judged(&changes), Err(LoginFault::Malformed(_))), "{changes}");
        }
    }
}
