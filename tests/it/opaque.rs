//! Opaque tokens: introspection at one named issuer (RFC 7662; product.md §3).

use obo_proxy::dev::identity_provider::Endpoint;
use serde_json::{Value, json};

use crate::house::{House, Plan};
use crate::verdict::{INVALID, MALFORMED, OPEN, UNAVAILABLE, verdict};

async fn introspecting() -> House {
    Plan { issuer_lines: "introspection = true".into(), ..Plan::default() }.build().await
}

impl House {
    fn introspections(&self) -> u64 {
        self.provider.counts().introspections()
    }

    /// The provider answers every introspection with alice's claims, changed so.
    fn introspect_as(&self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let mut claims = self.provider.mint("alice").claims().clone();
        claims.insert("active".into(), true.into());
        change(&mut claims);
        self.provider.fail(Endpoint::Introspection, 200, &Value::Object(claims).to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opaque_token_is_introspected_once_and_exchanged() {
    let house = introspecting().await;
    let token = house.provider.mint("alice").opaque();
    for _ in 0..3 {
        assert_eq!(house.verdict(&token).await, "200");
    }
    assert_eq!((house.introspections(), house.exchanges()), (1, 1));
    assert!(house.nextcloud.seen().iter().all(|seen| seen.user.as_deref() == Some("alice")));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_issuer_for_them_opaque_tokens_are_refused_unasked() {
    let house = House::open().await;
    let token = house.provider.mint("alice").opaque();
    assert_eq!(house.verdict(&token).await, INVALID);
    assert_eq!(house.introspections(), 0);
    house.close().await;
}

/// product.md §3: at most 4,000 characters, checked before anybody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn shape_and_length_are_checked_before_anybody_is_asked() {
    let house = introspecting().await;
    assert_eq!(house.verdict(&"x".repeat(4_001)).await, INVALID);
    for shapeless in ["a b", "a,b", "a\"b", "=", "a=b", "ä"] {
        let request =
            house.client.get(format!("{}{OPEN}", house.url)).header("authorization", format!("Bearer {shapeless}"));
        assert_eq!(verdict(request.send().await.unwrap()).await, INVALID, "{shapeless}");
    }
    assert_eq!(house.introspections(), 0);
    assert_eq!(house.verdict(&"x".repeat(4_000)).await, INVALID);
    assert_eq!(house.introspections(), 1, "what is not too long is asked about");
    house.close().await;
}

/// A JWT is judged by its signature, whatever introspection would say.
#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_is_never_introspected() {
    let house = introspecting().await;
    assert_eq!(house.verdict(&house.token("alice")).await, "200");
    house.introspect_as(|_| ());
    let foreign = house.provider.mint("alice").claim("iss", "http://elsewhere.test").sign().unwrap();
    assert_eq!(house.verdict(&foreign).await, INVALID);
    assert_eq!(house.introspections(), 0);
    house.close().await;
}

/// product.md §3: negative answers are cached, for seconds.
#[tokio::test(flavor = "multi_thread")]
async fn not_active_is_remembered_for_seconds_only() {
    let house = introspecting().await;
    for _ in 0..20 {
        assert_eq!(house.verdict("no-such-token").await, INVALID);
    }
    assert_eq!(house.introspections(), 1);
    house.pass(60);
    assert_eq!(house.verdict("no-such-token").await, INVALID);
    assert_eq!(house.introspections(), 2);
    house.close().await;
}

/// product.md §3: positive answers are believed for at most sixty seconds …
#[tokio::test(flavor = "multi_thread")]
async fn active_is_believed_for_a_minute_at_most() {
    let house = introspecting().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.opaque();
    assert_eq!(house.verdict(&token).await, "200");
    house.provider.logout(&sid);
    house.pass(59);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.introspections(), 1);
    house.pass(1);
    assert_eq!(house.verdict(&token).await, INVALID);
    assert_eq!(house.introspections(), 2);
    house.close().await;
}

/// … and never past the token's own `exp`.
#[tokio::test(flavor = "multi_thread")]
async fn active_is_not_believed_past_the_tokens_exp() {
    let house = introspecting().await;
    let token = house.provider.mint("alice").claim("exp", house.now() + 20).opaque();
    assert_eq!(house.verdict(&token).await, "200");
    house.pass(19);
    assert_eq!(house.verdict(&token).await, "200");
    assert_eq!(house.introspections(), 1);
    house.pass(1);
    let _ = house.verdict(&token).await;
    assert_eq!(house.introspections(), 2, "the issuer is asked again");
    house.close().await;
}

/// Every rule for claims holds for introspected ones as well.
#[tokio::test(flavor = "multi_thread")]
async fn introspected_claims_are_judged_as_strictly_as_signed_ones() {
    let house = introspecting().await;
    let now = house.now();
    let subject = house.provider.subject("alice");
    let faults: Vec<(&str, Value)> = vec![
        ("aud", json!("account")),
        ("aud", json!(null)),
        ("aud", json!([])),
        ("exp", json!(now - 31)),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("iss", json!("http://elsewhere.test")),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("token_type", json!("DPoP")),
        ("token_type", json!("N_A")),
        ("cnf", json!({ "jkt": "x" })),
        ("sub", json!("")),
        ("azp", json!(subject)),
        ("client_id", json!(subject)),
        ("preferred_username", json!("service-account-x")),
        ("jti", json!("trrtcc:1")),
        ("sid", json!("")),
        ("active", json!(false)),
    ];
    for (number, (claim, value)) in faults.into_iter().enumerate() {
        house.introspect_as(|claims| drop(claims.insert(claim.into(), value.clone())));
        let verdict = house.verdict(&format!("opaque-{number}")).await;
        // `aud: null` is no audience and no claim of RFC 7519 either.
        assert!(verdict == INVALID || (value.is_null() && verdict == MALFORMED), "{claim} {value}: {verdict}");
    }
    for claim in ["sub", "aud", "sid"] {
        house.introspect_as(|claims| drop(claims.remove(claim)));
        assert_eq!(house.verdict(&format!("opaque-without-{claim}")).await, INVALID, "{claim}");
    }
    assert_eq!(house.exchanges(), 0);
    // The control: with nothing changed it passes us, and the provider, which knows no such token, refuses it.
    house.introspect_as(|_| ());
    assert_eq!(house.verdict("opaque-control").await, INVALID);
    assert_eq!(house.exchanges(), 1);
    house.close().await;
}

/// An answer that is none is the provider's fault, not the caller's, and not for anybody's good.
#[tokio::test(flavor = "multi_thread")]
async fn an_introspection_that_breaks_the_protocol_logs_nobody_out() {
    let house = introspecting().await;
    for (number, (status, body, told)) in [
        (200, "", MALFORMED),
        (200, "<html>", MALFORMED),
        (200, "{}", MALFORMED),
        (200, r#"{"active":"true"}"#, MALFORMED),
        (200, r#"{"active":1}"#, MALFORMED),
        (200, r#"{"active":true,"exp":"1"}"#, MALFORMED),
        (401, r#"{"error":"invalid_request","error_description":"Authentication failed."}"#, "502 idp_misconfigured"),
        (403, r#"{"error":"invalid_request","error_description":"Client not allowed."}"#, "502 idp_misconfigured"),
        (302, "", MALFORMED),
        (500, "", UNAVAILABLE),
        (503, "", UNAVAILABLE),
        (429, "", UNAVAILABLE),
    ]
    .into_iter()
    .enumerate()
    {
        house.provider.fail(Endpoint::Introspection, status, body);
        assert_eq!(house.verdict(&format!("opaque-{number}")).await, told, "{status} {body}");
    }
    house.provider.recover(Endpoint::Introspection);
    assert_eq!(house.verdict(&house.provider.mint("alice").opaque()).await, "200");
    assert_eq!(house.exchanges(), 1);
    house.close().await;
}

/// An outage is not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_down_unknown_opaque_tokens_are_503_and_known_ones_are_served() {
    let house = introspecting().await;
    let (known, new) = (house.provider.mint("alice").opaque(), house.provider.mint("bob").opaque());
    assert_eq!(house.verdict(&known).await, "200");
    house.provider.refuse_connections().await;
    assert_eq!(house.verdict(&known).await, "200");
    let response = house.get(OPEN, &new).await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(verdict(response).await, UNAVAILABLE);
    house.provider.resume().await.unwrap();
    assert_eq!(house.verdict(&new).await, "200");
    house.close().await;
}

/// product.md §3: the token bucket. Strangers with invented tokens are told 503, and those who are known are served.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_invented_tokens_is_shed_and_known_ones_are_served() {
    let house = introspecting().await;
    let known = house.provider.mint("alice").opaque();
    assert_eq!(house.verdict(&known).await, "200");
    let mut flood = tokio::task::JoinSet::new();
    for stranger in 0..8 {
        let (client, url) = (house.client.clone(), format!("{}{OPEN}", house.url));
        flood.spawn(async move {
            let mut told = Vec::new();
            for number in 0..250 {
                let response = client.get(&url).bearer_auth(format!("{stranger}-{number}")).send().await.unwrap();
                let retry = response.headers().contains_key("retry-after");
                told.push((verdict(response).await, retry));
            }
            told
        });
    }
    let told: Vec<(String, bool)> = flood.join_all().await.into_iter().flatten().collect();
    let shed = told.iter().filter(|told| **told == ("503 overloaded".to_owned(), true)).count();
    let refused = told.iter().filter(|told| **told == (INVALID.to_owned(), false)).count();
    assert_eq!(
        shed + refused,
        2_000,
        "{:?}",
        told.iter().find(|(told, _)| !told.contains("invalid") && !told.contains("over"))
    );
    assert!(shed > 0, "2,000 tokens were asked about");
    assert_eq!(house.introspections(), 1 + refused as u64, "what was shed was asked about all the same");
    assert_eq!(house.verdict(&known).await, "200");
    house.close().await;
}

/// Single flight: those who come while a token is asked about wait for that answer. Who comes between its landing and the remembering of
/// the token may ask once more.
#[tokio::test(flavor = "multi_thread")]
async fn callers_with_one_new_opaque_token_share_an_introspection() {
    let house = introspecting().await;
    let token = house.provider.mint("alice").opaque();
    house.provider.hold(Endpoint::Introspection);
    let mut callers: Vec<_> = (0..60).map(|_| tokio::spawn(house.request("GET", OPEN, &token).send())).collect();
    house.until("it is asked about", async || house.introspections() == 1).await;
    // The one that began it goes away.
    callers.remove(0).abort();
    house.provider.release(Endpoint::Introspection);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap().status(), 200);
    }
    assert!(house.introspections() < 20, "{} introspections for 60 callers", house.introspections());
    assert_eq!(house.exchanges(), 1);
    house.close().await;
}
