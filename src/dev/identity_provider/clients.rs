//! The clients of the realm, its own three and those that registered, and how they prove who they are (RFC 6749 §2.3.1, with Keycloak's answers).

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;

use super::super::form::Form;
use super::oauth_error::OAuthError;
use super::options::Options;
use super::realm::Realm;
use super::registration::Registered;

/// Who may ask at the token endpoint.
#[derive(Clone, Debug)]
pub(super) enum Client {
    /// `mcp-client`, public: what people use. Authorization code with PKCE.
    Public,
    /// `mcp-server`, confidential: obo-proxy. Exchanges, introspects, may sign people in.
    Requester,
    /// `nextcloud`, confidential: the audience. Introspects.
    Nextcloud,
    /// One that registered itself (RFC 7591). Authorization code with PKCE.
    Registered(Arc<Registered>),
}

/// A client that was asked who it is.
#[derive(Debug)]
pub(super) struct Presented {
    pub client_id: Option<String>,
    secret: Option<String>,
    pub basic: bool,
}

// === impl Client ===

impl Client {
    pub(super) fn find(realm: &Realm, client_id: &str) -> Option<Self> {
        [Self::Public, Self::Requester, Self::Nextcloud]
            .into_iter()
            .find(|client| client.id() == client_id)
            .or_else(|| realm.client(client_id).map(Self::Registered))
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Public => "mcp-client",
            Self::Requester => "mcp-server",
            Self::Nextcloud => "nextcloud",
            Self::Registered(client) => &client.id,
        }
    }

    /// What a person is shown.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Registered(client) => client.name.as_deref().unwrap_or(&client.id),
            Self::Public | Self::Requester | Self::Nextcloud => self.id(),
        }
    }

    pub(super) fn is_requester(&self) -> bool {
        matches!(self, Self::Requester)
    }

    pub(super) fn is_public(&self) -> bool {
        match self {
            Self::Public => true,
            Self::Requester | Self::Nextcloud => false,
            Self::Registered(client) => client.secret.is_none(),
        }
    }

    fn secret<'a>(&'a self, options: &'a Options) -> Option<&'a str> {
        match self {
            Self::Public => None,
            Self::Requester => Some(options.requester_secret.expose_secret()),
            Self::Nextcloud => Some(options.nextcloud_secret.expose_secret()),
            Self::Registered(client) => client.secret.as_ref().map(|secret| secret.expose_secret()),
        }
    }

    /// Whether a browser may be sent there. Loopback addresses of `mcp-client` match whatever their port (RFC 8252 §7.3).
    pub(super) fn may_redirect_to(&self, redirect_uri: &str, options: &Options) -> bool {
        match self {
            Self::Public => {
                is_loopback(redirect_uri) || options.client_redirect_uris.iter().any(|uri| uri == redirect_uri)
            }
            Self::Requester => options.requester_redirect_uris.iter().any(|uri| uri == redirect_uri),
            Self::Nextcloud => false,
            Self::Registered(client) => client.may_redirect_to(redirect_uri),
        }
    }
}

// === impl Presented ===

impl Presented {
    /// `client_secret_basic`, whose two halves are form-urlencoded, or `client_secret_post`.
    pub(super) fn read(headers: &HeaderMap, form: &Form) -> Self {
        let basic = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
            .and_then(|pair| String::from_utf8(pair).ok());
        match basic.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((id, secret)) => Self {
                client_id: form_decoded(id),
                secret: form_decoded(secret).filter(|secret| !secret.is_empty()),
                basic: true,
            },
            None => Self {
                client_id: form.get("client_id").map(str::to_owned),
                secret: form.get("client_secret").map(str::to_owned),
                basic: false,
            },
        }
    }

    /// The client, proven; a public one by its name alone.
    pub(super) fn authenticate(&self, realm: &Realm) -> Result<Client, OAuthError> {
        const TEXT: &str = "Invalid client or Invalid client credentials";
        let Some(client_id) = &self.client_id else {
            return Err(OAuthError::new(400, "invalid_client", "Missing client_id parameter"));
        };
        let client = Client::find(realm, client_id).ok_or_else(|| OAuthError::new(401, "invalid_client", TEXT))?;
        match (client.secret(realm.options()), &self.secret) {
            (None, _) => Ok(client),
            (Some(expected), Some(secret)) if expected == secret => Ok(client),
            (Some(_), _) => Err(OAuthError::new(401, "unauthorized_client", TEXT)),
        }
    }
}

fn form_decoded(encoded: &str) -> Option<String> {
    let blanks = encoded.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Plain http to this very machine, by name or address.
pub(super) fn is_loopback(redirect_uri: &str) -> bool {
    url::Url::parse(redirect_uri).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        url.scheme() == "http"
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && (host == "localhost" || address.is_ok_and(|address| address.is_loopback()))
    })
}
