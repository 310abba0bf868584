//! Client authentication at the token and introspection endpoints (RFC 6749 §2.3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};

/// How we prove to the provider which client we are.
#[derive(Clone)]
pub enum ClientAuth {
    /// We are no client there: only its keys are needed, because nothing is exchanged and nothing introspected.
    None,
    /// `client_secret_basic`: id and secret, each form-urlencoded, in the `Authorization` header.
    Basic {
        /// Our client id.
        client_id: String,
        /// Our secret.
        secret: SecretString,
    },
    /// `client_secret_post`: id and secret in the form.
    Post {
        /// Our client id.
        client_id: String,
        /// Our secret.
        secret: SecretString,
    },
}

impl ClientAuth {
    /// Our client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::None => "",
            Self::Basic { client_id, .. } | Self::Post { client_id, .. } => client_id,
        }
    }

    /// Adds the proof and the form to a request.
    pub fn apply(&self, request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
        match self {
            Self::None => request.form(form),
            Self::Basic { client_id, secret } => {
                let mut header = http::HeaderValue::try_from(basic(client_id, secret.expose_secret()))
                    .unwrap_or_else(|_| http::HeaderValue::from_static(""));
                header.set_sensitive(true);
                request.header(http::header::AUTHORIZATION, header).form(form)
            }
            Self::Post { client_id, secret } => {
                let mut form = form.to_vec();
                form.push(("client_id", client_id));
                form.push(("client_secret", secret.expose_secret()));
                request.form(&form)
            }
        }
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientAuth({}, …)", self.client_id())
    }
}

/// Both parts are form-urlencoded before they are joined (RFC 6749 §2.3.1, appendix B); Keycloak decodes them.
fn basic(client_id: &str, secret: &str) -> String {
    let encode = |part: &str| url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_urlencoded_before_base64() {
        let header = basic("mcp-server", "%+:/ ä");
        let decoded = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "mcp-server:%25%2B%3A%2F+%C3%A4");
    }

    #[test]
    fn a_secret_does_not_print() {
        let auth = ClientAuth::Post { client_id: "mcp-server".into(), secret: "hush".into() };
        assert!(!format!("{auth:?}").contains("hush"));
    }
}
