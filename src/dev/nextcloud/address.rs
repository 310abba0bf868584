//! What Nextcloud believes its own address to be: made of the request, as far as the proxy in front is trusted.

use hyper::HeaderMap;
use hyper::header::HOST;

use super::options::Options;

/// `http://host/root`, without a slash at the end: what absolute links begin with.
///
/// The host is the request's own (`X-Forwarded-Host` of a trusted proxy before `Host`), the scheme is HTTP unless a trusted
/// proxy says otherwise in `X-Forwarded-Proto`.
pub(super) fn base(options: &Options, headers: &HeaderMap) -> String {
    let root = options.root();
    let Some(host) = host(options, headers) else {
        return format!("{}{root}", options.base_url);
    };
    let https = forwarded(options, headers, "x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    format!("{}://{host}{root}", if https { "https" } else { "http" })
}

/// Whether the host that a request names is one of the `trusted_domains`.
pub(super) fn is_trusted(options: &Options, headers: &HeaderMap) -> bool {
    let host = host(options, headers).unwrap_or_default();
    let domain = host.rsplit_once(':').map_or(host, |(domain, _)| domain);
    options.trusted_domains.is_empty() || options.trusted_domains.iter().any(|known| known == host || known == domain)
}

fn host<'a>(options: &Options, headers: &'a HeaderMap) -> Option<&'a str> {
    forwarded(options, headers, "x-forwarded-host").or_else(|| first(headers, HOST.as_str()))
}

fn forwarded<'a>(options: &Options, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    first(headers, name).filter(|_| options.trusts_proxy)
}

/// The first of a list.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name).and_then(|value| value.to_str().ok())?;
    Some(value.split(',').next().unwrap_or_default().trim()).filter(|value| !value.is_empty())
}

/// A path without `root`, if it is below it.
pub(super) fn below<'a>(root: &str, path: &'a str) -> Option<&'a str> {
    match path.strip_prefix(root) {
        Some("") => Some("/"),
        Some(rest) => rest.starts_with('/').then_some(rest),
        None => None,
    }
}
