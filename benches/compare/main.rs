//! What obo-proxy costs, beside nginx, in one run: CPU time per request of each proxy, in rounds that visit all of them.
//!
//! Machines drift; so a figure counts only as a ratio within one round, and a round asks nginx right beside the others. See `benches/README.md`.

mod config;
mod contestant;
mod load;
mod pem;
mod tally;
mod tools;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use obo_proxy::dev::identity_provider::{IdentityProvider, Options};
use tokio::net::TcpListener;

use config::Scene;
use contestant::Contestant;
use load::Load;
use tally::Tally;

/// Whatever goes wrong ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// A machine with a greater load has other things to do.
const QUIET: f64 = 0.7;

/// CPU time per request of obo-proxy and of nginx (and of HAProxy and Envoy, if they are installed), in paired rounds.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often every proxy is visited.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long one visit takes.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Hot tokens.
    #[arg(long, default_value_t = 64)]
    tokens: usize,
    /// The size of a token in bytes; it can be somewhat larger.
    #[arg(long, default_value_t = 1280)]
    token_bytes: usize,
    /// Requests per second; without it, as many as there can be. Latencies mean something only with it.
    #[arg(long)]
    rate: Option<u64>,
    /// The core of the proxies.
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of load generator, upstream and identity provider.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Only these, beside nginx: obo-proxy, obo-proxy-unix, other, haproxy, envoy, envoy-cached.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The obo-proxy to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_obo-proxy"))]
    binary: PathBuf,
    /// Another obo-proxy, say of before a change, to measure beside it.
    #[arg(long)]
    other: Option<PathBuf>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    tools::install_missing()?;
    let busy = tools::load_average()?;
    if busy > QUIET {
        eprintln!("THIS MACHINE IS BUSY (load {busy}): the figures below do not count");
    }
    // Before there are threads: they, and all processes, inherit it.
    tools::pin_myself(arguments.load_core)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let directory = tempfile::tempdir()?;
    // Entered, not blocked on: the provider serves from the runtime's own thread while this one waits for processes.
    let provider = runtime.block_on(async {
        let options = Options { exchanged_lifetime: Duration::from_hours(1), ..Options::default() };
        Ok::<_, Box<dyn Error>>(IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await?, options)?)
    })?;
    compete(&arguments, directory.path(), &provider)
}

fn compete(arguments: &Arguments, directory: &Path, provider: &IdentityProvider) -> Outcome<()> {
    let scene = Scene::set(directory, provider)?;
    let tokens = (0..arguments.tokens)
        .map(|number| token(provider, number, arguments.token_bytes))
        .collect::<Outcome<Vec<_>>>()?;
    let length = tokens.first().map_or(0, String::len);
    let script = directory.join("load.lua");
    fs::write(&script, load::script(&tokens, arguments.rate, arguments.connections))?;
    let load = Load { script, connections: arguments.connections, core: arguments.load_core };

    let _upstream = contestant::upstream(&scene, arguments.load_core)?;
    let mut contestants = Vec::new();
    for (name, command, port) in contestant::candidates(&scene, &arguments.binary, arguments.other.as_deref())? {
        if name == contestant::BASELINE || arguments.only.is_empty() || arguments.only.iter().any(|only| only == name) {
            contestants.push(Contestant::start(name, command, port, arguments.proxy_core)?);
        }
    }
    eprintln!(
        "{} connections, {} tokens of {length} bytes, {} rounds of {} s each; proxies on core {}, the rest on core {}",
        arguments.connections,
        arguments.tokens,
        arguments.rounds,
        arguments.seconds,
        arguments.proxy_core,
        arguments.load_core
    );
    for contestant in &contestants {
        // What happens once: keys, exchanges, connections, caches. Refusals count only when that is over.
        let _ = load.run(contestant.port, Duration::from_secs(2));
        load.run(contestant.port, Duration::from_secs(1)).map_err(|error| format!("{}: {error}", contestant.name))?;
    }
    let mut tally = Tally::new(contestants.iter().map(|contestant| contestant.name).collect());
    for round in 0..arguments.rounds {
        // There and back again, so that a drift within a round favours nobody.
        let order: Vec<usize> =
            if round % 2 == 0 { (0..contestants.len()).collect() } else { (0..contestants.len()).rev().collect() };
        for index in order {
            let Some(contestant) = contestants.get(index) else { continue };
            let before = contestant.cpu()?;
            let sample = load
                .run(contestant.port, Duration::from_secs(arguments.seconds))
                .map_err(|error| format!("{}: {error}", contestant.name))?;
            let cpu = contestant.cpu()?.saturating_sub(before);
            eprintln!(
                "round {}: {:<16} {:6.2} µs/request",
                round + 1,
                contestant.name,
                tally::per_request(cpu, &sample)
            );
            tally.add(round, index, cpu, sample);
        }
    }
    println!("{}", tally.table(arguments.rate.is_some()));
    for contestant in &contestants {
        println!("{:<16} resident {:6.1} MB", contestant.name, contestant.resident()?);
    }
    Ok(())
}

/// A caller's token of about that many bytes, good for a day.
fn token(provider: &IdentityProvider, number: usize, bytes: usize) -> Outcome<String> {
    let plain = provider.mint(&format!("user-{number}")).lifetime(Duration::from_hours(24));
    let length = plain.clone().sign()?.len();
    // Base64 makes four of three; the claim's name and quotes take some more.
    let padding = bytes.saturating_sub(length).saturating_sub(12) * 3 / 4;
    Ok(if padding == 0 { plain.sign()? } else { plain.claim("pad", "x".repeat(padding)).sign()? })
}
