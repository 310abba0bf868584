//! The other modes of the Nextcloud credential: `multi-audience` and `basic` (product.md §3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use obo_proxy::dev::identity_provider::{Options, TokenBuilder};

use crate::house::{House, Plan};
use crate::verdict::{INVALID, OPEN};

const TEN_MINUTES: Duration = Duration::from_secs(600);

async fn multi_audience(issuer_lines: &str) -> House {
    Plan { top: "mode = \"multi-audience\"".into(), issuer_lines: issuer_lines.into(), ..Plan::default() }.build().await
}

fn for_both(house: &House, lifetime: Duration) -> TokenBuilder {
    let minted = house.provider.mint("alice").audiences(&["mcp-server", "nextcloud"]);
    // `exp` counted from the token's own `iat`, whatever second this is.
    let issued = minted.claims()["iat"].as_u64().unwrap();
    minted.claim("exp", issued + lifetime.as_secs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_names_nextcloud_as_well_is_passed_through_and_no_exchange_is_made() {
    let house = multi_audience("").await;
    let token = for_both(&house, TEN_MINUTES).sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    let seen = house.nextcloud.seen();
    assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(seen[0].user.as_deref(), Some("alice"));
    assert_eq!(house.exchanges(), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_name_both_is_not_passed_through() {
    let house = multi_audience("").await;
    for audiences in [vec!["mcp-server"], vec!["nextcloud"], vec!["mcp-server", "Nextcloud"], vec!["account"]] {
        assert_eq!(house.judge(for_both(&house, TEN_MINUTES).audiences(&audiences)).await, INVALID, "{audiences:?}");
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_more_than_ten_minutes_is_not_passed_through_unless_its_issuer_vouches_for_it() {
    let house = multi_audience("introspection = true").await;
    assert_eq!(house.judge(for_both(&house, TEN_MINUTES + Duration::from_secs(1))).await, "403 exchange_refused");
    assert_eq!(house.judge(for_both(&house, TEN_MINUTES).without("iat")).await, "403 exchange_refused");
    assert!(house.nextcloud.seen().is_empty());
    assert_eq!(house.judge(for_both(&house, TEN_MINUTES)).await, "200");
    // An opaque token that the issuer vouches for goes on; the stand-in takes JWTs alone and refuses it.
    let vouched = for_both(&house, Duration::from_secs(28_800)).opaque();
    assert_eq!(house.verdict(&vouched).await, "502 nextcloud_rejected_token");
    assert_eq!(
        house.nextcloud.seen().last().unwrap().header("authorization"),
        Some(format!("Bearer {vouched}").as_str())
    );
    assert_eq!(house.exchanges(), 0);
    house.close().await;
}

/// Every rule for callers' tokens holds in every mode.
#[tokio::test(flavor = "multi_thread")]
async fn callers_are_verified_in_mode_multi_audience() {
    let house = multi_audience("").await;
    let mint = || for_both(&house, TEN_MINUTES);
    for bad in [
        mint().without("sid"),
        mint().claim("typ", "ID"),
        mint().expired(Duration::from_secs(60)),
        mint().without("sub"),
    ] {
        assert_eq!(house.judge(bad).await, INVALID);
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

/// Checklist row 53: there is nothing to replace a refused subject token by.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_tried_again_in_mode_multi_audience() {
    let house = multi_audience("").await;
    let token = for_both(&house, TEN_MINUTES).sign().unwrap();
    house.nextcloud.reject_next(1);
    assert_eq!(house.verdict(&token).await, "502 nextcloud_rejected_token");
    assert_eq!(house.nextcloud.seen().len(), 1);
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}

/// A token for Nextcloud is none for us in the default mode: `nextcloud` is no audience of ours there, by configuration.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_default_mode_a_token_for_both_is_exchanged_all_the_same() {
    let house = House::open().await;
    let token = for_both(&house, TEN_MINUTES).sign().unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.exchanges(), 1);
    assert!(!house.nextcloud.seen()[0].header("authorization").unwrap().contains(&token));
    house.close().await;
}

async fn basic() -> House {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "app-Password-1234\n").unwrap();
    let plan = Plan {
        top: "mode = \"basic\"".into(),
        nextcloud_lines: format!("username = \"carol\"\npassword_file = {:?}", password.path()),
        nextcloud: Some(Box::new(|options| {
            options.users.push("carol".into());
            options.app_passwords.push(("carol".into(), "app-Password-1234".to_owned().into()));
        })),
        provider: Options::default(),
        ..Plan::default()
    };
    plan.build().await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mode_basic_the_app_password_reaches_nextcloud_and_the_token_does_not() {
    let house = basic().await;
    for user in ["alice", "bob"] {
        assert_eq!(house.verdict(&house.token(user)).await, "200");
    }
    let expected = format!("Basic {}", STANDARD.encode("carol:app-Password-1234"));
    for seen in house.nextcloud.seen() {
        assert_eq!(seen.header("authorization"), Some(expected.as_str()));
        assert_eq!(seen.user.as_deref(), Some("carol"));
        assert_eq!(seen.header("cookie"), None, "no upstream sessions in this mode");
    }
    assert_eq!(house.exchanges(), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_verified_in_mode_basic() {
    let house = basic().await;
    let mint = || house.provider.mint("alice");
    for bad in [
        mint().without("sid"),
        mint().audiences(&["account"]),
        mint().expired(Duration::from_secs(60)),
        mint().claim("typ", "ID"),
    ] {
        assert_eq!(house.judge(bad).await, INVALID);
    }
    let own = STANDARD.encode("carol:app-Password-1234");
    for stranger in [house.client.get(format!("{}{OPEN}", house.url)), {
        house.client.get(format!("{}{OPEN}", house.url)).header("authorization", format!("Basic {own}"))
    }] {
        assert_eq!(stranger.send().await.unwrap().status(), 401);
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

/// Checklist row 53: never again in `basic`; the challenge for a password stays inside.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_app_password_is_not_tried_again_and_nobody_is_asked_for_one() {
    let house = basic().await;
    house.nextcloud.reject_next(1);
    let response = house.get("/remote.php/dav/files/carol/", &house.token("alice")).await;
    assert!(
        !response
            .headers()
            .iter()
            .any(|(name, value)| name == "www-authenticate" && value.as_bytes().starts_with(b"Basic"))
    );
    assert!(response.status().is_client_error() || response.status().is_server_error());
    assert_eq!(house.nextcloud.seen().len(), 1);
    house.close().await;
}
