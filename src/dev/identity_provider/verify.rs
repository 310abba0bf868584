//! What the realm holds of a token that it is shown: its own, unexpired, unrevoked, of a session that lives?

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::clock;
use super::clients::Client;
use super::realm::Realm;
use super::token::Claims;

/// The claims of an access token that is good right now. Opaque ones are looked up, JWTs are verified.
pub(super) fn access_token(realm: &Realm, token: &str) -> Option<Claims> {
    let claims = realm.opaque(token).or_else(|| signed(realm, token))?;
    let fresh = text(&claims, "iss") == Some(realm.issuer())
        && text(&claims, "typ") == Some("Bearer")
        && number(&claims, "exp").is_some_and(|exp| exp > clock::now())
        && number(&claims, "iat").is_some_and(|iat| iat >= realm.not_before())
        && !text(&claims, "jti").is_some_and(|jti| realm.is_revoked(jti));
    (fresh && owner_is_active(realm, &claims)).then_some(claims)
}

/// The claims of a JWT with a good signature of the realm, whatever they say.
pub(super) fn signed(realm: &Realm, token: &str) -> Option<Claims> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header = object(header)?;
    let key = realm.published_key(text(&header, "kid")?)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let good = text(&header, "alg") == Some(key.algorithm.name()) && key.verifies(message.as_bytes(), &signature);
    good.then(|| object(payload)).flatten()
}

/// The user name of whoever a token speaks for. Keycloak goes by the session, and by `sub` only where there is none.
pub(super) fn username(realm: &Realm, claims: &Claims) -> Option<String> {
    match text(claims, "sid") {
        Some(sid) => realm.session(sid).map(|session| session.username),
        None => realm.username_of(text(claims, "sub")?),
    }
}

fn owner_is_active(realm: &Realm, claims: &Claims) -> bool {
    username(realm, claims).is_some_and(|username| realm.is_enabled(&username))
}

pub(super) fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

pub(super) fn number(claims: &Claims, name: &str) -> Option<u64> {
    claims.get(name)?.as_u64()
}

/// Whether a client is in `aud`: by its name, or as `mcp-server` by one of its resources.
pub(super) fn is_meant_for(realm: &Realm, claims: &Claims, client: &Client) -> bool {
    has_audience(claims, client.id())
        || (client.is_requester() && realm.options().resources.iter().any(|resource| has_audience(claims, resource)))
}

/// Whether `aud` is or has `audience`.
fn has_audience(claims: &Claims, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

fn object(encoded: &str) -> Option<Claims> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}
