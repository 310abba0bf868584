//! Provider metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).

use serde::Deserialize;
use url::Url;

use super::client::{ProviderClient, ProviderFault};
use super::settings::IssuerSettings;
use crate::token::ScopeSet;

/// The endpoints that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// Browsers go here to sign in.
    pub authorization_endpoint: Option<Url>,
    /// Whether it names itself when it sends them back (RFC 9207 §3).
    pub names_itself: bool,
    /// RFC 8693 requests go here.
    pub token_endpoint: Url,
    /// The keys stand here (RFC 7517 §5).
    pub jwks_uri: Url,
    /// RFC 7662 requests go here.
    pub introspection_endpoint: Option<Url>,
    /// The scopes that it says it has; none if it does not say.
    pub scopes_supported: ScopeSet,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<Url>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint: Url,
    jwks_uri: Url,
    introspection_endpoint: Option<Url>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

/// Fetches and checks the metadata of one issuer. Endpoints named in the configuration win over discovered ones.
///
/// # Errors
/// [`ProviderFault`], also if the document names another issuer (OpenID Connect Discovery 1.0 §4.3).
pub async fn discover(client: &ProviderClient, settings: &IssuerSettings) -> Result<ProviderMetadata, ProviderFault> {
    let document: Document = client.get_json(&settings.discovery_url).await?;
    if document.issuer != *settings.issuer {
        return Err(ProviderFault::Malformed(format!(
            "{} names the issuer {:?}, configured is {:?} (Keycloak: give it a fixed --hostname, and --hostname-backchannel-dynamic=true for internal addresses)",
            settings.discovery_url, document.issuer, settings.issuer
        )));
    }
    Ok(ProviderMetadata {
        authorization_endpoint: document.authorization_endpoint,
        names_itself: document.authorization_response_iss_parameter_supported,
        token_endpoint: settings.token_endpoint.clone().unwrap_or(document.token_endpoint),
        jwks_uri: settings.jwks_uri.clone().unwrap_or(document.jwks_uri),
        introspection_endpoint: settings.introspection_endpoint.clone().or(document.introspection_endpoint),
        scopes_supported: document.scopes_supported.into_iter().collect(),
    })
}
