//! ID tokens (OpenID Connect Core 1.0 §3.1.3.7): who signed in just now, at this issuer, to us, in this login.

use super::issuer::Issuer;
use super::jwt::UnverifiedJwt;
use super::login::LoginFault;
use super::verifier::{self, LONGEST_JWT, VerifyError};
use crate::token::{Digest, Principal, Timestamp};

/// Checks an ID token that came from the issuer for a login with this nonce.
///
/// # Errors
/// [`LoginFault::Malformed`], with the rule that it breaks; [`LoginFault::Unavailable`] if the issuer's keys cannot be had.
pub async fn check(issuer: &Issuer, token: &str, nonce: &str, now: Timestamp) -> Result<Principal, LoginFault> {
    let broken = |rule: &str| LoginFault::Malformed(format!("the ID token {rule}"));
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
    let expires = claims.exp.ok_or_else(|| broken("does not expire"))?.0;
    if now >= expires.after(settings.leeway) {
        return Err(broken("has expired"));
    }
    if claims.iat.is_none_or(|issued| now < issued.0.before(settings.leeway)) {
        return Err(broken("is not valid yet"));
    }
    // By digests, which take the same time wherever they differ.
    if claims.nonce.is_none_or(|own| Digest::of(own.as_bytes()) != Digest::of(nonce.as_bytes())) {
        return Err(broken("belongs to another login"));
    }
    Principal::new(&settings.issuer, claims.sub.as_deref().unwrap_or_default()).ok_or_else(|| broken("names nobody"))
}
