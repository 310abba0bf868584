//! Upstream sessions, end to end (product.md §3, nextcloud.md §2; checklist rows 10, 11, 50 to 53).

mod crossings;
mod ends;
mod opening;
mod order;
mod proof;
mod rejected;
mod streams;
mod arbitrary;
mod useless;

use std::time::Duration;

use obo_proxy::dev::identity_provider;
use obo_proxy::dev::nextcloud::SeenRequest;

use crate::house::{House, Plan};

const WHO: &str = "/ocs/v2.php/cloud/user?format=json";
const FILE: &str = "/remote.php/webdav/alice.txt";

/// A house with sessions. Exchanged tokens live longer than the clock is turned in a test.
fn plan() -> Plan {
    let provider =
        identity_provider::Options { exchanged_lifetime: Duration::from_secs(4 * 60 * 60), ..Default::default() };
    Plan { sessions: true, provider, ..Plan::default() }
}

impl House {
    async fn with_sessions() -> Self {
        plan().build().await
    }

    /// Status, and as whom Nextcloud says it served.
    async fn who(&self, token: &str) -> (u16, String) {
        let answer = self.get(WHO, token).await;
        assert!(!answer.headers().contains_key("set-cookie"), "a cookie left");
        let status = answer.status().as_u16();
        let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        (status, body["ocs"]["data"]["id"].as_str().unwrap_or_default().to_owned())
    }

    async fn is(&self, token: &str, user: &str) {
        assert_eq!(self.who(token).await, (200, user.to_owned()));
    }

    /// Our own requests, by what they ask.
    fn own(&self, target: &str) -> Vec<SeenRequest> {
        let seen = self.nextcloud.seen().into_iter();
        seen.filter(|seen| seen.header("user-agent") == Some("obo-proxy") && seen.target == target).collect()
    }

    fn openings(&self) -> Vec<SeenRequest> {
        self.own(WHO).into_iter().filter(|seen| seen.header("cookie").is_none()).collect()
    }

    fn proofs(&self) -> Vec<SeenRequest> {
        self.own(WHO).into_iter().filter(|seen| seen.header("cookie").is_some()).collect()
    }

    fn logouts(&self) -> Vec<SeenRequest> {
        self.own("/index.php/logout")
    }

    /// What callers' requests came to.
    fn calls(&self) -> Vec<SeenRequest> {
        let seen = self.nextcloud.seen().into_iter();
        seen.filter(|seen| seen.header("user-agent") != Some("obo-proxy")).collect()
    }

    fn last_call(&self) -> SeenRequest {
        self.calls().pop().unwrap()
    }

    async fn ends(&self, cause: &str) -> f64 {
        self.metric(&format!("obo_sessions_ended_total{{cause={cause:?}}}")).await
    }

    async fn events(&self, event: &str) -> f64 {
        self.metric(&format!("obo_sessions_total{{event={event:?}}}")).await
    }

    async fn kept(&self) -> f64 {
        self.metric("obo_sessions").await
    }

    /// The living sessions of a user at Nextcloud by the ids that ever went along with a request.
    fn lives(&self, cookie: &str) -> bool {
        let id = cookie.rsplit_once('=').unwrap().1;
        self.nextcloud.sessions().iter().any(|session| session.id == id && session.user.is_some())
    }

    fn sweep(&self) {
        self.running.sessions.as_ref().unwrap().sweep();
    }
}
