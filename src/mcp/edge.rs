//! What is settled about a request to `/mcp` before anybody looks at its token: by which name we were called (a name that is not ours is
//! somebody's rebound DNS entry), from which web page, by which method, and what it accepts.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCEPT, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request};
use tower::Layer;

use crate::body::Body;
use crate::error::{Error, Site};
use crate::nextcloud::destination::PublicAuthority;
use crate::service::{Answering, Guest, Serve};

/// Both kinds of answer that the transport knows. Clients that accept one of them, or anything, mean that.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Who may call, and where.
#[derive(Debug)]
pub struct Edge {
    path: String,
    https: bool,
    hosts: Vec<PublicAuthority>,
    origins: Vec<String>,
}

impl Edge {
    /// The edge of `/mcp` below this public URL. Its host and its origin are welcome, and so are those named beside it.
    #[must_use]
    pub fn new(public_url: &url::Url, path: String, hosts: &[String], origins: &[String]) -> Self {
        let https = public_url.scheme() == "https";
        let own = PublicAuthority::of_url(public_url.as_str()).ok();
        Self {
            path,
            https,
            hosts: own.into_iter().chain(hosts.iter().filter_map(|host| authority(https, host))).collect(),
            origins: std::iter::once(public_url.origin().ascii_serialization())
                .chain(origins.iter().cloned())
                .collect(),
        }
    }

    /// Whether a request is for the frontend.
    #[must_use]
    pub fn is_for_us(&self, path: &str) -> bool {
        path == self.path
    }

    /// Whether a web page of this origin may call. Without the header it is no web page.
    #[must_use]
    pub fn welcomes(&self, origin: &HeaderValue) -> bool {
        self.origins.iter().any(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
    }

    fn check(&self, request: &mut Request<Body>) -> Result<(), Error> {
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let mut hosts = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        if !authority.into_iter().chain(&mut hosts).all(|host| self.is_called(host)) {
            return Err(Error::ForeignSite(Site::Host));
        }
        if !request.headers().get_all(ORIGIN).iter().all(|origin| self.welcomes(origin)) {
            return Err(Error::ForeignSite(Site::Origin));
        }
        if request.method() != Method::POST {
            return Err(Error::PostOnly);
        }
        if accepts_either(request.headers()) {
            request.headers_mut().insert(ACCEPT, BOTH);
        }
        Ok(())
    }

    fn is_called(&self, host: &str) -> bool {
        authority(self.https, host).is_some_and(|called| self.hosts.contains(&called))
    }
}

/// A host and, if it is not the scheme's, a port.
#[must_use]
pub fn authority(https: bool, host: &str) -> Option<PublicAuthority> {
    let scheme = if https { "https" } else { "http" };
    let plain = !host.contains(['/', '@', '?', '#']);
    plain.then(|| PublicAuthority::of_url(&format!("{scheme}://{host}")).ok())?
}

/// Whether one of the two kinds is accepted, or nothing is said. Which of them is liked more does not matter: which comes is not the client's to
/// choose.
fn accepts_either(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|range| !is_unwelcome(range))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let fits =
        |range: &str| ["*/*", "application/*", "application/json", "text/*", "text/event-stream"].contains(&range);
    !headers.contains_key(ACCEPT) || ranges.any(|range| fits(&range))
}

/// A weight of nothing, in whichever of its spellings (RFC 9110 §12.4.2).
fn is_unwelcome(range: &str) -> bool {
    range
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.trim().split_once('='))
        .any(|(name, weight)| name.eq_ignore_ascii_case("q") && weight.parse::<f32>().is_ok_and(|weight| weight == 0.0))
}

/// The layer; without an edge there is no frontend, and everything goes on.
#[derive(Clone)]
pub struct EdgeLayer(Option<Arc<Edge>>);

impl EdgeLayer {
    /// Checks what is for the frontend.
    #[must_use]
    pub fn new(edge: Option<Arc<Edge>>) -> Self {
        Self(edge)
    }
}

/// The service.
#[derive(Clone)]
pub struct AtTheEdge<S> {
    edge: Option<Arc<Edge>>,
    inner: S,
}

// === impl Layer ===

impl<S> Layer<S> for EdgeLayer {
    type Service = AtTheEdge<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AtTheEdge { edge: self.0.clone(), inner }
    }
}

// === impl Service ===

impl<S: Serve<Guest>> tower::Service<Guest> for AtTheEdge<S> {
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Guest) -> Answering {
        match &self.edge {
            Some(edge) if edge.is_for_us(request.uri().path()) => match edge.check(&mut request) {
                Ok(()) => self.inner.call(request),
                Err(error) => Box::pin(std::future::ready(Err(error))),
            },
            _ => self.inner.call(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge() -> Edge {
        let also = ["agent.internal:8443".to_owned()];
        let url = url::Url::parse("https://cloud.example").unwrap();
        Edge::new(&url, "/mcp".to_owned(), &also, &["https://inspector.example".to_owned()])
    }

    fn check(fields: &[(&'static str, &str)]) -> Result<HeaderMap, Error> {
        let mut request = Request::post("/mcp").body(Body::empty()).unwrap();
        for (name, value) in fields {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        edge().check(&mut request).map(|()| request.headers().clone())
    }

    #[test]
    fn a_host_that_is_not_ours_is_somebodys_rebound_name() {
        for host in ["cloud.example", "CLOUD.example", "cloud.example:443", "agent.internal:8443"] {
            assert!(check(&[("host", host)]).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "cloud.example:80",
            "cloud.example.evil.example",
            "agent.internal",
            "",
            "cloud.example/",
            "a@cloud.example",
            "127.0.0.1",
        ] {
            assert!(matches!(check(&[("host", host)]), Err(Error::ForeignSite(Site::Host))), "{host}");
        }
        let two = check(&[("host", "cloud.example"), ("host", "evil.example")]);
        assert!(matches!(two, Err(Error::ForeignSite(Site::Host))));
    }

    #[test]
    fn a_web_page_of_another_origin_may_not_call() {
        let from = |origin| check(&[("host", "cloud.example"), ("origin", origin)]);
        for origin in ["https://cloud.example", "https://inspector.example"] {
            assert!(from(origin).is_ok(), "{origin}");
        }
        for origin in ["https://evil.example", "http://cloud.example", "https://cloud.example:8443", "null", ""] {
            assert!(matches!(from(origin), Err(Error::ForeignSite(Site::Origin))), "{origin}");
        }
    }

    #[test]
    fn whoever_accepts_one_kind_of_answer_or_anything_gets_one() {
        for accept in
            ["*/*", "application/json", "text/event-stream", "text/html, application/json;q=0.1", "Text/Event-Stream"]
        {
            let headers = check(&[("host", "cloud.example"), ("accept", accept)]).unwrap();
            assert_eq!(headers.get(ACCEPT), Some(&BOTH), "{accept}");
        }
        assert_eq!(check(&[("host", "cloud.example")]).unwrap().get(ACCEPT), Some(&BOTH));
        for accept in ["text/html", "application/json;q=0", "*/*; Q=0.000, text/html;q=1", ""] {
            let headers = check(&[("host", "cloud.example"), ("accept", accept)]).unwrap();
            assert_eq!(headers.get(ACCEPT).unwrap(), accept, "left for rmcp to refuse");
        }
    }
}
