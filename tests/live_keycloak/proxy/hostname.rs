//! Ways to Keycloak that are not its hostname: `127.0.0.1` stands for the internal address of a cluster.

use super::house::{Plan, WHOAMI};
use super::log;
use crate::keycloak::Keycloak;
use crate::realm::Realm;

fn discovery_inside(realm: &Realm) -> String {
    let inside = realm.kc.inside();
    format!("discovery_url = \"{inside}realms/{}/.well-known/openid-configuration\"", realm.name)
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_inside_is_enough_where_keycloak_has_a_fixed_hostname() {
    let Some(realm) = Realm::shared().await else { return };
    assert!(realm.issuer().starts_with("http://localhost:"));
    let house = Plan::at(&realm).issuer(&discovery_inside(&realm)).open().await;
    assert_eq!(house.whoami(&realm.alice().await.access).await, "alice");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Keycloak without fixed hostname; scripts/live-keycloak runs it apart"]
async fn without_a_fixed_hostname_an_exchange_asked_inside_is_refused_and_the_log_names_the_setting() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-hostname").await;
    let tokens = realm.alice().await;
    let mut endpoint = realm.endpoint("token");
    endpoint.set_host(kc.inside().host_str()).unwrap();
    let house = Plan::at(&realm).issuer(&format!("token_endpoint = \"{endpoint}\"")).open().await;
    house.refuses(&tokens.access, 401, "invalid_token").await;
    assert!(log::has(&[&realm.issuer(), "the provider no longer accepts a subject token", "set --hostname"]));
    house.nothing_reached_nextcloud();
    house.close().await;

    // The same server, asked by the name in the token.
    let house = Plan::at(&realm).open().await;
    assert_eq!(house.whoami(&tokens.access).await, "alice");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Keycloak without fixed hostname; scripts/live-keycloak runs it apart"]
async fn without_a_fixed_hostname_discovery_inside_names_another_issuer_and_is_not_believed() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-discovery").await;
    let house = Plan::at(&realm).issuer(&discovery_inside(&realm)).open_unready().await;
    let tokens = realm.alice().await;
    for _ in 0..2 {
        let answer = house.get(WHOAMI, &tokens.access).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (503, Some("idp_unavailable")));
    }
    assert!(log::has(&["names the issuer", &format!("127.0.0.1:{}/realms/{}", kc.base.port().unwrap(), realm.name)]));
    house.nothing_reached_nextcloud();
    house.close().await;
}
