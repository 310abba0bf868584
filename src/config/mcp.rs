//! `[mcp]`.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::reader::{self, Section};
use crate::mcp::edge::authority;
use crate::mcp::elicitation::seal::SHORTEST_KEY;
use crate::mcp::settings::{Confirm, McpSettings, Toolset};
use crate::token::ScopeSet;

pub(super) fn resolve(section: &mut Section, public_url: &Url) -> McpSettings {
    let enabled = section.flag("enabled", true);
    let sets = section.list("tools", toolset);
    let settings = McpSettings {
        enabled,
        sets: if sets.is_empty() { BTreeSet::from(Toolset::ALL) } else { sets.into_iter().collect() },
        hosts: section.list("allowed_hosts", host),
        origins: section.list("allowed_origins", origin),
        challenge: section.optional("challenge_scopes", scopes),
        calls_per_minute: section.number("calls_per_minute", 60),
        calls_at_once: section.number("calls_at_once", 8),
        tool_timeout: section.duration("tool_timeout", Duration::from_secs(25)),
        confirm: section.optional("confirm", confirm).unwrap_or(Confirm::WhenPossible),
        confirm_url: section.flag("confirm_url", false),
        state_key: section.optional("request_state_key_file", state_key),
    };
    for (name, value) in
        [("calls_per_minute", u64::from(settings.calls_per_minute)), ("calls_at_once", settings.calls_at_once as u64)]
    {
        if value == 0 {
            section.fault(name, "has to be at least 1 (enabled = false switches the frontend off)");
        }
    }
    if settings.tool_timeout.is_zero() {
        section.fault("tool_timeout", "has to be longer than nothing");
    }
    if settings.confirm_url && public_url.scheme() != "https" && !is_loopback(public_url) {
        section.fault("confirm_url", "needs a public_url with https: people sign in there");
    }
    section.finish();
    settings
}

fn toolset(text: &str) -> Result<Toolset, String> {
    Toolset::ALL
        .into_iter()
        .find(|set| set.as_str() == text)
        .ok_or_else(|| format!("is none of {}", Toolset::ALL.map(Toolset::as_str).join(", ")))
}

/// RFC 6749 §3.3; they stand in a quoted string of a header as well.
fn scopes(text: &str) -> Result<ScopeSet, String> {
    let fits = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    let scopes = ScopeSet::parse(text);
    if let Some(scope) = scopes.iter().find(|scope| !scope.bytes().all(fits)) {
        return Err(format!("{scope:?} is no scope"));
    }
    // MCP 2026-07-28, authorization, "Refresh Tokens".
    if scopes.contains("offline_access") {
        return Err("offline_access is the client's to ask for".to_owned());
    }
    Ok(scopes)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn confirm(text: &str) -> Result<Confirm, String> {
    match text {
        "when-possible" => Ok(Confirm::WhenPossible),
        "always" => Ok(Confirm::Always),
        "never" => Ok(Confirm::Never),
        other => Err(format!("{other:?} is none of when-possible, always, never")),
    }
}

fn state_key(path: &str) -> Result<SecretString, String> {
    let key = reader::file_secret(path)?;
    if key.expose_secret().len() < SHORTEST_KEY {
        return Err(format!(
            "{path}: has to be at least {SHORTEST_KEY} random bytes of text, such as from openssl rand -base64 48"
        ));
    }
    Ok(key)
}

fn host(text: &str) -> Result<String, String> {
    authority(true, text)
        .map(|_| text.to_owned())
        .ok_or_else(|| "has to be a host and, if unusual, a port, such as agent.internal:8443".to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    let url = reader::http_url(text)?;
    let origin = url.origin().ascii_serialization();
    if url.as_str().trim_end_matches('/') == origin {
        Ok(origin)
    } else {
        Err("has to be scheme, host and port alone, such as https://inspector.example.org".to_owned())
    }
}
