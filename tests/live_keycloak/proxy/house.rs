//! A house at a realm: obo-proxy and a Nextcloud stand-in that trusts the realm, each on a free port of loopback.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::app::{App, Running};
use obo_proxy::config::Config;
use obo_proxy::dev::nextcloud::{self, Nextcloud, SeenRequest};
use obo_proxy::middleware::trace::Sampling;
use obo_proxy::token::{Clock, Timestamp};
use reqwest::redirect::Policy;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use super::log;
use crate::answer::{Answer, Claims};
use crate::realm::{Realm, now};

/// Says who asks.
pub const WHOAMI: &str = "/ocs/v2.php/cloud/user?format=json";

/// A running house. [`House::close`] looks back at all that happened in it.
pub struct House {
    pub nextcloud: Nextcloud,
    /// The proxy's clock. It stands still unless a test turns it; Keycloak and the stand-in have the real time.
    pub clock: Clock,
    url: String,
    running: Running,
    client: reqwest::Client,
    /// Every token that a caller sent.
    sent: Mutex<BTreeSet<String>>,
}

/// How the proxy is configured.
#[must_use = "nothing is open before `open`"]
pub struct Plan<'a> {
    realm: &'a Realm,
    requester: String,
    secret: String,
    top: String,
    issuer_lines: String,
    in_real_time: bool,
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// By `mcp-server`, with its secret of the realm file.
    pub fn at(realm: &'a Realm) -> Self {
        let (top, issuer_lines) = (String::new(), String::new());
        let (requester, secret) = ("mcp-server".to_owned(), realm.secret("mcp-server"));
        Self { realm, requester, secret, top, issuer_lines, in_real_time: false }
    }

    /// Another requester, with its secret of the realm file.
    pub fn requester(mut self, client: &str) -> Self {
        client.clone_into(&mut self.requester);
        self.secret = self.realm.secret(client);
        self
    }

    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// A TOML line at the top level.
    pub fn top(mut self, line: &str) -> Self {
        self.top.extend([line, "\n"]);
        self
    }

    /// A TOML line of the issuer.
    pub fn issuer(mut self, line: &str) -> Self {
        self.issuer_lines.extend([line, "\n"]);
        self
    }

    /// The proxy's clock goes: for people who log in again and again.
    pub fn in_real_time(mut self) -> Self {
        self.in_real_time = true;
        self
    }

    /// The configuration, for these addresses.
    pub fn toml(&self, address: &str, nextcloud: &str, secret_file: &NamedTempFile) -> String {
        std::fs::write(secret_file.path(), &self.secret).unwrap();
        format!(
            "public_url = \"http://{address}\"\n{}\n[listen]\naddress = \"{address}\"\nthreads = 2\n\
             [admin]\naddress = \"127.0.0.1:0\"\n[sessions]\nenabled = false\n[nextcloud]\nurl = {nextcloud:?}\n\
             [issuers.keycloak]\nissuer = {:?}\nclient_id = {:?}\nclient_secret_file = \"{}\"\n{}",
            self.top,
            self.realm.issuer(),
            self.requester,
            secret_file.path().display(),
            self.issuer_lines,
        )
    }

    /// Opens the house and waits until the proxy knows the realm's keys.
    pub async fn open(self) -> House {
        let house = self.open_unready().await;
        let ready = tokio::time::timeout(Duration::from_secs(30), house.running.ready());
        ready.await.expect("the proxy gets the keys of the realm");
        house
    }

    /// Opens the house, whether or not the proxy can get the realm's keys.
    pub async fn open_unready(self) -> House {
        log::listen();
        let nextcloud = stand_in(self.realm).await;
        let address = free_address();
        let secret_file = NamedTempFile::new().unwrap();
        let toml = self.toml(&address, &nextcloud.url().unwrap(), &secret_file);
        let config = Config::resolve(Figment::new().merge(Toml::string(&toml)))
            .unwrap_or_else(|faults| panic!("{faults}\n{toml}"));
        // A little ahead: it stands still while people log in, and their tokens must not come from its future.
        let ahead = Timestamp(now().cast_signed()).after(Duration::from_secs(20));
        let clock = if self.in_real_time { Clock::System } else { Clock::manual(ahead) };
        let app = App::new(config, &tokio::runtime::Handle::current(), clock.clone(), Sampling::ratio(0.0)).unwrap();
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let (url, running) = (format!("http://{address}"), app.start().unwrap());
        House { nextcloud, clock, url, running, client, sent: Mutex::default() }
    }
}

// === impl House ===

impl House {
    /// Its public URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.sent.lock().unwrap().insert(token.to_owned());
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(token);
        Answer::from(request.send().await.expect("the proxy answers")).await
    }

    /// Who Nextcloud says that the owner of this token is.
    #[track_caller]
    pub fn whoami(&self, token: &str) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get(WHOAMI, token).await;
            assert_eq!(answer.status, 200, "{} at {caller}", answer.body);
            answer.body["ocs"]["data"]["id"].as_str().expect("an id").to_owned()
        }
    }

    /// That this token is refused so, in the words of product.md §4.
    #[track_caller]
    pub fn refuses(&self, token: &str, status: u16, error: &str) -> impl Future<Output = Answer> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get(WHOAMI, token).await;
            let got = (answer.status, answer.body["error"].as_str());
            assert_eq!(got, (status, Some(error)), "{} at {caller}", answer.body);
            answer
        }
    }

    /// Turns the proxy's clock to this second.
    pub fn turn_to(&self, second: u64) {
        self.clock.advance(Timestamp(second.cast_signed()).since(self.clock.now()));
    }

    /// When the token that Nextcloud saw last expires.
    pub fn exchanged_until(&self) -> u64 {
        let seen = self.nextcloud.seen();
        bearer(seen.last().expect("a request"))["exp"].as_u64().expect("an exp")
    }

    /// That nothing at all reached Nextcloud.
    #[track_caller]
    pub fn nothing_reached_nextcloud(&self) {
        assert_eq!(self.nextcloud.seen(), []);
    }

    /// Waits until the token is refused, as it is when the background has done its work; serves it until then.
    pub async fn until_refused(&self, token: &str, status: u16) {
        for _ in 0..200 {
            let answer = self.get(WHOAMI, token).await;
            if answer.status == status {
                return;
            }
            assert_eq!(answer.status, 200, "{}", answer.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is served on and on");
    }

    /// Stops the proxy. No caller's token was seen by Nextcloud or stands in the log (law 2).
    pub async fn close(self) {
        self.running.stop().await;
        let seen = self.nextcloud.seen();
        for token in self.sent.lock().unwrap().iter() {
            // The signature alone would be too much.
            let signature = token.rsplit('.').next().unwrap();
            let mut values = seen.iter().flat_map(|seen| &seen.headers).map(|(_, value)| value);
            assert!(values.all(|value| !value.contains(signature)), "a caller's token reached Nextcloud");
            assert!(seen.iter().all(|seen| !seen.target.contains(signature)));
            assert!(!log::has(&[signature]), "a caller's token stands in the log");
        }
    }
}

/// A stand-in that trusts this realm.
pub async fn stand_in(realm: &Realm) -> Nextcloud {
    let options = nextcloud::Options::trusting(&realm.issuer(), realm.endpoint("certs").as_str());
    Nextcloud::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).await.unwrap()
}

/// The token that Nextcloud saw.
#[track_caller]
pub fn bearer(seen: &SeenRequest) -> Claims {
    let authorization = seen.header("authorization").expect("an Authorization");
    Claims::of(authorization.strip_prefix("Bearer ").expect("a bearer"))
}

/// An address of loopback that nobody has, also not a moment later: its port is below those that the kernel hands out by itself.
pub fn free_address() -> String {
    loop {
        let address = format!("127.0.0.1:{}", rand::random_range(11_000..32_000_u16));
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}
