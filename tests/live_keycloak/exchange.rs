//! One token-exchange request (RFC 8693 §2.1), complete as it is and changed at will.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::AUTHORIZATION;
use url::Url;

use crate::answer::Answer;
use crate::realm::Realm;

pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A request by `mcp-server` for an access token, without `audience` and `scope` until told.
#[must_use = "nothing is sent before `send`"]
pub struct Exchange<'a> {
    realm: &'a Realm,
    endpoint: Url,
    requester: Requester,
    form: Vec<(String, String)>,
}

/// How the requester says who it is.
pub enum Requester {
    /// `client_secret_basic`, id and secret form-urlencoded first (RFC 6749 §2.3.1).
    Basic(String, String),
    /// The same without the encoding: a common mistake.
    BasicRaw(String, String),
    /// `client_secret_post`.
    Post(String, String),
    /// `client_id` alone.
    IdOnly(String),
}

// === impl Realm ===

impl Realm {
    /// An exchange of this token by `mcp-server`.
    pub fn exchange(&self, subject_token: &str) -> Exchange<'_> {
        let form = [
            ("grant_type", GRANT),
            ("subject_token", subject_token),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        Exchange {
            realm: self,
            endpoint: self.endpoint("token"),
            requester: self.basic("mcp-server"),
            form: form.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    /// A client of the realm file with its own secret.
    pub fn basic(&self, client: &str) -> Requester {
        Requester::Basic(client.to_owned(), self.secret(client))
    }
}

// === impl Exchange ===

impl Exchange<'_> {
    /// Another requester, with its secret of the realm file.
    pub fn by(self, client: &str) -> Self {
        let requester = self.realm.basic(client);
        self.authenticated(requester)
    }

    pub fn authenticated(mut self, requester: Requester) -> Self {
        self.requester = requester;
        self
    }

    /// May be said several times.
    pub fn audience(self, audience: &str) -> Self {
        self.with("audience", audience)
    }

    pub fn scope(self, scope: &str) -> Self {
        self.with("scope", scope)
    }

    /// Adds a parameter, also one that is there already.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.form.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.form.retain(|(it, _)| it != name);
        self
    }

    /// By another address of the server.
    pub fn at(mut self, base: &Url) -> Self {
        self.endpoint.set_host(base.host_str()).unwrap();
        self
    }

    pub async fn send(self) -> Answer {
        let http = &self.realm.kc.http;
        let request = self.requester.sign(http.post(self.endpoint), self.form);
        Answer::from(request.send().await.expect("Keycloak answers")).await
    }
}

// === impl Requester ===

impl Requester {
    /// Puts the authentication and the form into a request.
    pub fn sign(&self, request: reqwest::RequestBuilder, mut form: Vec<(String, String)>) -> reqwest::RequestBuilder {
        let mut credentials = None;
        match self {
            Self::Basic(id, secret) => credentials = Some((encoded(id), encoded(secret))),
            Self::BasicRaw(id, secret) => credentials = Some((id.clone(), secret.clone())),
            Self::Post(id, secret) => {
                form.push(("client_id".to_owned(), id.clone()));
                form.push(("client_secret".to_owned(), secret.clone()));
            }
            Self::IdOnly(id) => form.push(("client_id".to_owned(), id.clone())),
        }
        match credentials {
            Some((id, secret)) => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
                request.header(AUTHORIZATION, basic).form(&form)
            }
            None => request.form(&form),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
