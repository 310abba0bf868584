//! The composition root: [`Config`] → running listeners. Names the concrete types; decides nothing.

pub(crate) mod leg;
mod mcp;
mod upkeep;
mod weakenings;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use rustls::ClientConfig;
use secrecy::ExposeSecret as _;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use self::mcp::Instead;
use self::mcp::{Mcp, Shared};
use crate::config::{Config, ModeSettings, NonBearer};
use crate::endpoint::admin::Admin;
use crate::endpoint::well_known::WellKnown;
use crate::exchange::rfc8693::Rfc8693;
use crate::exchange::{CachedExchange, Entries};
use crate::flight::Control;
use crate::metrics::Metrics;
use crate::middleware::authenticate::Authentication;
use crate::middleware::authorize::scopes::ScopeJudge;
use crate::middleware::authorize::{Authorization, ReadingBudget};
use crate::middleware::exchange::{Exchange, Mode};
use crate::middleware::respond::{self, Challenges, McpChallenge};
use crate::middleware::trace::Sampling;
use crate::nextcloud::destination::{PublicAddress, PublicAuthority};
use crate::nextcloud::family::Family;
use crate::oauth::introspection::Introspector;
use crate::oauth::jwks::{PurgeSink, RemoteKeys};
use crate::oauth::{Issuer, Issuers, ProviderClient, Verifier};
use crate::proxy::replay::ReplayBudget;
use crate::proxy::{Proxy, UntouchedProxy, UntouchedService};
use crate::server::{self, Serving};
use crate::session::Sessions;
use crate::stack::{self, PublicParts};
use crate::token::{BearerHeader, Clock};
use crate::upstream::Connector;
use crate::upstream::NextcloudSettings;

/// Logging sessions out may take this long at the end, however long open requests took.
const LAST_LOGOUTS: Duration = Duration::from_secs(3);

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener.
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, #[source] io::Error),
    /// Certificate authorities, or a client that cannot be built.
    #[error("{0}")]
    Setup(String),
}

/// The parts that all cores share, put together from the configuration.
pub struct App {
    config: Config,
    clock: Clock,
    metrics: Metrics,
    issuers: Issuers,
    entries: Entries,
    authentication: Authentication,
    scopes: Arc<ScopeJudge>,
    bodies: ReadingBudget,
    mcp: Option<Mcp>,
    mode: Mode,
    upstream_tls: Option<Arc<ClientConfig>>,
    sessions: Option<Sessions>,
    sampling: Sampling,
}

/// The running application.
pub struct Running {
    /// Where the public listener is.
    pub address: std::net::SocketAddr,
    /// Where the admin listener is.
    pub admin: std::net::SocketAddr,
    /// What is remembered; for purges.
    pub entries: Entries,
    /// The upstream sessions, where there are any.
    pub sessions: Option<Sessions>,
    issuers: Issuers,
    drain: Duration,
    stop: CancellationToken,
    stop_admin: CancellationToken,
    draining: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
}

impl App {
    /// Puts the parts together. `control` is the control runtime: the provider's client lives there.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(config: Config, control: &Handle, clock: Clock, sampling: Sampling) -> Result<Self, StartError> {
        Self::with_mcp(config, control, clock, sampling, Instead::default())
    }

    /// As [`App::new`], with something else behind `/mcp`, for tests of what is around it: a conformance suite asks for tools that nobody ships.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn with_mcp(
        config: Config,
        control: &Handle,
        clock: Clock,
        sampling: Sampling,
        instead: Instead,
    ) -> Result<Self, StartError> {
        let families: Vec<&'static str> = Family::ALLOWABLE.iter().map(|family| family.as_str()).collect();
        let metrics = Metrics::new(&families, respond::CODES).map_err(|error| StartError::Setup(error.to_string()))?;
        let entries = Entries::new(config.listen.max_tokens, clock.clone(), metrics.clone());
        let purge: PurgeSink = Arc::new({
            let entries = entries.clone();
            move |purge| entries.purge(&purge)
        });
        let control = Control::new(control.clone());
        let client = ProviderClient::new(config.ca_pem.as_deref())
            .map_err(|error| StartError::Setup(format!("ca_file: {error}")))?;
        let issuers = Issuers::new(config.issuers.iter().cloned().map(|settings| {
            let settings = Arc::new(settings);
            let keys = RemoteKeys::new(
                settings.clone(),
                client.clone(),
                control.clone(),
                clock.clone(),
                metrics.clone(),
                purge.clone(),
            );
            Arc::new(Issuer { settings, keys, client: client.clone() })
        }));
        let introspector =
            issuers.introspecting().map(|issuer| Introspector::new(issuer.clone(), control.clone(), clock.clone()));
        let upstream_tls = leg::upstream_tls(&config)?;
        let sessions = leg::sessions(&config, upstream_tls.as_ref(), &control, &clock, &metrics);
        if let Some(sessions) = sessions.clone() {
            entries.watch(Arc::new(move |purge| sessions.purge(purge)));
        }
        let mode = match &config.mode {
            ModeSettings::Exchange => {
                let exchanger = Arc::new(Rfc8693::new(issuers.clone(), clock.clone(), metrics.clone(), purge));
                let cached = CachedExchange::new(exchanger, control.clone(), clock.clone(), metrics.clone());
                Mode::Exchange(Box::new(match sessions.clone() {
                    Some(sessions) => cached.telling(Arc::new(move |identity| sessions.subject_refused(identity))),
                    None => cached,
                }))
            }
            ModeSettings::MultiAudience => Mode::MultiAudience,
            ModeSettings::Basic(credentials) => {
                let header = BearerHeader::basic(credentials.expose_secret());
                Mode::Basic(
                    header
                        .ok_or_else(|| StartError::Setup("nextcloud.username cannot stand in a header".to_owned()))?,
                )
            }
        };
        let authentication = Authentication {
            entries: entries.clone(),
            verifier: Verifier::new(issuers.clone(), introspector, clock.clone()),
            metrics: metrics.clone(),
            deadline: config.listen.auth_timeout,
        };
        let scopes = Arc::new(ScopeJudge::new(config.policy.clone(), issuers.clone(), metrics.clone(), clock.clone()));
        let bodies = ReadingBudget::new(config.nextcloud.idle_timeout);
        let mcp = Mcp::new(
            &config,
            instead,
            &Shared { judge: &scopes, issuers: &issuers, control: &control, clock: &clock, metrics: &metrics },
        );
        weakenings::warn_of(&config, &metrics);
        Ok(Self {
            config,
            clock,
            metrics,
            issuers,
            entries,
            authentication,
            scopes,
            bodies,
            mcp,
            mode,
            upstream_tls,
            sessions,
            sampling,
        })
    }

    /// Binds the listeners and starts serving: a thread per core, and on the current (control) runtime the admin listener and the upkeep.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub fn start(self) -> Result<Running, StartError> {
        let listen = &self.config.listen;
        let listeners =
            server::bind(listen.address, listen.threads).map_err(|error| StartError::Listen(listen.address, error))?;
        let address = listeners.first().and_then(|listener| listener.local_addr().ok()).unwrap_or(listen.address);
        let (stop, draining) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        // A token of its own: the admin listener tells of the draining, so it goes last.
        let stop_admin = CancellationToken::new();
        let admin = self.start_admin(&stop_admin, &draining)?;
        self.start_upkeep(&stop);
        if self.config.non_bearer == NonBearer::Forward {
            tracing::info!(
                "non_bearer = \"forward\": requests without a bearer token are passed on for Nextcloud to judge"
            );
        }

        let app = Arc::new(self);
        let serving = Serving {
            tls: app.config.listen.tls.clone().map(TlsAcceptor::from),
            connections: Arc::new(Semaphore::new(app.config.listen.max_connections)),
            gauge: app.metrics.connections.clone(),
            stop: stop.clone(),
            drain: app.config.listen.drain,
        };
        let guests = Arc::new(Semaphore::new(app.config.listen.max_requests));
        let budget = ReplayBudget::default();
        let workers = listeners
            .into_iter()
            .enumerate()
            .map(|(core, listener)| {
                let (app, serving, guests, budget) = (app.clone(), serving.clone(), guests.clone(), budget.clone());
                std::thread::Builder::new()
                    .name(format!("core-{core}"))
                    .spawn(move || app.serve(listener, serving, guests, budget))
                    .map_err(|error| StartError::Listen(address, error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Running {
            address,
            admin,
            entries: app.entries.clone(),
            issuers: app.issuers.clone(),
            sessions: app.sessions.clone(),
            drain: app.config.listen.drain,
            stop,
            stop_admin,
            draining,
            workers,
        })
    }

    /// One core: its own runtime, its own stack, its own pool.
    fn serve(&self, listener: std::net::TcpListener, serving: Serving, guests: Arc<Semaphore>, budget: ReplayBudget) {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "a core's runtime cannot be built");
                return;
            }
        };
        runtime.block_on(async {
            let parts = self.parts(guests, budget, serving.stop.clone());
            if let Err(error) = server::serve(listener, serving, |peer| stack::public::<Incoming>(&parts, peer)).await {
                tracing::error!(%error, "a core's listener cannot be used");
            }
        });
    }

    fn parts(&self, guests: Arc<Semaphore>, budget: ReplayBudget, stop: CancellationToken) -> PublicParts {
        let public_url = &self.config.public_url;
        let nextcloud: Arc<NextcloudSettings> = Arc::new(self.config.nextcloud.clone());
        let mount = Arc::new(nextcloud.mount.clone());
        let connector = Connector::new(nextcloud.address.clone(), self.upstream_tls.clone(), nextcloud.connect_timeout);
        let untouched = match self.config.non_bearer {
            NonBearer::Reject => None,
            NonBearer::Forward => Some(UntouchedService::new(Arc::new(UntouchedProxy::new(
                connector.clone(),
                nextcloud.clone(),
                self.metrics.clone(),
                stop.clone(),
            )))),
        };
        let names: Vec<Arc<str>> = self.issuers.iter().map(|issuer| issuer.settings.issuer.clone()).collect();
        let [root_metadata, mcp_metadata] = WellKnown::metadata_urls(&nextcloud.public_origin(), mount.public());
        let mcp_challenge = self.mcp.as_ref().map(|mcp| McpChallenge {
            metadata: mcp_metadata,
            path: mcp.frontend.path.clone(),
            scopes: mcp.challenge.clone(),
        });
        PublicParts {
            sampling: self.sampling,
            challenges: Challenges::new(root_metadata, mcp_challenge),
            metrics: Arc::new(self.metrics.clone()),
            guests,
            open: Arc::new(WellKnown::new(
                public_url,
                &mount,
                &names,
                self.mcp.as_ref().map(|mcp| mcp.challenge.clone()),
            )),
            mount: mount.clone(),
            untouched,
            edge: self.mcp.as_ref().map(|mcp| mcp.edge.clone()),
            pages: self.mcp.as_ref().and_then(|mcp| mcp.pages.clone()),
            frontend: self.mcp.as_ref().map(|mcp| mcp.frontend.clone()),
            authentication: Arc::new(self.authentication.clone()),
            authorization: Arc::new(Authorization {
                address: PublicAddress {
                    authorities: PublicAuthority::of_url(public_url).into_iter().collect(),
                    mount,
                },
                scopes: self.scopes.clone(),
                bodies: self.bodies.clone(),
                metrics: self.metrics.clone(),
            }),
            exchange: Arc::new(Exchange {
                mode: self.mode.clone(),
                scopes: self.scopes.clone(),
                clock: self.clock.clone(),
                deadline: self.config.listen.auth_timeout,
                issuers: self.issuers.clone(),
            }),
            proxy: Arc::new(Proxy::new(
                connector,
                nextcloud,
                budget,
                self.sessions.clone(),
                self.metrics.clone(),
                self.clock.clone(),
                stop,
            )),
        }
    }

    fn start_admin(
        &self,
        stop: &CancellationToken,
        draining: &Arc<AtomicBool>,
    ) -> Result<std::net::SocketAddr, StartError> {
        let settings = &self.config.admin;
        let failed = |error| StartError::Listen(settings.address, error);
        let listener = std::net::TcpListener::bind(settings.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let admin =
            Admin::new(self.issuers.clone(), self.metrics.clone(), settings.allowed_hosts.clone(), draining.clone());
        let serving = Serving {
            tls: None,
            connections: Arc::new(Semaphore::new(64)),
            gauge: prometheus::IntGauge::new("unscraped", "the admin listener's own connections")
                .map_err(|error| StartError::Setup(error.to_string()))?,
            stop: stop.clone(),
            drain: Duration::from_secs(1),
        };
        tokio::spawn(async move {
            if let Err(error) = server::serve(listener, serving, |_| admin.clone()).await {
                tracing::error!(%error, "the admin listener cannot be used");
            }
        });
        Ok(address)
    }
}

impl Running {
    /// Returns when some issuer's keys are known.
    pub async fn ready(&self) {
        while !self.issuers.iter().any(|issuer| issuer.keys.ready()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops accepting, lets open requests finish, logs the upstream sessions out, and returns. The control runtime is the caller's to stop, last.
    pub async fn stop(self) {
        let began = Instant::now();
        self.draining.store(true, Ordering::Release);
        self.stop.cancel();
        let workers = self.workers;
        let joined = tokio::task::spawn_blocking(move || workers.into_iter().for_each(|worker| drop(worker.join())));
        let _ = joined.await;
        if let Some(sessions) = self.sessions {
            sessions.stop(self.drain.saturating_sub(began.elapsed()).max(LAST_LOGOUTS)).await;
        }
        self.stop_admin.cancel();
    }
}
