//! The cookies that Nextcloud sets and reads, line by line as recorded.

use hyper::HeaderMap;
use hyper::header::COOKIE;

/// `oc_sessionPassphrase`: with it PHP's session is encrypted.
pub(super) const PASSPHRASE: &str = "oc_sessionPassphrase";
/// The remembered login's three.
pub(super) const USERNAME: &str = "nc_username";
pub(super) const TOKEN: &str = "nc_token";
pub(super) const SESSION_ID: &str = "nc_session_id";
const LAX: &str = "nc_sameSiteCookielax";
const STRICT: &str = "nc_sameSiteCookiestrict";

/// The cookies of a request.
#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<(String, String)>);

// === impl Cookies ===

impl Cookies {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Both same-site markers came along: the request was not started by another site.
    pub(super) fn are_same_site(&self) -> bool {
        self.get(LAX) == Some("true") && self.get(STRICT) == Some("true")
    }
}

pub(super) fn session(name: &str, id: &str) -> String {
    format!("{name}={id}; path=/; HttpOnly; SameSite=Lax")
}

pub(super) fn passphrase(value: &str) -> String {
    format!("{PASSPHRASE}={value}; path=/; HttpOnly; SameSite=Lax")
}

/// The markers, which go to whoever has no cookie at all.
pub(super) fn same_site() -> [String; 2] {
    [(LAX, "lax"), (STRICT, "strict")].map(|(name, kind)| {
        format!("{name}=true; path=/; httponly;expires=Fri, 31-Dec-2100 23:59:59 GMT; SameSite={kind}")
    })
}

/// A login to be remembered for fifteen days.
pub(super) fn remember(username: &str, token: &str, session_id: &str) -> [String; 3] {
    [(USERNAME, username), (TOKEN, token), (SESSION_ID, session_id)]
        .map(|(name, value)| format!("{name}={value}; Path=/; Max-Age=1296000; HttpOnly; SameSite=Lax"))
}

/// What `unsetMagicInCookie` sends: the three expired, without and with a path.
pub(super) fn forget() -> Vec<String> {
    let expired = |path: &str| {
        [USERNAME, TOKEN, SESSION_ID]
            .map(|name| format!("{name}=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0;{path} HttpOnly"))
    };
    expired("").into_iter().chain(expired(" path=/;")).collect()
}
