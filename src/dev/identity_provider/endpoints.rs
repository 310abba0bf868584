//! Which path is which endpoint.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::USER_AGENT;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request};
use serde_json::json;

use super::super::NEXTCLOUD_AGENT;
use super::super::answer::Answer;
use super::super::form::Form;
use super::clients::Presented;
use super::discovery::{self, PROTOCOL};
use super::exchange;
use super::faults::{Endpoint, ExchangeSeen};
use super::grants;
use super::oauth_error::OAuthError;
use super::realm::Realm;
use super::{authorize, registration, token_status};

/// Larger than any form that the realm takes.
const BODY_LIMIT: usize = 256 * 1024;

pub(super) async fn answer(realm: Realm, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => return Answer::new(413),
    };
    let form = Form::parse(&body);
    let path = head.uri.path();
    let endpoint = endpoint_of(path, &head.headers, &form);
    if let Some(failure) = realm.faults().enter(endpoint).await {
        if endpoint == Endpoint::Exchange {
            saw_exchange(&realm, &head.headers, &form, failure.status);
        }
        return Answer::new(failure.status).header("content-type", "application/json").body(Bytes::from(failure.body));
    }
    // What a client in a browser asks for itself. Nothing here goes by a cookie, so any page may.
    let open = !matches!(endpoint, Endpoint::Authorization | Endpoint::Introspection | Endpoint::Other);
    if open && head.method == Method::OPTIONS {
        return Answer::new(204)
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-methods", "GET, POST")
            .header("access-control-allow-headers", "authorization, content-type, mcp-protocol-version")
            .header("access-control-max-age", "3600");
    }
    let answer = route(&realm, endpoint, &head, &form, &body);
    if open { answer.header("access-control-allow-origin", "*") } else { answer }
}

fn endpoint_of(path: &str, headers: &HeaderMap, form: &Form) -> Endpoint {
    if path.contains("/.well-known/") {
        return Endpoint::Discovery;
    }
    match path.strip_prefix("/realms/dev") {
        Some("/login-actions/authenticate") => Endpoint::Authorization,
        Some(registration::PATH) => Endpoint::Registration,
        Some(path) => match path.strip_prefix(PROTOCOL) {
            Some("/auth") => Endpoint::Authorization,
            Some("/certs") if from_nextcloud(headers) => Endpoint::NextcloudJwks,
            Some("/certs") => Endpoint::Jwks,
            Some("/token") if form.get("grant_type") == Some(exchange::GRANT) => Endpoint::Exchange,
            Some("/token") => Endpoint::Token,
            Some("/token/introspect") => Endpoint::Introspection,
            Some("/revoke") => Endpoint::Revocation,
            _ => Endpoint::Other,
        },
        None => Endpoint::Other,
    }
}

fn route(realm: &Realm, endpoint: Endpoint, head: &Parts, form: &Form, body: &[u8]) -> Answer {
    let (path, headers) = (head.uri.path(), &head.headers);
    match (endpoint, head.method.as_str()) {
        (Endpoint::Discovery, "GET") if is_discovery(path) => Answer::json(200, &discovery::document(realm))
            .header("cache-control", "no-cache, must-revalidate, no-transform, no-store"),
        // Keycloak says `no-cache` here in every mode: clients keep a lifetime of their own.
        (Endpoint::Jwks | Endpoint::NextcloudJwks, "GET") => {
            Answer::json(200, &realm.jwks()).header("cache-control", "no-cache")
        }
        (Endpoint::Authorization, "GET") if path.ends_with("/auth") => {
            authorize::page(realm, &Form::parse(head.uri.query().unwrap_or_default().as_bytes()))
        }
        (Endpoint::Authorization, "POST") if path.ends_with("/auth") => authorize::page(realm, form),
        (Endpoint::Authorization, "POST") => authorize::sign_in(realm, form),
        (Endpoint::Token, "POST") => settled(grants::token_endpoint(realm, headers, form)),
        (Endpoint::Exchange, "POST") => {
            let answer = settled(grants::token_endpoint(realm, headers, form));
            saw_exchange(realm, headers, form, answer.status().as_u16());
            answer
        }
        (Endpoint::Introspection, "POST") => settled(token_status::introspect(realm, headers, form)),
        (Endpoint::Revocation, "POST") => settled(token_status::revoke(realm, headers, form)),
        (Endpoint::Registration, "POST") => settled(registration::register(realm, headers, body)),
        (Endpoint::Other, "GET" | "POST") if path.ends_with("/userinfo") => token_status::userinfo(realm, headers),
        (Endpoint::Other, "POST") if path.ends_with("/logout") => settled(token_status::logout(realm, headers, form)),
        (Endpoint::Other, _) | (Endpoint::Discovery, "GET") => {
            Answer::json(404, &json!({ "error": "HTTP 404 Not Found" }))
        }
        _ => Answer::json(405, &json!({ "error": "HTTP 405 Method Not Allowed" })),
    }
}

fn from_nextcloud(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes() == NEXTCLOUD_AGENT.as_bytes())
}

/// OpenID Connect Discovery appends to the issuer, RFC 8414 §3.1 inserts before its path; Keycloak answers all of these.
fn is_discovery(path: &str) -> bool {
    [
        "/realms/dev/.well-known/openid-configuration",
        "/realms/dev/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/realms/dev",
        "/.well-known/openid-configuration/realms/dev",
    ]
    .contains(&path)
}

fn settled(outcome: Result<Answer, OAuthError>) -> Answer {
    outcome.unwrap_or_else(OAuthError::into_answer)
}

fn saw_exchange(realm: &Realm, headers: &HeaderMap, form: &Form, status: u16) {
    let presented = Presented::read(headers, form);
    let kept = form.iter().filter(|(name, _)| !name.ends_with("_token") && *name != "client_secret");
    realm.faults().saw_exchange(ExchangeSeen {
        client_id: presented.client_id,
        basic: presented.basic,
        parameters: kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        status,
    });
}
