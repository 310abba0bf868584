//! The metadata document (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).

use serde_json::{Value, json};

use super::realm::Realm;
use super::{registration, scopes};

/// Where the OpenID endpoints are, below the issuer.
pub(super) const PROTOCOL: &str = "/protocol/openid-connect";

pub(super) fn document(realm: &Realm) -> Value {
    let issuer = realm.issuer();
    let endpoint = |name: &str| format!("{issuer}{PROTOCOL}/{name}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": endpoint("auth"),
        "token_endpoint": endpoint("token"),
        "introspection_endpoint": endpoint("token/introspect"),
        "userinfo_endpoint": endpoint("userinfo"),
        "end_session_endpoint": endpoint("logout"),
        "revocation_endpoint": endpoint("revoke"),
        "registration_endpoint": format!("{issuer}{}", registration::PATH),
        "jwks_uri": endpoint("certs"),
        "scopes_supported": scopes::supported(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "claims_supported": ["aud", "sub", "iss", "name", "preferred_username", "email", "sid"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}
