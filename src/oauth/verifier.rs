//! Is this token good, and whose is it? JWTs by signature (RFC 9068 §4, RFC 8725), opaque tokens by their issuer.

use std::sync::Arc;

use super::introspection::Introspector;
use super::issuer::{Issuer, Issuers};
use super::jwks::NoKey;
use super::jwt::{Claims, UnverifiedJwt};
use super::settings::{IssuerSettings, Profile};
use crate::token::{Clock, Identity, Principal, SubjectToken, Timestamp};

/// A JWT longer than this is not read. Keycloak refuses longer subject tokens, or, before 26.6.3, dropped them silently.
pub const LONGEST_JWT: usize = 16_000;
/// An opaque token longer than this is not read.
pub const LONGEST_OPAQUE: usize = 4_000;

/// What is wrong with a token. The texts are told to the caller: they name the rule, never the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text says what it is")]
pub enum TokenFault {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token is too long")]
    TooLong,
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    #[error("the token has critical header parameters that are not understood")]
    Critical,
    #[error("the token's issuer is not known here")]
    Issuer,
    #[error("the token's signing key is not published by its issuer")]
    Key,
    #[error("the token's signature is not good")]
    Signature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token is not meant for this server")]
    Audience,
    #[error("the token is not an access token")]
    NotAnAccessToken,
    #[error(
        "the token is bound to a key (cnf); sender-constrained tokens cannot be exchanged, ask for a plain bearer token"
    )]
    SenderConstrained,
    #[error("the token names no user")]
    NoUser,
    #[error("the token belongs to a service account, not to a user")]
    ServiceAccount,
    #[error("the token belongs to no session")]
    NoSession,
    #[error("the token's client is not admitted")]
    Client,
    #[error("the token is not active")]
    Inactive,
    #[error("the token was revoked")]
    Revoked,
}

/// Why a token was not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not good.
    #[error("{0}")]
    Refused(#[from] TokenFault),
    /// Its issuer cannot be asked.
    #[error("the identity provider cannot be asked: {0}")]
    Unavailable(String),
    /// Its issuer breaks the protocol.
    #[error("the identity provider's answer is malformed: {0}")]
    Malformed(String),
    /// Our client is not accepted by the issuer.
    #[error("the identity provider does not accept our client: {0}")]
    Misconfigured(String),
    /// Too many opaque tokens at once.
    #[error("too many unknown tokens at once")]
    Overloaded,
}

/// Judges callers' tokens.
#[derive(Clone)]
pub struct Verifier {
    issuers: Issuers,
    introspector: Option<Arc<Introspector>>,
    clock: Clock,
}

impl Verifier {
    /// A verifier for these issuers; opaque tokens go to the introspector, if there is one.
    #[must_use]
    pub fn new(issuers: Issuers, introspector: Option<Arc<Introspector>>, clock: Clock) -> Self {
        Self { issuers, introspector, clock }
    }

    /// Judges a token that is not remembered.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(&self, token: &SubjectToken) -> Result<Identity, VerifyError> {
        if token.is_jwt() {
            return self.verify_jwt(token).await;
        }
        match &self.introspector {
            _ if token.length() > LONGEST_OPAQUE => Err(TokenFault::TooLong.into()),
            Some(introspector) => introspector.introspect(token).await,
            None => Err(TokenFault::Malformed.into()),
        }
    }

    async fn verify_jwt(&self, token: &SubjectToken) -> Result<Identity, VerifyError> {
        if token.length() > LONGEST_JWT {
            return Err(TokenFault::TooLong.into());
        }
        let jwt = UnverifiedJwt::parse(token.expose())?;
        let issuer = self.issuers.find(jwt.claimed_issuer().unwrap_or_default()).ok_or(TokenFault::Issuer)?;
        let kid: Arc<str> = jwt.claimed_key_id().ok_or(TokenFault::Key)?.into();
        let (typ, claims) = verify_signature(issuer, jwt, &kid).await?;
        let now = self.clock.now();
        check_header_type(typ.as_deref(), claims.typ.as_deref())?;
        let mut identity = admit(&issuer.settings, claims, now)?;
        identity.key_id = Some(kid);
        Ok(identity)
    }
}

/// Checks a signature with the issuer's key of that id, fetching the keys if the id is new.
///
/// # Errors
/// [`TokenFault::Algorithm`], [`TokenFault::Key`], [`TokenFault::Signature`]; [`VerifyError::Unavailable`] if the keys cannot be had.
pub async fn verify_signature(
    issuer: &Issuer,
    jwt: UnverifiedJwt<'_>,
    kid: &str,
) -> Result<(Option<String>, Claims), VerifyError> {
    let algorithm = jwt.claimed_algorithm();
    if !issuer.settings.algorithms.contains(&algorithm) {
        return Err(TokenFault::Algorithm.into());
    }
    match issuer.keys.with_key(kid, algorithm, |key| jwt.verify(key)).await {
        Ok(verified) => Ok(verified?),
        Err(NoKey::Unknown) => Err(TokenFault::Key.into()),
        Err(NoKey::Unavailable) => Err(VerifyError::Unavailable("the issuer's keys are not known".to_owned())),
    }
}

/// Only access tokens (checklist row 17): header `at+jwt` (RFC 9068 §2.1), or Keycloak's payload `typ: Bearer`.
fn check_header_type(header: Option<&str>, payload: Option<&str>) -> Result<(), TokenFault> {
    let rfc9068 =
        header.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt"));
    match payload {
        Some("Bearer") => Ok(()),
        Some(_) => Err(TokenFault::NotAnAccessToken),
        None if rfc9068 => Ok(()),
        None => Err(TokenFault::NotAnAccessToken),
    }
}

/// Judges the claims of a token whose origin is proved, in the order of product.md §3, and tells whose it is.
///
/// # Errors
/// The first [`TokenFault`].
pub fn admit(settings: &IssuerSettings, claims: Claims, now: Timestamp) -> Result<Identity, TokenFault> {
    let expires_at = claims.exp.ok_or(TokenFault::Expired)?.0;
    if now >= expires_at.after(settings.leeway) {
        return Err(TokenFault::Expired);
    }
    let begins = |date: &super::jwt::NumericDate| now < date.0.before(settings.leeway);
    if claims.nbf.iter().any(begins) || claims.iat.iter().any(begins) {
        return Err(TokenFault::NotYetValid);
    }
    if !claims.aud.contains_any(&settings.audiences) {
        return Err(TokenFault::Audience);
    }
    if claims.cnf {
        return Err(TokenFault::SenderConstrained);
    }
    let principal = user_of(settings, &claims)?;
    let scopes = claims.scopes();
    let client = claims.azp.or(claims.client_id);
    if !settings.allowed_clients.is_empty()
        && !client.as_ref().is_some_and(|client| settings.allowed_clients.contains(client))
    {
        return Err(TokenFault::Client);
    }
    Ok(Identity {
        principal,
        client: client.map(Into::into),
        session: claims.sid.map(Into::into),
        key_id: None,
        issued_at: claims.iat.map_or(Timestamp(0), |date| date.0),
        expires_at,
        accepted_until: expires_at.after(settings.leeway),
        audiences: claims.aud,
        scopes,
        introspected: false,
    })
}

/// Law 1: there must be a user behind the token.
fn user_of(settings: &IssuerSettings, claims: &Claims) -> Result<Principal, TokenFault> {
    let subject = claims.sub.as_deref().ok_or(TokenFault::NoUser)?;
    let principal = Principal::new(&settings.issuer, subject).ok_or(TokenFault::NoUser)?;
    let is_the_client = [&claims.azp, &claims.client_id].into_iter().flatten().any(|client| client == subject);
    let named_service_account =
        claims.preferred_username.as_ref().is_some_and(|name| name.starts_with("service-account-"));
    let granted_to_a_client =
        claims.jti.as_ref().is_some_and(|jti| jti.starts_with("trrtcc:") || jti.starts_with("trrtte:"));
    if is_the_client || named_service_account || granted_to_a_client {
        return Err(TokenFault::ServiceAccount);
    }
    if settings.profile == Profile::Keycloak && claims.sid.as_ref().is_none_or(String::is_empty) {
        return Err(TokenFault::NoSession);
    }
    Ok(principal)
}
