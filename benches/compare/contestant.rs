//! The proxies as processes: started on their core, measured by the kernel, ended with the benchmark.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::{self, Scene, Upstream};
use crate::load::PATH;
use crate::{Outcome, tools};

/// What the others are compared to.
pub const BASELINE: &str = "nginx";

/// A proxy that runs.
pub struct Contestant {
    /// Its name in the table.
    pub name: &'static str,
    /// Where it listens on loopback.
    pub port: u16,
    process: Process,
}

/// A process that ends when this is dropped.
pub struct Process(Child);

/// Program and arguments.
pub type Invocation = Vec<PathBuf>;

/// The upstream: answers everything with 300 bytes.
pub fn upstream(scene: &Scene, core: usize) -> Outcome<Process> {
    let process = Process::start(core, &nginx(&config::nginx_upstream(scene)?)?, &scene.file("upstream.log"))?;
    wait_for(scene.upstream)?;
    Ok(process)
}

/// Everybody who could take part here: name, invocation, port. The baseline comes first.
pub fn candidates(scene: &Scene, binary: &Path, other: Option<&Path>) -> Outcome<Vec<(&'static str, Invocation, u16)>> {
    let mut all = Vec::new();
    let port = scene.port()?;
    all.push((BASELINE, nginx(&config::nginx_proxy(scene, port)?)?, port));
    let own = [
        ("obo-proxy", Some(binary), Upstream::Tcp),
        ("obo-proxy-unix", Some(binary), Upstream::Unix),
        ("other", other, Upstream::Tcp),
    ];
    for (name, binary, upstream) in own {
        let Some(binary) = binary else { continue };
        let port = scene.port()?;
        let file = config::obo_proxy(scene, name, port, upstream)?;
        all.push((name, vec![binary.into(), "serve".into(), "--config".into(), file], port));
    }
    if let Some(haproxy) = tools::find("haproxy") {
        let port = scene.port()?;
        all.push(("haproxy", vec![haproxy, "-db".into(), "-f".into(), config::haproxy(scene, port)?], port));
    }
    if let Some(envoy) = tools::find("envoy") {
        for (name, cached) in [("envoy", false), ("envoy-cached", true)] {
            let port = scene.port()?;
            let file = config::envoy(scene, name, port, cached)?;
            let quiet = ["--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"].map(PathBuf::from);
            all.push((name, [vec![envoy.clone(), "-c".into(), file], quiet.to_vec()].concat(), port));
        }
    }
    Ok(all)
}

fn nginx(configuration: &Path) -> Outcome<Invocation> {
    let nginx = tools::find("nginx").ok_or("no nginx")?;
    Ok(vec![nginx, "-c".into(), configuration.into(), "-e".into(), "stderr".into()])
}

// === impl Contestant ===

impl Contestant {
    /// Starts a proxy and waits until it answers.
    pub fn start(name: &'static str, invocation: Invocation, port: u16, core: usize) -> Outcome<Self> {
        let configuration = invocation.iter().rev().find(|part| part.is_absolute()).ok_or("no configuration")?;
        let log = configuration.with_extension("log");
        let process = Process::start(core, &invocation, &log)?;
        wait_for(port).map_err(|error| format!("{name}: {error}\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
        Ok(Self { name, port, process })
    }

    /// CPU time so far, of the process and its children (nginx has its work done by one).
    pub fn cpu(&self) -> Outcome<Duration> {
        let mut ticks = 0;
        for pid in self.process.family()? {
            ticks += Stat::of(pid).map_or(0, |stat| stat.ticks);
        }
        // USER_HZ, which is 100 on every Linux that we build for.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Memory now, in megabytes.
    pub fn resident(&self) -> Outcome<f64> {
        let mut kilobytes = 0.0;
        for pid in self.process.family()? {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            kilobytes += line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0);
        }
        Ok(kilobytes / 1000.0)
    }
}

// === impl Process ===

impl Process {
    fn start(core: usize, invocation: &[PathBuf], log: &Path) -> Outcome<Self> {
        let (program, arguments) = invocation.split_first().ok_or("nothing to start")?;
        let log = fs::File::create(log)?;
        let child = tools::pinned(core, program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self(child))
    }

    /// The process, which `taskset` has become, and its children.
    fn family(&self) -> Outcome<Vec<u32>> {
        let own = self.0.id();
        let mut family = vec![own];
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if Stat::of(pid).is_some_and(|stat| stat.parent == own) {
                family.push(pid);
            }
        }
        Ok(family)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx's master has to tell its worker, so no SIGKILL.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            pause();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the kernel says of a process (proc_pid_stat(5)).
struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses, whatever it contains.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self { parent: u32::try_from(number(4)?).ok()?, ticks: number(14)? + number(15)? })
    }
}

/// Waits until somebody answers there, be it with a refusal, but not with "not yet".
fn wait_for(port: u16) -> Outcome<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if answer(port).is_some_and(|answer| answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 503")) {
            return Ok(());
        }
        pause();
    }
    Err(format!("nobody answers on port {port}").into())
}

fn answer(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = [0; 64];
    let length = stream.read(&mut head).ok()?;
    Some(String::from_utf8_lossy(head.get(..length)?).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "nobody's connections are served by this thread")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
