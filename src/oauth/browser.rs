//! What we keep in a browser for some minutes: random values in cookies that belong to this host alone (RFC 6265bis §4.1.3.2, `__Host-`), are
//! not for scripts, and do not come with requests that other sites make, but for going there.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Whether a cookie of a request, as `name=value`, is one of ours. Nobody behind us is to see it.
#[must_use]
pub fn is_ours(pair: &[u8]) -> bool {
    pair.strip_prefix(b"__Host-").unwrap_or(pair).starts_with(OURS)
}

/// Makes and finds our cookies.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    secure: bool,
}

/// What the names of all our cookies begin with.
const OURS: &[u8] = b"obo-";

/// 256 random bits, as text.
#[must_use]
pub fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Cookies {
    /// For a server that is reached by this URL. Without TLS, which is for loopback, browsers take no `__Host-`.
    #[must_use]
    pub fn for_url(url: &str) -> Self {
        Self { secure: url.starts_with("https://") }
    }

    fn full(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// Sets one; the value is one of [`random`].
    #[must_use]
    pub fn set(self, name: &str, value: &str, lifetime: Duration) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
            self.full(name),
            lifetime.as_secs()
        );
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The value of one, if it came exactly once.
    #[must_use]
    pub fn get(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let name = self.full(name);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(own, _)| *own == name)
            .map(|(_, value)| value.to_owned());
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_belongs_to_this_host_alone_and_to_no_script() {
        let set = Cookies::for_url("https://cloud.example/oauth/callback").set("x", "v", Duration::from_mins(1));
        assert_eq!(set, "__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        let plain = Cookies::for_url("http://127.0.0.1:8080/oauth/callback").set("x", "v", Duration::ZERO);
        assert_eq!(plain, "x=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn two_cookies_of_one_name_are_none() {
        let get = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, line.parse().unwrap());
            Cookies { secure: true }.get(&headers, "x")
        };
        assert_eq!(get("a=b; __Host-x=v;c=d").as_deref(), Some("v"));
        assert_eq!(get("__Host-x=v; __Host-x=w"), None);
        assert_eq!(get("x=v"), None, "a subdomain could have set it");
    }
}
