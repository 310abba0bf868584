//! A Keycloak of a test's own, which it may stop and start again. Its database is a file: sessions and keys outlive the process.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::house::free_address;
use crate::keycloak::{Keycloak, var};

/// A server, of the version that `OBO_LIVE_KEYCLOAK_VERSION` names. Dropping it stops it.
pub struct Server {
    dir: TempDir,
    version: String,
    port: u16,
    management_port: u16,
    secret: String,
}

// === impl Server ===

impl Server {
    /// Starts one. Where none is to be had: `None` and a loud line, or a failed test if `OBO_REQUIRE_LIVE=1`.
    pub fn started() -> Option<Self> {
        let server = Self {
            dir: tempfile::tempdir().unwrap(),
            version: var("OBO_LIVE_KEYCLOAK_VERSION").unwrap_or_else(|| "26.7.3".to_owned()),
            port: free_port(),
            management_port: free_port(),
            secret: format!("{:032x}", rand::random::<u128>()),
        };
        if !server.script(&["available"]) || !server.script(&["fetch", &server.version]) {
            assert!(var("OBO_REQUIRE_LIVE").as_deref() != Some("1"), "no Keycloak {} to be had", server.version);
            let _ = writeln!(std::io::stderr(), "SKIPPED: no Keycloak {} to be had", server.version);
            return None;
        }
        server.start();
        Some(server)
    }

    /// Starts it, for the first time or again; returns when it is ready.
    pub fn start(&self) {
        let (port, management_port) = (self.port.to_string(), self.management_port.to_string());
        let home = self.dir.path().join("server");
        let started = self.script(&["start", &self.version, &port, &management_port, home.to_str().unwrap()]);
        assert!(started, "Keycloak starts");
    }

    /// SIGTERM; returns when the process is gone.
    pub fn stop(&self) {
        self.end();
    }

    pub fn keycloak(&self) -> Keycloak {
        let base = format!("http://localhost:{}", self.port);
        Keycloak::at(&base, &self.version, ("obo-admin".to_owned(), self.secret.clone()))
    }

    fn end(&self) {
        self.script(&["stop", self.dir.path().join("server").to_str().unwrap()]);
    }

    fn script(&self, arguments: &[&str]) -> bool {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/keycloak");
        let database = self.dir.path().join("keycloakdb");
        let mut command = Command::new(script);
        command
            .args(arguments)
            .env("OBO_KEYCLOAK_ADMIN_SECRET", &self.secret)
            // The distribution is built for H2 in memory; where H2 keeps its data is settled at the start.
            .env("KC_DB_URL", format!("jdbc:h2:file:{};NON_KEYWORDS=VALUE", database.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut run = || command.status().expect("scripts/keycloak runs").success();
        // Others go on meanwhile, where there are several threads.
        if tokio::runtime::Handle::try_current().is_ok() { tokio::task::block_in_place(run) } else { run() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn free_port() -> u16 {
    free_address().parse::<SocketAddr>().unwrap().port()
}
