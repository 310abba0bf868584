//! The binary: arguments in, exit code out.

use clap::Parser as _;
use obo_proxy::cli;

fn main() -> std::process::ExitCode {
    cli::run(cli::Arguments::parse())
}
