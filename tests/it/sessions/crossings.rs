//! Interleaved requests of many people over few connections: each answer is the asker's own (law 5, checklist row 10).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::{WHO, plan};
use crate::house::Plan;
use crate::wire::Wire;

/// Callers' connections, each used by everybody in turn.
const CONNECTIONS: usize = 16;
/// The stand-in's record is read and emptied after so many requests, or it would not fit.
const ROUND: usize = 5_000;

/// `OBO_CROSSINGS=1000000 cargo test --release …` is the whole million.
fn requests() -> usize {
    std::env::var("OBO_CROSSINGS").ok().and_then(|requests| requests.parse().ok()).unwrap_or(10_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn interleaved_requests_of_a_thousand_people_cross_nothing() {
    let (requests, people) = (requests(), requests().div_ceil(10).min(1_000));
    let house = Arc::new(Plan { session_lines: format!("max = {people}"), ..plan() }.build().await);
    let heads: Arc<Vec<String>> = Arc::new(
        (0..people)
            .map(|person| {
                let token = house.token(&format!("person{person}"));
                let host = house.running.address;
                format!("GET {WHO} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n")
            })
            .collect(),
    );
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        wires.push(Wire::to(&house).await);
    }
    let next = Arc::new(AtomicUsize::new(0));
    // Whose bearer each session went with.
    let mut owners: HashMap<String, String> = HashMap::new();
    for round in 1..=requests.div_ceil(ROUND) {
        let until = (round * ROUND).min(requests);
        let running = wires.into_iter().map(|mut wire| {
            let (heads, next) = (heads.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= until {
                        return wire;
                    }
                    // Coprime to any number of people: everybody's turn comes, and the neighbours change.
                    let person = number.wrapping_mul(7_919) % people;
                    let answer = wire.ask(&heads[person]).await;
                    assert_eq!(answer.status, 200, "person{person}: {}", String::from_utf8_lossy(&answer.body));
                    assert!(!answer.head.contains("\r\nset-cookie:"));
                    let own = format!("\"id\":\"person{person}\"");
                    let theirs = answer.body.windows(own.len()).any(|window| window == own.as_bytes());
                    assert!(theirs, "person{person} got {}", String::from_utf8_lossy(&answer.body));
                }
            })
        });
        wires = join_all(running).await.into_iter().map(Result::unwrap).collect();
        next.store(until, Ordering::Relaxed);
        for seen in house.nextcloud.seen() {
            if let (Some(cookie), Some(user)) = (seen.header("cookie"), &seen.user) {
                let owner = owners.entry(cookie.to_owned()).or_insert_with(|| user.clone());
                assert_eq!(owner, user, "a session crossed");
            }
        }
        house.nextcloud.forget_seen();
    }
    assert!(owners.len() >= people.min(requests), "everybody had a session: {} of {people}", owners.len());
    assert!(house.nextcloud.connections() < 200, "people shared connections");
    let Ok(house) = Arc::try_unwrap(house) else { panic!("somebody still has the house") };
    house.close().await;
}
