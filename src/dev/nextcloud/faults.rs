//! How the stand-in is made to misbehave.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

/// What has to be done to a request before, or instead of, an honest answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// Its credentials are refused though they are good.
    pub reject: bool,
    /// 429.
    pub too_many: bool,
    pub maintenance: bool,
    pub slow_head: Duration,
    pub slow_body: Duration,
}

pub(super) struct Faults {
    switches: Mutex<Switches>,
    gate: watch::Sender<bool>,
}

#[derive(Default)]
struct Switches {
    reject: u64,
    too_many: u64,
    trouble: Trouble,
}

impl Default for Faults {
    fn default() -> Self {
        Self { switches: Mutex::default(), gate: watch::Sender::new(true) }
    }
}

// === impl Faults ===

impl Faults {
    /// Waits as long as it was told to, and says what else is to be done to this request.
    pub(super) async fn enter(&self) -> Trouble {
        let trouble = {
            let mut switches = self.switches.lock();
            let mut trouble = switches.trouble.clone();
            trouble.reject = take(&mut switches.reject);
            trouble.too_many = take(&mut switches.too_many);
            trouble
        };
        if !trouble.slow_head.is_zero() {
            tokio::time::sleep(trouble.slow_head).await;
        }
        // A gate that has gone is open.
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
        trouble
    }

    pub(super) fn reject_next(&self, count: u64) {
        self.switches.lock().reject = count;
    }

    pub(super) fn too_many_next(&self, count: u64) {
        self.switches.lock().too_many = count;
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Trouble)) {
        change(&mut self.switches.lock().trouble);
    }

    pub(super) fn set_gate(&self, open: bool) {
        self.gate.send_replace(open);
    }
}

fn take(count: &mut u64) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}
