//! `obo-proxy serve`.

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::config::Config;
use crate::telemetry::Telemetry;
use crate::token::Clock;

/// Serves until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// If it cannot start.
pub fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let control = control_runtime()?;
    // The control runtime is stopped last: pooled connections, flights and spans live on it.
    control.block_on(async {
        let telemetry = Telemetry::start(&config.telemetry)?;
        let sampling = telemetry.sampling(&config.telemetry);
        let mut stop = Stop::new()?;
        let app = App::new(config, control.handle(), Clock::System, sampling)?;
        let running = app.start()?;
        tracing::info!(public = %running.address, admin = %running.admin, "serving");
        stop.asked().await;
        tracing::info!("draining");
        running.stop().await;
        tracing::info!("stopped");
        telemetry.stop();
        Ok(())
    })
}

/// The control runtime: one thread beside the cores'.
///
/// # Errors
/// If it cannot be built.
pub fn control_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build()
}

/// The signals that end the process.
pub struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// Listens for SIGTERM and SIGINT.
    ///
    /// # Errors
    /// If they cannot be listened for.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when one of them comes.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
