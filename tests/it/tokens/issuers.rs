//! Several issuers at once (product.md §3; checklist row 16).

use std::sync::{Arc, Mutex, OnceLock};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::config::Config;
use obo_proxy::dev::identity_provider::{self, Endpoint, IdentityProvider};
use obo_proxy::flight::Control;
use obo_proxy::metrics::Metrics;
use obo_proxy::oauth::ProviderClient;
use obo_proxy::oauth::jwks::RemoteKeys;
use obo_proxy::token::{Clock, Purge};
use tokio::net::TcpListener;

use crate::house::{House, Plan};
use crate::verdict::{INVALID, UNAVAILABLE};

/// What becomes of a good token of the second realm: it is exchanged there, and Nextcloud, which trusts the first alone, refuses the result.
const FOREIGN: &str = "502 nextcloud_rejected_token";

/// A house that trusts a second realm as well, configured so. Nextcloud trusts the first one alone.
async fn house_with(second: &IdentityProvider, issuer: &str, secret: &str, lines: &str) -> House {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), secret).unwrap();
    let tables = format!(
        "[issuers.second]\nissuer = {issuer:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n{lines}\n",
        file.path()
    );
    let house = Plan { tables, ..Plan::default() }.build().await;
    house.until("the second realm was asked", async || second.counts().discovery() > 0).await;
    house
}

async fn realm(options: identity_provider::Options) -> IdentityProvider {
    IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), options).unwrap()
}

async fn two_realms() -> (House, IdentityProvider) {
    let second = realm(identity_provider::Options::default()).await;
    let house = house_with(&second, second.issuer(), "mcp-server-secret", "").await;
    house.until("its keys are fetched", async || second.counts().jwks() > 0).await;
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
    house.until("the second realm's keys are there", async || house.verdict(&foreign).await == FOREIGN).await;
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
    assert_eq!(house.own_judgement(posing).await, INVALID);
    house.pass(10);
    let borrowed =
        second.mint("alice").claim("iss", house.provider.issuer()).header("kid", house.provider.current_kid());
    assert_eq!(house.own_judgement(borrowed).await, INVALID);
    house.pass(10);
    assert_eq!(house.own_judgement(house.provider.mint("alice").claim("iss", second.issuer())).await, INVALID);
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
    house.until("the other is still known", async || house.verdict(&foreign).await == FOREIGN).await;
    house.close().await;
}

/// An issuer whose keys were never seen: nobody can say whether the token is good. The proxy starts all the same, and serves when it answers.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_an_issuer_that_never_answered_are_503_until_it_does() {
    let second = realm(identity_provider::Options::default()).await;
    let token = second.mint("alice").sign().unwrap();
    second.fail(Endpoint::Discovery, 503, "");
    let house = house_with(&second, second.issuer(), "mcp-server-secret", "").await;
    assert_eq!(house.verdict(&token).await, UNAVAILABLE);
    assert_eq!(house.judge(house.provider.mint("alice")).await, "200");
    second.recover(Endpoint::Discovery);
    house.pass(10);
    assert_eq!(house.verdict(&token).await, FOREIGN);
    house.close().await;
}

/// OpenID Connect Discovery §4.3: metadata that name another issuer, be it by a slash, are nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_another_issuer_are_not_used() {
    let second = realm(identity_provider::Options::default()).await;
    let slash = format!("{}/", second.issuer());
    let lines = format!("discovery_url = \"{}/.well-known/openid-configuration\"", second.issuer());
    let house = house_with(&second, &slash, "mcp-server-secret", &lines).await;
    house.pass(10);
    assert_eq!(house.judge(second.mint("alice").claim("iss", slash)).await, UNAVAILABLE);
    assert_eq!(second.counts().jwks(), 0, "keys were fetched where somebody else's metadata said");
    house.close().await;
}

/// RFC 6749 §2.3.1: both halves of the Basic credentials are form-urlencoded; `client_secret_post` says them in the form.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_odd_letters_is_understood_either_way() {
    for (method, basic) in [("client_secret_basic", true), ("client_secret_post", false)] {
        let odd = "a:b%41+c d&e=f/\u{e4}\"";
        let options = identity_provider::Options { requester_secret: odd.to_owned().into(), ..Default::default() };
        let second = realm(options).await;
        let house = house_with(&second, second.issuer(), odd, &format!("client_auth = \"{method}\"")).await;
        house.until("its keys are fetched", async || second.counts().jwks() > 0).await;
        let token = second.mint("alice").sign().unwrap();
        house.until("it is served", async || house.verdict(&token).await == FOREIGN).await;
        let seen = &second.exchanges()[0];
        assert_eq!((seen.basic, seen.status, seen.client_id.as_deref()), (basic, 200, Some("mcp-server")), "{method}");
        house.close().await;
    }
}

/// The entries learn of a new key before a token can be verified by it. The other way round, who came in between with a good new token was
/// told that its key had disappeared: 401, and that is a logout.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_made_known_before_it_verifies() {
    let provider = realm(identity_provider::Options::default()).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s").unwrap();
    let toml = format!(
        "public_url = \"http://127.0.0.1:1\"\n[nextcloud]\nurl = \"http://127.0.0.1:2\"\n[issuers.dev]\nissuer = {:?}\n\
         client_id = \"mcp-server\"\nclient_secret_file = {:?}\n",
        provider.issuer(),
        secret.path()
    );
    let config = Config::resolve(Figment::new().merge(Toml::string(&toml))).unwrap();
    let own: Arc<OnceLock<Arc<RemoteKeys>>> = Arc::default();
    let told: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
    let sink = {
        let (own, told) = (own.clone(), told.clone());
        move |purge: Purge| {
            if let Purge::Keys { kept, .. } = purge {
                let usable = kept.iter().filter(|kid| own.get().unwrap().publishes(kid)).count();
                told.lock().unwrap().push((kept.len(), usable));
            }
        }
    };
    let keys = RemoteKeys::new(
        Arc::new(config.issuers[0].clone()),
        ProviderClient::new(None).unwrap(),
        Control::new(tokio::runtime::Handle::current()),
        Clock::System,
        Metrics::new(&[], &[]).unwrap(),
        Arc::new(sink),
    );
    own.set(keys.clone()).ok().unwrap();
    assert!(keys.refresh_for_all().await);
    provider.rotate_keys().unwrap();
    assert!(keys.refresh_for_all().await);
    assert!(keys.publishes(&provider.current_kid()));
    assert_eq!(*told.lock().unwrap(), [(1, 0), (2, 1)], "(keys told of, keys usable at that moment)");
}
