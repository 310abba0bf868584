//! obo-proxy as a process of its own: it starts without its provider, exports spans, and drains on SIGTERM.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and talk to real servers on loopback"
)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use obo_proxy::dev::identity_provider::{self, IdentityProvider};
use obo_proxy::dev::nextcloud::{self, Nextcloud};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Kills the process if a test fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    async fn stop(mut self) -> i32 {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        for _ in 0..500 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it did not stop");
    }
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

struct Setting {
    public: SocketAddr,
    admin: SocketAddr,
    process: Process,
    _secret: tempfile::NamedTempFile,
}

fn start(issuer: &str, nextcloud: &str, more: &[(&str, &str)]) -> Setting {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "mcp-server-secret").unwrap();
    let (public, admin) = (free_address(), free_address());
    let child = Command::new(env!("CARGO_BIN_EXE_obo-proxy"))
        .arg("serve")
        .env_clear()
        .env("OBO__PUBLIC_URL", format!("http://{public}"))
        .env("OBO__LISTEN__ADDRESS", public.to_string())
        .env("OBO__ADMIN__ADDRESS", admin.to_string())
        .env("OBO__NEXTCLOUD__URL", nextcloud)
        .env("OBO__ISSUERS__DEV__ISSUER", issuer)
        .env("OBO__ISSUERS__DEV__CLIENT_ID", "mcp-server")
        .env("OBO__ISSUERS__DEV__CLIENT_SECRET_FILE", secret.path())
        .envs(more.iter().copied())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Setting { public, admin, process: Process(child), _secret: secret }
}

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.map_or(0, |answer| answer.status().as_u16())
}

async fn wait_for(url: &str, wanted: u16) {
    for _ in 0..1_000 {
        if status(url).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{url} did not become {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_and_lives_while_the_provider_is_down_and_is_ready_when_it_answers() {
    let address = free_address();
    let setting = start(&format!("http://{address}/realms/dev"), "http://127.0.0.1:9", &[]);
    wait_for(&format!("http://{}/livez", setting.admin), 200).await;
    assert_eq!(status(&format!("http://{}/readyz", setting.admin)).await, 503);
    assert_eq!(status(&format!("http://{}/.well-known/oauth-protected-resource", setting.public)).await, 200);
    let listener = TcpListener::bind(address).await.unwrap();
    let _provider = IdentityProvider::start(listener, identity_provider::Options::default()).unwrap();
    wait_for(&format!("http://{}/readyz", setting.admin), 200).await;
    assert_eq!(setting.process.stop().await, 0);
}

/// Takes whatever is posted to it.
async fn collector() -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let shelf = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shelf = shelf.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    shelf.lock().unwrap().extend_from_slice(&buffer[..read]);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
            });
        }
    });
    (address, taken)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_name_the_family_and_never_the_target_or_a_token_and_are_flushed_at_the_end() {
    let provider =
        IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), identity_provider::Options::default())
            .unwrap();
    let options = nextcloud::Options::trusting(provider.issuer(), &provider.jwks_uri());
    let nextcloud = Nextcloud::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).await.unwrap();
    let (collector, taken) = collector().await;
    let endpoint = format!("http://{collector}/v1/traces");
    let setting = start(
        provider.issuer(),
        &nextcloud.url().unwrap(),
        &[("OBO__TELEMETRY__OTLP_ENDPOINT", endpoint.as_str()), ("OBO__TELEMETRY__SAMPLE_RATIO", "1")],
    );
    wait_for(&format!("http://{}/readyz", setting.admin), 200).await;
    let token = provider.mint("alice").sign().unwrap();
    let url = format!("http://{}/remote.php/dav/files/alice/alice.txt?hidden=secret", setting.public);
    let answer = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(setting.process.stop().await, 0);
    let taken = taken.lock().unwrap().clone();
    assert!(contains(&taken, "POST /v1/traces"), "spans were sent");
    for there in ["obo-proxy", "family", "files", "GET"] {
        assert!(contains(&taken, there), "{there} is in the spans");
    }
    for hidden in [token.as_str(), "alice.txt", "hidden", "secret"] {
        assert!(!contains(&taken, hidden), "{hidden} must not be in the spans");
    }
}
