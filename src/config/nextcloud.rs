//! `[nextcloud]`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::reader::{self, Section};
use crate::nextcloud::mount::{Mount, Root};
use crate::upstream::{NextcloudSettings, UpstreamAddress};

pub(super) fn resolve(
    section: &mut Section,
    public_url: &Url,
    public_root: Root,
    trusted_proxies: Vec<IpNet>,
) -> Option<NextcloudSettings> {
    let address = section.required("url", address);
    let webroot = section.optional("webroot", |text| Root::parse(text).map_err(|bad| bad.to_string()));
    let also_known_as = section.list("also_known_as", known_as);
    let public_authority = authority(public_url);
    let host = section
        .optional("host", |text| HeaderValue::from_str(text).map_err(|_| "is no host"))
        .or_else(|| HeaderValue::from_str(&public_authority).ok());
    let connect_timeout = section.duration("connect_timeout", Duration::from_secs(5));
    let head_timeout = section.duration("head_timeout", Duration::from_mins(2));
    let idle_timeout = section.duration("idle_timeout", Duration::from_mins(1));
    let largest_body = section.optional("max_body", |text| text.parse().map_err(|_| "has to be a number of bytes"));
    let ((address, upstream_root), host) = (address?, host?);
    let forwarded_host = HeaderValue::from_str(&public_authority).ok()?;
    let mut own_authorities = vec![public_authority.clone()];
    own_authorities.extend(host.to_str().ok().map(str::to_owned));
    if let UpstreamAddress::Http { host, port } | UpstreamAddress::Https { host, port } = &address {
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if matches!((&address, port), (UpstreamAddress::Http { .. }, 80) | (UpstreamAddress::Https { .. }, 443)) {
            own_authorities.push(host.clone());
        }
        own_authorities.push(format!("{host}:{port}"));
        // A web server that is told another host puts its own port behind it (nginx: port_in_redirect).
        let names: Vec<String> = own_authorities.iter().map(|own| format!("{}:{port}", without_port(own))).collect();
        own_authorities.extend(names);
    }
    own_authorities.extend(also_known_as);
    own_authorities.sort_unstable();
    own_authorities.dedup();
    let own_root = webroot.unwrap_or_else(|| upstream_root.clone());
    Some(NextcloudSettings {
        address,
        mount: Mount::new(public_root, upstream_root, own_root),
        host,
        public_scheme: if public_url.scheme() == "https" { "https" } else { "http" },
        public_authority: public_authority.into(),
        forwarded_host,
        own_authorities: own_authorities.into(),
        trusted_proxies: trusted_proxies.into(),
        connect_timeout,
        head_timeout,
        idle_timeout,
        largest_body,
    })
}

/// The app password of mode `basic`: `username` and `password_file`, as `user:password` in base64.
pub(super) fn basic(section: &mut Section, wanted: bool) -> Option<SecretString> {
    if !wanted {
        for key in ["username", "password_file"] {
            if section.has(key) {
                section.fault(key, "is for mode = \"basic\" only");
                let _ = section.text(key);
            }
        }
        return None;
    }
    let username = section.required("username", reader::text);
    let password = section.required("password_file", reader::file_secret);
    let (username, password) = (username?, password?);
    if username.contains(':') {
        section.fault("username", "cannot have a colon (RFC 7617 §2)");
        return None;
    }
    Some(STANDARD.encode(format!("{username}:{}", password.expose_secret())).into())
}

/// Where it listens, and the root that it has there.
fn address(text: &str) -> Result<(UpstreamAddress, Root), String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.starts_with('/') {
            Ok((UpstreamAddress::Unix(path.into()), Root::default()))
        } else {
            Err("unix: needs an absolute path".to_owned())
        };
    }
    let url = reader::http_url(text)?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("has to be scheme, host, port and path alone, or unix:/path".to_owned());
    }
    let root = Root::parse(url.path()).map_err(|bad| format!("its path {bad}"))?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let address = if url.scheme() == "https" {
        UpstreamAddress::Https { host, port }
    } else {
        UpstreamAddress::Http { host, port }
    };
    Ok((address, root))
}

/// Another authority of Nextcloud's: a host, with or without a port.
fn known_as(text: &str) -> Result<String, String> {
    match Url::parse(&format!("https://{text}/")) {
        Ok(url) if !text.is_empty() && !text.contains(['/', '@', '?', '#', '\\']) && url.host_str().is_some() => {
            Ok(text.to_owned())
        }
        _ => Err("has to be a host, with its port where it has one".to_owned()),
    }
}

/// The colon of a port is the last one, unless it stands in the brackets of an IPv6 address.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

/// Host and, where it is not the default one, port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
