//! What an embedded provider can be told at its start.

use std::time::Duration;

use secrecy::SecretString;

use super::users::User;

/// Settings of the realm. `Options::default()` is what `obo-proxy dev` uses, apart from the audiences.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who stands on the login page. Others come into being when a token is minted for them.
    pub users: Vec<User>,
    /// `aud` of callers' tokens: `mcp-server` and, if callers reach the proxy by address, its public URLs.
    pub audiences: Vec<String>,
    /// The resources (RFC 8707) of `mcp-server`, as Keycloak's client attribute `resource_url` names one: a login for one of them has it
    /// alone as `aud`. Of none, which is the default, `resource` is ignored, as by a Keycloak without the feature.
    pub resources: Vec<String>,
    /// Lifetime of callers' tokens: 8 h.
    pub token_lifetime: Duration,
    /// Lifetime of exchanged tokens: 120 s. Not capped by the subject token's, as in Keycloak.
    pub exchanged_lifetime: Duration,
    /// Lifetime of authorization codes and of a login page: 60 s.
    pub code_lifetime: Duration,
    /// The secret of the confidential client `mcp-server`.
    pub requester_secret: SecretString,
    /// The secret of the confidential client `nextcloud`.
    pub nextcloud_secret: SecretString,
    /// Redirect URIs beside the loopback ones, exact: of `mcp-client` (say `https://vscode.dev/redirect`) and of clients that register
    /// themselves …
    pub client_redirect_uris: Vec<String>,
    /// … and of `mcp-server`, which signs people in itself to be given offline grants (`<public_url>/oauth/callback`).
    pub requester_redirect_uris: Vec<String>,
    /// Whether `mcp-server` has the audience `nextcloud` by default, or only with scope `nextcloud-audience`.
    pub nextcloud_audience_by_default: bool,
    /// Base of the issuer where it is not the listener's own address, say behind a port mapping: `http://localhost:8180`.
    pub public_base: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: vec![User::named("alice"), User::named("bob")],
            audiences: vec!["mcp-server".into()],
            resources: Vec::new(),
            token_lifetime: Duration::from_secs(8 * 60 * 60),
            exchanged_lifetime: Duration::from_secs(120),
            code_lifetime: Duration::from_secs(60),
            requester_secret: SecretString::from("mcp-server-secret"),
            nextcloud_secret: SecretString::from("nextcloud-secret"),
            client_redirect_uris: Vec::new(),
            requester_redirect_uris: Vec::new(),
            nextcloud_audience_by_default: true,
            public_base: None,
        }
    }
}
