//! What a stand-in can be told at its start.

use std::time::Duration;

use secrecy::SecretString;

/// Which `user_oidc` it has. They treat sessions and schemes differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Generation {
    /// 7.3.2: a bearer opens a login session, and a session wins over the bearer. The default, for it is the hazardous one.
    #[default]
    V7_3,
    /// 8.10.1: every request is decided by its bearer.
    V8_10,
}

/// Settings of a stand-in.
#[derive(Clone, Debug)]
pub struct Options {
    /// `iss` that tokens must have, exactly.
    pub issuer: String,
    /// Where the provider's keys are fetched, by plain HTTP.
    pub jwks_uri: String,
    /// Which `user_oidc` it has.
    pub user_oidc: Generation,
    /// `user_oidc`'s client id: what `aud` must contain where there is one.
    pub client_id: String,
    /// How much longer a request takes that has to open a login session. 200 ms is what a real one costs.
    pub session_delay: Duration,
    /// The base of absolute addresses where a request names no host (`overwrite.cli.url`).
    pub base_url: String,
    /// Where it is mounted, such as `/nextcloud`: requests come with it, and it calls itself by it. Empty at the root.
    pub webroot: String,
    /// `overwritewebroot`, such as `/nc`: what it calls itself by in every `href` and `Location`, and what `Destination` must
    /// begin with, whatever requests come with. For a proxy in front that takes a prefix off.
    pub overwrite_webroot: Option<String>,
    /// `trusted_domains`: any other host in a request is answered 400. Empty for all.
    pub trusted_domains: Vec<String>,
    /// Whether whoever connects is one of its `trusted_proxies`: then `X-Forwarded-Proto` and `X-Forwarded-Host` count.
    pub trusts_proxy: bool,
    /// App passwords from the start: user and password, for mode `basic`.
    pub app_passwords: Vec<(String, SecretString)>,
    /// Apps that it is without, such as `notes`, `deck`, `spreed`, `calendar`, `contacts`, `tasks`: their routes are not there, and
    /// no list names them.
    pub without_apps: Vec<String>,
    /// Groups and who is in them, to share with. Nobody makes others.
    pub groups: Vec<(String, Vec<String>)>,
    /// People who exist from the start; others come into being with their first bearer.
    pub users: Vec<String>,
    /// Whether the test routes `…/notifications/api/v2/echo` and `/bytes` exist.
    pub echo: bool,
    /// How often a session's account is looked at: so long at most a disabled user goes on over WebDAV (measured: between 180
    /// and 330 s; `Session::checkTokenCredentials` has 300).
    pub disabled_session_lives: Duration,
}

// === impl Options ===

impl Options {
    /// The path that it believes to be at.
    pub(super) fn root(&self) -> &str {
        self.overwrite_webroot.as_deref().unwrap_or(&self.webroot)
    }

    /// Whether an app is there. What is no app, such as `core`, always is.
    pub(super) fn has_app(&self, app: &str) -> bool {
        !self.without_apps.iter().any(|without| without == app)
    }

    /// Settings for a provider.
    #[must_use]
    pub fn trusting(issuer: &str, jwks_uri: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            jwks_uri: jwks_uri.to_owned(),
            user_oidc: Generation::default(),
            client_id: "nextcloud".into(),
            session_delay: Duration::ZERO,
            base_url: "http://nextcloud.test".into(),
            webroot: String::new(),
            overwrite_webroot: None,
            trusted_domains: Vec::new(),
            trusts_proxy: true,
            app_passwords: Vec::new(),
            without_apps: Vec::new(),
            groups: Vec::new(),
            users: vec!["alice".into(), "bob".into()],
            echo: false,
            disabled_session_lives: Duration::from_secs(300),
        }
    }
}
