//! Keycloak goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::house::{House, Plan, WHOAMI};
use super::server::Server;
use crate::realm::Realm;

/// Requests that never pause for long, of one caller.
struct Load {
    callers: JoinSet<Served>,
    stop: Arc<AtomicBool>,
}

/// What one caller got.
struct Served {
    requests: usize,
    bad: Vec<String>,
}

// === impl Load ===

impl Load {
    /// Two tasks for each token: one would wait for the other's answers only by chance.
    fn begin(house: &Arc<House>, callers: &[(&'static str, String)]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for (user, token) in callers.iter().chain(callers) {
            tasks.spawn(one_caller(house.clone(), user, token.clone(), stop.clone()));
        }
        Self { callers: tasks, stop }
    }

    /// How many requests there were, all of them good.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Release);
        let served = self.callers.join_all().await;
        let bad: Vec<_> = served.iter().flat_map(|it| &it.bad).collect();
        assert!(bad.is_empty(), "{} bad answers, such as {:?}", bad.len(), bad[0]);
        assert!(served.iter().all(|it| it.requests > 100), "every caller was served all the time");
        served.iter().map(|it| it.requests).sum()
    }
}

async fn one_caller(house: Arc<House>, user: &'static str, token: String, stop: Arc<AtomicBool>) -> Served {
    let mut served = Served { requests: 0, bad: Vec::new() };
    while !stop.load(Ordering::Acquire) {
        let answer = house.get(WHOAMI, &token).await;
        served.requests += 1;
        if answer.status != 200 || answer.body["ocs"]["data"]["id"] != user {
            served.bad.push(format!("{} {}", answer.status, answer.body));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "starts a Keycloak of its own, twice; scripts/live-keycloak runs it apart"]
async fn an_outage_of_keycloak_under_load_is_not_felt_by_callers_whose_tokens_are_cached() {
    let Some(server) = Server::started() else { return };
    let realm = Realm::fresh(&server.keycloak(), "outage").await;
    // Nextcloud has the real time: what is held must outlive the outage, however long Keycloak takes to start.
    realm.admin("PUT", "", Some(json!({"accessTokenLifespan": 1200}))).await;
    realm.set_client_attribute("mcp-server", "access.token.lifespan", "600").await;
    let house = Arc::new(Plan::at(&realm).open().await);
    let mut callers = Vec::new();
    for user in ["alice", "bob", "carol"] {
        callers.push((user, realm.login(user, user, &[]).await.access));
    }
    // A token that is good, but was not seen before the outage.
    let unseen = realm.login("dave", "dave", &[]).await.access;
    for (user, token) in &callers {
        assert_eq!(house.whoami(token).await, *user);
    }
    let load = Load::begin(&house, &callers);

    server.stop();
    // Into the last 30 of 300 s: renewals are tried, in vain.
    house.clock.advance(Duration::from_secs(275));
    let answer = house.refuses(&unseen, 503, "idp_unavailable").await;
    assert!(answer.headers.contains_key("retry-after"));
    server.start();

    // The next attempt of a renewal, and then past the end of what was held before the outage: it was renewed.
    house.clock.advance(Duration::from_secs(12));
    tokio::time::sleep(Duration::from_secs(2)).await;
    house.clock.advance(Duration::from_secs(15));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.whoami(&unseen).await, "dave");
    // New logins, also with a new key.
    let erin = realm.login("erin", "erin", &[]).await.access;
    assert_eq!(house.whoami(&erin).await, "erin");
    realm.rotate_keys().await;
    let rotated = realm.login("erin", "erin", &[]).await.access;
    assert_eq!(house.whoami(&rotated).await, "erin");

    let requests = load.end().await;
    println!("{requests} requests, none refused");
    let Ok(house) = Arc::try_unwrap(house) else { panic!("all callers are gone") };
    house.close().await;
}
