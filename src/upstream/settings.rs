//! The settings of the Nextcloud leg.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use ipnet::IpNet;

use crate::nextcloud::mount::Mount;

/// Where Nextcloud listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamAddress {
    /// `http://host:port`.
    Http {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// `https://host:port`.
    Https {
        /// Name or address; also the name that the certificate must have.
        host: String,
        /// Port.
        port: u16,
    },
    /// `unix:/path`.
    Unix(PathBuf),
}

/// The Nextcloud leg, resolved.
#[derive(Debug, Clone)]
pub struct NextcloudSettings {
    /// Where Nextcloud listens.
    pub address: UpstreamAddress,
    /// The roots of paths: callers', Nextcloud's web server's, Nextcloud's own.
    pub mount: Mount,
    /// The `Host` that Nextcloud is addressed by.
    pub host: HeaderValue,
    /// Our public scheme.
    pub public_scheme: &'static str,
    /// Our public authority: host and, if it is not the default, port.
    pub public_authority: Arc<str>,
    /// The same as a header value.
    pub forwarded_host: HeaderValue,
    /// The authorities that mean ourselves where Nextcloud names them, in `Location`, `Link` and hrefs.
    pub own_authorities: Arc<[String]>,
    /// Proxies before us whose `X-Forwarded-For` is believed; empty: nobody's.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long Nextcloud may think, from the end of the upload to its response head.
    pub head_timeout: Duration,
    /// How long either body may stand still.
    pub idle_timeout: Duration,
    /// A larger upload is refused; none: Nextcloud decides.
    pub largest_body: Option<u64>,
}

impl NextcloudSettings {
    /// Scheme and authority by which callers reach us.
    #[must_use]
    pub fn public_origin(&self) -> String {
        format!("{}://{}", self.public_scheme, self.public_authority)
    }

    /// Whether an address is that of a proxy that we believe.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}
