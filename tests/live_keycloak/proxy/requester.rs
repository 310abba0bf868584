//! What callers are told when the requester in Keycloak, or what obo-proxy was configured with, is not right; what it may
//! ask for when it is.

use std::collections::BTreeSet;

use serde_json::json;

use super::house::{Plan, WHOAMI, bearer};
use super::{ignorant, log};
use crate::keycloak::Keycloak;
use crate::realm::Realm;

/// That the plan's proxy answers alice so, sends nothing to Nextcloud, and that its log has these texts in one line.
async fn ends_with(realm: &Realm, plan: Plan<'_>, status: u16, error: &str, logged: &str) {
    let house = plan.open().await;
    let tokens = realm.alice().await;
    let answer = house.refuses(&tokens.access, status, error).await;
    assert!(!answer.body.to_string().contains("mcp-server"), "no cause for the caller: {}", answer.body);
    assert!(log::has(&[&realm.issuer(), logged]), "{logged} is not in the log");
    house.nothing_reached_nextcloud();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_that_is_switched_off_is_the_operators_fault_and_the_log_names_the_switch() {
    let Some(realm) = Realm::shared().await else { return };
    let plan = Plan::at(&realm).requester("mcp-server-off");
    ends_with(&realm, plan, 502, "idp_misconfigured", "standard.token.exchange.enabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_the_operators_fault_and_the_log_names_its_file() {
    let Some(realm) = Realm::shared().await else { return };
    for method in ["client_secret_basic", "client_secret_post"] {
        let plan = Plan::at(&realm).secret("wrong").issuer(&format!("client_auth = {method:?}"));
        ends_with(&realm, plan, 502, "idp_misconfigured", "client_secret_file").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_is_not_to_be_had_is_the_operators_fault() {
    let Some(realm) = Realm::shared().await else { return };
    for (requester, audience, logged) in [
        ("mcp-server-noaud", "nextcloud", "Requested audience not available: nextcloud"),
        ("mcp-server", "does-not-exist", "Audience not found"),
        ("mcp-server", "disabled-target", "Client disabled"),
    ] {
        let plan = Plan::at(&realm).requester(requester).issuer(&format!("nextcloud_audience = {audience:?}"));
        ends_with(&realm, plan, 502, "idp_misconfigured", logged).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_audience_is_thrown_away_though_nextcloud_would_take_it() {
    let Some(realm) = Realm::shared().await else { return };
    let endpoint = ignorant::token_endpoint(&realm).await;
    let plan = || Plan::at(&realm).issuer(&format!("token_endpoint = {endpoint:?}"));
    ends_with(&realm, plan().requester("mcp-server-noaud"), 502, "idp_malformed", "aud is not exactly").await;
    // One audience too many is no better than none.
    ends_with(&realm, plan().requester("mcp-server-two"), 502, "idp_malformed", "aud is not exactly").await;

    // That it was the audience alone: with the one mapper of `mcp-server` the same way works.
    let house = plan().open().await;
    assert_eq!(house.whoami(&realm.alice().await.access).await, "alice");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_somebody_elses_is_thrown_away() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-sub").await;
    // An operator who likes names better than ids, at the requester alone.
    realm.add_mapper("mcp-server", json!({
        "name": "sub", "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {"user.attribute": "username", "claim.name": "sub", "jsonType.label": "String", "access.token.claim": "true"},
    })).await;
    ends_with(&realm, Plan::at(&realm), 502, "idp_malformed", "another sub").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_basic_an_exchanged_token_still_says_whose_it_is() {
    let Some(kc) = Keycloak::running() else { return };
    let realm = Realm::fresh(&kc, "through-basic").await;
    realm.unassign_default_scope("mcp-server", "basic").await;
    let house = Plan::at(&realm).open().await;
    let tokens = realm.alice().await;
    assert_eq!(house.whoami(&tokens.access).await, "alice");
    assert_eq!(bearer(&house.nextcloud.seen()[0])["sub"], tokens.claims()["sub"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_full_of_reserved_characters_is_good_by_basic_and_by_post() {
    let Some(realm) = Realm::shared().await else { return };
    for method in ["client_secret_basic", "client_secret_post"] {
        let plan = Plan::at(&realm).requester("mcp-server-odd").issuer(&format!("client_auth = {method:?}"));
        let house = plan.open().await;
        assert_eq!(house.whoami(&realm.alice().await.access).await, "alice");
        assert_eq!(bearer(&house.nextcloud.seen()[0])["azp"], "mcp-server-odd");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_of_the_configuration_are_asked_for_and_granted() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).issuer("exchange_scopes = [\"files.read\"]").open().await;
    let tokens = realm.login("alice", "alice", &["files.read", "nc.read"]).await;
    assert_eq!(house.get(WHOAMI, &tokens.access).await.status, 200);
    assert_eq!(bearer(&house.nextcloud.seen()[0]).scope(), ["email", "files.read", "profile"].into());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_may_hang_on_a_scope_that_the_configuration_asks_for() {
    let Some(realm) = Realm::shared().await else { return };
    let plan = Plan::at(&realm).requester("mcp-server-noaud").issuer("exchange_scopes = [\"nextcloud-audience\"]");
    let house = plan.open().await;
    assert_eq!(house.whoami(&realm.alice().await.access).await, "alice");
    assert_eq!(bearer(&house.nextcloud.seen()[0])["aud"], "nextcloud");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_the_requester_has_not_is_the_operators_fault_and_no_step_up() {
    let Some(realm) = Realm::shared().await else { return };
    let plan = Plan::at(&realm).issuer("exchange_scopes = [\"phone\"]");
    ends_with(&realm, plan, 502, "idp_misconfigured", "Invalid scopes: phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_scopes_that_nobody_asked_for_is_thrown_away_and_the_log_names_them() {
    let Some(realm) = Realm::shared().await else { return };
    let plan = Plan::at(&realm).issuer("default_scopes = [\"profile\"]");
    ends_with(&realm, plan, 502, "idp_malformed", "scopes that nobody asked for (email)").await;
}

/// Least privilege: each route is exchanged for its own scopes, and Keycloak grants those and no others.
#[tokio::test(flavor = "multi_thread")]
async fn the_scope_of_each_route_is_asked_for_and_granted_alone() {
    let Some(realm) = Realm::shared().await else { return };
    let house = Plan::at(&realm).open().await;
    let tokens = realm.login("alice", "alice", &["files.write", "shares.read", "notes.read"]).await;
    for (path, scopes) in [
        (WHOAMI, ["email", "profile"].into()),
        ("/remote.php/dav/files/alice/alice.txt", ["email", "files.read", "profile"].into()),
        ("/apps/notes/api/v1/notes", ["email", "notes.read", "profile"].into()),
        (
            "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json",
            BTreeSet::from(["email", "files.read", "profile", "shares.read"]),
        ),
    ] {
        // What the stand-in answers is not the question.
        house.get(path, &tokens.access).await;
        let seen = house.nextcloud.seen();
        let seen = seen.last().unwrap();
        assert_eq!((seen.target.as_str(), bearer(seen).scope()), (path, scopes));
    }
    // A token that was granted too little is told what to ask for, and reaches nobody.
    let before = house.nextcloud.seen().len();
    let answer = house.get("/remote.php/dav/calendars/alice/personal/", &tokens.access).await;
    assert_eq!((answer.status, answer.body["error"].as_str()), (403, Some("insufficient_scope")));
    assert_eq!(house.nextcloud.seen().len(), before);
    house.close().await;
}
