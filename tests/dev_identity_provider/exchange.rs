//! Standard token exchange, with its failure table.

use std::time::Duration;

use obo_proxy::dev::identity_provider::{Algorithm, Endpoint, Options, Signature};
use serde_json::Value;

use super::client::{ACCESS_TOKEN, EXCHANGE, claims, client, exchange, provider, provider_with, refusal, refused};

#[tokio::test]
async fn an_exchanged_token_is_as_keycloak_makes_it() {
    let provider = provider().await;
    let subject = provider.mint("alice").lifetime(Duration::from_secs(30));
    let before = subject.claims().clone();
    let answer = exchange(&provider, &[("scope", "files.read")], &subject.sign().unwrap()).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(body["expires_in"], 120);
    assert_eq!(body["refresh_expires_in"], 0);
    assert_eq!(body["not-before-policy"], 0);
    let after = claims(body["access_token"].as_str().unwrap());
    assert_eq!(after["aud"], "nextcloud");
    assert_eq!(after["azp"], "mcp-server");
    assert_eq!(after["sub"], before["sub"]);
    assert_eq!(after["sid"], before["sid"]);
    assert_eq!(after["scope"], "files.read profile email");
    assert!(after["jti"].as_str().unwrap().starts_with("ntrtte:"));
    assert!(after["exp"].as_u64() > before["exp"].as_u64(), "not capped by the subject token's");
    assert_eq!(provider.exchanges()[0].parameters.iter().find(|(name, _)| name == "scope").unwrap().1, "files.read");
}

#[tokio::test]
async fn the_exchange_fails_as_keycloaks_does() {
    let provider = provider().await;
    let subject = provider.mint("alice").sign().unwrap();
    let table = [
        (
            "requested_subject",
            "bob",
            400,
            "invalid_request",
            "Parameter 'requested_subject' is not supported for standard token exchange",
        ),
        ("subject_token", "", 400, "invalid_request", "Parameter 'subject_token' required for standard token exchange"),
        (
            "subject_token_type",
            "",
            400,
            "invalid_request",
            "Parameter 'subject_token_type' required for standard token exchange",
        ),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:jwt",
            400,
            "invalid_request",
            "Parameter 'subject_token' supports access tokens only",
        ),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:refresh_token",
            400,
            "invalid_request",
            "requested_token_type unsupported",
        ),
        ("subject_token", "garbage", 400, "invalid_request", "Invalid token"),
        ("audience", "nobody", 400, "invalid_client", "Audience not found"),
        ("audience", "mcp-client", 400, "invalid_request", "Requested audience not available: mcp-client"),
        ("scope", "files.everything", 400, "invalid_scope", "Invalid scopes: files.everything"),
        ("grant_type", "nothing", 400, "unsupported_grant_type", "Unsupported grant_type"),
        ("grant_type", "", 400, "invalid_request", "Missing form parameter: grant_type"),
    ];
    for (name, value, status, error, description) in table {
        let answer = refusal(exchange(&provider, &[(name, value)], &subject).await).await;
        assert_eq!(answer, refused(status, error, description), "{name}={value}");
    }
    let long = "x".repeat(25_000);
    let answer = refusal(exchange(&provider, &[], &long).await).await;
    assert_eq!(answer.2, "The size of OIDC parameter 'subject_token' is longer than allowed.");
}

#[tokio::test]
async fn a_subject_token_that_is_not_good_is_an_invalid_token() {
    let provider = provider().await;
    let es256 = provider.publish_key(Algorithm::Es256).unwrap();
    let logged_out = provider.mint("alice");
    provider.logout(logged_out.sid().unwrap());
    let bad = [
        provider.mint("alice").expired(Duration::from_secs(1)),
        provider.mint("alice").signed(Signature::Rogue),
        provider.mint("alice").signed(Signature::None),
        provider.mint("alice").signed(Signature::Broken),
        provider.mint("alice").signed(Signature::PublicKeyAsHmac),
        provider.mint("alice").signed(Signature::RealmAs(Algorithm::Ps256)),
        provider.mint("alice").claim("iss", "https://elsewhere.example"),
        provider.mint("alice").claim("typ", "ID"),
        provider.mint("alice").claim("typ", "Refresh"),
        logged_out,
    ];
    for token in bad {
        let said = format!("{:?}", token.claims().get("typ"));
        let answer = refusal(exchange(&provider, &[], &token.sign().unwrap()).await).await;
        assert_eq!(answer, refused(400, "invalid_request", "Invalid token"), "{said}");
    }
    let good = provider.mint("alice").signed(Signature::Key(es256)).sign().unwrap();
    assert_eq!(exchange(&provider, &[], &good).await.status(), 200);

    let early = provider.mint("alice").sign().unwrap();
    let iat = claims(&early)["iat"].as_u64().unwrap();
    provider.set_not_before(iat + 1);
    assert_eq!(refusal(exchange(&provider, &[], &early).await).await.2, "Invalid token");
    provider.set_not_before(0);
    provider.disable_user("alice");
    assert_eq!(refusal(exchange(&provider, &[], &early).await).await.2, "Invalid token");
}

#[tokio::test]
async fn the_requester_has_to_be_in_the_audience_or_be_the_client() {
    let provider = provider().await;
    let foreign = provider.mint("alice").audiences(&["elsewhere"]);
    let own = foreign.clone().client("mcp-server").sign().unwrap();
    let answer = refusal(exchange(&provider, &[], &foreign.sign().unwrap()).await).await;
    assert_eq!(answer, refused(403, "access_denied", "Client is not within the token audience"));
    assert_eq!(exchange(&provider, &[], &own).await.status(), 200);
}

#[tokio::test]
async fn client_authentication_is_told_apart() {
    let options = Options { requester_secret: "se cret:%/+ü".into(), ..Options::default() };
    let provider = provider_with(options).await;
    let subject = provider.mint("alice").sign().unwrap();
    let form = [("grant_type", EXCHANGE), ("subject_token", subject.as_str()), ("subject_token_type", ACCESS_TOKEN)];
    let post = |id: &'static str, secret: Option<&'static str>| {
        let url = provider.token_endpoint();
        let mut form = form.to_vec();
        if !id.is_empty() {
            form.push(("client_id", id));
        }
        form.extend(secret.map(|secret| ("client_secret", secret)));
        client().post(url).form(&form).send()
    };
    assert_eq!(post("mcp-server", Some("se cret:%/+ü")).await.unwrap().status(), 200);
    let text = "Invalid client or Invalid client credentials";
    let wrong = refusal(post("mcp-server", Some("wrong")).await.unwrap()).await;
    assert_eq!(wrong, refused(401, "unauthorized_client", text));
    let none = refusal(post("mcp-server", None).await.unwrap()).await;
    assert_eq!(none, refused(401, "unauthorized_client", text));
    let unknown = refusal(post("nobody", Some("x")).await.unwrap()).await;
    assert_eq!(unknown, refused(401, "invalid_client", text));
    let missing = refusal(post("", None).await.unwrap()).await;
    assert_eq!(missing, refused(400, "invalid_client", "Missing client_id parameter"));
    let public = refusal(post("mcp-client", None).await.unwrap()).await;
    assert_eq!(public.2, "Standard token exchange is not enabled for the requested client");

    // RFC 6749 §2.3.1: both halves are form-urlencoded before they become Basic.
    let basic = client()
        .post(provider.token_endpoint())
        .basic_auth("mcp%2Dserver", Some("se+cret%3A%25%2F%2B%C3%BC"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(basic.status(), 200);
}

#[tokio::test]
async fn without_an_audience_scope_the_token_names_none() {
    let options = Options { nextcloud_audience_by_default: false, ..Options::default() };
    let provider = provider_with(options).await;
    let subject = provider.mint("alice").sign().unwrap();
    let answer = refusal(exchange(&provider, &[], &subject).await).await;
    assert_eq!(answer.2, "Requested audience not available: nextcloud");
    let body: Value = exchange(&provider, &[("audience", "")], &subject).await.json().await.unwrap();
    assert!(claims(body["access_token"].as_str().unwrap()).get("aud").is_none());
    let scope = [("scope", "nextcloud-audience")];
    let body: Value = exchange(&provider, &scope, &subject).await.json().await.unwrap();
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], "nextcloud");
}

#[tokio::test]
async fn a_service_account_has_no_session() {
    let provider = provider().await;
    let form =
        [("grant_type", "client_credentials"), ("client_id", "mcp-server"), ("client_secret", "mcp-server-secret")];
    let body: Value = client().post(provider.token_endpoint()).form(&form).send().await.unwrap().json().await.unwrap();
    let token = body["access_token"].as_str().unwrap();
    let own = claims(token);
    assert!(own.get("sid").is_none());
    assert!(own["jti"].as_str().unwrap().starts_with("trrtcc:"));
    assert_eq!(own["preferred_username"], "service-account-mcp-server");
    let body: Value = exchange(&provider, &[], token).await.json().await.unwrap();
    assert!(claims(body["access_token"].as_str().unwrap())["jti"].as_str().unwrap().starts_with("trrtte:"));
}

#[tokio::test]
async fn exchanges_can_be_failed_falsified_and_held() {
    let provider = provider().await;
    let subject = provider.mint("alice").sign().unwrap();
    provider.fail_exchanges_with(503, "{}");
    assert_eq!(exchange(&provider, &[], &subject).await.status(), 503);
    provider.recover(Endpoint::Exchange);

    provider.tamper_exchange(|answer| {
        answer.claims.remove("aud");
        answer.response.insert("token_type".into(), "N_A".into());
    });
    let body: Value = exchange(&provider, &[], &subject).await.json().await.unwrap();
    assert_eq!(body["token_type"], "N_A");
    assert!(claims(body["access_token"].as_str().unwrap()).get("aud").is_none());
    provider.stop_tampering();

    provider.hold(Endpoint::Exchange);
    let waiting = exchange(&provider, &[], &subject);
    tokio::pin!(waiting);
    tokio::select! {
        _ = &mut waiting => panic!("it was to wait"),
        () = async { while provider.counts().exchanges() < 3 { tokio::task::yield_now().await } } => {}
    }
    provider.release(Endpoint::Exchange);
    assert_eq!(waiting.await.status(), 200);
}
