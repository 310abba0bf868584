//! The server under test and its admin client.

use std::env;
use std::io::Write as _;

use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

use crate::answer::Answer;

/// A running Keycloak, named by the environment:
///
/// * `OBO_LIVE_KEYCLOAK`: its address, which is also its fixed hostname (`http://localhost:18080`)
/// * `OBO_LIVE_KEYCLOAK_VERSION`: `26.7.3` unless said otherwise; tests assert by version where versions differ
/// * `OBO_LIVE_KEYCLOAK_ADMIN_CLIENT`, `OBO_LIVE_KEYCLOAK_ADMIN_SECRET`: a service account that administers every realm
///
/// One per test: a pooled connection does not outlive the runtime that drives it.
#[derive(Clone)]
pub struct Keycloak {
    pub base: Url,
    pub version: Version,
    pub http: reqwest::Client,
    admin: (String, String),
}

/// Ordered, so that a test can say `kc.version >= Version(26, 6, 2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

// === impl Keycloak ===

impl Keycloak {
    /// The server of this run. Without one: `None` and a loud line, or a failed test if `OBO_REQUIRE_LIVE=1`.
    pub fn running() -> Option<Self> {
        let Some(base) = var("OBO_LIVE_KEYCLOAK") else {
            let test = std::thread::current().name().unwrap_or("?").to_owned();
            assert!(var("OBO_REQUIRE_LIVE").as_deref() != Some("1"), "{test} needs a Keycloak: scripts/live-keycloak");
            // Past the capture of the test harness, which would keep it from whoever reads the run.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: no Keycloak, run scripts/live-keycloak");
            return None;
        };
        let version = var("OBO_LIVE_KEYCLOAK_VERSION").unwrap_or_else(|| "26.7.3".to_owned());
        let admin = (
            var("OBO_LIVE_KEYCLOAK_ADMIN_CLIENT").expect("OBO_LIVE_KEYCLOAK_ADMIN_CLIENT is set"),
            var("OBO_LIVE_KEYCLOAK_ADMIN_SECRET").expect("OBO_LIVE_KEYCLOAK_ADMIN_SECRET is set"),
        );
        Some(Self::at(&base, &version, admin))
    }

    /// The server at this address, with the id and the secret of a service account that administers every realm.
    pub fn at(base: &str, version: &str, admin: (String, String)) -> Self {
        Self {
            base: base.parse().expect("the address is a URL"),
            version: Version::parse(version),
            http: reqwest::Client::builder().redirect(Policy::none()).build().unwrap(),
            admin,
        }
    }

    /// The same server by its address instead of its hostname: what a sidecar inside a cluster would call.
    pub fn inside(&self) -> Url {
        let mut url = self.base.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url
    }

    /// One request to the Admin REST API; `path` follows `/admin/realms`.
    pub async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        // A new token for each call: they live for a minute, and asking costs a few milliseconds.
        let token = self
            .http
            .post(self.url("realms/master/protocol/openid-connect/token"))
            .basic_auth(&self.admin.0, Some(&self.admin.1))
            .form(&[("grant_type", "client_credentials")])
            .send();
        let token = Answer::from(token.await.expect("Keycloak answers")).await.ok()["access_token"].clone();
        let mut request = self
            .http
            .request(method.parse().unwrap(), self.url(&format!("admin/realms{path}")))
            .bearer_auth(token.as_str().unwrap());
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::from(request.send().await.expect("Keycloak answers")).await
    }

    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }
}

// === impl Version ===

impl Version {
    fn parse(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| part.parse().expect("a version like 26.7.3"));
        let mut next = || parts.next().expect("a version like 26.7.3");
        Self(next(), next(), next())
    }
}

/// An environment variable, if it is set and not empty.
#[allow(clippy::disallowed_methods, reason = "the harness is configured by environment alone")]
pub fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
