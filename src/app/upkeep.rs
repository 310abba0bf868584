//! What goes on beside the requests, on the control runtime: fresh keys, and sweeping.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::App;

/// Expired entries are dropped this often.
const SWEEP: Duration = Duration::from_mins(1);
/// Sessions that nobody uses, or that linger, are ended this often.
const SWEEP_SESSIONS: Duration = Duration::from_secs(5);

impl App {
    pub(super) fn start_upkeep(&self, stop: &CancellationToken) {
        for issuer in self.issuers.iter() {
            tokio::spawn(issuer.clone().keep_fresh(stop.clone()));
        }
        if let Some(sessions) = self.sessions.clone() {
            let stop = stop.clone();
            tokio::spawn(async move {
                while stop.run_until_cancelled(tokio::time::sleep(SWEEP_SESSIONS)).await.is_some() {
                    sessions.sweep();
                }
            });
        }
        let (entries, stop) = (self.entries.clone(), stop.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(SWEEP) => entries.sweep(),
                    () = stop.cancelled() => return,
                }
            }
        });
    }
}
