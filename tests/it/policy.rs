//! Least privilege through the whole proxy (nextcloud.md §4): what a token was not granted does not reach Nextcloud and costs no exchange.

mod bodies;
mod conditions;
mod egress;
mod exchange;
mod modes;
mod rows;
mod shares;

use std::time::{SystemTime, UNIX_EPOCH};

use obo_proxy::token::Timestamp;

use crate::house::{House, Plan};
use crate::wire::{Answer, Wire, ask};

/// A house with these tables in its configuration.
async fn with(tables: &str) -> House {
    Plan { tables: tables.to_owned(), ..Plan::default() }.build().await
}

/// The bytes of a request. `head` is the request line without version, then whole lines of fields.
fn wire(house: &House, head: &str, token: &str, body: &str) -> String {
    let (line, fields) = head.split_once('\n').unwrap_or((head, ""));
    let fields: String = fields.lines().map(|field| format!("{field}\r\n")).collect();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!(
        "{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{fields}{length}\r\n{body}",
        house.running.address
    )
}

/// What a caller with these scopes is told, and whether it reached Nextcloud.
async fn told(house: &House, scopes: &str, head: &str, body: &str) -> (Answer, bool) {
    // Long tests mint in the real time; the proxy's clock must not fall behind their tokens.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    house.clock.advance(Timestamp(now.cast_signed()).since(house.clock.now()));
    let token = house.token_with("alice", scopes);
    told_with(house, &token, head, body).await
}

async fn told_with(house: &House, token: &str, head: &str, body: &str) -> (Answer, bool) {
    let before = house.nextcloud.seen().len();
    let request = wire(house, head, token, body);
    let answer = if head.starts_with("HEAD ") { headless(house, request).await } else { ask(house, request).await };
    (answer, house.nextcloud.seen().len() > before)
}

/// The answer to a HEAD: its length is that of a body which does not come.
async fn headless(house: &House, request: String) -> Answer {
    let mut wire = Wire::to(house).await;
    wire.write(request).await;
    let head = wire.head().await.expect("an answer").to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head, body: Vec::new() }
}

/// That it reaches Nextcloud, whatever that answers.
async fn passes(house: &House, scopes: &str, head: &str, body: &str) {
    let (answer, reached) = told(house, scopes, head, body).await;
    assert!(reached, "{head} with {scopes:?}: {} {}", answer.status, answer.error());
}

/// That it ends here with this status and error, and costs neither Nextcloud nor the provider anything.
async fn ends(house: &House, scopes: &str, head: &str, body: &str, status: u16, error: &str) -> Answer {
    let exchanges = house.exchanges();
    let (answer, reached) = told(house, scopes, head, body).await;
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{head} with {scopes:?}\n{body}");
    assert!(!reached, "{head} with {scopes:?} reached Nextcloud");
    assert_eq!(house.exchanges(), exchanges, "{head} with {scopes:?} cost an exchange");
    answer
}

/// That the challenge asks for exactly these scopes.
fn asks_for(answer: &Answer, scopes: &str, of: &str) {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let asked = challenge.split("scope=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let sorted = |list: &str| {
        let mut list: Vec<String> = list.split(' ').map(str::to_owned).collect();
        list.sort();
        list
    };
    assert_eq!(sorted(asked), sorted(scopes), "{of}: {challenge}");
    assert!(challenge.starts_with("bearer "), "{challenge}");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("resource_metadata=\"http"), "{challenge}");
}
