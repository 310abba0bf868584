//! `obo-proxy dev`: everything in one process, on loopback, in memory.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use super::serve::{Stop, control_runtime};
use crate::app::{App, Running};
use crate::config::Config;
use crate::dev::identity_provider::{self, IdentityProvider};
use crate::dev::nextcloud::{self, Generation, Nextcloud};
use crate::telemetry::Telemetry;
use crate::token::Clock;

/// What a request costs at a real Nextcloud that has to open a session for it (facts: 195 ms against 14).
const SESSION_DELAY: Duration = Duration::from_millis(180);

/// Reads a version of `user_oidc`.
///
/// # Errors
/// It is none that the stand-in knows.
pub(super) fn generation(version: &str) -> Result<Generation, String> {
    match version {
        "7.3" => Ok(Generation::V7_3),
        "8.10" => Ok(Generation::V8_10),
        _ => Err("the stand-in knows 7.3 and 8.10".into()),
    }
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// If anything cannot start.
pub fn run(json: bool, port: u16, user_oidc: Generation) -> Result<(), Box<dyn std::error::Error>> {
    let control = control_runtime()?;
    control.block_on(async {
        let mut stop = Stop::new()?;
        let address = reserve(port)?;
        let public_url = format!("http://{address}");

        let mut options = identity_provider::Options::default();
        let resources = [public_url.clone(), format!("{public_url}/mcp")];
        options.audiences.extend(resources.clone());
        options.resources.extend(resources);
        options.requester_redirect_uris.push(format!("{public_url}/oauth/callback"));
        let secret = tempfile(options.requester_secret.expose_secret())?;
        let provider = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await?, options)?;
        let options = nextcloud::Options {
            user_oidc,
            session_delay: SESSION_DELAY,
            base_url: public_url.clone(),
            ..nextcloud::Options::trusting(provider.issuer(), &provider.jwks_uri())
        };
        let nextcloud = Nextcloud::start(TcpListener::bind("127.0.0.1:0").await?, options).await?;
        let nextcloud_url = nextcloud.url().ok_or("the stand-in has no address")?;

        let config = configuration(&public_url, provider.issuer(), &nextcloud_url, &secret)?;
        drop(secret);
        let telemetry = Telemetry::start(&config.telemetry)?;
        let app = App::new(config, control.handle(), Clock::System, telemetry.sampling_none())?;
        let running = app.start()?;
        running.ready().await;
        let ready =
            Ready { provider: &provider, public_url: &public_url, nextcloud_url: &nextcloud_url, running: &running };
        if json {
            ready.print_json()?
        } else {
            ready.print()?
        }
        stop.asked().await;
        running.stop().await;
        telemetry.stop();
        Ok(())
    })
}

struct Ready<'a> {
    provider: &'a IdentityProvider,
    public_url: &'a str,
    nextcloud_url: &'a str,
    running: &'a Running,
}

impl Ready<'_> {
    fn print_json(&self) -> Result<(), Box<dyn std::error::Error>> {
        let line = serde_json::json!({
            "proxy": self.public_url,
            "mcp": format!("{}/mcp", self.public_url),
            "admin": format!("http://{}", self.running.admin),
            "issuer": self.provider.issuer(),
            "nextcloud": self.nextcloud_url,
            "users": {
                "alice": { "subject_token": self.provider.mint("alice").sign()? },
                "bob": { "subject_token": self.provider.mint("bob").sign()? },
            },
        });
        println!("{line}");
        Ok(())
    }

    fn print(&self) -> Result<(), Box<dyn std::error::Error>> {
        let token = self.provider.mint("alice").sign()?;
        println!(
            "\nobo-proxy        {}\n\
             MCP              {}/mcp   (a client registers itself, and you sign in by a click)\n\
             admin            http://{}/metrics\n\
             identity         {}   (users alice and bob)\n\
             Nextcloud        {}   (a stand-in, in memory)\n\n\
             alice's files, and whose they are, with her own token, which Nextcloud never sees:\n\n\
             curl -s -X PROPFIND {}/remote.php/dav/files/alice/ -H 'Depth: 1' \\\n  \
             -d '<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><oc:owner-id/><d:getcontentlength/></d:prop></d:propfind>' \\\n  \
             -H 'Authorization: Bearer {token}' \\\n  \
             | grep -oE '<d:href>[^<]+|<oc:owner-id>[^<]+' | sed 's/<[^>]*>//' | paste - -\n\n\
             Stop with Ctrl-C.",
            self.public_url,
            self.public_url,
            self.running.admin,
            self.provider.issuer(),
            self.nextcloud_url,
            self.public_url,
        );
        Ok(())
    }
}

/// A free port of ours, so that `public_url` is known before anything starts.
fn reserve(port: u16) -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))?.local_addr()
}

/// The configuration goes the way that an operator's goes.
fn configuration(
    public_url: &str,
    issuer: &str,
    nextcloud: &str,
    secret: &SecretFile,
) -> Result<Config, Box<dyn std::error::Error>> {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    let text = format!(
        "public_url = {public_url:?}\n\
         [listen]\naddress = {:?}\n\
         [admin]\naddress = \"127.0.0.1:0\"\n\
         [nextcloud]\nurl = {nextcloud:?}\n\
         [issuers.dev]\nissuer = {issuer:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n\
         [mcp]\nconfirm_url = true\n\
         [telemetry]\nlog = \"warn\"\n",
        public_url.trim_start_matches("http://"),
        secret.0,
    );
    Config::resolve(Figment::new().merge(Toml::string(&text))).map_err(|faults| faults.to_string().into())
}

/// A secret on disk for as long as the configuration is read.
struct SecretFile(std::path::PathBuf);

fn tempfile(secret: &str) -> std::io::Result<SecretFile> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let path = std::env::temp_dir().join(format!("obo-proxy-dev-{:032x}", rand::random::<u128>()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(secret.as_bytes())?;
    Ok(SecretFile(path))
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_its_generation_and_no_other_is_guessed() {
        assert_eq!(generation("7.3"), Ok(Generation::V7_3));
        assert_eq!(generation("8.10"), Ok(Generation::V8_10));
        for unknown in ["", "8", "8.1", "8.10.1", "7.3 "] {
            assert!(generation(unknown).is_err(), "{unknown}");
        }
    }
}
