//! Who may ask about a token (RFC 7662). Since 26.6.2 only those in its audience (CVE-2026-37979).

use serde_json::json;

use crate::keycloak::Version;
use crate::realm::Realm;

#[tokio::test]
async fn an_exchanged_token_is_active_for_nextcloud_and_for_the_requester_only_in_old_versions() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let exchanged = realm.exchange(&tokens.access).audience("nextcloud").send().await.token();
    let seen = realm.introspect("nextcloud", &exchanged).await;
    assert_eq!((&seen["active"], &seen["username"]), (&json!(true), &json!("alice")));
    assert_eq!(seen["client_id"], "mcp-server");
    let by_requester = realm.introspect("mcp-server", &exchanged).await;
    assert_eq!(by_requester["active"], realm.kc.version < Version(26, 6, 2));
}

#[tokio::test]
async fn the_token_of_a_caller_is_active_for_the_requester_and_for_nextcloud_only_in_old_versions() {
    let Some(realm) = Realm::shared().await else { return };
    let tokens = realm.alice().await;
    let seen = realm.introspect("mcp-server", &tokens.access).await;
    assert_eq!((&seen["active"], &seen["client_id"]), (&json!(true), &json!("mcp-client")));
    assert_eq!(seen["sid"], tokens.sid());
    let by_nextcloud = realm.introspect("nextcloud", &tokens.access).await;
    assert_eq!(by_nextcloud["active"], realm.kc.version < Version(26, 6, 2));
}

#[tokio::test]
async fn of_a_token_that_is_no_good_nothing_is_said_but_that() {
    let Some(realm) = Realm::shared().await else { return };
    assert_eq!(realm.introspect("mcp-server", "garbage").await, json!({"active": false}));
}
