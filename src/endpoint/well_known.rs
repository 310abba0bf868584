//! Protected resource metadata (RFC 9728): which issuers' tokens are welcome, for the proxy as a whole and for `/mcp`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::body::Body;

/// The well-known path of RFC 9728 §3.
pub const PATH: &str = "/.well-known/oauth-protected-resource";
/// The same for the resource `/mcp`: the path of the resource is appended.
pub const MCP_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// The two documents, made once.
#[derive(Debug, Clone)]
pub struct ProtectedResource {
    root: Bytes,
    mcp: Bytes,
}

impl ProtectedResource {
    /// The metadata of the resources below this public URL (without a trailing slash).
    #[must_use]
    pub fn new(public_url: &str, issuers: &[Arc<str>]) -> Self {
        let document = |resource: String, name: &str| {
            Bytes::from(
                serde_json::json!({
                    "resource": resource,
                    "resource_name": name,
                    "authorization_servers": issuers.iter().map(|issuer| &**issuer).collect::<Vec<_>>(),
                    "bearer_methods_supported": ["header"],
                })
                .to_string(),
            )
        };
        Self {
            root: document(public_url.to_owned(), "Nextcloud"),
            mcp: document(format!("{public_url}/mcp"), "Nextcloud MCP"),
        }
    }

    /// The answer to a request for one of the documents; `None` for every other path.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        let document = match path {
            PATH => &self.root,
            MCP_PATH => &self.mcp,
            _ => return None,
        };
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        if method == Method::GET || method == Method::HEAD {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
            // Clients in browsers discover us too; the document is public.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            if method == Method::GET {
                *response.body_mut() = Body::full(document.clone());
            } else {
                headers.insert(http::header::CONTENT_LENGTH, document.len().into());
            }
        } else {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        Some(response)
    }
}
