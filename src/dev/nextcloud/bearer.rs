//! What `user_oidc` accepts as a bearer token (self-encoded validation), generosities included.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::header::{AUTHORIZATION, HeaderName, USER_AGENT};
use hyper::{HeaderMap, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::super::{NEXTCLOUD_AGENT, clock};
use super::options::{Generation, Options};

/// Seconds that `iat` and `nbf` may lie ahead. `exp` has none.
const LEEWAY: u64 = 60;

/// What a good token says about its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub preferred_username: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// Verifies bearers with the provider's keys, which it fetches when it needs them.
pub(super) struct Verifier {
    jwks_uri: Uri,
    issuer: String,
    client_id: String,
    keys: Mutex<JwkSet>,
    http: Client<HttpConnector, Empty<Bytes>>,
}

// === impl Verifier ===

impl Verifier {
    pub(super) fn new(options: &Options) -> Result<Self, http::uri::InvalidUri> {
        Ok(Self {
            jwks_uri: options.jwks_uri.parse()?,
            issuer: options.issuer.clone(),
            client_id: options.client_id.clone(),
            keys: Mutex::new(JwkSet { keys: Vec::new() }),
            // No idle connection may outlive the runtime that opened it, so none is kept.
            http: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
        })
    }

    /// Whose token it is, if it is good.
    pub(super) async fn owner(&self, token: &str) -> Option<Owner> {
        let kid = decode_header(token).ok()?.kid?;
        let key = match self.key(&kid) {
            Some(key) => key,
            None => {
                self.fetch().await;
                self.key(&kid)?
            }
        };
        let claims = signed_claims(token, &key)?;
        self.accepts(&claims).then_some(())?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        // `sub` is not looked at while the uid is mapped to `preferred_username`.
        Some(Owner { preferred_username: text("preferred_username")?, name: text("name"), email: text("email") })
    }

    fn accepts(&self, claims: &Map<String, Value>) -> bool {
        let now = clock::now();
        let number = |name: &str| claims.get(name).and_then(Value::as_u64);
        let audience = match claims.get("aud") {
            // A token without audience opens Nextcloud.
            None => true,
            Some(Value::String(one)) => *one == self.client_id,
            Some(Value::Array(several)) => several.iter().any(|one| *one == self.client_id),
            Some(_) => false,
        };
        claims.get("iss").and_then(Value::as_str) == Some(self.issuer.as_str())
            && number("exp").is_some_and(|exp| exp > now)
            && number("iat").is_none_or(|iat| iat <= now + LEEWAY)
            && number("nbf").is_none_or(|nbf| nbf <= now + LEEWAY)
            && audience
    }

    fn key(&self, kid: &str) -> Option<Jwk> {
        let keys = self.keys.lock();
        keys.keys
            .iter()
            .find(|key| {
                key.common.key_id.as_deref() == Some(kid) && key.common.public_key_use != Some(PublicKeyUse::Encryption)
            })
            .cloned()
    }

    /// A failure leaves the keys as they are: the token will not be found good.
    async fn fetch(&self) {
        let request = Request::get(self.jwks_uri.clone()).header(USER_AGENT, NEXTCLOUD_AGENT).body(Empty::new());
        let Ok(request) = request else { return };
        let Ok(response) = self.http.request(request).await else {
            return;
        };
        let Ok(body) = response.into_body().collect().await else {
            return;
        };
        if let Ok(keys) = serde_json::from_slice(&body.to_bytes()) {
            *self.keys.lock() = keys;
        }
    }
}

/// The algorithm is the key's own; a token that names another is refused.
fn signed_claims(token: &str, key: &Jwk) -> Option<Map<String, Value>> {
    let algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    decode(token, &DecodingKey::from_jwk(key).ok()?, &validation).ok().map(|data| data.claims)
}

/// The bearer of a request, as each generation finds it. `XAuthorization` is read where `Authorization` is absent.
pub(super) fn token_of(headers: &HeaderMap, generation: Generation) -> Option<&str> {
    let second = HeaderName::from_static("xauthorization");
    let value = headers.get(AUTHORIZATION).or_else(|| headers.get(second))?.to_str().ok()?;
    if value.starts_with("Basic ") {
        return None;
    }
    match generation {
        // Any case, any blank, or no scheme at all.
        Generation::V7_3 => {
            let scheme = value.get(..6).filter(|scheme| scheme.eq_ignore_ascii_case("bearer"));
            let rest = scheme.and_then(|_| value.get(6..)).filter(|rest| rest.starts_with([' ', '\t']));
            Some(rest.map_or(value, str::trim_start))
        }
        Generation::V8_10 => value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")),
    }
}
