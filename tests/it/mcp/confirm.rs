//! The other era: a client that can be sent to pages is sent to one of ours, and its person answers there.

mod browser;
mod forged;

use std::time::Duration;

use serde_json::{Value, json};

use self::browser::Browser;
use super::client::{LEGACY, Said};
use super::probe::{self, SHARE, WORDS};
use crate::house::{House, Plan};

/// With pages, and an answer's worth of time for people.
const PAGES: &str = "[mcp]\nconfirm_url = true\n";

async fn house(mcp: &str) -> House {
    Plan { tools: probe::tools(), tables: mcp.to_owned(), ..Plan::default() }.build().await
}

/// Begins as a client with these capabilities, and gives what it is to bring along.
async fn begin(house: &House, token: &str, version: &str, capabilities: Value) -> Option<String> {
    let params = json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": { "name": "it", "version": "1" } });
    let said =
        house.say(token, version, json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
    assert_eq!(said.body["result"]["protocolVersion"], version, "{said:?}");
    said.headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned())
}

async fn opening(house: &House, token: &str) -> String {
    begin(house, token, LEGACY, json!({ "elicitation": { "url": {} } })).await.unwrap()
}

async fn call(house: &House, token: &str, session: &str, arguments: Value) -> Said {
    let params = json!({ "name": SHARE, "arguments": arguments });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    house.say_with(token, LEGACY, message, &[("mcp-session-id", session)]).await
}

fn arguments() -> Value {
    json!({ "path": "/alice.txt" })
}

/// The URL to which the person is sent.
#[track_caller]
fn url(said: &Said) -> String {
    let error = &said.body["error"];
    assert_eq!((said.status, error["code"].as_i64()), (200, Some(-32_042)), "{said:?}");
    let elicitations = error["data"]["elicitations"].as_array().unwrap();
    assert_eq!((elicitations.len(), &elicitations[0]["mode"]), (1, &json!("url")), "{said:?}");
    let url = elicitations[0]["url"].as_str().unwrap();
    assert!(url.ends_with(elicitations[0]["elicitationId"].as_str().unwrap()), "{said:?}");
    url.to_owned()
}

fn was_sent(said: &Said) -> bool {
    said.body["error"]["code"] == -32_042
}

fn shared(house: &House) -> usize {
    house.nextcloud.seen().iter().filter(|seen| seen.method == "POST" && seen.target.contains("files_sharing")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_sent_to_a_page_signs_in_says_yes_and_the_call_is_made_once() {
    let house = house(PAGES).await;
    let token = house.token("alice");
    let session = opening(&house, &token).await;
    let asked = call(&house, &token, &session, arguments()).await;
    let page = url(&asked);
    assert!(asked.body["error"]["data"]["elicitations"][0]["message"].as_str().unwrap().starts_with(WORDS));
    let id = page.strip_prefix(&format!("{}/mcp/confirm/", house.url)).unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "128 bits and nothing of anybody: {id}");
    assert_eq!(url(&call(&house, &token, &session, arguments()).await), page, "asked once");

    let mut browser = Browser::new(&house);
    let question = browser.sign_in(&page, "alice").await;
    assert_eq!(question.status, 200, "{question:?}");
    assert!(question.text.contains(WORDS) && question.text.contains("<dd>/alice.txt</dd>"), "{question:?}");
    assert!(question.text.contains("<b>mcp-client</b>") && !question.text.contains("<script"), "{question:?}");
    let policy = question.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(question.headers["cache-control"], "no-store");
    assert_eq!(question.headers["x-frame-options"], "DENY");
    assert!(was_sent(&call(&house, &token, &session, arguments()).await), "signing in is no answer");
    assert_eq!(shared(&house), 0);

    assert_eq!(browser.answer(&question, "yes").await.status, 200);
    assert_eq!(browser.answer(&question, "no").await.status, 409, "an answer is an answer");
    let done = call(&house, &token, &session, arguments()).await;
    assert!(done.body["result"]["structuredContent"]["id"].is_string(), "{done:?}");
    assert_eq!(shared(&house), 1);
    assert_ne!(url(&call(&house, &token, &session, arguments()).await), page, "once");
    assert_eq!(shared(&house), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_told_to_the_client_and_nothing_is_done() {
    let house = house(PAGES).await;
    let token = house.token("alice");
    let session = opening(&house, &token).await;
    let page = url(&call(&house, &token, &session, arguments()).await);
    let mut browser = Browser::new(&house);
    let question = browser.sign_in(&page, "alice").await;
    assert_eq!(browser.answer(&question, "no").await.status, 200);
    let said = call(&house, &token, &session, arguments()).await;
    assert!(said.body["result"]["isError"] == true && said.body.to_string().contains("does not want this"), "{said:?}");
    assert_eq!(shared(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_its_person_client_and_arguments_and_for_five_minutes() {
    let house = house(PAGES).await;
    let minted = |user: &str, azp: &str| {
        house.provider.mint(user).claim("azp", azp).lifetime(Duration::from_hours(1)).sign().unwrap()
    };
    let (alice, bob, other) = (minted("alice", "mcp-client"), minted("bob", "mcp-client"), minted("alice", "other"));
    let session = opening(&house, &alice).await;
    let page = url(&call(&house, &alice, &session, arguments()).await);
    let mut browser = Browser::new(&house);
    let question = browser.sign_in(&page, "alice").await;
    assert_eq!(browser.answer(&question, "yes").await.status, 200);
    for (token, arguments) in [(&bob, arguments()), (&other, arguments()), (&alice, json!({ "path": "/notes.txt" }))] {
        let session = opening(&house, token).await;
        assert!(was_sent(&call(&house, token, &session, arguments.clone()).await), "{arguments}");
    }
    house.clock.advance(Duration::from_mins(5));
    assert!(was_sent(&call(&house, &alice, &session, arguments()).await), "too late");
    assert_eq!(shared(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_did_not_declare_it_is_not_sent_anywhere() {
    let house = house(PAGES).await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    for capabilities in [json!({}), json!({ "elicitation": {} }), json!({ "elicitation": { "form": {} } })] {
        assert_eq!(begin(&house, &alice, LEGACY, capabilities.clone()).await, None, "{capabilities}");
    }
    assert_eq!(
        begin(&house, &alice, "2025-06-18", json!({ "elicitation": { "url": {} } })).await,
        None,
        "not known then"
    );
    let bobs = opening(&house, &bob).await;
    let other_client = house.provider.mint("alice").claim("azp", "other").sign().unwrap();
    let of_another_client = opening(&house, &other_client).await;
    let own = opening(&house, &alice).await;
    for (number, session) in
        ["", "unknown", "rs1.AA.AA", &bobs, &of_another_client, &format!("{own}A")].iter().enumerate()
    {
        let said = call(&house, &alice, session, arguments()).await;
        assert!(!was_sent(&said) && said.body["result"]["isError"] != true, "{session}: {said:?}");
        assert_eq!(shared(&house), number + 1, "it grants nothing, and without it nothing is lost but the question");
    }
    assert!(was_sent(&call(&house, &alice, &own, arguments()).await));
    assert_ne!(own, opening(&house, &alice).await, "unique");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_no_session_and_the_modern_era_does_not_look_at_it() {
    let house = house(PAGES).await;
    let token = house.token("alice");
    let session = opening(&house, &token).await;
    for method in ["GET", "DELETE"] {
        let answer = house.request(method, "/mcp", &token).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }
    let params = json!({ "name": SHARE, "arguments": arguments(), "_meta": {
        "io.modelcontextprotocol/protocolVersion": super::client::MODERN,
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "url": {} } },
        "io.modelcontextprotocol/clientInfo": { "name": "it", "version": "1" },
    } });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let said = house.say_with(&token, super::client::MODERN, message, &[("mcp-session-id", &session)]).await;
    assert!(!was_sent(&said) && said.status == 200, "{said:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_pages_nobody_is_sent_and_where_it_has_to_be_a_client_is_told_the_url() {
    let without = house("").await;
    let token = without.token("alice");
    assert_eq!(begin(&without, &token, LEGACY, json!({ "elicitation": { "url": {} } })).await, None);
    let page = without.client.get(format!("{}/mcp/confirm/00", without.url)).send().await.unwrap();
    assert_eq!(page.status(), 401, "there is no such page, and strangers learn nothing");
    without.close().await;

    let always = house("[mcp]\nconfirm = \"always\"\nconfirm_url = true\n").await;
    let token = always.token("alice");
    let told = always.call(&token, SHARE, arguments()).await.failure().to_owned();
    let page = told.split(' ').find(|word| word.starts_with(&always.url)).unwrap().to_owned();
    let mut browser = Browser::new(&always);
    let question = browser.sign_in(&page, "alice").await;
    assert_eq!(browser.answer(&question, "yes").await.status, 200);
    assert!(!always.call(&token, SHARE, arguments()).await.is_error);
    assert_eq!(shared(&always), 1);
    assert!(always.call(&token, SHARE, arguments()).await.is_error);
    always.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_page_is_no_authorization() {
    let house = house(&format!("{PAGES}[policy.egress]\npublic_links = false\n")).await;
    let token = house.token("alice");
    let session = opening(&house, &token).await;
    let page = url(&call(&house, &token, &session, arguments()).await);
    let mut browser = Browser::new(&house);
    let question = browser.sign_in(&page, "alice").await;
    assert_eq!(browser.answer(&question, "yes").await.status, 200);
    let said = call(&house, &token, &session, arguments()).await;
    assert!(said.body["result"]["isError"] == true && said.body.to_string().contains("operator"), "{said:?}");
    let poor = house.token_with("alice", "nc.read");
    assert_eq!(call(&house, &poor, &session, arguments()).await.status, 403);
    assert_eq!(shared(&house), 0);
    house.close().await;
}
