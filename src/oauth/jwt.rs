//! The compact form of a signed JWT (RFC 7515 §7.1, RFC 7519), read strictly. The signature is checked by [`UnverifiedJwt::verify`]; the claims
//! can be had only through it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::verifier::TokenFault;
use crate::token::{Audiences, ScopeSet, Timestamp};

/// The protected header. `jku`, `x5u` and `jwk` are ignored: where keys come from is configuration.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// The claims that decide. Numbers must be numbers (checklist row 15); unknown claims are ignored.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: Option<String>,
    /// Subject: the user.
    pub sub: Option<String>,
    /// Audiences.
    #[serde(default)]
    pub aud: Audiences,
    /// Expiry.
    pub exp: Option<NumericDate>,
    /// Not before.
    pub nbf: Option<NumericDate>,
    /// Issued at.
    pub iat: Option<NumericDate>,
    /// Keycloak's kind of token: `Bearer`, `ID`, `Refresh`, `Offline`, `Logout`.
    pub typ: Option<String>,
    /// The client that the token was issued to (OpenID Connect).
    pub azp: Option<String>,
    /// The client that the token was issued to (RFC 9068, RFC 7662).
    pub client_id: Option<String>,
    /// The session at the issuer.
    pub sid: Option<String>,
    /// Token id; Keycloak writes the kind of grant into it.
    pub jti: Option<String>,
    /// What the token may do.
    #[serde(default)]
    pub scope: ScopeSet,
    /// The same by the name that Entra (a list in one text) and Okta (an array) give it.
    #[serde(default, deserialize_with = "text_or_array")]
    pub scp: ScopeSet,
    /// The user's name; Keycloak names service accounts here.
    pub preferred_username: Option<String>,
    /// Of ID tokens: the login that they belong to.
    pub nonce: Option<String>,
    /// Proof-of-possession key (RFC 7800).
    #[serde(default, deserialize_with = "present")]
    pub cnf: bool,
}

impl Claims {
    /// What the token may do, under either name.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.scope.iter().chain(self.scp.iter()).collect()
    }
}

/// `NumericDate` of RFC 7519 §2; fractions are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericDate(pub Timestamp);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        if let Some(seconds) = number.as_i64() {
            return Ok(Self(Timestamp(seconds)));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked, the fraction is meant to go")]
        match number.as_f64() {
            Some(seconds) if seconds.abs() < 1e15 => Ok(Self(Timestamp(seconds.floor() as i64))),
            _ => Err(D::Error::custom("not a NumericDate")),
        }
    }
}

/// A token whose signature has not been checked. It tells only what is needed to find the key.
#[derive(Debug)]
pub struct UnverifiedJwt<'a> {
    message: &'a str,
    signature: &'a str,
    header: Header,
    algorithm: Algorithm,
    claims: Claims,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads the three parts.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`], [`TokenFault::Algorithm`] for `none`, unknown and symmetric ones, [`TokenFault::Critical`] for any `crit`.
    pub fn parse(token: &'a str) -> Result<Self, TokenFault> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenFault::Malformed)?;
        let header: Header = part(header)?;
        if header.crit {
            return Err(TokenFault::Critical);
        }
        let algorithm: Algorithm = header.alg.parse().map_err(|_| TokenFault::Algorithm)?;
        let claims = part(payload)?;
        Ok(Self { message, signature, header, algorithm, claims })
    }

    /// The issuer that the token claims to be of.
    #[must_use]
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.claims.iss.as_deref()
    }

    /// The key id that the token claims to be signed with.
    #[must_use]
    pub fn claimed_key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The algorithm that the token claims; to be held against the configuration before use.
    #[must_use]
    pub fn claimed_algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks the signature and hands out what it protects: the header's `typ` and the claims.
    ///
    /// # Errors
    /// [`TokenFault::Signature`].
    pub fn verify(self, key: &DecodingKey) -> Result<(Option<String>, Claims), TokenFault> {
        match jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), key, self.algorithm) {
            Ok(true) => Ok((self.header.typ, self.claims)),
            Ok(false) | Err(_) => Err(TokenFault::Signature),
        }
    }
}

fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, TokenFault> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenFault::Malformed)
}

fn text_or_array<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scopes {
        Text(ScopeSet),
        Array(Vec<String>),
    }
    Ok(match Scopes::deserialize(deserializer)? {
        Scopes::Text(scopes) => scopes,
        Scopes::Array(scopes) => scopes.into_iter().collect(),
    })
}

/// Whether the member is there at all, whatever its value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn fault(header: &str, payload: &str) -> Option<TokenFault> {
        UnverifiedJwt::parse(&token(header, payload)).err()
    }

    const RS256: &str = r#"{"alg":"RS256","kid":"k"}"#;

    #[test]
    fn dates_that_are_text_are_refused() {
        for claim in ["exp", "nbf", "iat"] {
            assert_eq!(fault(RS256, &format!(r#"{{"{claim}":"1"}}"#)), Some(TokenFault::Malformed), "{claim}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_is_cut_off() {
        let token = token(RS256, r#"{"exp":17.9}"#);
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        assert_eq!(jwt.claims.exp, Some(NumericDate(Timestamp(17))));
        assert_eq!(fault(RS256, r#"{"exp":1e300}"#), Some(TokenFault::Malformed));
    }

    #[test]
    fn none_and_unknown_algorithms_are_refused() {
        for alg in ["none", "None", "", "HS1", "RSA-OAEP"] {
            assert_eq!(fault(&format!(r#"{{"alg":"{alg}"}}"#), "{}"), Some(TokenFault::Algorithm), "{alg}");
        }
    }

    #[test]
    fn any_crit_is_refused() {
        for crit in [r#"["exp"]"#, "[]", "null", r#""x""#] {
            assert_eq!(
                fault(&format!(r#"{{"alg":"RS256","crit":{crit}}}"#), "{}"),
                Some(TokenFault::Critical),
                "{crit}"
            );
        }
    }

    #[test]
    fn members_that_stand_twice_are_refused() {
        assert_eq!(fault(RS256, r#"{"sub":"alice","sub":"bob"}"#), Some(TokenFault::Malformed));
        assert_eq!(fault(r#"{"alg":"RS256","alg":"ES256"}"#, "{}"), Some(TokenFault::Malformed));
    }

    #[test]
    fn padding_and_foreign_letters_are_refused() {
        assert_eq!(UnverifiedJwt::parse("e30=.e30.AAAA").err(), Some(TokenFault::Malformed));
        assert_eq!(UnverifiedJwt::parse("e+/0.e30.AAAA").err(), Some(TokenFault::Malformed));
        assert_eq!(UnverifiedJwt::parse("a.b").err(), Some(TokenFault::Malformed));
    }
}
