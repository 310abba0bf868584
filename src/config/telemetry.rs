//! `[telemetry]`.

use url::Url;

use super::reader::{self, Section};

/// Logs and traces.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Whether a log line is a JSON object.
    pub json: bool,
    /// Where spans go by OTLP over HTTP (`…/v1/traces`); none: nowhere.
    pub otlp_endpoint: Option<Url>,
    /// Which share of requests gets a span.
    pub sample_ratio: f64,
}

pub(super) fn resolve(section: &mut Section) -> Option<TelemetrySettings> {
    let log = section
        .optional("log", |text| match tracing_subscriber::EnvFilter::try_new(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        })
        .unwrap_or_else(|| "info".to_owned());
    let json = section.flag("json", false);
    let otlp_endpoint = section.optional("otlp_endpoint", reader::http_url);
    let sample_ratio = section
        .optional("sample_ratio", |text| match text.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
            _ => Err("has to be between 0 and 1"),
        })
        .unwrap_or(0.01);
    section.finish();
    Some(TelemetrySettings { log, json, otlp_endpoint, sample_ratio })
}
