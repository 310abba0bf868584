//! The other programs: found, installed where that can be done, and kept to their cores.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Outcome;

/// Without these there is no benchmark; all are in Debian.
const NEEDED: [&str; 3] = ["nginx", "wrk", "haproxy"];

/// Where a program is.
#[expect(clippy::disallowed_methods, reason = "the shell's own search path, no setting of obo-proxy")]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks.
    let beyond = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
    env::split_paths(&path).chain(beyond).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// Installs what is missing, if we may.
pub fn install_missing() -> Outcome<()> {
    let missing: Vec<&str> = NEEDED.into_iter().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if is_root() && find("apt-get").is_some() {
        eprintln!("installing {}", missing.join(", "));
        apt_get(&["update", "-qq"])?;
        apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], missing.as_slice()].concat())?;
    }
    match missing.into_iter().filter(|program| find(program).is_none()).find(|program| *program != "haproxy") {
        Some(missing) => Err(format!("needs {missing}: apt-get install nginx wrk haproxy").into()),
        None => Ok(()),
    }
}

fn apt_get(arguments: &[&str]) -> Outcome<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Packages of servers start them; not in this run level.
        .env("RUNLEVEL", "1")
        .stdout(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {}: {status}", arguments.join(" ")).into()) }
}

/// Whether we may do everything.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// How many processes want a core, on average over the last minute.
pub fn load_average() -> Outcome<f64> {
    let said = fs::read_to_string("/proc/loadavg")?;
    Ok(said.split(' ').next().ok_or("no load average")?.parse()?)
}

/// Keeps this process, and all that it starts, to a core.
pub fn pin_myself(core: usize) -> Outcome<()> {
    let pid = std::process::id().to_string();
    let status =
        Command::new("taskset").args(["-a", "-c", "-p", &core.to_string(), &pid]).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("taskset: no core {core}?").into()) }
}

/// A command that is kept to a core.
pub fn pinned(core: usize, program: impl Into<PathBuf>) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program.into());
    command
}
