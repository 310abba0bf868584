//! What a caller is told, in a form that a test can hold against product.md §4 in one line.

use std::time::Duration;

use obo_proxy::dev::identity_provider::TokenBuilder;
use obo_proxy::token::{Purge, Timestamp};
use reqwest::Response;

use crate::house::House;

/// A page of Nextcloud that any token of a person opens.
pub const OPEN: &str = "/ocs/v2.php/cloud/user";
/// What every fault of a token ends in.
pub const INVALID: &str = "401 invalid_token";
/// A provider that cannot be asked.
pub const UNAVAILABLE: &str = "503 idp_unavailable";
/// Law 4.
pub const MALFORMED: &str = "502 idp_malformed";

/// The status and, if the answer is a refusal of ours, its `error`: `200`, `401 invalid_token`. Nextcloud's own pages have no `error`.
pub async fn verdict(response: Response) -> String {
    let status = response.status().as_u16();
    let body: serde_json::Value = response.json().await.unwrap_or_default();
    body["error"].as_str().map_or_else(|| status.to_string(), |error| format!("{status} {error}"))
}

impl House {
    /// What a caller with this token is told.
    pub async fn verdict(&self, token: &str) -> String {
        verdict(self.get(OPEN, token).await).await
    }

    /// What a caller with this token, signed now, is told.
    pub async fn judge(&self, token: TokenBuilder) -> String {
        self.verdict(&token.sign().unwrap()).await
    }

    /// The same; it is noted if that was not our own judgement because the provider was asked for an exchange.
    pub async fn own_judgement(&self, token: TokenBuilder) -> String {
        let asked = self.exchanges();
        let verdict = self.judge(token).await;
        if self.exchanges() == asked { verdict } else { format!("{verdict}, by the provider") }
    }

    /// The `error_description` of a refusal.
    pub async fn description(&self, token: &str) -> String {
        let body: serde_json::Value = self.get(OPEN, token).await.json().await.unwrap();
        body["error_description"].as_str().unwrap().to_owned()
    }

    /// How often the provider was asked for an exchange.
    pub fn exchanges(&self) -> u64 {
        self.provider.counts().exchanges()
    }

    /// The proxy's time.
    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Turns the proxy's clock.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Waits until something is so that other threads bring about. Fails after ten seconds.
    pub async fn until(&self, what: &str, mut so: impl AsyncFnMut() -> bool) {
        for _ in 0..2_000 {
            if so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it did not come to pass: {what}");
    }

    /// As a logout of this session reaches us.
    pub fn purge_session(&self, sid: &str) {
        self.running.entries.purge(&Purge::Session { issuer: self.provider.issuer().into(), session: sid.into() });
    }

    /// As a revocation of everything that a person has reaches us.
    pub fn purge_subject(&self, user: &str, issued_until: i64) {
        self.running.entries.purge(&Purge::Subject {
            issuer: self.provider.issuer().into(),
            subject: self.provider.subject(user).into(),
            issued_until: Timestamp(issued_until),
        });
    }
}
