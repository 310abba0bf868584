//! "Small things that surprise" (nextcloud.md §5): Nextcloud's odd answers reach the caller as they are, cost no exchange, and lead to no retry.

use serde_json::{Value, json};

use crate::house::House;
use crate::hygiene::before;
use crate::wire::{Upstream, ask, request};

const SEARCH: &str = "<d:searchrequest xmlns:d=\"DAV:\"><d:basicsearch><d:select><d:prop><d:displayname/></d:prop></d:select>\
    <d:from><d:scope><d:href>/files/bob</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
    <d:where><d:like><d:prop><d:displayname/></d:prop><d:literal>%</d:literal></d:like></d:where></d:basicsearch></d:searchrequest>";

async fn said(house: &House, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = house.request(method, path, &house.token("alice")).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_home_is_a_bare_collection_at_depth_0_and_not_there_otherwise() {
    let house = House::open().await;
    let bobs = "/remote.php/dav/files/bob/";
    let (status, body) = said(&house, "PROPFIND", bobs, &[("depth", "0")], "").await;
    assert_eq!(status, 207);
    assert!(!body.contains("bob.txt"), "{body}");
    assert_eq!(said(&house, "PROPFIND", bobs, &[("depth", "1")], "").await.0, 404);
    assert_eq!(said(&house, "GET", "/remote.php/dav/files/bob/bob.txt", &[], "").await.0, 404);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_another_persons_files_is_a_500_of_nextclouds() {
    let house = House::open().await;
    let (status, body) =
        said(&house, "SEARCH", "/remote.php/dav/", &[("content-type", "application/xml")], SEARCH).await;
    assert_eq!(status, 500);
    assert!(body.contains("Search is only supported on directories"), "{body}");
    house.close().await;
}

/// Nextcloud says 500; a provider that no scope opens is not asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_search_provider_is_not_asked() {
    let house = House::open().await;
    let (status, body) = said(&house, "GET", "/ocs/v2.php/search/providers/nope/search?term=a", &[], "").await;
    assert_eq!(status, 403);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["error"], "forbidden_route");
    assert_eq!(house.nextcloud.seen().len(), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_was_never_set_is_404() {
    let house = House::open().await;
    assert_eq!(said(&house, "GET", "/ocs/v2.php/apps/user_status/api/v1/user_status", &[], "").await.0, 404);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_calendar_object_is_415_and_a_stale_etag_412() {
    let house = House::open().await;
    let (path, kind) = ("/remote.php/dav/calendars/alice/personal/s.ics", ("content-type", "text/calendar"));
    assert_eq!(said(&house, "PUT", path, &[kind], "no calendar").await.0, 415);
    let stale =
        said(&house, "PUT", path, &[kind, ("if-match", "\"stale\"")], "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").await;
    assert_eq!(stale.0, 412);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_share_with_the_same_person_is_the_first_and_a_link_to_nothing_404() {
    let house = House::open().await;
    let shares = "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json";
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = json!({"path": "/alice.txt", "shareType": 0, "shareWith": "bob", "permissions": 1}).to_string();
        let (status, body) = said(&house, "POST", shares, &[("content-type", "application/json")], &body).await;
        assert_eq!(status, 200, "{body}");
        ids.push(serde_json::from_str::<Value>(&body).unwrap()["ocs"]["data"]["id"].clone());
    }
    assert!(ids[0].is_string() && ids[0] == ids[1], "{ids:?}");
    let missing = json!({"path": "/none", "shareType": 3}).to_string();
    assert_eq!(said(&house, "POST", shares, &[("content-type", "application/json")], &missing).await.0, 404);
    house.close().await;
}

/// Notes says 423 to several at once where nothing locks for it; it is passed on and not tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_note_is_passed_on_at_once() {
    let upstream = Upstream::answering("HTTP/1.1 423 Locked\r\nContent-Length: 2\r\n\r\n[]").await;
    let house = before(&upstream).await;
    let answer =
        ask(&house, request(&house, "GET /index.php/apps/notes/api/v1/notes", &house.token("alice"), "")).await;
    assert_eq!((answer.status, &*answer.body), (423, &b"[]"[..]));
    assert_eq!((upstream.heads.lock().len(), house.provider.counts().exchanges()), (1, 1));
    house.close().await;
}
