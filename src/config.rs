//! Configuration: a TOML file and environment variables with the prefix `OBO__` (`OBO__NEXTCLOUD__URL`), read once, at the start. Every fault is
//! reported in one start. Each section is resolved by the file of its name; this one composes them. The prefix has two underscores because
//! Kubernetes injects `OBO_PROXY_PORT` and the like for a service of our name.

pub mod issuers;
pub mod listen;
pub mod mcp;
pub mod nextcloud;
pub mod policy;
pub mod reader;
pub mod sessions;
pub mod telemetry;

use std::path::Path;
use std::sync::Arc;

use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use url::Url;

pub use listen::{AdminSettings, ListenSettings};
pub use reader::{Faults, Section};
pub use telemetry::TelemetrySettings;

use crate::mcp::settings::McpSettings;
use crate::nextcloud::mount::Root;
use crate::nextcloud::policy::Policy;
use crate::oauth::IssuerSettings;
use crate::session::SessionSettings;
use crate::upstream::NextcloudSettings;

/// How callers' tokens become credentials for Nextcloud.
#[derive(Debug, Clone)]
pub enum ModeSettings {
    /// Token exchange.
    Exchange,
    /// Tokens that name Nextcloud themselves are passed through.
    MultiAudience,
    /// One app password: the `Basic` credentials, base64-encoded already.
    Basic(secrecy::SecretString),
}

/// What becomes of a request that bears no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonBearer {
    /// 401.
    Reject,
    /// It goes on to Nextcloud as it is, which judges it by itself.
    Forward,
}

/// Everything, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where callers reach us, without a trailing slash.
    pub public_url: String,
    /// How credentials are had.
    pub mode: ModeSettings,
    /// What becomes of requests without a token.
    pub non_bearer: NonBearer,
    /// Additional certificate authorities for the provider and Nextcloud, PEM.
    pub ca_pem: Option<Arc<[u8]>>,
    /// The public listener.
    pub listen: ListenSettings,
    /// The admin listener.
    pub admin: AdminSettings,
    /// The Nextcloud leg.
    pub nextcloud: NextcloudSettings,
    /// Upstream sessions.
    pub sessions: SessionSettings,
    /// Which scopes open what.
    pub policy: Arc<Policy>,
    /// The MCP frontend.
    pub mcp: McpSettings,
    /// The issuers.
    pub issuers: Vec<IssuerSettings>,
    /// Logs and traces.
    pub telemetry: TelemetrySettings,
}

impl Config {
    /// Reads the file, if one is named, and the environment over it.
    ///
    /// # Errors
    /// Every fault that there is.
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Faults::one(format!("{}: there is no such file", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        Self::resolve(figment.merge(Env::prefixed("OBO__").split("__")))
    }

    /// Resolves what was read.
    ///
    /// # Errors
    /// Every fault that there is.
    pub fn resolve(figment: Figment) -> Result<Self, Faults> {
        let root = match figment.extract::<figment::value::Dict>() {
            Ok(root) => root,
            Err(error) => return Err(Faults::one(error.to_string())),
        };
        let faults = Faults::default();
        let mut root = Section::root(root, &faults);

        let public_url = root.required("public_url", public_url).unwrap_or_else(unspecified);
        let public_root = Root::parse(public_url.path()).unwrap_or_else(|bad| {
            root.fault("public_url", format!("its path {bad}"));
            Root::default()
        });
        let ca_pem: Option<Arc<[u8]>> = root.optional("ca_file", reader::file_bytes).map(Into::into);
        let mode = root.text("mode").unwrap_or_else(|| "exchange".to_owned());
        let non_bearer = root.optional("non_bearer", non_bearer).unwrap_or(NonBearer::Reject);
        let listen = listen::resolve_listen(&mut root.section("listen"));
        let admin = listen::resolve_admin(&mut root.section("admin"));
        let trusted_proxies = root.list("trusted_proxies", reader::network);
        let mut section = root.section("nextcloud");
        let basic = nextcloud::basic(&mut section, mode == "basic");
        let nextcloud = nextcloud::resolve(&mut section, &public_url, public_root, trusted_proxies);
        section.finish();
        let sessions = sessions::resolve(&mut root.section("sessions"));
        let mcp = mcp::resolve(&mut root.section("mcp"), &public_url);
        let mut danger = root.section("danger");
        let policy = Arc::new(policy::resolve(&mut root.section("policy"), &mut danger));
        let issuers = issuers::resolve(&mut root, &public_url, &mode);
        let telemetry = telemetry::resolve(&mut root.section("telemetry"));
        let mode = match (mode.as_str(), basic) {
            ("exchange", _) => Some(ModeSettings::Exchange),
            ("multi-audience", _) => Some(ModeSettings::MultiAudience),
            ("basic", credentials) => credentials.map(ModeSettings::Basic),
            (other, _) => {
                root.fault("mode", format!("{other:?} is none of exchange, multi-audience, basic"));
                None
            }
        };
        root.finish();

        match (mode, listen, admin, nextcloud, issuers, telemetry) {
            (Some(mode), Some(listen), Some(admin), Some(nextcloud), Some(issuers), Some(telemetry))
                if faults.is_empty() =>
            {
                Ok(Self {
                    public_url: public_url.as_str().trim_end_matches('/').to_owned(),
                    mode,
                    non_bearer,
                    ca_pem,
                    listen,
                    admin,
                    nextcloud,
                    sessions,
                    policy,
                    mcp,
                    issuers,
                    telemetry,
                })
            }
            _ => Err(faults),
        }
    }
}

/// Stands in for a missing `public_url` while the other faults are looked for.
fn unspecified() -> Url {
    #[expect(clippy::expect_used, reason = "a literal")]
    Url::parse("http://public-url.invalid").expect("a URL")
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = reader::http_url(text)?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("has to be scheme, host, port and path alone, such as https://mcp.example.org".to_owned());
    }
    Ok(url)
}

fn non_bearer(text: &str) -> Result<NonBearer, String> {
    match text {
        "reject" => Ok(NonBearer::Reject),
        "forward" => Ok(NonBearer::Forward),
        other => Err(format!("{other:?} is none of reject, forward")),
    }
}
