//! Which headers cross, in both directions (RFC 9110 §7.6.1; nextcloud.md §3; checklist rows 1, 6, 11, 39, 42, 43, 45, 48).

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::settings::NextcloudSettings;
use crate::error::{BadRequest, Error};

/// Hop-by-hop fields: they concern one connection.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "alt-svc",
];

/// What no caller may tell Nextcloud: credentials, cookies, identities, other people's proxies.
const NEVER_FROM_A_CALLER: &[&str] = &[
    "authorization",
    "xauthorization",
    "cookie",
    "cookie2",
    "requesttoken",
    "ocs-apirequest",
    "x-nextcloud-federation",
    "authorization-app-api",
    "ex-app-id",
    "ex-app-version",
    "aa-version",
    "aa-request-id",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-remote-user",
    "remote-user",
    "x-auth-request-user",
    "proxy",
    "expect",
    "host",
];

/// Prefixes of the same kind.
const NEVER_PREFIXES: &[&str] = &["x-forwarded-", "x-accel-", "x-sendfile"];

/// What `Connection` must not name: a request without it would be another request (checklist row 6).
const NOT_TO_BE_NOMINATED: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "authorization",
    "destination",
    "depth",
    "overwrite",
    "range",
    "if",
    "if-match",
    "if-none-match",
    "ocs-apirequest",
    "cookie",
];

/// What never leaves Nextcloud's side.
const NEVER_TO_A_CALLER: &[&str] =
    &["set-cookie", "set-cookie2", "authentication-info", "x-accel-redirect", "x-sendfile"];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const OCS_APIREQUEST: HeaderName = HeaderName::from_static("ocs-apirequest");

/// Makes a caller's headers fit for Nextcloud, and adds ours last, so that nothing a caller nominates can take them away.
///
/// # Errors
/// [`BadRequest::Connection`], [`BadRequest::TransferEncoding`].
pub fn prepare(
    headers: &mut HeaderMap,
    settings: &NextcloudSettings,
    peer: IpAddr,
    authorization: &HeaderValue,
) -> Result<(), Error> {
    check_transfer_encoding(headers)?;
    let client = client_address(headers, settings, peer);
    remove_nominated(headers, true)?;
    remove(headers, |name| {
        name.contains('_')
            || HOP_BY_HOP.contains(&name)
            || NEVER_FROM_A_CALLER.contains(&name)
            || NEVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    headers.insert(header::HOST, settings.host.clone());
    headers.insert(header::AUTHORIZATION, authorization.clone());
    headers.insert(OCS_APIREQUEST, HeaderValue::from_static("true"));
    if let Ok(client) = HeaderValue::from_str(&client.to_string()) {
        headers.insert(X_FORWARDED_FOR, client);
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(settings.public_scheme));
    if let Ok(host) = HeaderValue::from_str(&settings.public_authority) {
        headers.insert(X_FORWARDED_HOST, host);
    }
    Ok(())
}

/// Makes Nextcloud's headers fit for a caller.
pub fn clean(headers: &mut HeaderMap, settings: &NextcloudSettings) {
    // A response that nominates an end-to-end field loses it; there is nobody to refuse it to.
    let _ = remove_nominated(headers, false);
    remove(headers, |name| HOP_BY_HOP.contains(&name) || NEVER_TO_A_CALLER.contains(&name));
    if headers.get_all(header::WWW_AUTHENTICATE).iter().any(|challenge| !is_bearer(challenge)) {
        // Nextcloud's `Basic` would make clients ask people for passwords (checklist row 45).
        headers.remove(header::WWW_AUTHENTICATE);
    }
    if let Some(location) = headers.get(header::LOCATION).and_then(|location| public_location(location, settings)) {
        headers.insert(header::LOCATION, location);
    }
}

/// Whether a trailer may cross. Trailers come after every decision; none that decides anything may (RFC 9110 §6.5.1).
#[must_use]
pub fn trailer_crosses(name: &HeaderName) -> bool {
    let name = name.as_str();
    let framing = [
        "content-length",
        "content-encoding",
        "content-type",
        "content-range",
        "location",
        "www-authenticate",
        "cache-control",
    ];
    !(name.contains('_')
        || HOP_BY_HOP.contains(&name)
        || NEVER_FROM_A_CALLER.contains(&name)
        || NEVER_TO_A_CALLER.contains(&name)
        || framing.contains(&name)
        || NEVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// hyper has taken care of Content-Length beside Transfer-Encoding; codings other than one `chunked` are for us to refuse (checklist row 7).
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), Error> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(BadRequest::TransferEncoding.into()),
    }
}

fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    // Most requests have nothing to remove but `Host` and a hop-by-hop field or two.
    let doomed: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}

fn remove_nominated(headers: &mut HeaderMap, strict: bool) -> Result<(), Error> {
    if !headers.contains_key(header::CONNECTION) {
        return Ok(());
    }
    let nominated: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    if strict && nominated.iter().any(|name| NOT_TO_BE_NOMINATED.contains(&name.as_str())) {
        return Err(BadRequest::Connection.into());
    }
    for name in nominated {
        if !strict && NOT_TO_BE_NOMINATED.contains(&name.as_str()) {
            continue;
        }
        headers.remove(name.as_str());
    }
    Ok(())
}

/// The peer; or, if the peer is a proxy that we believe, the last address in `X-Forwarded-For` that is not one of those (checklist row 3).
fn client_address(headers: &HeaderMap, settings: &NextcloudSettings, peer: IpAddr) -> IpAddr {
    let peer = peer.to_canonical();
    if !settings.trusts(peer) {
        return peer;
    }
    let mut client = peer;
    let hops: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !settings.trusts(client) {
            break;
        }
    }
    client
}

fn is_bearer(challenge: &HeaderValue) -> bool {
    challenge.as_bytes().split_at_checked(6).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer"))
}

/// An absolute `Location` on Nextcloud's own address becomes one on ours; any other is left alone.
fn public_location(location: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    let text = location.to_str().ok()?;
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let ours = settings.own_authorities.iter().any(|own| own.eq_ignore_ascii_case(authority));
    ours.then(|| {
        HeaderValue::from_str(&format!("{}://{}{path}", settings.public_scheme, settings.public_authority)).ok()
    })?
}
