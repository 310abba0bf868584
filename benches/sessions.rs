//! What an upstream session saves, in one run: the same OCS call by the same kind of bearer, directly to Nextcloud and through obo-proxy, which
//! keeps the session. The stand-in takes as long for a bearer without a session as a real Nextcloud was measured to (facts: 195 ms against
//! 13.6 for the same call with one).
//!
//! `cargo bench --bench sessions -- --calls 50 --login 195ms --call 13ms`
#![allow(clippy::disallowed_methods, reason = "a caller's client, not ours")]

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::app::App;
use obo_proxy::config::Config;
use obo_proxy::dev::identity_provider::{self, IdentityProvider};
use obo_proxy::dev::nextcloud::{self, Nextcloud};
use obo_proxy::middleware::trace::Sampling;
use obo_proxy::token::Clock;
use tokio::net::TcpListener;

/// Whatever goes wrong ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

const CALL: &str = "/ocs/v2.php/cloud/user?format=json";
/// The measure.
const AT_LEAST: f64 = 8.0;

/// An OCS call directly with the bearer, and through obo-proxy.
#[derive(Debug, Parser)]
struct Arguments {
    /// Calls each way.
    #[arg(long, default_value_t = 50)]
    calls: usize,
    /// What opening a login session costs Nextcloud.
    #[arg(long, default_value = "195ms", value_parser = humantime::parse_duration)]
    login: Duration,
    /// What the call itself costs Nextcloud.
    #[arg(long, default_value = "13ms", value_parser = humantime::parse_duration)]
    call: Duration,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(compare(&arguments))
}

async fn compare(arguments: &Arguments) -> Outcome<()> {
    let provider = provider().await?;
    let mut options = nextcloud::Options::trusting(provider.issuer(), &provider.jwks_uri());
    options.session_delay = arguments.login;
    let nextcloud = Nextcloud::start(TcpListener::bind("127.0.0.1:0").await?, options).await?;
    nextcloud.slow_head(arguments.call);
    let url = nextcloud.url().ok_or("the stand-in has no URL")?;

    let secret = tempfile::NamedTempFile::new()?;
    std::fs::write(secret.path(), "mcp-server-secret")?;
    let config = format!(
        "public_url = \"http://127.0.0.1\"\naudiences = [\"mcp-server\"]\n[listen]\naddress = \"127.0.0.1:0\"\nthreads = 1\n\
         [admin]\naddress = \"127.0.0.1:0\"\n[nextcloud]\nurl = {url:?}\n\
         [issuers.dev]\nissuer = {:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n",
        provider.issuer(),
        secret.path()
    );
    let config = Config::resolve(Figment::new().merge(Toml::string(&config))).map_err(|faults| faults.to_string())?;
    let app = App::new(config, &tokio::runtime::Handle::current(), Clock::System, Sampling::ratio(0.0))?;
    let running = app.start()?;
    running.ready().await;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let (exchanged, caller) = (provider.mint_exchanged("alice").sign()?, provider.mint("alice").sign()?);
    let proxied = format!("http://{}{CALL}", running.address);
    let first = timed(&client, &proxied, &caller).await?;
    // In turns, so that a drift of the machine favours neither.
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _ in 0..arguments.calls {
        direct.push(timed(&client, &format!("{url}{CALL}"), &exchanged).await?);
        through.push(timed(&client, &proxied, &caller).await?);
    }
    direct.sort();
    through.sort();
    let middle = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
    let (direct, through) = (middle(&direct), middle(&through));
    let ratio = direct.as_secs_f64() / through.as_secs_f64();
    println!("directly with the bearer   {direct:>10.1?} (median of {})", arguments.calls);
    println!("through obo-proxy          {through:>10.1?} (the first one: {first:.1?})");
    println!("ratio                      {ratio:>10.1} (at least {AT_LEAST})");
    println!("login sessions opened      {:>10} by {} calls", nextcloud.logins(), 2 * arguments.calls + 1);
    running.stop().await;
    if ratio < AT_LEAST { Err("a session saves too little".into()) } else { Ok(()) }
}

async fn provider() -> Outcome<IdentityProvider> {
    let options = identity_provider::Options { exchanged_lifetime: Duration::from_secs(60 * 60), ..Default::default() };
    Ok(IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await?, options)?)
}

/// How long one call takes, body and all.
async fn timed(client: &reqwest::Client, url: &str, token: &str) -> Outcome<Duration> {
    let began = Instant::now();
    let answer = client.get(url).bearer_auth(token).header("OCS-APIRequest", "true").send().await?;
    let (status, body) = (answer.status(), answer.bytes().await?);
    if status != 200 {
        Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into())
    } else {
        Ok(began.elapsed())
    }
}
