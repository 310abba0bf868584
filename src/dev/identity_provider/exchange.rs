//! Standard token exchange (RFC 8693) as Keycloak's "V2" does it: same rules, same order of checks, same words.

use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::clock;
use super::super::form::Form;
use super::clients::Client;
use super::faults::ExchangeAnswer;
use super::oauth_error::{OAuthError, uncached};
use super::realm::Realm;
use super::scopes;
use super::token::{self, Claims, Signature};
use super::verify;

/// The grant type.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) fn grant(realm: &Realm, requester: &Client, form: &Form) -> Result<Answer, OAuthError> {
    check_shape(requester, form)?;
    let subject = form.get("subject_token").and_then(|token| verify::access_token(realm, token));
    let subject = subject.ok_or_else(|| OAuthError::invalid_request("Invalid token"))?;
    if !verify::is_meant_for(realm, &subject, requester) && verify::text(&subject, "azp") != Some(requester.id()) {
        return Err(OAuthError::new(403, "access_denied", "Client is not within the token audience"));
    }
    if subject.contains_key("cnf") && verify::text(&subject, "azp") != Some(requester.id()) {
        return Err(OAuthError::invalid_request(
            "Sender-constrained token exchange rejected as the token was not issued for the requesting client",
        ));
    }
    let asked: Vec<&str> = form.all("audience").filter(|audience| !audience.is_empty()).collect();
    if asked.iter().any(|audience| Client::find(realm, audience).is_none()) {
        return Err(OAuthError::new(400, "invalid_client", "Audience not found"));
    }
    let granted = scopes::granted(form.get("scope"))
        .map_err(|unknown| OAuthError::new(400, "invalid_scope", format!("Invalid scopes: {unknown}")))?;
    let audiences = audiences(realm, &asked, &granted)?;

    let claims = exchanged_claims(realm, requester, &subject, &audiences, &granted);
    let response = response(realm, &subject, &granted);
    let mut answer = ExchangeAnswer { header: Map::new(), claims, signature: Signature::Realm, response };
    realm.faults().tamper(&mut answer);
    let signed = token::sign(realm, answer.header, &answer.claims, &answer.signature)?;
    let mut body = answer.response;
    // A test may have put another token there.
    body.entry("access_token").or_insert(signed.into());
    Ok(uncached(Answer::json(200, &Value::Object(body))))
}

/// The checks that come before a look at the token (order measured on 26.7).
fn check_shape(requester: &Client, form: &Form) -> Result<(), OAuthError> {
    if !requester.is_requester() {
        return Err(OAuthError::invalid_request("Standard token exchange is not enabled for the requested client"));
    }
    for unsupported in ["requested_subject", "requested_issuer", "subject_issuer"] {
        if form.has(unsupported) {
            let text = format!("Parameter '{unsupported}' is not supported for standard token exchange");
            return Err(OAuthError::invalid_request(text));
        }
    }
    for required in ["subject_token", "subject_token_type"] {
        if form.get(required).is_none() {
            let text = format!("Parameter '{required}' required for standard token exchange");
            return Err(OAuthError::invalid_request(text));
        }
    }
    if form.get("subject_token_type") != Some(ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("Parameter 'subject_token' supports access tokens only"));
    }
    match form.get("requested_token_type") {
        None | Some(ACCESS_TOKEN) => Ok(()),
        Some(_) => Err(OAuthError::invalid_request("requested_token_type unsupported")),
    }
}

/// `audience` adds nothing: it filters what the requester's own scopes put into the token.
fn audiences(realm: &Realm, asked: &[&str], granted: &[String]) -> Result<Vec<&'static str>, OAuthError> {
    let by_scope = granted.iter().any(|scope| scope == "nextcloud-audience");
    let available: &[&'static str] =
        if realm.options().nextcloud_audience_by_default || by_scope { &["nextcloud"] } else { &[] };
    let missing: Vec<&str> = asked.iter().filter(|audience| !available.contains(audience)).copied().collect();
    if missing.is_empty() {
        Ok(available.to_vec())
    } else {
        Err(OAuthError::invalid_request(format!("Requested audience not available: {}", missing.join(", "))))
    }
}

fn exchanged_claims(
    realm: &Realm,
    requester: &Client,
    subject: &Claims,
    audiences: &[&str],
    granted: &[String],
) -> Claims {
    let now = clock::now();
    let sid = verify::text(subject, "sid");
    let mut claims = Map::new();
    // Not capped by the subject token's.
    claims.insert("exp".into(), (now + realm.options().exchanged_lifetime.as_secs()).into());
    claims.insert("iat".into(), now.into());
    let session = if sid.is_some() { "ntrtte" } else { "trrtte" };
    claims.insert("jti".into(), format!("{session}:{}", clock::uuid()).into());
    claims.insert("iss".into(), realm.issuer().into());
    if !audiences.is_empty() {
        claims.insert("aud".into(), token::audience_claim(audiences));
    }
    let username = verify::username(realm, subject).unwrap_or_default();
    let user = realm.user(&username);
    claims.insert("sub".into(), user.subject().into());
    claims.insert("typ".into(), "Bearer".into());
    claims.insert("azp".into(), requester.id().into());
    if let Some(sid) = sid {
        claims.insert("sid".into(), sid.into());
    }
    claims.insert("scope".into(), granted.join(" ").into());
    token::add_profile(&mut claims, &user);
    claims
}

fn response(realm: &Realm, subject: &Claims, granted: &[String]) -> Map<String, Value> {
    let response = json!({
        "expires_in": realm.options().exchanged_lifetime.as_secs(),
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": realm.not_before(),
        "session_state": subject.get("sid"),
        "scope": granted.join(" "),
        "issued_token_type": ACCESS_TOKEN,
    });
    match response {
        Value::Object(mut members) => {
            members.retain(|_, value| !value.is_null());
            members
        }
        _ => Map::new(),
    }
}
