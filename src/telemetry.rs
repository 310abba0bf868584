//! Log lines on standard error; spans to OpenTelemetry, if an endpoint is configured.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::TelemetrySettings;
use crate::middleware::trace::Sampling;

/// Flushes spans at the end of the process.
#[derive(Debug, Default)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// What keeps telemetry from starting.
#[derive(Debug, thiserror::Error)]
#[error("telemetry: {0}")]
pub struct TelemetryError(String);

impl Telemetry {
    /// Starts logging, and exporting where configured.
    ///
    /// # Errors
    /// If a subscriber is installed already, or the exporter cannot be built.
    pub fn start(settings: &TelemetrySettings) -> Result<Self, TelemetryError> {
        let failed = |error: &dyn std::fmt::Display| TelemetryError(error.to_string());
        let provider = settings.otlp_endpoint.as_ref().map(exporter).transpose()?;
        let spans = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("obo-proxy"))
                // Requests' spans only, whatever the log level is.
                .with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
                    metadata.is_span() && metadata.target() == "obo_proxy::request"
                }))
        });
        let filter = filter(&settings.log).map_err(|error| failed(&error))?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(true);
        let lines = if settings.json { lines.json().boxed() } else { lines.boxed() };
        tracing_subscriber::registry()
            .with(spans)
            .with(lines.with_filter(filter))
            .try_init()
            .map_err(|error| failed(&error))?;
        Ok(Self { provider })
    }

    /// Which requests get a span: none where nobody receives them.
    #[must_use]
    pub fn sampling(&self, settings: &TelemetrySettings) -> Sampling {
        Sampling::ratio(if self.provider.is_some() { settings.sample_ratio } else { 0.0 })
    }

    /// No spans at all.
    #[must_use]
    pub fn sampling_none(&self) -> Sampling {
        Sampling::ratio(0.0)
    }

    /// Sends what is left.
    pub fn stop(self) {
        if let Some(provider) = self.provider
            && let Err(error) = provider.shutdown()
        {
            eprintln!("telemetry: {error}");
        }
    }
}

/// The exporter's client blocks a thread of its own, so that spans can be flushed while the runtimes stop.
fn exporter(endpoint: &url::Url) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint.as_str())
        .build()
        .map_err(|error| TelemetryError(error.to_string()))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // The decision was made before the span existed.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(Resource::builder().with_service_name("obo-proxy").build())
        .build())
}
/// What is logged. rmcp writes whole messages at `debug`, and every mistake of a caller at `warn`: contents are not for a log, and strangers must
/// not fill it. Whoever wants that names it.
fn filter(log: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let quiet = if log.contains("rmcp") { "" } else { ",rmcp=error" };
    EnvFilter::try_new(format!("{log}{quiet}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_library_is_quiet_unless_it_is_named() {
        assert!(filter("debug").unwrap().to_string().contains("rmcp=error"));
        assert!(!filter("info,rmcp=debug").unwrap().to_string().contains("rmcp=error"));
        assert!(filter("=,=").is_err());
    }
}
