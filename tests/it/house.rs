//! A house to test in: identity provider, stand-in and obo-proxy, each on a free port of loopback.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::app::{App, Instead, Running};
use obo_proxy::config::Config;
use obo_proxy::dev::identity_provider::{self, IdentityProvider};
use obo_proxy::dev::nextcloud::{self, Nextcloud};
use obo_proxy::mcp::frontend::Protocol;
use obo_proxy::mcp::tool::Registered;
use obo_proxy::middleware::trace::Sampling;
use obo_proxy::token::{Clock, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Everything that a test needs. Dropping it closes the provider and the stand-in; [`House::close`] also joins the proxy's threads.
pub struct House {
    pub provider: IdentityProvider,
    pub nextcloud: Nextcloud,
    pub running: Running,
    /// The proxy's clock. It stands still unless a test turns it; provider and stand-in have the real time.
    pub clock: Clock,
    /// The proxy's `public_url`: `http://127.0.0.1:PORT` and the prefix, if there is one.
    pub url: String,
    pub client: reqwest::Client,
}

/// Changes the options of the stand-in.
pub type Change = Box<dyn FnOnce(&mut nextcloud::Options) + Send>;

/// What a house is built with; every field has a sensible default.
#[derive(Default)]
pub struct Plan {
    pub provider: identity_provider::Options,
    /// Changes the stand-in's options.
    pub nextcloud: Option<Change>,
    /// TOML after the generated part: further tables, such as `[listen]`.
    pub tables: String,
    /// TOML lines at the top level, such as `mode = "basic"`.
    pub top: String,
    /// TOML lines in `[nextcloud]`.
    pub nextcloud_lines: String,
    /// TOML lines in `[issuers.dev]`.
    pub issuer_lines: String,
    /// Replaces the stand-in's URL in the proxy's configuration.
    pub upstream: Option<String>,
    /// TOML lines in `[listen]`.
    pub listen_lines: String,
    /// The provider is down when the proxy starts, and nobody waits until the proxy is ready.
    pub provider_down: bool,
    /// The path of `public_url`, such as `/nc`.
    pub prefix: &'static str,
    /// What follows the stand-in's host and port in `nextcloud.url`, such as `/nextcloud`.
    pub upstream_root: &'static str,
    /// Upstream sessions, which most tests go without: they count what reaches Nextcloud, and openings are requests too.
    pub sessions: bool,
    /// TOML lines in `[sessions]`.
    pub session_lines: String,
    /// More tools at `/mcp`.
    pub tools: Vec<Registered>,
    /// Cores; two by default.
    pub threads: Option<usize>,
    /// What is behind `/mcp` instead of our own tools.
    pub protocol: Option<Protocol>,
    /// The proxy has the real time as well: for a house that others visit.
    pub real_time: bool,
}

impl House {
    /// A house with the defaults.
    pub async fn open() -> Self {
        Plan::default().build().await
    }

    /// A token of this user, as it comes from the provider.
    pub fn token(&self, user: &str) -> String {
        self.provider.mint(user).sign().unwrap()
    }

    /// A token of this user that was granted these scopes and no others; [`House::token`] has all.
    pub fn token_with(&self, user: &str, scopes: &str) -> String {
        self.provider.mint(user).scope(scopes).sign().unwrap()
    }

    /// `GET` with a token.
    pub async fn get(&self, path: &str, token: &str) -> reqwest::Response {
        self.request("GET", path, token).send().await.unwrap()
    }

    /// A request with a token.
    pub fn request(&self, method: &str, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(token)
    }

    /// Sends bytes as they are and reads until the proxy closes, or for two seconds.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.running.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The text of the admin listener's `/metrics`.
    pub async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.running.admin);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// The value of one metric, written as it is scraped: `obo_exchanges_total{outcome="ok"}`.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics().await;
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("no metric {name} in\n{text}")).rsplit_once(' ').unwrap().1.parse().unwrap()
    }

    /// Stops the proxy and waits for its threads.
    pub async fn close(self) {
        self.running.stop().await;
    }
}

impl Plan {
    /// Builds it and waits until the proxy knows the provider's keys.
    pub async fn build(mut self) -> House {
        let reserved = free_port();
        let address = reserved.local_addr().unwrap();
        drop(reserved);
        let url = format!("http://{address}{}", self.prefix);
        self.provider.audiences.extend([url.clone(), format!("{url}/mcp")]);
        self.provider.requester_redirect_uris.push(format!("{url}/oauth/callback"));
        let provider = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), self.provider).unwrap();
        if self.provider_down {
            provider.refuse_connections().await;
        }
        let mut options =
            nextcloud::Options { echo: true, ..nextcloud::Options::trusting(provider.issuer(), &provider.jwks_uri()) };
        if let Some(change) = self.nextcloud {
            change(&mut options);
        }
        let nextcloud = Nextcloud::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).await.unwrap();
        let upstream = self.upstream.clone().unwrap_or_else(|| nextcloud.url().unwrap()) + self.upstream_root;

        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "mcp-server-secret\n").unwrap();
        let toml = format!(
            "public_url = {url:?}\n{}\n[listen]\naddress = \"{address}\"\nthreads = {}\n{}\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [nextcloud]\nurl = {upstream:?}\n{}\n[sessions]\nenabled = {}\n{}\n\
             [issuers.dev]\nissuer = {:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n{}\n{}\n",
            self.top,
            self.threads.unwrap_or(2),
            self.listen_lines,
            self.nextcloud_lines,
            self.sessions,
            self.session_lines,
            provider.issuer(),
            secret.path(),
            self.issuer_lines,
            self.tables,
        );
        let config = Config::resolve(Figment::new().merge(Toml::string(&toml)))
            .unwrap_or_else(|faults| panic!("{faults}\n{toml}"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let clock = if self.real_time { Clock::System } else { Clock::manual(Timestamp(now.cast_signed())) };
        let control = tokio::runtime::Handle::current();
        let instead = Instead { tools: self.tools, protocol: self.protocol };
        let app = App::with_mcp(config, &control, clock.clone(), Sampling::ratio(0.0), instead).unwrap();
        let running = app.start().unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let house = House { provider, nextcloud, running, clock, url, client };
        if !self.provider_down {
            house.wait_until_ready().await;
        }
        house
    }
}

impl House {
    async fn wait_until_ready(&self) {
        for _ in 0..500 {
            let ready = self.client.get(format!("http://{}/readyz", self.running.admin)).send().await.unwrap();
            if ready.status() == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the proxy did not become ready");
    }
}

/// A port for the proxy, which is named in its configuration before it is bound. From below the range that the kernel hands out by itself:
/// one from there is now and then taken by somebody's connection between the two moments.
fn free_port() -> std::net::TcpListener {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).unwrap() * 100;
    loop {
        let offset = start.wrapping_add(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) % 20_000;
        if let Ok(free) = std::net::TcpListener::bind(("127.0.0.1", 11_000 + offset)) {
            return free;
        }
    }
}
