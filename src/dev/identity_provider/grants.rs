//! The token endpoint (RFC 6749 §3.2): authorization code, refresh token, client credentials; the exchange has its own file.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::answer::Answer;
use super::super::clock;
use super::super::form::Form;
use super::clients::{Client, Presented};
use super::exchange;
use super::oauth_error::{OAuthError, uncached};
use super::realm::{Realm, Redeemed, Refresh};
use super::token::{self, Signature};
use super::users::User;
use super::verify;
use super::{resources, scopes};

/// Parameters that may stand twice.
const REPEATABLE: [&str; 2] = ["audience", "resource"];

pub(super) fn token_endpoint(realm: &Realm, headers: &HeaderMap, form: &Form) -> Result<Answer, OAuthError> {
    if form.duplicated(&REPEATABLE).is_some() {
        return Err(OAuthError::invalid_request("duplicated parameter"));
    }
    for (name, value) in form.iter() {
        let limit = if name.ends_with("_token") { 20_000 } else { 4_000 };
        if value.len() > limit {
            let text = format!("The size of OIDC parameter '{name}' is longer than allowed.");
            return Err(OAuthError::invalid_request(text));
        }
    }
    let Some(grant) = form.get("grant_type") else {
        return Err(OAuthError::invalid_request("Missing form parameter: grant_type"));
    };
    let client = Presented::read(headers, form).authenticate(realm)?;
    match grant {
        "authorization_code" => authorization_code(realm, &client, form),
        "refresh_token" => refresh_token(realm, &client, form),
        "client_credentials" => client_credentials(realm, &client, form),
        exchange::GRANT => exchange::grant(realm, &client, form),
        _ => Err(OAuthError::new(400, "unsupported_grant_type", "Unsupported grant_type")),
    }
}

fn authorization_code(realm: &Realm, client: &Client, form: &Form) -> Result<Answer, OAuthError> {
    let code = match form.get("code").map(|code| realm.redeem(code)) {
        Some(Redeemed::Good(code)) => code,
        Some(Redeemed::Unknown) => return Err(OAuthError::invalid_grant("Code not valid")),
        None => return Err(OAuthError::invalid_request("Missing parameter: code")),
    };
    if code.page.client_id != client.id() {
        return Err(OAuthError::invalid_grant("Auth error"));
    }
    if form.get("redirect_uri") != Some(code.page.redirect_uri.as_str()) {
        return Err(OAuthError::invalid_grant("Incorrect redirect_uri"));
    }
    let Some(verifier) = form.get("code_verifier") else {
        return Err(OAuthError::invalid_grant("PKCE code verifier not specified"));
    };
    check_verifier(verifier, &code.page.challenge)?;
    let Some(session) = realm.session(&code.sid) else {
        return Err(OAuthError::invalid_grant("Session not active"));
    };
    let login = Login {
        user: realm.user(&session.username),
        sid: &code.sid,
        scope: &code.page.scope,
        resources: &code.page.resources,
        nonce: code.page.nonce.as_deref(),
        refreshed: false,
    };
    issue(realm, client, &login, form)
}

/// RFC 7636 §4.1 and §4.6.
fn check_verifier(verifier: &str, challenge: &str) -> Result<(), OAuthError> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return Err(OAuthError::invalid_grant("PKCE verification failed: Invalid code verifier"));
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != challenge {
        return Err(OAuthError::invalid_grant("PKCE verification failed: Code mismatch"));
    }
    Ok(())
}

fn refresh_token(realm: &Realm, client: &Client, form: &Form) -> Result<Answer, OAuthError> {
    let Some(presented) = form.get("refresh_token") else {
        return Err(OAuthError::invalid_request("No refresh token"));
    };
    let invalid = || OAuthError::invalid_grant("Invalid refresh token");
    let claims = verify::signed(realm, presented).ok_or_else(invalid)?;
    let kind = verify::text(&claims, "typ").unwrap_or_default();
    let jti = verify::text(&claims, "jti").filter(|_| kind == "Refresh" || kind == "Offline").ok_or_else(invalid)?;
    if verify::number(&claims, "exp").is_some_and(|exp| exp <= clock::now()) {
        return Err(OAuthError::invalid_grant("Token is not active"));
    }
    if verify::number(&claims, "iat").is_some_and(|iat| iat < realm.not_before()) {
        return Err(OAuthError::invalid_grant("Stale token"));
    }
    let Some(before) = realm.use_refresh(jti) else {
        return Err(OAuthError::invalid_grant("Session doesn't have required client"));
    };
    if before.client_id != client.id() {
        return Err(OAuthError::invalid_grant("Unmatching clients"));
    }
    if before.used {
        realm.drop_refresh(&before.client_id, &before.sid);
        return Err(OAuthError::invalid_grant("Maximum allowed refresh token reuse exceeded"));
    }
    let Some(session) = realm.session(&before.sid).filter(|session| realm.is_enabled(&session.username)) else {
        let text = if kind == "Offline" { "Offline user session not found" } else { "Session not active" };
        return Err(OAuthError::invalid_grant(text));
    };
    let scope = narrowed(&before.scope, form.get("scope"))?;
    let login = Login {
        user: realm.user(&session.username),
        sid: &before.sid,
        scope: &scope,
        resources: &before.resources,
        nonce: None,
        refreshed: true,
    };
    issue(realm, client, &login, form)
}

/// RFC 6749 §6: a refresh may ask for less, never for more.
fn narrowed(granted: &str, asked: Option<&str>) -> Result<String, OAuthError> {
    let Some(asked) = asked else {
        return Ok(granted.to_owned());
    };
    let has = |scope: &&str| granted.split(' ').any(|known| known == *scope);
    match asked.split(' ').find(|scope| !has(scope)) {
        Some(unknown) => Err(OAuthError::new(400, "invalid_scope", format!("Invalid scopes: {unknown}"))),
        None => Ok(asked.to_owned()),
    }
}

/// What tokens are made of.
struct Login<'a> {
    user: User,
    sid: &'a str,
    scope: &'a str,
    resources: &'a [String],
    nonce: Option<&'a str>,
    refreshed: bool,
}

fn issue(realm: &Realm, client: &Client, login: &Login<'_>, form: &Form) -> Result<Answer, OAuthError> {
    let Login { user, sid, scope, .. } = login;
    let resources = resources::narrowed(form, login.resources, &realm.options().resources)
        .map_err(|unknown| OAuthError::new(400, "invalid_target", format!("Invalid resource: {unknown}")))?;
    let offline = scope.split(' ').any(|scope| scope == "offline_access");
    let prefix = match (offline, login.refreshed) {
        (false, false) => "onrtac",
        (false, true) => "onrtrt",
        (true, false) => "ofrtac",
        (true, true) => "ofrtrt",
    };
    let mut claims = token::caller_claims(realm, user, client.id(), sid, scope, prefix);
    if !resources.is_empty() {
        let audiences: Vec<&str> = resources.iter().map(String::as_str).collect();
        claims.insert("aud".into(), token::audience_claim(&audiences));
    }
    let access_token = token::sign(realm, Map::new(), &claims, &Signature::Realm)?;
    let (refresh_token, refresh_expires_in) = refresh(realm, client, login, offline)?;
    let mut response = json!({
        "access_token": access_token,
        "expires_in": realm.options().token_lifetime.as_secs(),
        "refresh_expires_in": refresh_expires_in,
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "not-before-policy": realm.not_before(),
        "session_state": sid,
        "scope": scope,
    });
    if scope.split(' ').any(|scope| scope == "openid") {
        let mut id = claims;
        id.insert("typ".into(), "ID".into());
        id.insert("aud".into(), client.id().into());
        id.insert("jti".into(), clock::uuid().into());
        id.remove("scope");
        if let Some(nonce) = login.nonce {
            id.insert("nonce".into(), nonce.into());
        }
        response["id_token"] = token::sign(realm, Map::new(), &id, &Signature::Realm)?.into();
    }
    Ok(uncached(Answer::json(200, &response)))
}

/// A new refresh token; the one before it is used up.
fn refresh(realm: &Realm, client: &Client, login: &Login<'_>, offline: bool) -> Result<(String, u64), OAuthError> {
    const IDLE: u64 = 30 * 60;
    let Login { user, sid, scope, .. } = login;
    let now = clock::now();
    let jti = clock::uuid();
    let mut claims = Map::new();
    claims.insert("iat".into(), now.into());
    claims.insert("jti".into(), jti.as_str().into());
    claims.insert("iss".into(), realm.issuer().into());
    claims.insert("aud".into(), realm.issuer().into());
    claims.insert("sub".into(), user.subject().into());
    claims.insert("typ".into(), if offline { "Offline" } else { "Refresh" }.into());
    claims.insert("azp".into(), client.id().into());
    claims.insert("sid".into(), (*sid).into());
    claims.insert("scope".into(), (*scope).into());
    let expires_in = if offline { 0 } else { IDLE.max(realm.options().token_lifetime.as_secs()) };
    if !offline {
        claims.insert("exp".into(), (now + expires_in).into());
    }
    let kept = Refresh {
        client_id: client.id().to_owned(),
        sid: (*sid).to_owned(),
        scope: (*scope).to_owned(),
        resources: login.resources.to_vec(),
        used: false,
    };
    realm.keep_refresh(jti, kept);
    Ok((token::sign(realm, Map::new(), &claims, &Signature::Realm)?, expires_in))
}

/// A token of the client itself, without a person: what law 1 refuses.
fn client_credentials(realm: &Realm, client: &Client, form: &Form) -> Result<Answer, OAuthError> {
    if client.is_public() {
        return Err(OAuthError::new(
            401,
            "unauthorized_client",
            "Public client not allowed to retrieve service account",
        ));
    }
    if !client.is_requester() {
        let text = "Client not enabled to retrieve service account";
        return Err(OAuthError::new(401, "unauthorized_client", text));
    }
    let granted = scopes::granted(form.get("scope"))
        .map_err(|unknown| OAuthError::new(400, "invalid_scope", format!("Invalid scopes: {unknown}")))?;
    let account = realm.user(&format!("service-account-{}", client.id()));
    let scope = granted.join(" ");
    let mut claims = token::caller_claims(realm, &account, client.id(), "", &scope, "trrtcc");
    claims.remove("sid");
    claims.insert("client_id".into(), client.id().into());
    let access_token = token::sign(realm, Map::new(), &claims, &Signature::Realm)?;
    let response: Value = json!({
        "access_token": access_token,
        "expires_in": realm.options().token_lifetime.as_secs(),
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": realm.not_before(),
        "scope": scope,
    });
    Ok(uncached(Answer::json(200, &response)))
}
