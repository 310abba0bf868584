//! Which kinds of token are welcome: access tokens of people, and nothing else (checklist rows 17, 19, 21; law 1 in its details).

use obo_proxy::dev::identity_provider::TokenBuilder;
use serde_json::json;

use crate::house::{House, Plan};
use crate::verdict::{INVALID, OPEN};

/// Checklist row 17: by Keycloak's payload `typ`, or RFC 9068's header.
#[tokio::test(flavor = "multi_thread")]
async fn only_access_tokens_are_accepted() {
    let house = House::open().await;
    let mint = || house.provider.mint("alice");
    for kind in ["ID", "Refresh", "Offline", "Logout", "bearer", "DPoP", ""] {
        assert_eq!(house.own_judgement(mint().claim("typ", kind)).await, INVALID, "payload typ {kind:?}");
        let dressed = mint().claim("typ", kind).header("typ", "at+jwt");
        assert_eq!(house.own_judgement(dressed).await, INVALID, "payload typ {kind:?} in an at+jwt");
    }
    assert_eq!(house.own_judgement(mint().without("typ")).await, INVALID, "neither says that it is an access token");
    for header in [json!(null), json!("JWT"), json!("id+jwt"), json!("logout+jwt"), json!("at+jwt+x")] {
        assert_eq!(house.own_judgement(mint().without("typ").header("typ", header.clone())).await, INVALID, "{header}");
    }
    assert_eq!(house.exchanges(), 0);
    assert_eq!(house.judge(mint().header("typ", "at+jwt")).await, "200");
    house.close().await;
}

/// RFC 9068 §4: `at+jwt` or `application/at+jwt`, without Keycloak's claim. The embedded provider is a Keycloak and exchanges only its own
/// kind, so that its refusal, and not ours, is what such a token meets.
#[tokio::test(flavor = "multi_thread")]
async fn an_rfc_9068_token_needs_no_typ_claim() {
    let house = House::open().await;
    for (number, typ) in ["at+jwt", "application/at+jwt", "AT+JWT"].into_iter().enumerate() {
        let token = house.provider.mint("alice").without("typ").header("typ", typ);
        assert_eq!(house.judge(token).await, INVALID);
        assert_eq!(house.exchanges(), number as u64 + 1, "{typ} was not verified");
    }
    house.close().await;
}

/// Checklist row 17.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_token_is_no_access_token() {
    let house = House::open().await;
    let alice = house.provider.mint("alice");
    let logout = house.provider.mint_logout("alice", alice.sid().unwrap(), "mcp-server");
    assert_eq!(house.own_judgement(logout).await, INVALID);
    assert_eq!(house.judge(alice).await, "200");
    house.close().await;
}

/// Checklist row 17, law 1: whatever gives a client away as the owner.
#[tokio::test(flavor = "multi_thread")]
async fn service_accounts_of_every_shape_are_refused() {
    let house = House::open().await;
    let mint = || house.provider.mint("alice");
    let subject = house.provider.subject("alice");
    let shapes: [(&str, TokenBuilder); 9] = [
        ("no sub", mint().without("sub")),
        ("empty sub", mint().claim("sub", "")),
        ("null sub", mint().claim("sub", json!(null))),
        ("sub is the azp", mint().client(&subject)),
        ("sub is the client_id", mint().claim("client_id", subject.as_str())),
        ("service-account name", mint().claim("preferred_username", "service-account-mcp-client")),
        ("client credentials", mint().claim("jti", "trrtcc:5f1c0f0e")),
        ("exchanged from a service account", mint().claim("jti", "trrtte:5f1c0f0e")),
        ("no session", mint().without("sid")),
    ];
    for (shape, token) in shapes {
        assert_eq!(house.own_judgement(token).await, INVALID, "{shape}");
    }
    assert_eq!(house.own_judgement(mint().claim("sid", "")).await, INVALID);
    assert_eq!(house.exchanges(), 0);
    for people in [mint().claim("jti", "onrtac:5f1c0f0e"), mint().claim("preferred_username", "alice-service-account-")]
    {
        assert_eq!(house.judge(people).await, "200");
    }
    house.close().await;
}

/// Law 1: `sid` is required of issuers of which we know that they give it; elsewhere it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_required_of_keycloak_alone() {
    let house = Plan { issuer_lines: "profile = \"generic\"".into(), ..Plan::default() }.build().await;
    // The provider gives the exchange of a sessionless token a `jti` of its own; the user is alice all the same.
    assert_eq!(house.judge(house.provider.mint("alice").without("sid")).await, "200");
    assert_eq!(house.own_judgement(house.provider.mint("alice").without("sid").without("sub")).await, INVALID);
    house.close().await;
}

/// Checklist row 19: a bound token is refused in words that say why and what to do, and never exchanged.
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_constrained_token_is_refused_precisely() {
    let house = House::open().await;
    for cnf in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "abc" }),
        json!({}),
        json!(null),
    ] {
        let token = house.provider.mint("alice").claim("cnf", cnf.clone()).sign().unwrap();
        assert_eq!(house.verdict(&token).await, INVALID, "{cnf}");
        let told = house.description(&token).await;
        assert!(told.contains("cnf") && told.contains("sender-constrained") && told.contains("bearer"), "{told}");
    }
    assert_eq!(house.exchanges(), 0);
    house.close().await;
}

/// product.md §3: the client allow-list.
#[tokio::test(flavor = "multi_thread")]
async fn only_admitted_clients_are_served_where_there_is_a_list() {
    let lines = "allowed_clients = [\"mcp-client\", \"claude\"]".to_owned();
    let house = Plan { issuer_lines: lines, ..Plan::default() }.build().await;
    let mint = || house.provider.mint("alice");
    assert_eq!(house.judge(mint()).await, "200");
    assert_eq!(house.judge(mint().client("claude")).await, "200");
    assert_eq!(house.judge(mint().without("azp").claim("client_id", "claude")).await, "200");
    for stranger in ["Claude", "claud", "claude2", ""] {
        assert_eq!(house.own_judgement(mint().client(stranger)).await, INVALID, "{stranger:?}");
    }
    assert_eq!(
        house.own_judgement(mint().client("stranger").claim("client_id", "claude")).await,
        INVALID,
        "azp decides"
    );
    assert_eq!(house.own_judgement(mint().without("azp")).await, INVALID, "a token that names no client is on no list");
    house.close().await;
}

/// Checklist row 18: no claim reaches a header, and no header of a caller passes for one.
#[tokio::test(flavor = "multi_thread")]
async fn no_claim_reaches_a_header_and_no_header_passes_for_a_claim() {
    let house = House::open().await;
    let token = house.provider.mint("alice").claim("name", "Canary Name").claim("email", "canary@example.org");
    let mut request = house.request("GET", OPEN, &token.sign().unwrap());
    for name in
        ["X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "Remote-User", "X-Remote-User", "REMOTE_USER"]
    {
        request = request.header(name, "bob");
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
    let seen = house.nextcloud.seen();
    let seen = seen.last().unwrap();
    assert_eq!(seen.user.as_deref(), Some("alice"));
    for (name, value) in seen.headers.iter().filter(|(name, _)| name != "authorization") {
        let lower = value.to_lowercase();
        assert!(!lower.contains("canary") && !lower.contains("bob") && !lower.contains("alice"), "{name}: {value}");
    }
    house.close().await;
}

/// Checklist row 22: nothing is decided by e-mail or name; a token is its issuer's `sub`.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_by_an_e_mail_address_or_a_name() {
    let house = House::open().await;
    for email in
        [json!("bob@ex.org"), json!("a@b@c"), json!("\"bob@ex.org\"@evil.org"), json!(["bob@ex.org"]), json!(7)]
    {
        let token = house.provider.mint("alice").claim("email", email.clone()).claim("name", "Bob T");
        assert_eq!(house.judge(token).await, "200", "{email}");
        assert_eq!(house.nextcloud.seen().last().unwrap().user.as_deref(), Some("alice"), "{email}");
    }
    house.close().await;
}
