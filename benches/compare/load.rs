//! The load: `wrk` with a script that sends each token in turn.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Outcome, tools};

/// What is asked for. Every valid token may.
pub const PATH: &str = "/ocs/v2.php/cloud/user";

/// How load is made.
pub struct Load {
    /// For `wrk`.
    pub script: PathBuf,
    /// Keep-alive connections.
    pub connections: usize,
    /// The core of `wrk`.
    pub core: usize,
}

/// What came of one visit.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Requests answered.
    pub requests: f64,
    /// How long it took.
    pub seconds: f64,
    /// Median latency in microseconds.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Load {
    /// Loads a proxy. Any answer but 2xx and 3xx is an error: a refusal is cheap and would look like speed.
    pub fn run(&self, port: u16, duration: Duration) -> Outcome<Sample> {
        let wrk = tools::find("wrk").ok_or("no wrk")?;
        let output = tools::pinned(self.core, wrk)
            .args(["-t", "1", "-c", &self.connections.to_string(), "-d", &format!("{}s", duration.as_secs()), "-s"])
            .arg(&self.script)
            .arg(format!("http://127.0.0.1:{port}"))
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().find_map(|line| line.strip_prefix("RESULT "));
        let numbers = line.ok_or_else(|| format!("wrk: {said}{}", String::from_utf8_lossy(&output.stderr)))?;
        let numbers = numbers.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [requests, microseconds, refused, broken, p50, p99] = numbers[..] else {
            return Err(format!("wrk: {said}").into());
        };
        if refused > 0.0 || broken > 0.0 || requests == 0.0 {
            return Err(
                format!("{requests} requests, of which {refused} were refused; {broken} connections broke").into()
            );
        }
        Ok(Sample { requests, seconds: microseconds / 1e6, p50, p99 })
    }
}

/// The script. With a rate, every connection waits between its requests, so that all together come near it.
pub fn script(tokens: &[String], rate: Option<u64>, connections: usize) -> String {
    let mut script = String::from("local tokens = {\n");
    for token in tokens {
        let _ = writeln!(script, "  {token:?},");
    }
    let _ = write!(
        script,
        r#"}}
local requests, last = {{}}, 0
function init()
  for number, token in ipairs(tokens) do
    requests[number] = wrk.format("GET", "{PATH}", {{ ["Authorization"] = "Bearer " .. token, ["Accept"] = "application/json" }})
  end
end
function request()
  last = last % #requests + 1
  return requests[last]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
"#
    );
    if let Some(rate) = rate {
        // Whole milliseconds, so of two neighbours one or the other.
        let microseconds = connections as u64 * 1_000_000 / rate.max(1);
        let (whole, share) = (microseconds / 1000, microseconds % 1000);
        let _ = writeln!(
            script,
            "function delay()\n  return math.random(1000) <= {share} and {} or {whole}\nend",
            whole + 1
        );
    }
    script
}
