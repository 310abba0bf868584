//! What the Nextcloud leg needs before there is a request: TLS, and the sessions that all cores share.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::{BuilderVerifierExt as _, Verifier as PlatformVerifier};

use super::StartError;
use crate::config::{Config, ModeSettings};
use crate::flight::Control;
use crate::metrics::Metrics;
use crate::session::Sessions;
use crate::session::courier::Courier;
use crate::token::Clock;
use crate::upstream::{Connector, UpstreamAddress};

/// Upstream sessions are for exchanged tokens alone.
pub(super) fn sessions(
    config: &Config,
    tls: Option<&Arc<ClientConfig>>,
    control: &Control,
    clock: &Clock,
    metrics: &Metrics,
) -> Option<Sessions> {
    let wanted = config.sessions.enabled && matches!(config.mode, ModeSettings::Exchange);
    wanted.then(|| {
        let nextcloud = &config.nextcloud;
        let connector = Connector::new(nextcloud.address.clone(), tls.cloned(), nextcloud.connect_timeout);
        let courier = Courier::new(connector, Arc::new(nextcloud.clone()));
        Sessions::new(config.sessions.clone(), courier, control.clone(), clock.clone(), metrics.clone())
    })
}

/// TLS to Nextcloud: the platform's roots and `ca_file`.
pub(crate) fn upstream_tls(config: &Config) -> Result<Option<Arc<ClientConfig>>, StartError> {
    if !matches!(config.nextcloud.address, UpstreamAddress::Https { .. }) {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| StartError::Setup(format!("TLS to Nextcloud: {error}"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let config = match &config.ca_pem {
        None => builder.with_platform_verifier().map_err(|error| failed(&error))?.with_no_client_auth(),
        Some(pem) => {
            use rustls::pki_types::pem::PemObject as _;
            let roots: Vec<_> = rustls::pki_types::CertificateDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .map_err(|error| failed(&error))?;
            let verifier = PlatformVerifier::new_with_extra_roots(roots, provider).map_err(|error| failed(&error))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    };
    Ok(Some(Arc::new(config)))
}
