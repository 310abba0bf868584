use std::time::Duration;

use http::header::{HeaderMap, SET_COOKIE};
use tokio_util::sync::CancellationToken;

use super::super::cookies::Login;
use super::super::departures::Arrivals;
use super::*;
use crate::metrics::Metrics;
use crate::token::{Audiences, BearerHeader, Lifetime, Principal, ScopeSet};

pub const NOW: Timestamp = Timestamp(1_000);

pub fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

pub fn departures() -> (Departures, Arrivals) {
    Departures::new(100, Metrics::new(&[], &[]).unwrap())
}

pub fn identity(subject: &str, sid: Option<&str>) -> Identity {
    Identity {
        principal: Principal::new(&"https://sso".into(), subject).unwrap(),
        client: Some("mcp-client".into()),
        session: sid.map(Into::into),
        key_id: Some("k1".into()),
        issued_at: NOW,
        expires_at: at(28_800),
        accepted_until: at(28_830),
        audiences: Audiences::default(),
        scopes: ScopeSet::default(),
        introspected: false,
    }
}

/// A session of this subject, found by `person`.
pub fn session(departures: &Departures, person: &str, opener: Identity) -> Arc<Session> {
    let lines = ["oc_sessionPassphrase=p", "ocht9c3fo3al=s4"];
    let headers: HeaderMap = lines.iter().map(|line| (SET_COOKIE, HeaderValue::from_static(line))).collect();
    let cookies = Login::read(&headers, NOW).cookies.unwrap();
    let header = BearerHeader::new("t").unwrap();
    let lifetime = Lifetime::new(NOW, at(300), at(28_800));
    let bearer = Arc::new(ExchangedToken { header, scopes: ScopeSet::default(), lifetime, person: None });
    let person = Digest::of(person.as_bytes());
    Arc::new(Session::new(("alice".into(), cookies), person, opener, bearer, NOW, departures.clone()))
}

fn alice() -> (Arc<Session>, Arrivals) {
    let (departures, arrivals) = departures();
    (session(&departures, "alice", identity("alice", Some("s1"))), arrivals)
}

#[test]
fn a_proof_is_good_for_forty_five_seconds_and_not_used_after_sixty() {
    let (session, _arrivals) = alice();
    for (age, standing) in [
        (0, Standing::Proved),
        (44, Standing::Proved),
        (45, Standing::Ageing),
        (59, Standing::Ageing),
        (60, Standing::Unproved),
        (9_999, Standing::Unproved),
    ] {
        assert_eq!(session.standing(at(age)), standing, "{age} s");
    }
    session.proved(session.last_proof(), at(50));
    assert_eq!(session.standing(at(94)), Standing::Proved);
    assert_eq!(session.standing(at(95)), Standing::Ageing);
}

#[test]
fn an_unanswered_proof_is_not_tried_again_for_five_seconds() {
    let (session, _arrivals) = alice();
    session.unanswered(at(50));
    assert_eq!(session.standing(at(54)), Standing::Proved, "the last one is still good");
    assert_eq!(session.standing(at(55)), Standing::Ageing);
    session.unanswered(at(60));
    assert_eq!(session.standing(at(64)), Standing::Unanswered);
    assert_eq!(session.standing(at(65)), Standing::Unproved);
}

#[test]
fn doubt_outweighs_a_proof_that_was_begun_before_it() {
    let (session, _arrivals) = alice();
    let begun = session.last_proof();
    session.doubt();
    session.proved(begun, at(1));
    assert_eq!(session.standing(at(1)), Standing::Unproved);
    session.proved(session.last_proof(), at(2));
    assert_eq!(session.standing(at(2)), Standing::Proved);
}

#[tokio::test]
async fn the_last_lease_of_a_session_that_ended_sends_it_on_its_way() {
    let (session, _arrivals) = alice();
    let gone = session.departures.clone();
    let (one, two) = (session.lease(NOW).unwrap(), session.lease(at(7)).unwrap());
    assert_eq!(session.used_at(), at(7));
    session.end();
    assert!(session.lease(NOW).is_none(), "there are no new ones");
    drop(one);
    assert!(session.is_in_use());
    // Nobody is on the way yet.
    gone.all_gone(Duration::from_secs(5)).await;
    drop(two);
    let waited = CancellationToken::new();
    let waiting = tokio::time::timeout(Duration::from_millis(20), async {
        gone.all_gone(Duration::from_secs(5)).await;
        waited.cancel();
    });
    assert!(waiting.await.is_err() && !waited.is_cancelled(), "now it is");
}

#[test]
fn a_session_in_memory_does_not_print_its_cookies_or_token() {
    let (session, _arrivals) = alice();
    let printed = format!("{session:?}");
    assert!(!printed.contains("s4") && !printed.contains("Bearer t"), "{printed}");
}
