//! Which headers cross, in both directions (RFC 9110 §7.6.1; nextcloud.md §3; checklist rows 1, 6, 11, 39, 42, 43, 45, 48).

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::LazyLock;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{inward, outward};
use crate::error::{BadRequest, Error};
use crate::oauth::browser;
use crate::upstream::NextcloudSettings;

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

/// What a caller with a token may not tell Nextcloud besides: credentials, cookies, and what only goes with them.
const NEVER_BESIDE_A_TOKEN: &[&str] = &["authorization", "cookie", "cookie2", "requesttoken", "ocs-apirequest"];

/// What no caller may tell Nextcloud: credentials by side doors, identities, other people's proxies.
const NEVER_FROM_A_CALLER: &[&str] = &[
    "xauthorization",
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
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
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

/// Both lists as one set: every request asks for each of its headers.
static SCREEN: LazyLock<HashSet<&'static str, foldhash::fast::FixedState>> =
    LazyLock::new(|| HOP_BY_HOP.iter().chain(NEVER_FROM_A_CALLER).copied().collect());

/// Prefixes of the same kind.
const NEVER_PREFIXES: &[&str] = &["x-forwarded", "x-accel-", "x-sendfile"];

/// What an answer keeps though its `Connection` names it: without these its body would be another.
const NOT_TO_BE_NOMINATED: &[&str] = &["content-length", "content-type", "content-encoding"];

/// What never leaves Nextcloud's side.
const NEVER_TO_A_CALLER: &[&str] = &["authentication-info", "x-accel-redirect", "x-sendfile"];

/// What a caller with a token is not told besides: cookies are upstream's or nobody's.
const NEVER_TO_A_TOKEN: &[&str] = &["set-cookie", "set-cookie2"];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const OCS_APIREQUEST: HeaderName = HeaderName::from_static("ocs-apirequest");
const DESTINATION: HeaderName = HeaderName::from_static("destination");
const IF: HeaderName = HeaderName::from_static("if");

/// Makes the headers of a request that bore a token fit for Nextcloud, and adds ours last, so that nothing a caller nominates can take them away.
///
/// # Errors
/// [`BadRequest::Connection`], [`BadRequest::TransferEncoding`].
pub fn prepare(
    headers: &mut HeaderMap,
    settings: &NextcloudSettings,
    peer: IpAddr,
    authorization: &HeaderValue,
) -> Result<(), Error> {
    cross(headers, settings, peer, |name| NEVER_BESIDE_A_TOKEN.contains(&name) || stays_behind(name))?;
    headers.insert(header::AUTHORIZATION, authorization.clone());
    headers.insert(OCS_APIREQUEST, HeaderValue::from_static("true"));
    Ok(())
}

/// Makes the headers of a request that bears no token fit for Nextcloud: the same hygiene, but what is the caller's own stays, `Authorization:
/// Basic` and cookies with all that goes with them (checklist row 49).
///
/// # Errors
/// Those of [`prepare`].
pub fn prepare_untouched(headers: &mut HeaderMap, settings: &NextcloudSettings, peer: IpAddr) -> Result<(), Error> {
    cross(headers, settings, peer, stays_behind)?;
    rewrite(headers, &DESTINATION, settings, inward::destination);
    rewrite(headers, &IF, settings, inward::tags);
    settle_cookies(headers);
    Ok(())
}

/// What both worlds have in common.
fn cross(
    headers: &mut HeaderMap,
    settings: &NextcloudSettings,
    peer: IpAddr,
    unwanted: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    check_transfer_encoding(headers)?;
    let client = client_address(headers, settings, peer);
    check_nominated(headers)?;
    // `Host` is not taken off, for it is replaced.
    remove(headers, |name| name != "host" && unwanted(name));
    headers.insert(header::HOST, settings.host.clone());
    if let Ok(client) = HeaderValue::try_from(client.to_string()) {
        headers.insert(X_FORWARDED_FOR, client);
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(settings.public_scheme));
    headers.insert(X_FORWARDED_HOST, settings.forwarded_host.clone());
    Ok(())
}

/// HTTP/2 may cut cookies into several fields; HTTP/1.1 has one (RFC 9113 §8.2.3). Our own stay behind: whoever has the one of a page of ours
/// could answer there.
fn settle_cookies(headers: &mut HeaderMap) {
    let fields: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let pairs = || fields.iter().flat_map(|field| field.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    let has_ours = pairs().any(browser::is_ours);
    if fields.len() < 2 && !has_ours {
        return;
    }
    let settled = if has_ours {
        pairs().filter(|pair| !browser::is_ours(pair)).collect::<Vec<_>>().join(&b"; "[..])
    } else {
        fields.join(&b"; "[..])
    };
    headers.remove(header::COOKIE);
    if !settled.is_empty()
        && let Ok(mut settled) = HeaderValue::from_bytes(&settled)
    {
        settled.set_sensitive(true);
        headers.insert(header::COOKIE, settled);
    }
}

/// Whether a caller's header of this name goes no further, in either world.
fn stays_behind(name: &str) -> bool {
    SCREEN.contains(name) || is_alias(name) || NEVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Makes Nextcloud's headers fit for a caller who has a token.
pub fn clean(headers: &mut HeaderMap, settings: &NextcloudSettings) {
    return_to(headers, settings);
    remove(headers, |name| NEVER_TO_A_TOKEN.contains(&name));
    if headers.get_all(header::WWW_AUTHENTICATE).iter().any(|challenge| !offers_bearer_alone(challenge.as_bytes())) {
        // Nextcloud's `Basic` would make clients ask people for passwords (checklist row 45).
        headers.remove(header::WWW_AUTHENTICATE);
    }
}

/// Makes Nextcloud's headers fit for a caller who has none, and who may be told of cookies and passwords.
pub fn clean_untouched(headers: &mut HeaderMap, settings: &NextcloudSettings) {
    return_to(headers, settings);
    rewrite(headers, &header::SET_COOKIE, settings, outward::cookie);
}

/// What both worlds have in common on the way back.
fn return_to(headers: &mut HeaderMap, settings: &NextcloudSettings) {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // The coding was believed (RFC 9112 §6.3); a length beside it would end our answer elsewhere.
        headers.remove(header::CONTENT_LENGTH);
    }
    remove_nominated(headers);
    remove(headers, |name| HOP_BY_HOP.contains(&name) || NEVER_TO_A_CALLER.contains(&name));
    rewrite(headers, &header::LOCATION, settings, outward::location);
    rewrite(headers, &header::CONTENT_LOCATION, settings, outward::location);
    rewrite(headers, &header::LINK, settings, outward::link);
}

/// Puts the values of a field into other words, each where it stands.
fn rewrite(
    headers: &mut HeaderMap,
    name: &HeaderName,
    settings: &NextcloudSettings,
    words: impl Fn(&HeaderValue, &NextcloudSettings) -> Option<HeaderValue>,
) {
    // Most have none of these, and an entry costs more than this look.
    if !headers.contains_key(name) {
        return;
    }
    if let header::Entry::Occupied(mut field) = headers.entry(name) {
        for value in field.iter_mut() {
            if let Some(told) = words(value, settings) {
                *value = told;
            }
        }
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
    let decides = [NEVER_BESIDE_A_TOKEN, NEVER_TO_A_CALLER, NEVER_TO_A_TOKEN, &framing];
    !(stays_behind(name) || decides.iter().any(|fields| fields.contains(&name)))
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
    let doomed: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}

/// To CGI and FastCGI servers `_` and, for some, every odd character is a `-`: such a name is another one's alias (checklist row 1).
fn is_alias(name: &str) -> bool {
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn nominated(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(header::CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
}

/// `Connection` may name true hop-by-hop fields: without any other it would be another request (checklist row 6). Those are taken off anyhow.
fn check_nominated(headers: &HeaderMap) -> Result<(), Error> {
    let hop_by_hop = |name: &[u8]| {
        name.eq_ignore_ascii_case(b"close")
            || HOP_BY_HOP.iter().any(|field| name.eq_ignore_ascii_case(field.as_bytes()))
    };
    if nominated(headers).all(hop_by_hop) { Ok(()) } else { Err(BadRequest::Connection.into()) }
}

/// An answer loses what it nominates; there is nobody to refuse it to.
fn remove_nominated(headers: &mut HeaderMap) {
    // What is hop-by-hop goes anyhow.
    let doomed: Vec<HeaderName> = nominated(headers)
        .filter(|name| !HOP_BY_HOP.iter().any(|field| name.eq_ignore_ascii_case(field.as_bytes())))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| !NOT_TO_BE_NOMINATED.contains(&name.as_str()))
        .collect();
    for name in doomed {
        headers.remove(name);
    }
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

/// Whether each challenge in a list (RFC 9110 §11.6.1) is a `Bearer` one.
fn offers_bearer_alone(challenges: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    let elements = challenges.split(|&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        byte == b',' && !quoted
    });
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).all(|element| {
        let end = element.iter().position(|byte| b" \t=".contains(byte)).unwrap_or(element.len());
        let (name, rest) = element.split_at(end);
        let is_parameter = rest.trim_ascii_start().starts_with(b"=");
        is_parameter || name.eq_ignore_ascii_case(b"bearer")
    })
}
