//! Law 4: an exchanged token is used only if it is what was asked for. Keycloak gives tokens without any `aud`, and Nextcloud takes them.

use std::sync::Arc;

use serde::Deserialize;

use super::person::person;
use super::{ExchangeError, ExchangedToken};
use crate::oauth::Issuer;
use crate::oauth::VerifyError;
use crate::oauth::jwt::{Claims, UnverifiedJwt};
use crate::oauth::verifier::verify_signature;
use crate::token::{BearerHeader, Identity, Lifetime, ScopeSet, Timestamp};

/// `urn:ietf:params:oauth:token-type:access_token` (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A successful answer (RFC 8693 §2.2.1).
#[derive(Deserialize)]
pub struct Answer {
    access_token: secrecy::SecretString,
    issued_token_type: String,
    token_type: String,
    #[serde(default)]
    scope: ScopeSet,
    /// Keycloak: tokens issued before this are void.
    #[serde(rename = "not-before-policy", default)]
    pub not_before_policy: i64,
}

/// Checks an answer against what was asked, and makes it a token for Nextcloud.
///
/// # Errors
/// [`ExchangeError::Malformed`] with the check that failed; [`ExchangeError::Unavailable`] if the issuer's keys cannot be had.
pub async fn check(
    issuer: &Issuer,
    identity: &Identity,
    asked: &ScopeSet,
    answer: Answer,
    now: Timestamp,
) -> Result<ExchangedToken, ExchangeError> {
    use secrecy::ExposeSecret as _;

    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return malformed("token_type is not Bearer");
    }
    if answer.issued_token_type != ACCESS_TOKEN {
        return malformed("issued_token_type is not access_token");
    }
    let token = answer.access_token.expose_secret();
    let claims = verified(issuer, token).await?;
    let expires_at = check_claims(issuer, identity, asked, &answer.scope, &claims, now)?;
    let header = BearerHeader::new(token)
        .ok_or_else(|| ExchangeError::Malformed("the token cannot stand in a header".to_owned()))?;
    // What the token says is signed; the answer speaks where the token says nothing (RFC 8693 §2.2.1).
    let said = claims.scopes();
    let scopes = if said.is_empty() { answer.scope } else { said };
    let person = person(token, identity.client.as_deref());
    Ok(ExchangedToken { header, scopes, lifetime: Lifetime::new(now, expires_at, identity.expires_at), person })
}

async fn verified(issuer: &Issuer, token: &str) -> Result<Claims, ExchangeError> {
    let unusable = |fault: &dyn std::fmt::Display| ExchangeError::Malformed(format!("exchanged token: {fault}"));
    let jwt = UnverifiedJwt::parse(token).map_err(|fault| unusable(&fault))?;
    if jwt.claimed_issuer() != Some(&*issuer.settings.issuer) {
        return malformed("exchanged token: another issuer");
    }
    let kid: Arc<str> = jwt.claimed_key_id().ok_or_else(|| unusable(&"no kid"))?.into();
    match verify_signature(issuer, jwt, &kid).await {
        Ok((_, claims)) => Ok(claims),
        Err(VerifyError::Unavailable(said)) => Err(ExchangeError::Unavailable(said)),
        Err(fault) => Err(unusable(&fault)),
    }
}

fn check_claims(
    issuer: &Issuer,
    identity: &Identity,
    asked: &ScopeSet,
    granted: &ScopeSet,
    claims: &Claims,
    now: Timestamp,
) -> Result<Timestamp, ExchangeError> {
    let settings = &issuer.settings;
    if claims.typ.as_deref().is_some_and(|typ| typ != "Bearer") {
        return malformed("exchanged token: not an access token");
    }
    if !claims.aud.is_exactly(&settings.nextcloud_audience) {
        return malformed(
            "exchanged token: aud is not exactly nextcloud_audience (our client at the provider needs an audience mapper for it, and for nothing else)",
        );
    }
    if claims.sub.as_deref() != Some(identity.principal.subject()) {
        return malformed("exchanged token: another sub");
    }
    if identity.session.is_some() && claims.sid.as_deref() != identity.session.as_deref() {
        return malformed("exchanged token: another sid");
    }
    if claims.cnf {
        return malformed("exchanged token: bound to a key");
    }
    // Entra asks by `api://nextcloud/files.read` and grants `files.read`.
    let asked: ScopeSet = asked.iter().flat_map(|scope| [scope, settings.scope_here(scope)]).collect();
    for scopes in [&claims.scopes(), granted] {
        let beyond = scopes.beyond(&asked, &settings.default_scopes);
        if !beyond.is_empty() {
            return Err(ExchangeError::Malformed(format!(
                "exchanged token: scopes that nobody asked for ({beyond}); if they are defaults of our client, name them in default_scopes"
            )));
        }
    }
    if claims.nbf.iter().any(|date| now < date.0.before(settings.leeway)) {
        return malformed("exchanged token: not valid yet");
    }
    match claims.exp {
        Some(date) if date.0 > now => Ok(date.0),
        Some(_) | None => malformed("exchanged token: exp is missing or past"),
    }
}

fn malformed<T>(check: &str) -> Result<T, ExchangeError> {
    Err(ExchangeError::Malformed(check.to_owned()))
}
