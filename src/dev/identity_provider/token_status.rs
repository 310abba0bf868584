//! What becomes of a token later: introspection (RFC 7662), revocation (RFC 7009), userinfo and logout.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::form::Form;
use super::clients::Presented;
use super::oauth_error::{OAuthError, uncached};
use super::realm::Realm;
use super::verify;

/// From 26.6.2 on the caller has to be in the token's `aud`, else the token is "inactive" (CVE-2026-37979).
pub(super) fn introspect(realm: &Realm, headers: &HeaderMap, form: &Form) -> Result<Answer, OAuthError> {
    let client = Presented::read(headers, form)
        .authenticate(realm)
        .map_err(|_| OAuthError::new(401, "invalid_request", "Authentication failed."))?;
    if client.is_public() {
        return Err(OAuthError::new(403, "invalid_request", "Client not allowed."));
    }
    match form.get("token_type_hint") {
        None | Some("access_token" | "refresh_token") => {}
        Some(other) => {
            return Err(OAuthError::invalid_request(format!("Unsupported token type [{other}].")));
        }
    }
    let Some(token) = form.get("token") else {
        return Err(OAuthError::invalid_request("Token not provided."));
    };
    let Some(mut claims) =
        verify::access_token(realm, token).filter(|claims| verify::is_meant_for(realm, claims, &client))
    else {
        return Ok(uncached(Answer::json(200, &json!({ "active": false }))));
    };
    let client_id = claims.get("azp").cloned().unwrap_or_default();
    let username = claims.get("preferred_username").cloned().unwrap_or_default();
    claims.insert("client_id".into(), client_id);
    claims.insert("username".into(), username);
    claims.insert("token_type".into(), "Bearer".into());
    claims.insert("active".into(), true.into());
    claims.retain(|_, value| !value.is_null());
    Ok(uncached(Answer::json(200, &Value::Object(claims))))
}

/// Of a client's own tokens only.
pub(super) fn revoke(realm: &Realm, headers: &HeaderMap, form: &Form) -> Result<Answer, OAuthError> {
    let client = Presented::read(headers, form).authenticate(realm)?;
    let Some(token) = form.get("token") else {
        return Err(OAuthError::invalid_request("Token not provided"));
    };
    let Some(claims) = realm.opaque(token).or_else(|| verify::signed(realm, token)) else {
        // Keycloak says so with status 200.
        let body = json!({ "error": "invalid_token", "error_description": "Invalid token" });
        return Ok(uncached(Answer::json(200, &body)));
    };
    if verify::text(&claims, "azp") != Some(client.id()) {
        return Err(OAuthError::invalid_request("Unmatching clients"));
    }
    match (verify::text(&claims, "typ"), verify::text(&claims, "sid"), verify::text(&claims, "jti")) {
        (Some("Bearer"), _, Some(jti)) => realm.revoke(jti),
        (Some("Refresh" | "Offline"), Some(sid), _) => {
            realm.drop_refresh(client.id(), sid);
            realm.close_session(sid);
        }
        _ => {
            return Err(OAuthError::new(400, "unsupported_token_type", "Unsupported token type"));
        }
    }
    Ok(uncached(Answer::new(200)))
}

/// OpenID Connect Core §5.3.
pub(super) fn userinfo(realm: &Realm, headers: &HeaderMap) -> Answer {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(claims) = bearer.and_then(|token| verify::access_token(realm, token)) else {
        return Answer::json(
            401,
            &json!({ "error": "invalid_token", "error_description": "Token verification failed" }),
        )
        .header("www-authenticate", "Bearer realm=\"dev\", error=\"invalid_token\"");
    };
    if !verify::text(&claims, "scope").unwrap_or_default().split(' ').any(|scope| scope == "openid") {
        return Answer::json(
            403,
            &json!({ "error": "insufficient_scope", "error_description": "Missing openid scope" }),
        );
    }
    let shown = ["sub", "email_verified", "name", "preferred_username", "email"];
    let body = claims.into_iter().filter(|(name, _)| shown.contains(&name.as_str())).collect();
    uncached(Answer::json(200, &Value::Object(body)))
}

/// Logout by refresh token, which is Keycloak's own.
pub(super) fn logout(realm: &Realm, headers: &HeaderMap, form: &Form) -> Result<Answer, OAuthError> {
    let client = Presented::read(headers, form).authenticate(realm)?;
    let claims = form.get("refresh_token").and_then(|token| verify::signed(realm, token));
    let claims = claims.ok_or_else(|| OAuthError::invalid_grant("Invalid refresh token"))?;
    if verify::text(&claims, "azp") != Some(client.id()) {
        return Err(OAuthError::invalid_grant("Unmatching clients"));
    }
    if let Some(sid) = verify::text(&claims, "sid") {
        realm.close_session(sid);
    }
    Ok(uncached(Answer::new(204)))
}
