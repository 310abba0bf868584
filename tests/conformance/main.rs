//! A server for the official conformance suite (`scripts/conformance`): obo-proxy between the embedded identity provider and the Nextcloud
//! stand-in, and in front of it a forwarder with a caller's token, for the suite cannot send one.
//!
//! ```text
//! conformance --serve product    what we ship
//! conformance --serve fixture    the suite's own tools, which nobody ships, behind the same edge, authentication and frontend
//! conformance                    a smoke test of the latter
//! ```
//!
//! A server says where it is by one line of JSON and lives until it is killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]

mod fixture;
mod forwarder;
#[path = "../it/house.rs"]
#[allow(dead_code, reason = "the integration tests ask more of a house")]
mod house;
mod smoke;

use obo_proxy::mcp::frontend;
use tokio::net::TcpListener;

use self::fixture::Fixture;
use self::house::{House, Plan};

/// A house with a forwarder in front.
struct Served {
    house: House,
    /// Where the suite is sent.
    url: String,
    /// What it cannot send.
    token: String,
}

impl Served {
    async fn open(fixture: Option<Fixture>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let in_front = listener.local_addr().unwrap();
        let plan = Plan {
            // The suite shows the Host and the Origin of where it was sent, and evil ones, which have to be refused.
            tables: format!(
                "[mcp]\nallowed_hosts = [\"{in_front}\"]\nallowed_origins = [\"http://{in_front}\"]\ncalls_per_minute = 10000\n"
            ),
            protocol: fixture.map(frontend::protocol),
            real_time: true,
            sessions: true,
            ..Plan::default()
        };
        let house = plan.build().await;
        let token = house.token("alice");
        forwarder::start(listener, house.running.address, &token);
        Self { house, url: format!("http://{in_front}/mcp"), token }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--serve", "product"] => runtime.block_on(serve(None)),
        ["--serve", "fixture"] => runtime.block_on(serve(Some(Fixture::default()))),
        // Cargo hands on what it was given for all test targets, such as a filter.
        _ => runtime.block_on(smoke::test()),
    }
}

async fn serve(fixture: Option<Fixture>) {
    let served = Served::open(fixture).await;
    println!("{}", serde_json::json!({ "url": served.url, "behind": served.house.url, "token": served.token }));
    std::future::pending::<()>().await;
}
