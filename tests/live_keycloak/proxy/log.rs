//! What obo-proxy logs, of all tests of this process: they tell their lines apart by what stands in them.

use std::io;
use std::sync::{Mutex, Once};

use tracing_subscriber::filter::LevelFilter;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Collector;

/// Collects lines from now on, of every test. Refusals are logged at level debug, so that is where they would give a token away.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::DEBUG);
        lines.with_writer(|| Collector).init();
    });
}

/// Whether some line has all of these.
pub fn has(texts: &[&str]) -> bool {
    LINES.lock().unwrap().iter().any(|line| texts.iter().all(|text| line.contains(text)))
}

// === impl Collector ===

/// One call is one line: so writes tracing-subscriber.
impl io::Write for Collector {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
