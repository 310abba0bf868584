//! The main job.

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn alices_file_is_fetched_with_her_token_and_bobs_never_shows() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let hers = house.get("/remote.php/dav/files/alice/alice.txt", &alice).await;
    assert_eq!(hers.status(), 200);
    assert!(hers.text().await.unwrap().contains("alice"));
    assert_eq!(house.get("/remote.php/dav/files/bob/bob.txt", &alice).await.status(), 404);
    assert_eq!(house.get("/remote.php/dav/files/bob/bob.txt", &bob).await.status(), 200);
    for seen in house.nextcloud.seen() {
        let authorization = seen.header("authorization").unwrap_or_default();
        assert!(!authorization.contains(&alice) && !authorization.contains(&bob));
    }
    house.close().await;
}
