//! Making tokens: good ones for people, and every kind of bad one for the tests of a verifier.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::super::clock;
use super::keys::{Algorithm, CryptoError};
use super::realm::Realm;
use super::users::User;

/// The claims of a token.
pub type Claims = Map<String, Value>;

/// How a token is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// By the realm's current key, RS256.
    Realm,
    /// By the realm's current key, with another algorithm than the JWKS says (`alg` names it).
    RealmAs(Algorithm),
    /// By a published key, named by its `kid` (see `publish_key`).
    Key(String),
    /// RS256 under the realm's current `kid`, by a key that is in no JWKS.
    Rogue,
    /// `alg: none` and no signature.
    None,
    /// HS256, with the PEM of the realm's public key as the secret.
    PublicKeyAsHmac,
    /// By the realm's current key; then one bit of the signature is turned.
    Broken,
}

/// A token to be: a caller's token unless something is changed.
#[derive(Clone)]
pub struct TokenBuilder {
    realm: Realm,
    header: Map<String, Value>,
    claims: Claims,
    signature: Signature,
}

// === impl TokenBuilder ===

impl TokenBuilder {
    pub(super) fn new(realm: Realm, claims: Claims) -> Self {
        Self { realm, header: Map::new(), claims, signature: Signature::Realm }
    }

    /// Sets a claim to anything.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Takes a claim away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a header parameter (`kid`, `typ`, `alg`, `crit` …); `null` takes it away.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signs otherwise.
    #[must_use]
    pub fn signed(mut self, signature: Signature) -> Self {
        self.signature = signature;
        self
    }

    /// `aud`: a string if it is one, else an array.
    #[must_use]
    pub fn audiences(self, audiences: &[&str]) -> Self {
        let value = audience_claim(audiences);
        self.claim("aud", value)
    }

    /// `scope`, separated by blanks.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// `azp`: the client through which the person acts.
    #[must_use]
    pub fn client(self, client_id: &str) -> Self {
        self.claim("azp", client_id)
    }

    /// `exp`: from now on.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        self.claim("exp", clock::now() + lifetime.as_secs())
    }

    /// `iat` and `exp` in the past: expired for `ago`.
    #[must_use]
    pub fn expired(self, ago: Duration) -> Self {
        let expired = clock::now().saturating_sub(ago.as_secs());
        self.claim("iat", expired.saturating_sub(300)).claim("exp", expired)
    }

    /// `sid` of the session that `mint` opened for it, to log out later.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.claims.get("sid").and_then(Value::as_str)
    }

    /// The claims as they stand.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The token in compact form.
    ///
    /// # Errors
    /// The cryptographic library failed, or the named key is not published.
    pub fn sign(self) -> Result<String, CryptoError> {
        sign(&self.realm, self.header, &self.claims, &self.signature)
    }

    /// An opaque token of the same meaning: introspection answers the claims, and the exchange takes it. (Keycloak has no
    /// opaque access tokens; other providers do.)
    #[must_use]
    pub fn opaque(self) -> String {
        self.realm.remember_opaque(self.claims)
    }
}

/// RFC 7515 §3.1. `header` is laid over what the signature demands; a `null` there takes the parameter away.
pub(super) fn sign(
    realm: &Realm,
    header: Map<String, Value>,
    claims: &Claims,
    signature: &Signature,
) -> Result<String, CryptoError> {
    let current = realm.signing_key();
    let (key, algorithm) = match signature {
        Signature::Key(kid) => {
            let key = realm.published_key(kid).unwrap_or_else(|| current.clone());
            let algorithm = key.algorithm;
            (key, algorithm)
        }
        Signature::Rogue => (realm.rogue_key()?, Algorithm::Rs256),
        Signature::RealmAs(algorithm) => (current.clone(), *algorithm),
        Signature::Realm | Signature::None | Signature::PublicKeyAsHmac | Signature::Broken => {
            (current.clone(), Algorithm::Rs256)
        }
    };
    let (alg, kid) = match signature {
        Signature::None => ("none", None),
        Signature::PublicKeyAsHmac => ("HS256", Some(&current.kid)),
        Signature::Rogue => (algorithm.name(), Some(&current.kid)),
        Signature::Realm | Signature::RealmAs(_) | Signature::Key(_) | Signature::Broken => {
            (algorithm.name(), Some(&key.kid))
        }
    };
    let mut full = Map::new();
    full.insert("alg".into(), alg.into());
    full.insert("typ".into(), "JWT".into());
    if let Some(kid) = kid {
        full.insert("kid".into(), kid.as_str().into());
    }
    full.extend(header);
    full.retain(|_, value| !value.is_null());

    let message = format!("{}.{}", encode(&Value::Object(full)), encode(&Value::Object(claims.clone())));
    let signed = match signature {
        Signature::None => Vec::new(),
        Signature::PublicKeyAsHmac => {
            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, current.public_pem()?.as_bytes());
            aws_lc_rs::hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
        }
        Signature::Broken => {
            let mut signed = key.sign(algorithm, message.as_bytes())?;
            if let Some(byte) = signed.get_mut(7) {
                *byte ^= 1;
            }
            signed
        }
        Signature::Realm | Signature::RealmAs(_) | Signature::Key(_) | Signature::Rogue => {
            key.sign(algorithm, message.as_bytes())?
        }
    };
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed)))
}

/// The claims of a token by which a person calls through a client.
pub(super) fn caller_claims(
    realm: &Realm,
    user: &User,
    client_id: &str,
    sid: &str,
    scope: &str,
    jti_prefix: &str,
) -> Claims {
    let now = clock::now();
    let audiences: Vec<&str> = realm.options().audiences.iter().map(String::as_str).collect();
    let mut claims = Map::new();
    claims.insert("exp".into(), (now + realm.options().token_lifetime.as_secs()).into());
    claims.insert("iat".into(), now.into());
    claims.insert("jti".into(), format!("{jti_prefix}:{}", clock::uuid()).into());
    claims.insert("iss".into(), realm.issuer().into());
    claims.insert("aud".into(), audience_claim(&audiences));
    claims.insert("sub".into(), user.subject().into());
    claims.insert("typ".into(), "Bearer".into());
    claims.insert("azp".into(), client_id.into());
    claims.insert("sid".into(), sid.into());
    claims.insert("scope".into(), scope.into());
    add_profile(&mut claims, user);
    claims
}

/// What the scopes `profile` and `email` put into a token.
pub(super) fn add_profile(claims: &mut Claims, user: &User) {
    claims.insert("email_verified".into(), true.into());
    claims.insert("name".into(), user.name.clone().into());
    claims.insert("preferred_username".into(), user.username.clone().into());
    claims.insert("email".into(), user.email.clone().into());
}

pub(super) fn audience_claim(audiences: &[&str]) -> Value {
    match audiences {
        [one] => json!(one),
        several => json!(several),
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
