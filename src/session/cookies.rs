//! The cookies of a session. Two are kept, the instance cookie and `oc_sessionPassphrase`; the `nc_*` cookies would be the user for fifteen
//! days (nextcloud.md §2) and are read, not kept.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::token::Timestamp;

const PASSPHRASE: &[u8] = b"oc_sessionPassphrase";
const USERNAME: &[u8] = b"nc_username";

/// The two cookies of a session, ready to be sent. They print as nothing.
pub struct SessionCookies {
    header: HeaderValue,
    instance: Vec<u8>,
    id: Vec<u8>,
    passphrase: Vec<u8>,
}

/// What the `Set-Cookie` lines of one answer come to: later lines win.
#[derive(Debug)]
pub struct Login {
    /// The session, if both of its cookies are set, and no second instance cookie beside them.
    pub cookies: Option<SessionCookies>,
    /// Who is logged in by it, decoded.
    pub username: Option<String>,
}

impl Login {
    /// Reads an answer's cookies. `now` tells what has expired.
    #[must_use]
    pub fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let (mut username, mut passphrase) = (None, None);
        let mut instances: Vec<(&[u8], &[u8])> = Vec::new();
        for line in lines(headers) {
            let value = line.value.filter(|_| !line.expired(now));
            if line.name == USERNAME {
                username = value;
            } else if line.name == PASSPHRASE {
                passphrase = value;
            } else if is_instance(line.name) {
                instances.retain(|(name, _)| *name != line.name);
                instances.extend(value.map(|value| (line.name, value)));
            }
        }
        let cookies = match (instances.as_slice(), passphrase) {
            ([(instance, id)], Some(passphrase)) => SessionCookies::new(instance, id, passphrase),
            _ => None,
        };
        // What is no UTF-8 is nobody's name, and has to differ from every one.
        let username = username.map(|name| percent_encoding::percent_decode(name).decode_utf8_lossy().into_owned());
        Self { cookies, username }
    }
}

impl SessionCookies {
    fn new(instance: &[u8], id: &[u8], passphrase: &[u8]) -> Option<Self> {
        if !is_cookie_value(id) || !is_cookie_value(passphrase) {
            return None;
        }
        let text = [PASSPHRASE, b"=", passphrase, b"; ", instance, b"=", id].concat();
        let mut header = HeaderValue::from_bytes(&text).ok()?;
        header.set_sensitive(true);
        Some(Self { header, instance: instance.to_vec(), id: id.to_vec(), passphrase: passphrase.to_vec() })
    }

    /// The `Cookie` header.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// Whether an answer sets another session, or takes this one away. Any line that says so counts, whatever the next one says.
    #[must_use]
    pub fn changed_by(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        lines(headers).any(|line| {
            let own: &[u8] = if line.name == PASSPHRASE {
                &self.passphrase
            } else if line.name == self.instance {
                &self.id
            } else {
                return is_instance(line.name);
            };
            line.value != Some(own) || line.expired(now)
        })
    }
}

impl fmt::Debug for SessionCookies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionCookies(…)")
    }
}

/// A `Set-Cookie` line (RFC 6265 §5.2).
struct Line<'a> {
    name: &'a [u8],
    /// None: an empty value, which deletes.
    value: Option<&'a [u8]>,
    attributes: &'a [u8],
}

impl Line<'_> {
    /// Whether the line takes the cookie away: by `Max-Age`, which wins, or by `Expires`.
    fn expired(&self, now: Timestamp) -> bool {
        if let Some(age) = self.attribute(b"max-age") {
            return std::str::from_utf8(age).ok().and_then(|age| age.parse::<i64>().ok()).is_some_and(|age| age <= 0);
        }
        match self.attribute(b"expires") {
            Some(date) => moment(date).is_some_and(|moment| moment <= now.0),
            // PHP's word for a cookie that is taken away; without a date nothing else tells.
            None => self.value == Some(b"deleted"),
        }
    }

    /// The last attribute of this name.
    fn attribute(&self, name: &[u8]) -> Option<&[u8]> {
        let mut found = None;
        for attribute in self.attributes.split(|&byte| byte == b';') {
            let at = attribute.iter().position(|&byte| byte == b'=').unwrap_or(attribute.len());
            let (own, value) = attribute.split_at(at);
            if own.trim_ascii().eq_ignore_ascii_case(name) {
                found = Some(value.strip_prefix(b"=").unwrap_or_default().trim_ascii());
            }
        }
        found
    }
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = Line<'_>> {
    headers.get_all(SET_COOKIE).iter().filter_map(|line| {
        let line = line.as_bytes();
        let end = line.iter().position(|&byte| byte == b';').unwrap_or(line.len());
        let (pair, attributes) = line.split_at(end);
        let at = pair.iter().position(|&byte| byte == b'=')?;
        let (name, value) = pair.split_at(at);
        let value = value.strip_prefix(b"=").unwrap_or_default().trim_ascii();
        Some(Line { name: name.trim_ascii(), value: (!value.is_empty()).then_some(value), attributes })
    })
}

/// Nextcloud writes dates with blanks and, in its same-site cookies, with hyphens. None: no date that we know.
fn moment(date: &[u8]) -> Option<i64> {
    let date = std::str::from_utf8(date).ok()?.replace('-', " ");
    let since = httpdate::parse_http_date(&date).ok().map(|at: SystemTime| at.duration_since(UNIX_EPOCH))?;
    i64::try_from(since.unwrap_or(Duration::ZERO).as_secs()).ok()
}

/// `oc` and ten lower-case letters and digits: the instance id names the cookie of PHP's session.
fn is_instance(name: &[u8]) -> bool {
    name.len() == 12
        && name.starts_with(b"oc")
        && name.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `cookie-octet` of RFC 6265 §4.1.1.
fn is_cookie_value(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(byte))
}

#[cfg(test)]
mod tests;
