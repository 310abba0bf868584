//! The HTTP client for the identity provider: no redirects (checklist row 12), no cookies, no proxy from the environment, a deadline for
//! every phase, answers read up to a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use reqwest::redirect;
use reqwest::tls::Certificate;
use serde::de::DeserializeOwned;
use url::Url;

use super::client_auth::ClientAuth;

/// A provider's answer is read up to this many bytes.
const LARGEST_ANSWER: usize = 512 * 1024;
/// Connecting to the provider may take this long.
const CONNECT: Duration = Duration::from_secs(3);
/// A whole exchange of request and answer may take this long.
const WHOLE: Duration = Duration::from_secs(10);

/// Why a provider's answer cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderFault {
    /// It cannot be reached, is slow, or answers 429 or 5xx.
    #[error("unreachable: {0}")]
    Unavailable(String),
    /// It answers what no provider should.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

/// An answer that came through.
#[derive(Debug)]
pub struct ProviderAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// Talks to identity providers. Lives on the control runtime, because its pooled connections do.
#[derive(Debug, Clone)]
pub struct ProviderClient {
    http: reqwest::Client,
}

impl ProviderClient {
    /// A client that trusts the platform's roots and, in addition, these PEM certificates.
    ///
    /// # Errors
    /// If the certificates are not PEM, or no client can be built.
    #[expect(clippy::disallowed_methods, reason = "the one place that builds the provider's client")]
    pub fn new(ca_pem: Option<&[u8]>) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_max_idle_per_host(256)
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_nodelay(true)
            .user_agent(concat!("obo-proxy/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = ca_pem {
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self { http: builder.build()? })
    }

    /// Fetches a JSON document.
    ///
    /// # Errors
    /// [`ProviderFault`], also for every status but 200.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, ProviderFault> {
        let answer = read(self.http.get(url.clone()).header(http::header::ACCEPT, "application/json")).await?;
        if answer.status != StatusCode::OK {
            return Err(unexpected(&answer));
        }
        json(&answer.body)
    }

    /// Posts a form with client authentication. The status is the caller's to judge, but for those that say "not now".
    ///
    /// # Errors
    /// [`ProviderFault`].
    pub async fn post_form(
        &self,
        url: &Url,
        auth: &ClientAuth,
        form: &[(&str, &str)],
    ) -> Result<ProviderAnswer, ProviderFault> {
        let request = self.http.post(url.clone()).header(http::header::ACCEPT, "application/json");
        let answer = read(auth.apply(request, form)).await?;
        if answer.status.is_server_error()
            || answer.status == StatusCode::TOO_MANY_REQUESTS
            || answer.status.is_redirection()
        {
            return Err(unexpected(&answer));
        }
        Ok(answer)
    }
}

/// Reads a JSON body.
///
/// # Errors
/// [`ProviderFault::Malformed`].
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderFault> {
    serde_json::from_slice(body).map_err(|error| ProviderFault::Malformed(format!("{error}")))
}

fn unexpected(answer: &ProviderAnswer) -> ProviderFault {
    let said = format!("status {}", answer.status.as_u16());
    if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
        ProviderFault::Unavailable(said)
    } else {
        ProviderFault::Malformed(said)
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<ProviderAnswer, ProviderFault> {
    let mut response = request.send().await.map_err(unavailable)?;
    let status = response.status();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ProviderFault::Malformed(format!("more than {LARGEST_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ProviderAnswer { status, body: body.freeze() })
}

/// reqwest's errors name the URL, which is configuration, and never the body or the headers.
fn unavailable(error: reqwest::Error) -> ProviderFault {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    ProviderFault::Unavailable(said)
}
