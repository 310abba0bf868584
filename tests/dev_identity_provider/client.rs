//! What the tests ask with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use obo_proxy::dev::identity_provider::{IdentityProvider, Options};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789";

pub async fn provider_with(options: Options) -> IdentityProvider {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    IdentityProvider::start(listener, options).unwrap()
}

pub async fn provider() -> IdentityProvider {
    provider_with(Options::default()).await
}

pub fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

pub async fn exchange(provider: &IdentityProvider, changes: &[(&str, &str)], subject: &str) -> Response {
    let mut form = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("audience", "nextcloud"),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    client()
        .post(provider.token_endpoint())
        .basic_auth("mcp-server", Some("mcp-server-secret"))
        .form(&form)
        .send()
        .await
        .unwrap()
}

pub async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap().to_owned(), body["error_description"].as_str().unwrap().to_owned())
}

pub fn refused(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

pub fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

pub async fn introspect(provider: &IdentityProvider, token: &str, id: &str, secret: &str) -> Value {
    let url = format!("{}/introspect", provider.token_endpoint());
    let form = [("token", token), ("client_id", id), ("client_secret", secret)];
    client().post(url).form(&form).send().await.unwrap().json().await.unwrap()
}
