//! Against a Nextcloud by hand, which answers when it is told to: who holds a session in use, and for how long.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{WHO, plan};
use crate::house::{House, Plan};
use crate::wire::{self, Upstream, Wire};

const WHO_IS: &str = "HTTP/1.1 200 OK\r\nSet-Cookie: oc_sessionPassphrase=p; path=/\r\n\
    Set-Cookie: nc_username=alice; Max-Age=9\r\nSet-Cookie: ocht9c3fo3al=s1; path=/\r\nContent-Length: 36\r\n\r\n\
    {\"ocs\":{\"data\":{\"id\":\"alice\"}}}     ";
const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:1\r\n";
const LOGGED_OUT: &str = "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n";

/// What came and what was told, in its order: `opening`, `proof`, `proof answered`, `call`, `logout`.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<&'static str>>>);

impl Diary {
    fn place(&self, event: &str) -> Option<usize> {
        self.0.lock().iter().position(|known| *known == event)
    }
}

/// A house before a Nextcloud that opens a session for everybody, answers calls so, and proofs when it is told to.
async fn house(call: &'static str) -> (House, Diary, Arc<Notify>) {
    let (diary, proofs) = (Diary::default(), Arc::new(Notify::new()));
    let (noted, told) = (diary.clone(), proofs.clone());
    let upstream = Upstream::serving(move |mut wire, _| {
        let (diary, proofs) = (noted.clone(), told.clone());
        async move {
            while let Some(head) = wire.head().await {
                let head = head.to_ascii_lowercase();
                let (own, with) =
                    (head.contains("user-agent: obo-proxy"), head.contains("cookie: oc_sessionpassphrase=p; ocht"));
                let note = |event| diary.0.lock().push(event);
                let answer = match (own, with) {
                    _ if head.contains("/logout") => {
                        note("logout");
                        LOGGED_OUT
                    }
                    (true, false) => {
                        note("opening");
                        WHO_IS
                    }
                    (true, true) => {
                        note("proof");
                        proofs.notified().await;
                        note("proof answered");
                        WHO_IS
                    }
                    (false, true) => {
                        note("call");
                        call
                    }
                    (false, false) => panic!("a call without a session"),
                };
                wire.write(answer).await;
            }
        }
    })
    .await;
    (Plan { upstream: Some(upstream.url.clone()), ..plan() }.build().await, diary, proofs)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_keeps_no_session_in_use() {
    let (house, diary, _) = house(STREAM).await;
    let mut wire = Wire::to(&house).await;
    wire.write(wire::request(&house, &format!("GET {WHO}"), &house.token("alice"), "")).await;
    assert!(wire.head().await.unwrap().contains("text/event-stream"));
    house.pass(600);
    house.sweep();
    house.until("the session is logged out while the stream is open", async || diary.place("logout").is_some()).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_under_way_keeps_its_session_from_being_logged_out() {
    let (house, diary, proofs) = house(WHO_IS).await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let token = alice.sign().unwrap();
    house.is(&token, "alice").await;
    house.pass(45);
    house.is(&token, "alice").await;
    house.until("a proof", async || diary.place("proof").is_some()).await;
    house.purge_session(&sid);
    // Time enough for a logout that does not wait.
    for _ in 0..20 {
        assert_eq!(house.get(WHO, &token).await.status(), 401);
    }
    assert_eq!(diary.place("logout"), None, "its bearer would make it live again");
    proofs.notify_one();
    house.until("it is logged out", async || diary.place("logout").is_some()).await;
    house.close().await;
}

/// Row 52: while Nextcloud answers calls but no proof, a session past its minute is nobody's, with the first request and with every other.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_proved_is_not_used_however_often_it_is_asked_for() {
    let calls = Arc::<Mutex<Vec<bool>>>::default();
    let seen = calls.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let seen = seen.clone();
        async move {
            while let Some(head) = wire.head().await {
                let head = head.to_ascii_lowercase();
                let (own, with) = (head.contains("user-agent: obo-proxy"), head.contains("\r\ncookie: "));
                if !own {
                    seen.lock().push(with);
                }
                let overloaded = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
                wire.write(if own && with { overloaded } else { WHO_IS }).await;
            }
        }
    })
    .await;
    let house = Plan { upstream: Some(upstream.url.clone()), ..plan() }.build().await;
    let token = house.token("alice");
    house.is(&token, "alice").await;
    house.pass(60);
    for _ in 0..4 {
        house.is(&token, "alice").await;
        house.pass(1);
    }
    assert_eq!(*calls.lock(), [true, false, false, false, false]);
    house.close().await;
}
