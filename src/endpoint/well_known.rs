//! What stands at the root of the host, whatever we are mounted at (RFC 8615): the metadata of our protected resources (RFC 9728), which name
//! the issuers whose tokens are welcome; and, where anything is mounted below a prefix, the way to calendars and contacts for clients that know
//! the host alone (RFC 6764 §5).

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION,
};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::body::Body;
use crate::nextcloud::mount::{Mount, Root};
use crate::oauth::ChallengeScopes;

/// The well-known path of RFC 9728 §3; the path of a resource is appended.
const PATH: &str = "/.well-known/oauth-protected-resource";

/// Where clients look for CalDAV and CardDAV (RFC 6764 §5).
const DAV_PATHS: &[&str] = &["/.well-known/caldav", "/.well-known/carddav"];

/// A browser asks beforehand if its client sends `MCP-Protocol-Version` (MCP SDKs do), and may not ask again for so many seconds.
const PREFLIGHTS_FOR: HeaderValue = HeaderValue::from_static("600");

/// The pages.
#[derive(Clone)]
pub struct WellKnown {
    documents: Vec<Document>,
    /// Where calendars and contacts are, if Nextcloud is not to be asked. At the root of a host it is, like for any other page of its own. Below
    /// a prefix its rule is the web server's and usually wrong: the one it ships redirects to `/remote.php/dav/` at the host's root.
    dav: Option<Moved>,
}

#[derive(Debug, Clone)]
struct Moved {
    from: Vec<String>,
    to: HeaderValue,
}

/// Metadata of a resource.
#[derive(Clone)]
struct Document {
    path: String,
    members: serde_json::Value,
    scopes: Option<ChallengeScopes>,
}

impl WellKnown {
    /// The pages for resources below this public URL (without a trailing slash), whose path is the public root of the mount; with the scopes
    /// to ask for at `/mcp`, if there is such a resource.
    #[must_use]
    pub fn new(public_url: &str, mount: &Mount, issuers: &[Arc<str>], mcp: Option<ChallengeScopes>) -> Self {
        let root = mount.public();
        let document = |resource: &str, name: &str, scopes: Option<ChallengeScopes>| {
            let members = serde_json::json!({
                "resource": format!("{public_url}{resource}"),
                "resource_name": name,
                "authorization_servers": issuers.iter().map(|issuer| &**issuer).collect::<Vec<_>>(),
                "bearer_methods_supported": ["header"],
            });
            Document { path: format!("{PATH}{}{resource}", root.as_str()), members, scopes }
        };
        let moved = || {
            let below = |root: &str| DAV_PATHS.iter().map(|path| format!("{root}{path}")).collect::<Vec<_>>();
            let from = [below(""), below(root.as_str())].concat();
            Some(Moved { from, to: HeaderValue::try_from(format!("{public_url}/remote.php/dav/")).ok()? })
        };
        Self {
            documents: std::iter::once(document("", "Nextcloud", None))
                .chain(mcp.map(|scopes| document("/mcp", "Nextcloud MCP", Some(scopes))))
                .collect(),
            dav: if mount.is_at_root() { None } else { moved() },
        }
    }

    /// Where the metadata of all of Nextcloud, and of `/mcp`, stands below this origin (RFC 9728 §3.1: between host and path).
    #[must_use]
    pub fn metadata_urls(origin: &str, root: &Root) -> [String; 2] {
        ["", "/mcp"].map(|resource| format!("{origin}{PATH}{}{resource}", root.as_str()))
    }

    /// The answer to a request for one of the pages; `None` for every other path.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        if let Some(moved) = self.dav.as_ref().filter(|moved| moved.from.iter().any(|from| from == path)) {
            return Some(moved_permanently(&moved.to));
        }
        Some(self.documents.iter().find(|document| document.path == path)?.answer(method))
    }
}

impl Document {
    fn answer(&self, method: &Method) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        // Clients in browsers discover us too; the document is public.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if method == Method::GET || method == Method::HEAD {
            let (text, fresh) = self.read();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(fresh));
            if method == Method::GET {
                *response.body_mut() = Body::full(text);
            } else {
                headers.insert(CONTENT_LENGTH, text.len().into());
            }
        } else if method == Method::OPTIONS {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHTS_FOR);
            *response.status_mut() = StatusCode::NO_CONTENT;
        } else {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        response
    }

    /// The text as of now, and how long it may be kept.
    fn read(&self) -> (String, &'static str) {
        const LONG: &str = "public, max-age=300";
        let Some(scopes) = &self.scopes else { return (self.members.to_string(), LONG) };
        let mut members = self.members.clone();
        let now = scopes.now();
        // None are left out: an empty list would say that there are none.
        if !now.is_empty() {
            members["scopes_supported"] = now.iter().collect();
        }
        (members.to_string(), if scopes.is_settled() { LONG } else { "no-store" })
    }
}

/// 301, as Nextcloud's own rules have it: clients come by PROPFIND and have to stay with it, which 303 forbids and which older ones do not do
/// on 308.
fn moved_permanently(to: &HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, to.clone());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
