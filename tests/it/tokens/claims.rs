//! Issuer, audience and dates.

use std::time::Duration;

use obo_proxy::dev::identity_provider;
use serde_json::json;

use crate::house::{House, Plan};
use crate::verdict::INVALID;

/// Exchanged tokens that outlive every turn of the clock.
fn patient() -> Plan {
    let provider = identity_provider::Options {
        exchanged_lifetime: Duration::from_secs(7_200),
        ..identity_provider::Options::default()
    };
    Plan { provider, ..Plan::default() }
}

/// Checklist row 16: `iss` byte for byte, the trailing slash included.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_compared_byte_for_byte() {
    let house = House::open().await;
    let issuer = house.provider.issuer().to_owned();
    for other in [
        format!("{issuer}/"),
        issuer.to_uppercase(),
        issuer.replace("http:", "https:"),
        issuer.replace("127.0.0.1", "localhost"),
        format!("{issuer} "),
        issuer.trim_end_matches("dev").to_owned(),
        String::new(),
    ] {
        assert_eq!(
            house.own_judgement(house.provider.mint("alice").claim("iss", other.clone())).await,
            INVALID,
            "{other:?}"
        );
    }
    assert_eq!(house.own_judgement(house.provider.mint("alice").without("iss")).await, INVALID);
    for other in [json!([issuer]), json!(null), json!(7)] {
        assert_eq!(
            house.own_judgement(house.provider.mint("alice").claim("iss", other.clone())).await,
            INVALID,
            "{other}"
        );
    }
    assert_eq!(house.judge(house.provider.mint("alice")).await, "200");
    house.close().await;
}

/// product.md §1: a subject token's audience is `mcp-server`, `public_url` or `public_url`/mcp.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_to_name_one_of_our_audiences() {
    let house = House::open().await;
    let url = house.url.clone();
    let mcp = format!("{url}/mcp");
    // The provider exchanges only what names `mcp-server`; for the others it answers 403, which is not ours.
    for good in [vec!["mcp-server"], vec!["account", "mcp-server"]] {
        assert_eq!(house.judge(house.provider.mint("alice").audiences(&good)).await, "200", "{good:?}");
    }
    for good in [vec![url.as_str()], vec![mcp.as_str(), "account"]] {
        let verdict = house.judge(house.provider.mint("alice").audiences(&good)).await;
        assert_eq!(verdict, "403 exchange_refused", "{good:?} passes us, and the provider says no");
    }
    let (slash, deeper) = (format!("{url}/"), format!("{mcp}/x"));
    let exchanges = house.exchanges();
    for bad in
        [vec!["nextcloud"], vec!["MCP-SERVER"], vec!["mcp-server "], vec![&slash], vec![&deeper], vec![], vec![""]]
    {
        assert_eq!(house.own_judgement(house.provider.mint("alice").audiences(&bad)).await, INVALID, "{bad:?}");
    }
    assert_eq!(house.own_judgement(house.provider.mint("alice").without("aud")).await, INVALID);
    for bad in [json!(null), json!({ "mcp-server": true }), json!(["mcp-server", 7]), json!("a mcp-server")] {
        assert_eq!(house.own_judgement(house.provider.mint("alice").claim("aud", bad.clone())).await, INVALID, "{bad}");
    }
    assert_eq!(house.exchanges(), exchanges);
    house.close().await;
}

/// product.md §1: the audiences are configuration.
#[tokio::test(flavor = "multi_thread")]
async fn configured_audiences_replace_the_usual_ones() {
    let house = Plan { top: "audiences = [\"gateway\"]".into(), ..Plan::default() }.build().await;
    assert_eq!(house.own_judgement(house.provider.mint("alice").audiences(&["mcp-server", &house.url])).await, INVALID);
    assert_eq!(house.judge(house.provider.mint("alice").audiences(&["mcp-server", "gateway"])).await, "200");
    house.close().await;
}

/// Checklist row 15: dates that are no numbers are refused, never skipped; `exp` is required.
#[tokio::test(flavor = "multi_thread")]
async fn dates_have_to_be_numbers_and_exp_has_to_be_there() {
    let house = House::open().await;
    let later = house.now() + 3_600;
    assert_eq!(house.own_judgement(house.provider.mint("alice").without("exp")).await, INVALID);
    for bad in [json!(later.to_string()), json!(true), json!([later]), json!({ "at": later }), json!(1e300)] {
        for claim in ["exp", "nbf", "iat"] {
            let token = house.provider.mint("alice").claim(claim, bad.clone());
            assert_eq!(house.own_judgement(token).await, INVALID, "{claim} {bad}");
        }
    }
    assert_eq!(house.own_judgement(house.provider.mint("alice").claim("exp", json!(null))).await, INVALID);
    assert_eq!(house.own_judgement(house.provider.mint("alice").claim("exp", -1)).await, INVALID);
    assert_eq!(house.exchanges(), 0);
    assert_eq!(house.judge(house.provider.mint("alice").claim("nbf", json!(later - 7_200))).await, "200");
    house.close().await;
}

/// product.md §3: leeway 30 s on `exp`.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_over_thirty_seconds_after_its_exp() {
    let house = patient().build().await;
    let exp = house.now() + 1_000;
    let token = |name: &str| house.provider.mint(name).claim("exp", exp).sign().unwrap();
    let (inside, outside) = (token("alice"), token("bob"));
    house.pass(1_000 + 29);
    assert_eq!(house.verdict(&inside).await, "200");
    house.pass(2);
    assert_eq!(house.verdict(&outside).await, INVALID);
    assert_eq!(house.verdict(&inside).await, INVALID, "a remembered token ends as well");
    house.close().await;
}

/// product.md §3: leeway 30 s on `nbf` and `iat`.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_begin_thirty_seconds_from_now_and_no_later() {
    let house = House::open().await;
    for claim in ["nbf", "iat"] {
        let begins = |seconds: i64| house.provider.mint("alice").claim(claim, house.now() + seconds);
        assert_eq!(house.judge(begins(29)).await, "200", "{claim}");
        assert_eq!(house.own_judgement(begins(31)).await, INVALID, "{claim}");
    }
    house.close().await;
}

/// product.md §3: a configured leeway is the one that counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_leeway_is_kept() {
    let house = Plan { issuer_lines: "leeway = \"0s\"".into(), ..patient() }.build().await;
    let exp = house.now() + 1_000;
    let (last, over) = (house.provider.mint("alice").claim("exp", exp), house.provider.mint("bob").claim("exp", exp));
    house.pass(999);
    assert_eq!(house.judge(last).await, "200");
    house.pass(1);
    assert_eq!(house.own_judgement(over).await, INVALID);
    house.close().await;
}

/// A remembered token serves until its `exp`, signature checked once, and not after.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_checked_once_and_the_token_ends_all_the_same() {
    let house = patient().build().await;
    let token = house.provider.mint("alice").claim("exp", house.now() + 600).sign().unwrap();
    for _ in 0..3 {
        assert_eq!(house.verdict(&token).await, "200");
    }
    assert_eq!(house.metric(r#"obo_verifications_total{outcome="verified"}"#).await, 1.0);
    assert_eq!(house.metric(r#"obo_verifications_total{outcome="remembered"}"#).await, 2.0);
    house.pass(600 + 31);
    assert_eq!(house.verdict(&token).await, INVALID);
    house.close().await;
}

/// Members that stand twice have two readings, and a caller could choose which of two verifiers sees which.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_jwt_is_refused_and_never_asked_about() {
    let house = House::open().await;
    let good = house.token("alice");
    let (message, _) = good.rsplit_once('.').unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let long = house.provider.mint("alice").claim("padding", "x".repeat(20_000)).sign().unwrap();
    for bad in [
        "opaque",
        "a.b.c",
        "..",
        message,
        &format!("{good}.x"),
        &format!("{message}."),
        &format!("{}..{}", parts[0], parts[2]),
        &format!("{}.{}.{}=", parts[0], parts[1], parts[2]),
        &format!("{}.e30.{}", parts[0], parts[2]),
        &long,
    ] {
        assert_eq!(house.verdict(bad).await, INVALID, "{bad:.60}");
    }
    assert_eq!(house.provider.counts().introspections(), 0);
    assert_eq!(house.verdict(&good).await, "200");
    house.close().await;
}
