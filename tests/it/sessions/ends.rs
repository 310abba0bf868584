//! When a session ends, and for whom.

use std::time::Duration;

use obo_proxy::token::{Purge, Timestamp};

use super::{WHO, plan};
use crate::house::{House, Plan};

/// A user's session, and the cookie that it goes by.
async fn cookie(house: &House, token: &str) -> String {
    assert_eq!(house.get(WHO, token).await.status(), 200);
    house.last_call().header("cookie").expect("a session").to_owned()
}

async fn is_logged_out(house: &House, cookie: &str) {
    house.until("it is logged out", async || !house.lives(cookie)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_session_id_in_an_answer_drops_ours_and_the_next_request_opens_one() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    let before = cookie(&house, &token).await;
    house.nextcloud.restart();
    house.is(&token, "alice").await;
    assert_eq!(house.last_call().header("cookie"), Some(&*before), "nobody could know");
    assert_eq!((house.ends("changed").await, house.kept().await), (1.0, 0.0));
    let after = cookie(&house, &token).await;
    assert_ne!(after, before);
    assert_eq!(house.openings().len(), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nextcloud_whose_sessions_do_not_last_is_not_asked_for_them_over_and_over() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    for _ in 0..10 {
        house.is(&token, "alice").await;
        house.nextcloud.restart();
    }
    assert_eq!(house.openings().len(), 2);
    house.pass(30);
    house.is(&token, "alice").await;
    assert_eq!(house.openings().len(), 3);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_or_a_revocation_ends_its_own_sessions_and_no_others() {
    for by_subject in [false, true] {
        let house = House::with_sessions().await;
        let alice = house.provider.mint("alice");
        let sid = alice.sid().unwrap().to_owned();
        let (alice, bob) = (alice.sign().unwrap(), house.token("bob"));
        let (mine, bobs) = (cookie(&house, &alice).await, cookie(&house, &bob).await);
        if by_subject {
            // The tokens are issued by the real time, which goes on.
            house.purge_subject("alice", house.now() + 600);
        } else {
            house.purge_session(&sid);
        }
        is_logged_out(&house, &mine).await;
        assert!(house.lives(&bobs));
        assert_eq!(house.get(WHO, &alice).await.status(), 401);
        assert_eq!((house.ends("purged").await, house.kept().await), (1.0, 1.0));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_signing_key_disappears_or_the_realm_revokes_what_is_older() {
    for not_before in [false, true] {
        let house = House::with_sessions().await;
        let token = house.token("alice");
        let mine = cookie(&house, &token).await;
        let issuer: std::sync::Arc<str> = house.provider.issuer().into();
        house.running.entries.purge(&if not_before {
            Purge::NotBefore { issuer, moment: Timestamp(house.now() + 10) }
        } else {
            Purge::Keys { issuer, kept: std::collections::HashSet::default() }
        });
        is_logged_out(&house, &mine).await;
        assert_eq!((house.ends("purged").await, house.kept().await), (1.0, 0.0));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_the_provider_refuses_at_a_renewal_takes_its_session_along() {
    let house = House::with_sessions().await;
    let alice = house.provider.mint("alice");
    let sid = alice.sid().unwrap().to_owned();
    let (alice, bob) = (alice.sign().unwrap(), house.token("bob"));
    let (mine, bobs) = (cookie(&house, &alice).await, cookie(&house, &bob).await);
    assert!(house.provider.logout(&sid));
    house.pass(280);
    // Served by the token that is left, while the renewal finds out.
    house.is(&alice, "alice").await;
    is_logged_out(&house, &mine).await;
    assert_eq!(house.ends("subject_refused").await, 1.0);
    house.is(&bob, "bob").await;
    assert!(house.lives(&bobs));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_used_for_ten_minutes_is_logged_out() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    let mine = cookie(&house, &token).await;
    house.pass(599);
    house.sweep();
    assert_eq!(house.kept().await, 1.0);
    house.pass(1);
    house.sweep();
    is_logged_out(&house, &mine).await;
    assert_eq!((house.ends("idle").await, house.kept().await), (1.0, 0.0));
    let again = cookie(&house, &token).await;
    house.pass(600);
    house.is(&token, "alice").await;
    assert_ne!(house.last_call().header("cookie"), Some(&*again), "nor is it used before the sweep comes");
    house.close().await;
}

/// An account that is remapped inside Nextcloud shows in no claim of any token, and its session wins over the bearer.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_constant_use_is_opened_anew_after_half_an_hour() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    let first = cookie(&house, &token).await;
    house.nextcloud.rename("alice", "carol");
    for _ in 0..3 {
        house.pass(599);
        house.is(&token, "alice").await;
        assert_eq!(house.last_call().header("cookie"), Some(&*first));
    }
    house.pass(3);
    house.is(&token, "carol").await;
    assert_ne!(house.last_call().header("cookie"), Some(&*first));
    is_logged_out(&house, &first).await;
    assert_eq!((house.ends("aged").await, house.kept().await), (1.0, 1.0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ninth_session_of_a_person_costs_the_first() {
    let house = House::with_sessions().await;
    let bobs = cookie(&house, &house.token("bob")).await;
    let mut own = Vec::new();
    for _ in 0..9 {
        own.push(cookie(&house, &house.token("alice")).await);
    }
    is_logged_out(&house, &own[0]).await;
    assert!(own[1..].iter().chain([&bobs]).all(|cookie| house.lives(cookie)));
    assert_eq!((house.ends("quota").await, house.kept().await), (1.0, 9.0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_parts_with_the_one_that_was_used_least_recently() {
    let house = Plan { session_lines: "max = 2".into(), ..plan() }.build().await;
    let (alice, bob, carol) = (house.token("alice"), house.token("bob"), house.token("carol"));
    let first = cookie(&house, &alice).await;
    house.pass(1);
    let second = cookie(&house, &bob).await;
    house.pass(1);
    cookie(&house, &alice).await;
    house.pass(1);
    cookie(&house, &carol).await;
    is_logged_out(&house, &second).await;
    assert!(house.lives(&first));
    assert_eq!((house.ends("evicted").await, house.kept().await), (1.0, 2.0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_stop_logs_out_all_that_we_hold() {
    let house = House::with_sessions().await;
    for number in 0..20 {
        cookie(&house, &house.token(&format!("user{number}"))).await;
    }
    let House { running, nextcloud, provider, .. } = house;
    running.stop().await;
    assert!(nextcloud.sessions().iter().all(|session| session.user.is_none()), "{:?}", nextcloud.sessions());
    drop(provider);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_swap_their_names_are_themselves_at_once() {
    let house = House::with_sessions().await;
    let (alice, bob) = (house.provider.mint("alice"), house.provider.mint("bob"));
    let (alice_sid, bob_sid) = (alice.sid().unwrap().to_owned(), bob.sid().unwrap().to_owned());
    let (alice, bob) = (alice.sign().unwrap(), bob.sign().unwrap());
    house.is(&alice, "alice").await;
    house.is(&bob, "bob").await;
    house.provider.tamper_exchange(|answer| {
        let swapped = if answer.claims["preferred_username"] == "alice" { "bob" } else { "alice" };
        answer.claims.insert("preferred_username".into(), swapped.into());
    });
    let again = |user: &str, sid: &str| house.provider.mint_in_session(user, sid).sign().unwrap();
    house.is(&again("alice", &alice_sid), "bob").await;
    house.is(&again("bob", &bob_sid), "alice").await;
    // The tokens of before, once they are exchanged anew.
    house.pass(300);
    house.is(&alice, "bob").await;
    house.is(&bob, "alice").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_under_way_does_not_lose_its_session_to_the_idle_sweep() {
    let house = House::with_sessions().await;
    let token = house.token("alice");
    house.nextcloud.put_file("alice", "large.bin", vec![7_u8; 64 * 1024]).await.unwrap();
    let mine = cookie(&house, &token).await;
    house.nextcloud.slow_body(Duration::from_millis(20));
    let answer = house.get("/remote.php/webdav/large.bin", &token).await;
    house.pass(601);
    house.sweep();
    assert!(house.lives(&mine), "it is in use");
    house.is(&token, "alice").await;
    assert_eq!(house.last_call().header("cookie"), Some(&*mine), "nor to the next request");
    house.pass(601);
    house.nextcloud.slow_body(Duration::ZERO);
    assert_eq!(answer.bytes().await.unwrap().len(), 64 * 1024);
    house
        .until("it is idle once the body is through", async || {
            house.sweep();
            !house.lives(&mine)
        })
        .await;
    house.close().await;
}
