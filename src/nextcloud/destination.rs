//! `Destination` of COPY, MOVE and chunked uploads (RFC 4918 §10.3): a second path, to which the whole path policy applies
//! (checklist rows 47 and 55).
//!
//! sabre uses only its path. The path alone is forwarded therefore, and a destination on another host is refused instead of
//! being read as one on ours.

use std::borrow::Cow;
use std::fmt;

use http::Method;

use super::mount::Mount;
use super::never::Opened;
use super::route::Route;
use super::target::{Ambiguous, Target};

/// Where a COPY or MOVE goes to: a path on this Nextcloud, unambiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination<'d> {
    target: Target<'d>,
}

/// A host and port by which callers may call us: that of `public_url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAuthority {
    host: String,
    port: u16,
}

/// Why a destination is refused. The caller is told 400 `invalid_request`, the log names the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadDestination {
    /// Neither an absolute path nor an absolute `http` or `https` URI with a path.
    NotAbsolute,
    /// User information in the authority: `https://cloud.example@evil.example/`.
    UserInfo,
    /// An authority that is not ours, or none that can be read.
    ForeignHost,
    /// A path outside our mount.
    Outside,
    /// A query. sabre cuts it off; we do not guess.
    Query,
    /// The path is ambiguous, or the bytes are not UTF-8.
    Path(Ambiguous),
}

// === impl Destination ===

impl<'d> Destination<'d> {
    /// Parses a field value. `ours` are the authorities that name this Nextcloud; scheme and port must fit one of them. The path has to lie
    /// inside the mount.
    ///
    /// # Errors
    ///
    /// [`BadDestination`] names what is wrong with it.
    pub fn parse(value: &'d [u8], ours: &[PublicAuthority], mount: &Mount) -> Result<Self, BadDestination> {
        let value = std::str::from_utf8(value).map_err(|_| BadDestination::Path(Ambiguous::NotUtf8))?;
        let path = if value.starts_with('/') {
            value
        } else {
            let (authority, path) = split(value)?;
            if !ours.contains(&authority) {
                return Err(BadDestination::ForeignHost);
            }
            path
        };
        // The mount itself is no place to move anything to, with or without a slash.
        let Some(Cow::Borrowed(inside)) = mount.inward(path) else { return Err(BadDestination::Outside) };
        let target = Target::parse(inside).map_err(BadDestination::Path)?;
        match target.query() {
            Some(_) => Err(BadDestination::Query),
            None => Ok(Self { target }),
        }
    }

    /// The path inside the mount, byte for byte as it came: what is forwarded.
    #[must_use]
    pub fn path(&self) -> &'d str {
        self.target.path()
    }

    /// What it is about, decided as for the target of a request. The method is that of the request that bears it.
    #[must_use]
    pub fn route(&self, method: &Method) -> Route<'_> {
        Route::fold(method, &self.target)
    }

    /// The same, where this deployment opens some of the never-list.
    #[must_use]
    pub fn route_with(&self, method: &Method, opened: Opened) -> Route<'_> {
        Route::fold_with(method, &self.target, opened)
    }
}

// === impl PublicAuthority ===

impl PublicAuthority {
    /// Takes host and port from a public URL such as `https://cloud.example` or `http://localhost:8080/`; what follows the
    /// authority does not matter.
    ///
    /// # Errors
    ///
    /// [`BadDestination`], if that is no `http` or `https` URL, holds user information, or no readable host and port.
    pub fn of_url(url: &str) -> Result<Self, BadDestination> {
        // A URL without a path gets one, and one slash more at the end of another changes nothing.
        split(&format!("{url}/")).map(|(authority, _)| authority)
    }
}

/// Splits an absolute URI at the `/` that begins its path.
fn split(uri: &str) -> Result<(PublicAuthority, &str), BadDestination> {
    let (scheme, rest) = uri.split_once("://").ok_or(BadDestination::NotAbsolute)?;
    let default_port = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => 443,
        _ if scheme.eq_ignore_ascii_case("http") => 80,
        _ => return Err(BadDestination::NotAbsolute),
    };
    let (authority, path) = rest.split_at(rest.find('/').ok_or(BadDestination::NotAbsolute)?);
    if authority.contains('@') {
        return Err(BadDestination::UserInfo);
    }
    // The last colon begins the port, unless it stands inside the brackets of an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, number(port, default_port)?),
        _ => (authority, default_port),
    };
    if host.is_empty() {
        return Err(BadDestination::ForeignHost);
    }
    Ok((PublicAuthority { host: host.to_ascii_lowercase(), port }, path))
}

/// RFC 3986 §3.2.3: digits, and none at all mean the default.
fn number(port: &str, default: u16) -> Result<u16, BadDestination> {
    match port {
        "" => Ok(default),
        _ if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().map_err(|_| BadDestination::ForeignHost),
        _ => Err(BadDestination::ForeignHost),
    }
}

// === impl BadDestination ===

impl BadDestination {
    /// A stable name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAbsolute => "destination_not_absolute",
            Self::UserInfo => "destination_user_info",
            Self::ForeignHost => "destination_foreign_host",
            Self::Outside => "destination_outside",
            Self::Query => "destination_query",
            Self::Path(ambiguous) => ambiguous.as_str(),
        }
    }
}

impl fmt::Display for BadDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for BadDestination {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nextcloud::family::Family;
    use crate::nextcloud::mount::Root;
    use crate::nextcloud::route::Owner;

    fn ours() -> Vec<PublicAuthority> {
        [
            "https://cloud.example",
            "http://nextcloud.test/",
            "https://[2001:db8::1]:8443",
            "https://[2001:db8::2]",
            "http://localhost:8080/base",
        ]
        .map(|url| PublicAuthority::of_url(url).unwrap())
        .to_vec()
    }

    fn parse(value: &str) -> Result<Destination<'_>, BadDestination> {
        Destination::parse(value.as_bytes(), &ours(), &Mount::default())
    }

    #[test]
    fn the_recorded_destinations_are_files_of_the_named_user() {
        let mv = Method::from_bytes(b"MOVE").unwrap();
        for (value, family, owner) in [
            ("http://nextcloud.test/remote.php/dav/files/alice/seq/b.txt", Family::Files, "alice"),
            ("/remote.php/dav/files/alice/seq/c.txt", Family::Files, "alice"),
            ("http://nextcloud.test/remote.php/dav/files/bob/c.txt", Family::Files, "bob"),
            ("http://nextcloud.test/remote.php/dav/trashbin/alice/restore/c.txt", Family::Trashbin, "alice"),
        ] {
            let destination = parse(value).unwrap();
            let route = destination.route(&mv);
            assert_eq!((route.family(), route.owner()), (family, Some(Owner::Named(owner))), "{value}");
            assert_eq!(destination.path(), value.trim_start_matches("http://nextcloud.test"));
        }
    }

    #[test]
    fn hosts_compare_without_case_and_default_ports() {
        for value in [
            "https://cloud.example/a",
            "HTTPS://CLOUD.Example/a",
            "https://cloud.example:443/a",
            "https://cloud.example:/a",
            "https://cloud.example:0443/a",
            "http://nextcloud.test:80/a",
            "https://[2001:DB8::1]:8443/a",
            "https://[2001:db8::2]/a",
            "https://[2001:db8::2]:443/a",
            "http://localhost:8080/a",
        ] {
            assert_eq!(parse(value).map(|destination| destination.path()), Ok("/a"), "{value}");
        }
    }

    #[test]
    fn another_host_is_refused() {
        for value in [
            "https://evil.example/a",
            "https://cloud.example.evil.example/a",
            "https://cloud.example./a",
            "https://cloud.example:8443/a",
            "http://cloud.example/a",
            "http://cloud.example:443x/a",
            "http://localhost/a",
            "https://[2001:db8::1]/a",
            "https://cloud.example%2f/a",
            "https://cloud.example\\.evil.example/a",
            "https://cloud.example?x/a",
            "https://cloud.example#x/a",
            "https://cloud.example:65979/a",
            "https://cloud.example:+443/a",
            "https:///a",
            "https://:443/a",
        ] {
            assert_eq!(parse(value), Err(BadDestination::ForeignHost), "{value}");
        }
    }

    #[test]
    fn user_information_hides_no_host() {
        for value in
            ["https://cloud.example@evil.example/a", "https://alice@cloud.example/a", "https://a:b@cloud.example/a"]
        {
            assert_eq!(parse(value), Err(BadDestination::UserInfo), "{value}");
        }
    }

    #[test]
    fn a_destination_is_absolute() {
        for value in [
            "",
            "a",
            "https://cloud.example",
            "ftp://cloud.example/a",
            "https:/a",
            "cloud.example/a",
            "https:cloud.example/a",
            " /a",
        ] {
            assert_eq!(parse(value), Err(BadDestination::NotAbsolute), "{value}");
        }
    }

    #[test]
    fn its_path_is_judged_as_any_other() {
        for (value, reason) in [
            ("//evil.example/a", Ambiguous::EmptySegment),
            ("https://cloud.example//a", Ambiguous::EmptySegment),
            ("/remote.php/dav/files/alice/../bob/a", Ambiguous::DotSegment),
            ("https://cloud.example/remote.php/dav/files/alice/%2e%2e/a", Ambiguous::EncodedDot),
            ("/a%2fb", Ambiguous::EncodedSlash),
            ("/a#b", Ambiguous::Fragment),
            ("/a b", Ambiguous::Control),
        ] {
            assert_eq!(parse(value), Err(BadDestination::Path(reason)), "{value}");
        }
        assert_eq!(Destination::parse(b"/\xff", &[], &Mount::default()), Err(BadDestination::Path(Ambiguous::NotUtf8)));
        let copy = Method::from_bytes(b"COPY").unwrap();
        assert!(parse("/ocs/v2.php/core/%67etapppassword").unwrap().route(&copy).never().is_some());
    }

    #[test]
    fn below_a_prefix_only_what_is_inside_is_a_destination_and_the_prefix_is_off() {
        let root = |text| Root::parse(text).unwrap();
        let mount = Mount::new(root("/nc"), root(""), root("/own"));
        let parse = |value: &'static str| {
            Destination::parse(value.as_bytes(), &ours(), &mount).map(|own| own.path().to_owned())
        };
        assert_eq!(parse("/nc/remote.php/dav/files/a"), Ok("/remote.php/dav/files/a".into()));
        assert_eq!(parse("https://cloud.example/nc/a%20b"), Ok("/a%20b".into()));
        for outside in ["/remote.php/dav/files/a", "/own/a", "/ncx/a", "https://cloud.example/", "/nc", "/%6ec/a"] {
            assert_eq!(parse(outside), Err(BadDestination::Outside), "{outside}");
        }
        assert_eq!(parse("/nc/../a"), Err(BadDestination::Path(Ambiguous::DotSegment)));
        assert_eq!(parse("/nc//a"), Err(BadDestination::Path(Ambiguous::EmptySegment)));
    }

    #[test]
    fn a_destination_has_no_query() {
        for value in ["/a?b", "/a?", "https://cloud.example/a?access_token=x"] {
            assert_eq!(parse(value), Err(BadDestination::Query), "{value}");
        }
    }

    #[test]
    fn without_authorities_of_ours_only_a_path_is_taken() {
        assert!(Destination::parse(b"/a", &[], &Mount::default()).is_ok());
        assert_eq!(
            Destination::parse(b"https://cloud.example/a", &[], &Mount::default()),
            Err(BadDestination::ForeignHost)
        );
        assert_eq!(PublicAuthority::of_url("cloud.example"), Err(BadDestination::NotAbsolute));
        assert_eq!(PublicAuthority::of_url("https://u@cloud.example"), Err(BadDestination::UserInfo));
    }
}
