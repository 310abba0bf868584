//! Law 2 and checklist row 34 for the log: no token, no secret, no query, at any level.

use std::io;
use std::sync::{Mutex, OnceLock};

use obo_proxy::exchange::refusal;
use tracing_subscriber::fmt::MakeWriter;

use crate::house::House;
use crate::verdict::{INVALID, MALFORMED, OPEN};

/// Everything that this process logs from the first look on, at every level.
pub struct Logbook(Mutex<Vec<u8>>);

impl Logbook {
    pub fn open() -> &'static Self {
        static LOGBOOK: OnceLock<Logbook> = OnceLock::new();
        let mut first = false;
        let logbook = LOGBOOK.get_or_init(|| {
            first = true;
            Self(Mutex::default())
        });
        if first {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(logbook)
                .init();
        }
        logbook
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for &Logbook {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for &'static Logbook {
    type Writer = &'static Logbook;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Row 34: fingerprints only. The log is that of the whole process, so that every other test helps.
#[tokio::test(flavor = "multi_thread")]
async fn law_2_no_token_secret_or_query_is_in_the_log_at_any_level() {
    let log = Logbook::open();
    let house = House::open().await;
    let good = house.token("alice");
    assert_eq!(house.verdict(&good).await, "200");
    let mut secrets = vec![good.clone(), "mcp-server-secret".to_owned(), "c2VydmVyLXNlY3JldA".to_owned()];
    secrets.push(house.nextcloud.seen()[0].header("authorization").unwrap()["Bearer ".len()..].to_owned());
    let bad = house.provider.mint("alice").claim("typ", "ID").sign().unwrap();
    assert_eq!(house.verdict(&bad).await, INVALID);
    house.provider.tamper_exchange(|answer| drop(answer.claims.remove("aud")));
    let malformed = house.token("bob");
    assert_eq!(house.verdict(&malformed).await, MALFORMED);
    house.provider.stop_tampering();
    house.provider.refuse_connections().await;
    let late = house.token("bob");
    assert_eq!(house.get(OPEN, &late).await.status(), 503);
    house.provider.resume().await.unwrap();
    let query = "canary-of-the-query";
    house.nextcloud.stop_listening().await;
    assert_eq!(house.get(&format!("{OPEN}?q={query}"), &good).await.status(), 502);
    assert_eq!(house.get(&format!("/a//b?q={query}"), &good).await.status(), 400);
    house.purge_session("a-session-id");
    secrets.extend([bad, malformed, late, query.to_owned()]);

    let text = log.text();
    for said in ["it was thrown away", "failed", "refused", "purged"] {
        assert!(text.contains(said), "the log was not kept: {said:?} is not in it");
    }
    for secret in secrets {
        // Of a token its signature alone is enough to look for, and its claims.
        for part in secret.split('.').skip(usize::from(secret.contains('.'))) {
            let found = text.find(part).map(|at| text[..at].lines().count());
            assert_eq!(found, None, "{part:.12}… stands in the log");
        }
    }
    house.close().await;
}

/// product.md §3: "Invalid token" for a token that we had verified ourselves names the hostname setting; every fault of the set-up names one.
#[test]
fn a_refusal_names_the_setting_to_change_in_the_log() {
    let log = Logbook::open();
    for (number, (error, description, setting)) in [
        ("invalid_request", "Invalid token", "hostname"),
        ("invalid_client", "Invalid client or Invalid client credentials", "client_secret_file"),
        (
            "invalid_request",
            "Standard token exchange is not enabled for the requested client",
            "standard.token.exchange.enabled",
        ),
        ("invalid_request", "Requested audience not available: nextcloud", "oidc-audience-mapper"),
        ("invalid_scope", "Invalid scopes: files.read", "exchange_scopes"),
        ("invalid_client", "Audience not found", "nextcloud_audience"),
    ]
    .into_iter()
    .enumerate()
    {
        let issuer = format!("https://sso.example.org/refusal-{number}");
        let body = serde_json::json!({ "error": error, "error_description": description }).to_string();
        let _ = refusal::classify(&issuer, http::StatusCode::BAD_REQUEST, body.as_bytes());
        let text = log.text();
        let line =
            text.lines().find(|line| line.contains(&issuer)).unwrap_or_else(|| panic!("{issuer} is not in the log"));
        assert!(line.contains(setting), "{description}: {line}");
    }
}
