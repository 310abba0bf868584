//! Several issuers at once (product.md §3; checklist row 16).

use obo_proxy::dev::identity_provider::{self, IdentityProvider};
use tokio::net::TcpListener;

use crate::house::{House, Plan};
use crate::verdict::INVALID;

/// A house that trusts a second realm as well. Nextcloud trusts the first one alone.
async fn two_realms() -> (House, IdentityProvider) {
    let options = identity_provider::Options::default();
    let second = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).unwrap();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "mcp-server-secret").unwrap();
    let tables = format!(
        "[issuers.second]\nissuer = {:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n",
        second.issuer(),
        secret.path()
    );
    let house = Plan { tables, ..Plan::default() }.build().await;
    house.until("the second realm's keys are known", async || second.counts().jwks() > 0).await;
    (house, second)
}

/// product.md §3: several issuers at once, each with its own exchange.
#[tokio::test(flavor = "multi_thread")]
async fn each_issuer_exchanges_its_own_tokens() {
    let (house, second) = two_realms().await;
    assert_eq!(house.judge(house.provider.mint("alice")).await, "200");
    assert_eq!((house.exchanges(), second.counts().exchanges()), (1, 0));
    let foreign = second.mint("alice").sign().unwrap();
    // Nextcloud trusts the first realm alone, so it refuses what the second one gave, twice.
    house
        .until("the second realm's keys are there", async || {
            house.verdict(&foreign).await == "502 nextcloud_rejected_token"
        })
        .await;
    assert_eq!(house.exchanges(), 1, "the first realm never heard of it");
    assert!(second.counts().exchanges() > 0);
    house.close().await;
}

/// Checklist row 16: a `kid` is looked for with its issuer and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_issuer_signs_nothing_for_another() {
    let (house, second) = two_realms().await;
    house.pass(10);
    let posing = second.mint("alice").claim("iss", house.provider.issuer());
    assert_eq!(house.judge(posing).await, INVALID);
    house.pass(10);
    let borrowed =
        second.mint("alice").claim("iss", house.provider.issuer()).header("kid", house.provider.current_kid());
    assert_eq!(house.judge(borrowed).await, INVALID);
    house.pass(10);
    assert_eq!(house.judge(house.provider.mint("alice").claim("iss", second.issuer())).await, INVALID);
    assert_eq!((house.exchanges(), second.counts().exchanges()), (0, 0));
    house.close().await;
}

/// Checklist row 23: the same `sub` of two issuers are two people; a purge of one leaves the other alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_subject_of_two_issuers_is_two_people() {
    let (house, second) = two_realms().await;
    let (own, foreign) = (house.token("alice"), second.mint("alice").sign().unwrap());
    assert_eq!(house.provider.subject("alice"), second.subject("alice"));
    assert_eq!(house.verdict(&own).await, "200");
    house.purge_subject("alice", house.now() + 60);
    assert_eq!(house.verdict(&own).await, INVALID);
    house
        .until("the other is still known", async || house.verdict(&foreign).await == "502 nextcloud_rejected_token")
        .await;
    house.close().await;
}

/// An issuer whose keys were never seen: nobody can say whether the token is good.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_an_issuer_that_never_answered_are_503_and_the_others_are_served() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "mcp-server-secret").unwrap();
    let options = identity_provider::Options::default();
    let second = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).unwrap();
    let token = second.mint("alice").sign().unwrap();
    second.refuse_connections().await;
    let tables = format!(
        "[issuers.second]\nissuer = {:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n",
        second.issuer(),
        secret.path()
    );
    let house = Plan { tables, ..Plan::default() }.build().await;
    assert_eq!(house.verdict(&token).await, crate::verdict::UNAVAILABLE);
    assert_eq!(house.judge(house.provider.mint("alice")).await, "200");
    house.close().await;
}
