//! `[listen]` and `[admin]`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::reader::{self, Section};

/// The public listener.
#[derive(Debug, Clone)]
pub struct ListenSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// How many cores serve it, each with a runtime of its own.
    pub threads: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// Requests at once.
    pub max_requests: usize,
    /// Remembered tokens.
    pub max_tokens: u64,
    /// How long a token's verification, or its exchange, may take.
    pub auth_timeout: Duration,
    /// How long open connections may finish after SIGTERM.
    pub drain: Duration,
    /// TLS, if we terminate it.
    pub tls: Option<Arc<ServerConfig>>,
}

/// The admin listener.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The names it may be addressed by.
    pub allowed_hosts: Vec<String>,
}

pub(super) fn resolve_listen(section: &mut Section) -> Option<ListenSettings> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let address = section.optional("address", socket).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let threads = section.number("threads", 0_usize);
    let settings = ListenSettings {
        address,
        threads: if threads == 0 { cores } else { threads },
        max_connections: section.number("max_connections", 10_000_usize),
        max_requests: section.number("max_requests", 10_000_usize),
        max_tokens: section.number("max_tokens", 50_000_u64),
        auth_timeout: section.duration("auth_timeout", Duration::from_secs(15)),
        drain: section.duration("drain", Duration::from_secs(25)),
        tls: tls(section),
    };
    for (key, value) in [("max_connections", settings.max_connections), ("max_requests", settings.max_requests)] {
        if value == 0 || value > tokio::sync::Semaphore::MAX_PERMITS {
            section.fault(key, "has to be at least 1");
        }
    }
    section.finish();
    Some(settings)
}

pub(super) fn resolve_admin(section: &mut Section) -> Option<AdminSettings> {
    let address = section.optional("address", socket).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9090)));
    let mut allowed_hosts =
        vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), address.ip().to_string()];
    allowed_hosts.extend(section.list("allowed_hosts", reader::text));
    section.finish();
    Some(AdminSettings { address, allowed_hosts })
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "has to be an address with a port, such as 127.0.0.1:8080".to_owned())
}

fn tls(section: &mut Section) -> Option<Arc<ServerConfig>> {
    let certificate = section.optional("tls_certificate_file", reader::file_bytes);
    let key = section.optional("tls_key_file", reader::file_bytes);
    let (certificate, key) = match (certificate, key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => (certificate, key),
        _ => {
            section.fault("tls_certificate_file", "and tls_key_file go together");
            return None;
        }
    };
    match server_config(&certificate, &key) {
        Ok(config) => Some(Arc::new(config)),
        Err(fault) => {
            section.fault("tls_certificate_file", fault);
            None
        }
    }
}

fn server_config(certificate: &[u8], key: &[u8]) -> Result<ServerConfig, String> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
