//! One line for each call: who, through what, which tool, on what, with what result. And nothing of what was written.

use serde_json::{Value, json};

use super::probe::{self, SHARE};
use crate::house::{House, Plan};
use crate::laws::log::Logbook;

/// The audit lines about this target.
fn lines(target: &str) -> Vec<String> {
    let text = Logbook::open().text();
    text.lines().filter(|line| line.contains(" audit: ") && line.contains(target)).map(str::to_owned).collect()
}

/// Whether this stands in a line that an operator sees who asked for nothing. Below that level rmcp writes whole messages.
fn said_aloud(text: &str) -> bool {
    let log = Logbook::open().text();
    log.lines()
        .any(|line| line.contains(text) && [" INFO ", " WARN ", "ERROR "].iter().any(|level| line.contains(level)))
}

#[track_caller]
fn only(target: &str, wanted: &[&str]) {
    let lines = lines(target);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    for wanted in wanted {
        assert!(line.contains(wanted), "{wanted} is not in {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_leaves_one_line_and_nothing_of_its_content() {
    Logbook::open();
    let house = Plan { tools: probe::tools(), ..Plan::default() }.build().await;
    let minted = house.provider.mint("alice");
    let sub = minted.claims()["sub"].as_str().unwrap().to_owned();
    let token = minted.sign().unwrap();
    let call = |path: &str, more: Value| {
        let mut params = json!({ "name": SHARE, "arguments": { "path": path, "note": "canary-of-the-content" } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        house.ask(&token, "tools/call", params)
    };
    let asked = call("/audit-asked.txt", json!({})).await;
    let who = [&*format!("sub=\"{sub}\""), "client=\"mcp-client\"", "tool=\"probe_share\"", house.provider.issuer()];
    only("/audit-asked.txt", &[&who[..], &["outcome=\"asked\"", "INFO"]].concat());
    drop(asked);

    for (path, action, outcome) in
        [("/audit-failed.txt", "accept", "outcome=\"failed\""), ("/audit-no.txt", "decline", "outcome=\"declined\"")]
    {
        let state = call(path, json!({})).await.body["result"]["requestState"].as_str().unwrap().to_owned();
        let answer = json!({ "inputResponses": { "confirm": { "action": action } }, "requestState": state });
        call(path, answer).await;
        let lines = lines(path);
        assert!(lines.len() == 2 && lines[1].contains(outcome), "{lines:?}");
        assert!(!said_aloud(&state), "a state is in the log");
    }
    house.call(&token, SHARE, json!({ "path": "/alice.txt\n audit: outcome=\"ok\"" })).await;
    only(r"/alice.txt\\n audit: ", &["outcome=\"failed\""]);

    let poor = house.token_with("alice", "nc.read");
    let before = lines("insufficient_scope").len();
    house.try_call(&poor, SHARE, json!({ "path": "/audit-refused.txt" })).await;
    let refused = lines("error=\"insufficient_scope\"");
    assert!(refused.len() > before && refused.iter().any(|line| line.contains("outcome=\"refused\"")), "{refused:?}");

    for outcome in ["asked", "declined", "failed", "refused"] {
        let name = format!("obo_mcp_calls_total{{outcome=\"{outcome}\",tool=\"probe_share\"}}");
        assert!(house.metric(&name).await >= 1.0, "{outcome}");
    }
    assert!(!said_aloud("canary-of-the-content"), "content is in the log");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_read_leaves_a_line_too() {
    Logbook::open();
    let house = House::open().await;
    let read = |token: String, name: &'static str| {
        let house = &house;
        async move { house.ask(&token, "resources/read", json!({ "uri": format!("nextcloud://files/{name}") })).await }
    };
    read(house.token("alice"), "audit-resource.txt").await;
    only("path=nextcloud://files/audit-resource.txt", &["tool=\"resources/read\"", "outcome=\"failed\""]);
    read(house.token_with("alice", "nc.read"), "audit-resource.txt").await;
    assert!(house.metric("obo_mcp_calls_total{outcome=\"refused\",tool=\"resources/read\"}").await >= 1.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_switches_are_told_in_the_line() {
    Logbook::open();
    let tables = "[mcp]\ncalls_per_minute = 2\nconfirm = \"never\"\n[policy.egress]\npublic_links = false\n".to_owned();
    let house: House = Plan { tools: probe::tools(), tables, ..Plan::default() }.build().await;
    let token = house.token("bob");
    for _ in 0..3 {
        house.call(&token, SHARE, json!({ "path": "/audit-limits.txt" })).await;
    }
    let lines = lines("/audit-limits.txt");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains("outcome=\"refused\"") && lines[0].contains("error=\"forbidden_route\""), "{lines:?}");
    assert!(lines[2].contains("outcome=\"rate\""), "{lines:?}");
    house.close().await;
}

/// The default of `telemetry.log` lets it through.
#[test]
fn an_operator_sees_it_without_asking_for_it() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "x").unwrap();
    let toml = format!(
        "public_url = \"https://a.example\"\n[nextcloud]\nurl = \"http://127.0.0.1:1\"\n[issuers.a]\nissuer = \"https://b.example\"\nclient_id = \"c\"\nclient_secret_file = {:?}\n",
        secret.path()
    );
    let figment =
        figment::Figment::new().merge(<figment::providers::Toml as figment::providers::Format>::string(&toml));
    let config = obo_proxy::config::Config::resolve(figment).unwrap();
    let filter = tracing_subscriber::EnvFilter::try_new(&config.telemetry.log).unwrap();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::sink).finish();
    tracing::subscriber::with_default(subscriber, || {
        assert!(tracing::enabled!(target: "audit", tracing::Level::INFO));
        assert!(!tracing::enabled!(target: "audit", tracing::Level::DEBUG));
    });
}
