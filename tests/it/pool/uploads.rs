//! Answers that come before the end of an upload, and how long an upload and its answer are waited for.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{OK, PUT, before};
use crate::wire::{Upstream, Wire, ask, request};

/// An upload goes on behind an answer that came early, but not for ever: whoever stands still is given up, as without an answer.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_behind_an_early_answer_goes_on_unless_it_stands_still() {
    for early in [OK, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"] {
        let (said, mut uploads) = mpsc::unbounded_channel();
        let upstream = Upstream::serving(move |mut wire, _| {
            let said = said.clone();
            async move {
                wire.head().await;
                wire.write(early).await;
                let _ = said.send(wire.chunked().await);
                wire.rest().await;
                let _ = said.send(("closed".into(), true));
            }
        })
        .await;
        let house = before(&upstream, "idle_timeout = \"1s\"").await;
        let put = request(&house, PUT, &house.token("alice"), "Transfer-Encoding: chunked\r\n");
        let mut wire = Wire::to(&house).await;
        wire.write(&put).await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 20"));
        // Nobody reads its body.
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            wire.write("5\r\npiece\r\n").await;
        }
        wire.write("0\r\n\r\n").await;
        assert_eq!(uploads.recv().await.unwrap(), (b"piece".repeat(4), true));
        assert_eq!(uploads.recv().await.unwrap().0, b"closed", "it is not used again");

        let mut wire = Wire::to(&house).await;
        wire.write(put + "5\r\npiece\r\n").await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 20"));
        let given_up = tokio::time::timeout(Duration::from_secs(5), uploads.recv()).await;
        assert_eq!(given_up.expect("Nextcloud's side ends").unwrap(), (b"piece".to_vec(), false));
        house.close().await;
    }
}

/// What stands still is the upload alone: once it is through, an answer may take its time.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_answer_may_go_on_when_the_upload_has_ended() {
    let upstream = Upstream::serving(|mut wire, _| async move {
        wire.head().await;
        wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        wire.chunked().await;
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            wire.write("5\r\npiece\r\n").await;
        }
        wire.write("0\r\n\r\n").await;
    })
    .await;
    let house = before(&upstream, "idle_timeout = \"1s\"").await;
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, PUT, &house.token("alice"), "Transfer-Encoding: chunked\r\n")).await;
    wire.head().await.expect("the early head");
    wire.write("3\r\nabc\r\n0\r\n\r\n").await;
    assert_eq!(wire.chunked().await, (b"piece".repeat(5), true));
    house.close().await;
}

/// An upgrade in the middle of an upload, which nobody asked for: nothing goes on behind our refusal for longer than it moves.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_in_the_middle_of_an_upload_leaves_nothing_behind() {
    let (said, mut ended) = mpsc::unbounded_channel();
    let upstream = Upstream::serving(move |mut wire, _| {
        let said = said.clone();
        async move {
            wire.head().await;
            wire.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n").await;
            wire.rest().await;
            let _ = said.send(());
        }
    })
    .await;
    let house = before(&upstream, "idle_timeout = \"1s\"").await;
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, PUT, &house.token("alice"), "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert_eq!((answer.status, answer.error()), (502, "nextcloud_unreachable".into()));
    tokio::time::timeout(Duration::from_secs(5), ended.recv()).await.expect("Nextcloud's side ends").unwrap();
    house.close().await;
}

/// From the end of the upload on it is the head that is waited for, however long an upload might stand still.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_waited_for_as_long_as_a_head_though_the_request_had_a_body() {
    let silent = Upstream::serving(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let house = before(&silent, "head_timeout = \"1s\"\nidle_timeout = \"1m\"").await;
    let token = house.token("alice");
    let small = request(&house, PUT, &token, "Content-Length: 3\r\n") + "abc";
    let answer = ask(&house, small).await;
    assert_eq!((answer.status, answer.error()), (504, "nextcloud_timeout".into()));
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, PUT, &token, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    wire.write("0\r\n\r\n").await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(
        (answer.status, answer.error()),
        (504, "nextcloud_timeout".into()),
        "an upload may take longer than a head"
    );
    house.close().await;
}
