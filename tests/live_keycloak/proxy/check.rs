//! `obo-proxy check --online`, the program itself.

use std::process::{Command, Output};

use tempfile::NamedTempFile;

use super::house::{Plan, free_address, stand_in};
use crate::realm::Realm;

/// What the program says about this plan.
async fn check(realm: &Realm, plan: Plan<'_>) -> (Option<i32>, String) {
    let nextcloud = stand_in(realm).await;
    let (secret_file, config) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
    let toml = plan.toml(&free_address(), &nextcloud.url().unwrap(), &secret_file);
    std::fs::write(config.path(), toml).unwrap();
    let Output { status, stdout, stderr } = tokio::task::block_in_place(|| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_obo-proxy"));
        program.args(["check", "--online", "--config"]).arg(config.path()).env_clear().output().unwrap()
    });
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_finds_nothing_wrong_with_the_realm_as_delivered() {
    let Some(realm) = Realm::shared().await else { return };
    for method in ["client_secret_basic", "client_secret_post"] {
        for requester in ["mcp-server", "mcp-server-odd"] {
            let plan = Plan::at(&realm).requester(requester).issuer(&format!("client_auth = {method:?}"));
            let (code, said) = check(&realm, plan).await;
            assert_eq!(code, Some(0), "{said}");
            let issuer = format!("ok    {}: discovery, 1 key(s), client authentication\n", realm.issuer());
            assert!(said.contains(&issuer) && said.contains("ok    nextcloud: version"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_fails_for_a_wrong_secret_and_says_where_to_look() {
    let Some(realm) = Realm::shared().await else { return };
    for method in ["client_secret_basic", "client_secret_post"] {
        let plan = Plan::at(&realm).secret("wrong").issuer(&format!("client_auth = {method:?}"));
        let (code, said) = check(&realm, plan).await;
        assert_eq!(code, Some(1), "{said}");
        let fault = format!("FAIL  {}: client authentication: status 401", realm.issuer());
        assert!(said.contains(&fault) && said.contains("client_secret_file"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_fails_for_a_realm_that_is_not_there() {
    let Some(mut realm) = Realm::shared().await else { return };
    realm.name = "nowhere".to_owned();
    let (code, said) = check(&realm, Plan::at(&realm)).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("FAIL  {}: discovery", realm.issuer())), "{said}");
}
