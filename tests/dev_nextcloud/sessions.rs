//! Sessions behind a bearer: what they save, and whom they serve.

use std::time::Duration;

use obo_proxy::dev::nextcloud::Generation;

use super::hazards::{id, session_of, with};
use super::wire::House;

#[tokio::test]
async fn an_anonymous_session_becomes_whoever_comes_first() {
    let house = House::of(Generation::V7_3).await;
    let open =
        house.send("GET", "/ocs/v2.php/cloud/capabilities?format=json", &[("authorization", "Bearer bad")], "").await;
    assert_eq!(open.status, 200);
    let cookie = session_of(&house, &open);
    assert_eq!(id(&with(&house, &house.bearer("alice"), &cookie).await).unwrap(), "alice");
    assert_eq!(
        id(&with(&house, &house.bearer("bob"), &cookie).await).unwrap(),
        "alice",
        "and then serves bob as alice"
    );
}

#[tokio::test]
async fn a_logged_out_session_rises_again_with_a_bearer() {
    let house = House::of(Generation::V7_3).await;
    let bearer = house.bearer("alice");
    let cookie = session_of(&house, &with(&house, &bearer, "x=y").await);
    let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str()), ("ocs-apirequest", "true")];
    assert_eq!(house.send("GET", "/index.php/logout", &headers, "").await.status, 303);
    assert_eq!(with(&house, "", &cookie).await.status, 401);
    assert_eq!(id(&with(&house, &bearer, &cookie).await).unwrap(), "alice");
    assert_eq!(id(&with(&house, "", &cookie).await).unwrap(), "alice", "alive once more");
}

#[tokio::test]
async fn a_session_saves_the_login_and_survives_its_token() {
    let house = House::with(|options| options.session_delay = Duration::from_millis(30)).await;
    let started = std::time::Instant::now();
    let first = with(&house, &house.bearer("alice"), "x=y").await;
    assert!(started.elapsed() >= Duration::from_millis(30), "it opened one");
    let cookie = session_of(&house, &first);
    for _ in 0..3 {
        let expired = house.provider.mint_exchanged("alice").expired(Duration::from_secs(5)).sign().unwrap();
        assert_eq!(with(&house, &format!("Bearer {expired}"), &cookie).await.status, 200);
    }
    assert_eq!(house.nextcloud.logins(), 1, "none of them opened a session");
    with(&house, &house.bearer("alice"), "x=y").await;
    assert_eq!(house.nextcloud.logins(), 2);
    house.nextcloud.restart();
    assert_eq!(with(&house, "", &cookie).await.status, 401);
}

#[tokio::test]
async fn a_session_without_its_passphrase_is_nobodys() {
    let house = House::of(Generation::V7_3).await;
    let cookie = session_of(&house, &with(&house, &house.bearer("alice"), "x=y").await);
    let alone = cookie.split("; ").find(|pair| pair.starts_with(house.nextcloud.instance_id())).unwrap();
    assert_eq!(with(&house, "", alone).await.status, 401);
    assert_eq!(with(&house, "", &cookie).await.status, 200);
}

#[tokio::test]
async fn a_disabled_user_lives_on_in_a_session_until_the_next_check() {
    let house = House::of(Generation::V7_3).await;
    let bearer = house.bearer("alice");
    let cookie = session_of(&house, &with(&house, &bearer, "x=y").await);
    let files = "/remote.php/dav/files/alice/";
    let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str()), ("ocs-apirequest", "true")];
    house.nextcloud.age_sessions(Duration::from_secs(400));
    assert_eq!(house.send("PROPFIND", files, &headers, "").await.status, 207, "the check of five minutes is passed");
    house.nextcloud.disable("alice");
    house.nextcloud.age_sessions(Duration::from_secs(180));
    assert_eq!(house.send("PROPFIND", files, &headers, "").await.status, 207, "over WebDAV");
    assert_eq!(house.send("PUT", &format!("{files}late.txt"), &headers, "x").await.status, 201, "writing as well");
    assert_eq!(with(&house, &bearer, &cookie).await.status, 401, "not over OCS");
    let notes = house.send("GET", "/index.php/apps/notes/api/v1/notes", &headers, "").await;
    assert_eq!(notes.status, 401, "not in an app's API");
    assert_eq!(house.send("PROPFIND", files, &headers[..1], "").await.status, 401, "not without the session");
    house.nextcloud.age_sessions(Duration::from_secs(150));
    let late = house.send("PROPFIND", files, &headers, "").await;
    assert_eq!(late.status, 503);
    assert!(late.text().contains("Account disabled"), "{}", late.text());
    assert!(!late.headers.contains_key("x-nextcloud-maintenance-mode"), "it is no maintenance");
    assert_eq!(house.send("PROPFIND", files, &headers, "").await.status, 401, "the session has ended");
    house.nextcloud.enable("alice");
    assert_eq!(with(&house, &bearer, "x=y").await.status, 200);
}

#[tokio::test]
async fn of_8_10_a_disabled_user_is_out_at_once() {
    let house = House::of(Generation::V8_10).await;
    let bearer = house.bearer("alice");
    let cookie = session_of(&house, &with(&house, &bearer, "x=y").await);
    house.nextcloud.disable("alice");
    let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str()), ("ocs-apirequest", "true")];
    assert_eq!(house.send("PROPFIND", "/remote.php/dav/files/alice/", &headers, "").await.status, 401);
    assert_eq!(with(&house, &bearer, &cookie).await.status, 401);
}

#[tokio::test]
async fn the_check_interval_can_be_set() {
    let house = House::with(|options| options.disabled_session_lives = Duration::ZERO).await;
    let bearer = house.bearer("alice");
    let cookie = session_of(&house, &with(&house, &bearer, "x=y").await);
    house.nextcloud.disable("alice");
    let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str()), ("ocs-apirequest", "true")];
    assert_eq!(house.send("PROPFIND", "/remote.php/dav/files/alice/", &headers, "").await.status, 503);
}
