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

/// A Nextcloud that answers by a function of what came: the head in lower case, and whether it is a request of our own. Also every head.
async fn answering(
    answer: impl Fn(&str, bool) -> String + Clone + Send + Sync + 'static,
) -> (House, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let seen = heads.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            while let Some(head) = wire.head().await {
                let head = head.to_ascii_lowercase();
                let own = head.contains("user-agent: obo-proxy");
                seen.lock().push(head.clone());
                wire.write(answer(&head, own)).await;
            }
        }
    })
    .await;
    (Plan { upstream: Some(upstream.url.clone()), ..plan() }.build().await, heads)
}

fn came(heads: &Mutex<Vec<String>>, what: &str) -> Vec<String> {
    heads.lock().iter().filter(|head| head.contains(what)).cloned().collect()
}

/// Who somebody is takes a kilobyte; an answer without measure is read no further, and adopted by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_answers_without_measure_opens_nothing() {
    let large =
        WHO_IS.replace("Content-Length: 36", &format!("Content-Length: {}", 36 + 300_000)) + &" ".repeat(300_000);
    let (house, heads) = answering(move |_, own| if own { large.clone() } else { WHO_IS.to_owned() }).await;
    house.is(&house.token("alice"), "alice").await;
    assert_eq!((house.events("unreachable").await, house.kept().await), (1.0, 0.0));
    assert!(came(&heads, "\r\ncookie: ").is_empty());
    house.close().await;
}

/// Where the session alone is not logged out, its opener's bearer helps, but only while it is good: an expired one is nobody's business.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_takes_the_bearer_along_only_while_that_is_good() {
    for (age, bearers) in [(1, 1), (400, 0)] {
        let (house, heads) = answering(|head, _| {
            let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
            if head.contains("/logout") { refused.to_owned() } else { WHO_IS.to_owned() }
        })
        .await;
        let alice = house.provider.mint("alice");
        let sid = alice.sid().unwrap().to_owned();
        house.is(&alice.sign().unwrap(), "alice").await;
        house.pass(age);
        house.purge_session(&sid);
        house
            .until("the logout failed", async || {
                house.metric("obo_session_logouts_total{outcome=\"failed\"}").await == 1.0
            })
            .await;
        let logouts = came(&heads, "/logout");
        let with = logouts.iter().filter(|head| head.contains("\r\nauthorization: bearer ")).count();
        assert_eq!((logouts.len(), with), (1 + bearers, bearers), "{age}");
        house.close().await;
    }
}

/// An app's own 401 has to be read to be told from a refusal; the session that it sets counts all the same.
#[tokio::test(flavor = "multi_thread")]
async fn another_session_in_an_answer_that_had_to_be_read_ends_ours() {
    let (house, _) = answering(|_, own| match own {
        true => WHO_IS.to_owned(),
        false => {
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nSet-Cookie: ocht9c3fo3al=s2; path=/\r\n\
                  Content-Length: 18\r\n\r\n{\"message\":\"none\"}"
                .to_owned()
        }
    })
    .await;
    assert_eq!(house.get(WHO, &house.token("alice")).await.status(), 401);
    assert_eq!((house.ends("changed").await, house.kept().await), (1.0, 0.0));
    house.close().await;
}

/// user_oidc was updated: what is held is of no use any more, and is given back.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_became_useless_are_logged_out() {
    let updated = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_updated = updated.clone();
    let (house, heads) =
        answering(move |head, own| match own && is_updated.load(std::sync::atomic::Ordering::SeqCst) {
            _ if head.contains("/logout") => LOGGED_OUT.to_owned(),
            true => WHO_IS.replace("Set-Cookie: nc_username=alice; Max-Age=9\r\n", ""),
            false => WHO_IS.to_owned(),
        })
        .await;
    house.is(&house.token("alice"), "alice").await;
    assert_eq!(house.kept().await, 1.0);
    updated.store(true, std::sync::atomic::Ordering::SeqCst);
    house.is(&house.token("bob"), "alice").await;
    house.until("they are logged out", async || !came(&heads, "/logout").is_empty()).await;
    assert_eq!((house.ends("useless").await, house.kept().await), (1.0, 0.0));
    house.close().await;
}
