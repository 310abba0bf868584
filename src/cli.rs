//! The command line.

pub mod check;
#[cfg(feature = "dev")]
pub mod dev;
pub mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// Bad configuration: `EX_USAGE` of sysexits.h.
pub const BAD_CONFIGURATION: u8 = 64;

/// An on-behalf-of proxy for Nextcloud: your callers' tokens in, their own Nextcloud out.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, by the configuration.
    Serve(Configured),
    /// Check the configuration and exit.
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Also ask the identity providers and Nextcloud.
        #[arg(long)]
        online: bool,
    },
    /// Try it: an identity provider, a Nextcloud stand-in and obo-proxy between them, all in this process.
    #[cfg(feature = "dev")]
    Dev {
        /// Print one line of JSON for scripts, once everything is ready.
        #[arg(long)]
        json: bool,
        /// The port of obo-proxy on 127.0.0.1; by default a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// The `user_oidc` whose ways with bearers and sessions the stand-in has: 7.3 or 8.10.
        #[arg(long, default_value = "7.3", value_parser = dev::generation)]
        user_oidc: crate::dev::nextcloud::Generation,
    },
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct Configured {
    /// The TOML file; without it the environment (`OBO__…`) is all there is.
    #[arg(long, short)]
    config: Option<PathBuf>,
}

impl Configured {
    fn load(&self) -> Result<Config, ExitCode> {
        Config::load(self.config.as_deref()).map_err(|faults| {
            eprint!("obo-proxy: the configuration is not usable:\n{faults}");
            ExitCode::from(BAD_CONFIGURATION)
        })
    }
}

/// Does what the arguments say. Exit code 64: bad configuration; 1: failed start or failed check.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Serve(configured) => configured.load().and_then(|config| finish(serve::run(config))),
        Command::Check { configured, online } => {
            configured.load().and_then(|config| finish(check::run(config, online)))
        }
        #[cfg(feature = "dev")]
        Command::Dev { json, port, user_oidc } => finish(dev::run(json, port, user_oidc)),
    };
    outcome.err().unwrap_or(ExitCode::SUCCESS)
}

fn finish(outcome: Result<(), Box<dyn std::error::Error>>) -> Result<(), ExitCode> {
    outcome.map_err(|error| {
        eprintln!("obo-proxy: {error}");
        ExitCode::FAILURE
    })
}
