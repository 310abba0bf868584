//! Laws 1, 2, 4, 5 and 8 of product.md §2 by name, each as its reader would try to break it. Details stand in tokens/ and exchange/.

pub mod log;

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use obo_proxy::dev::identity_provider::Endpoint;
use serde_json::{Value, json};

use crate::house::House;
use crate::verdict::{INVALID, MALFORMED, OPEN, verdict};

/// The claims of a JWT that is known to be good.
fn claims(authorization: &str) -> Value {
    let payload = authorization.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Law 1 (checklist row 21): what names no user never goes on, whoever vouches for it.
#[tokio::test(flavor = "multi_thread")]
async fn law_1_nothing_goes_on_without_a_user() {
    let house = House::open().await;
    let url = format!("{}{OPEN}", house.url);
    let get = || house.client.get(&url);
    let strangers = [
        get(),
        get().header("authorization", ""),
        get().header("authorization", "Basic YWxpY2U6YWxpY2U="),
        get().header("authorization", "Negotiate abc"),
        get().header("authorization", house.token("alice")),
        get().header("cookie", format!("access_token={}", house.token("alice"))),
        get().header("x-authorization", format!("Bearer {}", house.token("alice"))),
        get().header("xauthorization", format!("Bearer {}", house.token("alice"))),
        get().header("x-forwarded-access-token", house.token("alice")),
        get().header("proxy-authorization", format!("Bearer {}", house.token("alice"))),
        get().header("x-forwarded-user", "alice"),
    ];
    for stranger in strangers {
        let response = stranger.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer resource_metadata="));
    }
    let service = house.provider.mint("alice").claim("preferred_username", "service-account-mcp-server");
    assert_eq!(house.judge(service).await, INVALID);
    assert_eq!((house.exchanges(), house.nextcloud.seen().len()), (0, 0));
    house.close().await;
}

/// Law 1: every request is somebody's, and what Nextcloud is shown says whose.
#[tokio::test(flavor = "multi_thread")]
async fn law_1_every_request_is_made_in_its_callers_name() {
    let house = House::open().await;
    for user in ["alice", "bob", "alice"] {
        assert_eq!(house.verdict(&house.token(user)).await, "200");
        let seen = house.nextcloud.seen();
        let shown = claims(seen.last().unwrap().header("authorization").unwrap());
        assert_eq!(shown["sub"], json!(house.provider.subject(user)));
        assert_eq!(shown["aud"], json!("nextcloud"));
        assert_eq!(shown["azp"], json!("mcp-server"));
        assert_eq!(seen.last().unwrap().user.as_deref(), Some(user));
    }
    house.close().await;
}

/// Law 2: not in a header, a path, a query or a body that Nextcloud sees; not in a metric; not in an answer, good or bad.
#[tokio::test(flavor = "multi_thread")]
async fn law_2_the_subject_token_is_seen_by_nobody_but_the_provider() {
    let house = House::open().await;
    let good = house.token("alice");
    let bad = house.provider.mint("alice").claim("typ", "ID").sign().unwrap();
    let refused = house.provider.mint("alice").audiences(&[&house.url]).sign().unwrap();
    let echo = "/ocs/v2.php/apps/notifications/api/v2/echo";
    let mut answers = Vec::new();
    for token in [&good, &bad, &refused] {
        for (method, path) in [
            ("GET", OPEN),
            ("POST", echo),
            ("PROPFIND", "/remote.php/dav/files/alice/"),
            ("GET", "/remote.php/dav/files/alice/nowhere"),
            ("GET", "/index.php/settings/admin"),
            ("BREW", OPEN),
            ("GET", "/a//b"),
        ] {
            let request = house.request(method, path, token).header("depth", "0").body("x");
            let response = request.header("xauthorization", format!("Bearer {token}")).send().await.unwrap();
            answers.push(format!("{:?}", response.headers()));
            answers.push(response.text().await.unwrap());
        }
    }
    let query = house.client.get(format!("{}{OPEN}?access_token={good}", house.url));
    answers.push(query.send().await.unwrap().text().await.unwrap());
    // Refused by Nextcloud, once and twice.
    house.nextcloud.reject_next(1);
    answers.push(house.get(OPEN, &good).await.text().await.unwrap());
    house.nextcloud.reject_next(2);
    answers.push(house.get(OPEN, &good).await.text().await.unwrap());
    house.provider.refuse_connections().await;
    let late = house.provider.mint("bob").sign().unwrap();
    answers.push(house.get(OPEN, &late).await.text().await.unwrap());

    let metrics = house.metrics().await;
    let seen = house.nextcloud.seen();
    assert!(seen.len() > 5);
    for token in [&good, &bad, &refused, &late] {
        // Whole, and any of its parts: header and claims are as good as a name, the signature is the token.
        let (message, signature) = token.rsplit_once('.').unwrap();
        let payload = message.split('.').nth(1).unwrap();
        for secret in [token.as_str(), signature, payload] {
            for request in &seen {
                assert!(!request.target.contains(secret));
                assert!(request.headers.iter().all(|(_, value)| !value.contains(secret)), "{}", request.target);
            }
            assert!(!metrics.contains(secret));
            assert!(answers.iter().all(|answer| !answer.contains(secret)));
        }
    }
    for secret in ["mcp-server-secret", "alice", &house.provider.subject("alice")] {
        assert!(!metrics.contains(secret), "{secret} is in /metrics");
    }
    house.close().await;
}

/// Law 2: nor does the exchanged token, or anything of the provider's, come back to the caller.
#[tokio::test(flavor = "multi_thread")]
async fn law_2_the_exchanged_token_never_comes_back_to_the_caller() {
    let house = House::open().await;
    let token = house.token("alice");
    let response = house.get(OPEN, &token).await;
    let head = format!("{:?}", response.headers());
    let body = response.text().await.unwrap();
    let exchanged = house.nextcloud.seen()[0].header("authorization").unwrap()["Bearer ".len()..].to_owned();
    assert_ne!(exchanged, token);
    assert!(!head.contains(&exchanged) && !body.contains(&exchanged));
    assert!(!head.to_lowercase().contains("set-cookie"), "{head}");
    // As a subject token it is worth nothing: its audience is Nextcloud's.
    assert_eq!(house.verdict(&exchanged).await, INVALID);
    house.close().await;
}

/// Law 4: the hazard that Keycloak and Nextcloud make together: a token without any `aud`, which Nextcloud would take.
#[tokio::test(flavor = "multi_thread")]
async fn law_4_a_token_without_audience_is_never_shown_to_nextcloud() {
    let house = House::open().await;
    house.provider.tamper_exchange(|answer| drop(answer.claims.remove("aud")));
    let token = house.token("alice");
    for _ in 0..3 {
        assert_eq!(house.verdict(&token).await, MALFORMED);
    }
    assert_eq!(house.exchanges(), 1, "a definite refusal is remembered for seconds");
    // The hazard is real: shown directly, such a token opens this Nextcloud.
    let direct = house.provider.mint_exchanged("alice").without("aud").sign().unwrap();
    let address = house.nextcloud.url().unwrap();
    let opened = house.client.get(format!("{address}{OPEN}")).bearer_auth(&direct).header("ocs-apirequest", "true");
    assert_eq!(opened.send().await.unwrap().status(), 200);
    house.provider.stop_tampering();
    house.pass(15);
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}

/// Law 4 at a renewal: a bad successor does not displace a good token, and is not used either.
#[tokio::test(flavor = "multi_thread")]
async fn law_4_holds_for_renewals_and_replacements() {
    let house = House::open().await;
    let token = house.token("alice");
    assert_eq!(house.verdict(&token).await, "200");
    let good = house.nextcloud.seen()[0].header("authorization").unwrap().to_owned();
    let bob = house.provider.subject("bob");
    house.provider.tamper_exchange(move |answer| drop(answer.claims.insert("sub".into(), bob.clone().into())));
    house.pass(90);
    assert_eq!(house.verdict(&token).await, "200");
    let malformed = r#"obo_exchanges_total{outcome="malformed"}"#;
    house.until("the renewal is judged", async || house.metric(malformed).await > 0.0).await;
    assert_eq!(house.verdict(&token).await, "200");
    house.nextcloud.reject_next(1);
    assert_eq!(house.verdict(&token).await, MALFORMED, "the replacement is bob's");
    assert!(house.nextcloud.seen().iter().all(|seen| seen.header("authorization") == Some(&good)));
    house.close().await;
}

/// Law 5: on every request that bears a token, cookies cross in neither direction, and no two people share a session.
#[tokio::test(flavor = "multi_thread")]
async fn law_5_users_never_meet() {
    let house = House::open().await;
    let users = ["alice", "bob", "carol"];
    let tokens: HashMap<&str, String> = users.iter().map(|user| (*user, house.token(user))).collect();
    for round in 0..20 {
        let user = users[round % 3];
        // Alice's session, as somebody might steal or be given it.
        let stolen = house.nextcloud.sessions().first().map(|session| session.id.clone()).unwrap_or_default();
        let request = house
            .request("GET", OPEN, &tokens[user])
            .header("cookie", format!("nc_session_id={stolen}; ocsess={stolen}"));
        let response = request.send().await.unwrap();
        assert!(response.headers().get("set-cookie").is_none());
        let page = response.text().await.unwrap();
        assert!(page.contains(user), "{page}");
        assert!(users.iter().filter(|other| **other != user).all(|other| !page.contains(other)), "{user}: {page}");
    }
    for seen in house.nextcloud.seen() {
        assert_eq!(seen.header("cookie"), None);
        let shown = claims(seen.header("authorization").unwrap());
        assert_eq!(shown["sub"], json!(house.provider.subject(seen.user.as_deref().unwrap())));
    }
    house.close().await;
}

/// Law 5: connections to Nextcloud are shared by people, so nothing of one may stick to them.
#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_shared_connection_carries_nobodys_authentication() {
    let house = House::open().await;
    for user in ["alice", "bob", "alice", "bob", "alice", "bob", "alice", "bob"] {
        assert_eq!(house.verdict(&house.token(user)).await, "200");
    }
    let mut people: HashMap<u64, HashSet<String>> = HashMap::new();
    for seen in house.nextcloud.seen() {
        let shown = claims(seen.header("authorization").unwrap());
        let user = seen.user.unwrap();
        assert_eq!(shown["preferred_username"], json!(user));
        people.entry(seen.connection).or_default().insert(user);
    }
    assert!(
        people.values().any(|people| people.len() == 2),
        "no connection was shared, so nothing was shown: {people:?}"
    );
    house.close().await;
}

/// Law 8 from end to end: the provider ends the session, we are told, and nothing held before lives on, on either core.
#[tokio::test(flavor = "multi_thread")]
async fn law_8_revocation_reaches_every_core_and_stays() {
    let house = House::open().await;
    let minted = house.provider.mint("alice");
    let sid = minted.sid().unwrap().to_owned();
    let (token, bob) = (minted.sign().unwrap(), house.token("bob"));
    // A client of its own for each request: a new connection, whichever core takes it.
    let fresh = async |token: &str| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        verdict(client.get(format!("{}{OPEN}", house.url)).bearer_auth(token).send().await.unwrap()).await
    };
    for _ in 0..10 {
        assert_eq!(fresh(&token).await, "200");
    }
    house.provider.hold(Endpoint::Exchange);
    house.provider.logout(&sid);
    house.purge_session(&sid);
    house.nextcloud.forget_seen();
    for _ in 0..20 {
        assert_eq!(fresh(&token).await, INVALID);
    }
    assert!(house.nextcloud.seen().is_empty());
    house.provider.release(Endpoint::Exchange);
    assert_eq!(fresh(&bob).await, "200");
    house.close().await;
}
