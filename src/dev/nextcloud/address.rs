//! What Nextcloud believes its own address to be: made of the request, as far as the proxy in front is trusted.

use hyper::HeaderMap;
use hyper::header::HOST;

use super::options::Options;

/// `http://host/root`, without a slash at the end: what absolute links begin with.
///
/// The host is the request's own (`X-Forwarded-Host` of a trusted proxy before `Host`), the scheme is HTTP unless a trusted
/// proxy says otherwise in `X-Forwarded-Proto`.
pub(super) fn base(options: &Options, headers: &HeaderMap) -> String {
    let first = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok())?;
        Some(value.split(',').next().unwrap_or_default().trim().to_owned()).filter(|value| !value.is_empty())
    };
    let forwarded = |name: &str| first(name).filter(|_| options.trusts_proxy);
    let root = options.root();
    let Some(host) = forwarded("x-forwarded-host").or_else(|| first(HOST.as_str())) else {
        return format!("{}{root}", options.base_url);
    };
    let https = forwarded("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    format!("{}://{host}{root}", if https { "https" } else { "http" })
}

/// A path without `root`, if it is below it.
pub(super) fn below<'a>(root: &str, path: &'a str) -> Option<&'a str> {
    match path.strip_prefix(root) {
        Some("") => Some("/"),
        Some(rest) => rest.starts_with('/').then_some(rest),
        None => None,
    }
}
