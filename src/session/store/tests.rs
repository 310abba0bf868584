use super::super::departures::Departures;
use super::super::kept::tests::{NOW, at, departures, identity, session};
use super::*;

/// A store with the places for these persons, as if each had asked for a session.
fn store(persons: &[&str]) -> Store {
    let mut store = Store::default();
    for person in persons {
        let _ = store.flight(Digest::of(person.as_bytes()), 100, NOW);
    }
    store
}

fn of(departures: &Departures, person: &str, subject: &str, sid: &str) -> Arc<Session> {
    session(departures, person, identity(subject, Some(sid)))
}

fn logout(sid: &str) -> Reach {
    Reach::Purge(Purge::Session { issuer: "https://sso".into(), session: sid.into() })
}

fn holds(store: &Store, session: &Arc<Session>) -> bool {
    matches!(store.look(&session.person(), NOW), Seen::Session(own) if Arc::ptr_eq(&own, session))
}

#[test]
fn the_very_session_is_removed_and_no_newer_one() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a"]);
    let (old, new) = (of(&departures, "a", "alice", "s1"), of(&departures, "a", "alice", "s1"));
    assert!(store.keep(&old, 0) && store.remove(&old) && store.keep(&new, 0));
    assert!(!store.remove(&old));
    assert!(holds(&store, &new));
}

#[test]
fn a_place_that_is_taken_is_not_taken_again() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a"]);
    let (one, two) = (of(&departures, "a", "alice", "s1"), of(&departures, "a", "alice", "s1"));
    assert!(store.keep(&one, 0) && !store.keep(&two, 0));
    assert!(holds(&store, &one));
}

#[test]
fn what_was_begun_before_a_purge_is_not_kept_after_it() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a", "b"]);
    let begun = store.generation();
    let (alice, bob) = (of(&departures, "a", "alice", "s1"), of(&departures, "b", "bob", "s2"));
    assert!(store.purge(logout("s1")).is_empty());
    assert!(!store.keep(&alice, begun));
    assert!(store.keep(&bob, begun), "it was not his");
    assert!(store.keep(&alice, store.generation()), "whoever asks after it is another matter");
}

#[test]
fn an_opening_that_outlasts_the_memory_of_purges_is_not_kept() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a"]);
    let alice = of(&departures, "a", "alice", "s1");
    for number in 0..REMEMBERED {
        let _ = store.purge(logout(&format!("other{number}")));
    }
    let begun = 0;
    assert!(store.keep(&alice, begun) && store.remove(&alice));
    let _ = store.purge(logout("one too many"));
    assert!(!store.keep(&alice, begun));
    assert_eq!(store.recent.len(), REMEMBERED);
}

#[test]
fn a_refused_subject_without_a_sid_takes_what_it_has_through_its_client() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a", "b", "c"]);
    let mut other_client = identity("alice", None);
    other_client.client = Some("another".into());
    let (own, other) = (session(&departures, "a", identity("alice", None)), session(&departures, "b", other_client));
    let bob = session(&departures, "c", identity("bob", None));
    assert!(store.keep(&own, 0) && store.keep(&other, 0) && store.keep(&bob, 0));
    let taken = store.purge(Reach::Refused(Box::new(identity("alice", None))));
    assert_eq!(taken.len(), 1);
    assert!(!holds(&store, &own) && holds(&store, &other) && holds(&store, &bob));
}

#[test]
fn the_oldest_of_an_owner_are_too_many() {
    let (departures, _arrivals) = departures();
    let persons: Vec<String> = (0..=QUOTA).map(|number| number.to_string()).collect();
    let mut store = store(&persons.iter().map(String::as_str).collect::<Vec<_>>());
    let own: Vec<_> = persons.iter().map(|person| of(&departures, person, "alice", person)).collect();
    for session in &own {
        assert!(store.keep(session, 0));
    }
    let [beyond] = &store.beyond_quota(&own[QUOTA])[..] else { panic!("one is too many") };
    assert!(Arc::ptr_eq(beyond, &own[0]));
    assert!(store.remove(beyond));
    assert!(store.beyond_quota(&own[QUOTA]).is_empty());
}

#[test]
fn a_full_store_gives_the_place_of_the_least_recently_used_and_none_if_all_are_being_opened() {
    let (departures, _arrivals) = departures();
    let mut store = Store::default();
    let places = ["a", "b"].map(|person| store.flight(Digest::of(person.as_bytes()), 2, NOW).0.unwrap());
    let third = Digest::of(b"c");
    assert!(store.flight(third, 2, NOW).0.is_none(), "both are being opened");
    let (one, two) = (of(&departures, "a", "alice", "s1"), of(&departures, "b", "bob", "s2"));
    assert!(store.keep(&one, 0) && store.keep(&two, 0));
    drop(one.lease(at(5)));
    drop(places);
    let (flight, evicted) = store.flight(third, 2, at(5));
    assert!(flight.is_some() && evicted.is_some_and(|evicted| Arc::ptr_eq(&evicted, &two)));
    assert!(holds(&store, &one) && !holds(&store, &two));
}

#[test]
fn a_refusal_keeps_its_place_until_it_is_forgotten() {
    let mut store = store(&["a"]);
    let person = Digest::of(b"a");
    store.refuse(&person, at(30));
    store.sweep(at(29));
    assert!(matches!(store.look(&person, at(29)), Seen::Refused));
    assert!(matches!(store.look(&person, at(30)), Seen::Nothing));
    store.sweep(at(30));
    assert!(store.places.is_empty());
}

#[test]
fn nothing_is_kept_once_all_is_closed() {
    let (departures, _arrivals) = departures();
    let mut store = store(&["a", "b"]);
    let (one, two) = (of(&departures, "a", "alice", "s1"), of(&departures, "b", "bob", "s2"));
    assert!(store.keep(&one, 0));
    assert_eq!(store.close().len(), 1);
    assert!(store.is_closed() && !store.keep(&two, 0));
    assert!(store.by_principal.is_empty());
}
