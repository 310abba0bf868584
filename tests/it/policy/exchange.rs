//! The exchange asks for what the route needs, where the provider has it; another issuer lets the exchanged token decide.

use serde_json::json;

use super::{asks_for, ends, passes, told, told_with};
use crate::house::{House, Plan};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const NOTES: &str = "GET /apps/notes/api/v1/notes";

/// What each exchange asked for.
fn asked(house: &House) -> Vec<String> {
    let scope = |seen: &obo_proxy::dev::identity_provider::ExchangeSeen| {
        let found = seen.parameters.iter().find(|(name, _)| name == "scope").map(|(_, value)| value.clone());
        found.unwrap_or_else(|| "(none)".to_owned())
    };
    house.provider.exchanges().iter().map(scope).collect()
}

async fn issuer(lines: &str) -> House {
    Plan { issuer_lines: lines.to_owned(), ..Plan::default() }.build().await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_is_exchanged_for_a_token_of_its_own_with_its_scopes_alone() {
    let house = House::open().await;
    let token = house.token("alice");
    for (head, scopes) in [
        (FILE, Some("files.read")),
        ("PUT /remote.php/dav/files/alice/b.txt", Some("files.write")),
        (NOTES, Some("notes.read")),
        // What every valid token has is nobody's to grant.
        ("GET /ocs/v2.php/cloud/user", Some("(none)")),
        ("GET /status.php", None),
        (FILE, None),
        ("PROPFIND /remote.php/webdav/", None),
        (NOTES, None),
        (
            "MOVE /remote.php/dav/files/alice/b.txt\nDestination: /remote.php/dav/calendars/alice/personal/x",
            Some("calendar.write files.write"),
        ),
        ("GET /ocs/v2.php/apps/files_sharing/api/v1/shares", Some("files.read shares.read")),
    ] {
        let before = asked(&house).len();
        let (answer, reached) = told_with(&house, &token, head, "").await;
        assert!(reached, "{head}: {}", answer.status);
        assert_eq!(asked(&house).get(before).map(String::as_str), scopes, "{head}");
    }
    house.close().await;
}

/// The token that Nextcloud sees is no wider than the route.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_may_write_is_exchanged_for_reading_where_it_reads() {
    let house = House::open().await;
    passes(&house, "files.write", FILE, "").await;
    assert_eq!(asked(&house), ["files.read"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_the_provider_has_not_are_not_asked_for_and_cost_no_exchange_of_their_own() {
    let tables = "[policy.families.files]\nread = \"house.read\"\n[policy.families.notes]\nread = [\"house.read\", \"notes.read\"]\n";
    let house = Plan { tables: tables.to_owned(), ..Plan::default() }.build().await;
    let token = house.token_with("alice", "house.read notes.read");
    for head in [FILE, "GET /ocs/v2.php/cloud/user", NOTES] {
        assert!(told_with(&house, &token, head, "").await.1, "{head}");
    }
    assert_eq!(asked(&house), ["(none)", "notes.read"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuers_own_scopes_are_asked_for_beside_the_routes() {
    let house = issuer(
        "exchange_scopes = [\"nextcloud-audience\"]\ndefault_scopes = [\"profile\", \"email\", \"nextcloud-audience\"]",
    )
    .await;
    let token = house.token("alice");
    for head in [FILE, "GET /ocs/v2.php/cloud/user"] {
        assert!(told_with(&house, &token, head, "").await.1);
    }
    assert_eq!(asked(&house), ["files.read nextcloud-audience", "nextcloud-audience"]);
    house.close().await;
}

/// A refused token is replaced in its own place: the retry asks for the same scopes, and the other places are left alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nextcloud_refused_is_replaced_by_one_with_the_same_scopes() {
    let house = House::open().await;
    let token = house.token("alice");
    for head in [FILE, NOTES] {
        assert_eq!(told_with(&house, &token, head, "").await.0.status, 200, "{head}");
    }
    house.nextcloud.reject_next(1);
    assert_eq!(told_with(&house, &token, FILE, "").await.0.status, 200);
    assert_eq!(asked(&house), ["files.read", "notes.read", "files.read"]);
    for head in [FILE, NOTES] {
        assert_eq!(told_with(&house, &token, head, "").await.0.status, 200, "{head}");
    }
    assert_eq!(asked(&house).len(), 3);
    // Refused twice: that very token is forgotten, and no other.
    house.nextcloud.reject_next(2);
    assert_eq!(told_with(&house, &token, NOTES, "").await.0.status, 502);
    assert_eq!(told_with(&house, &token, FILE, "").await.0.status, 200);
    assert_eq!(asked(&house), ["files.read", "notes.read", "files.read", "notes.read"]);
    assert_eq!(told_with(&house, &token, NOTES, "").await.0.status, 200);
    assert_eq!(asked(&house)[4..], ["notes.read"], "the refused replacement was served again");
    house.close().await;
}

/// Another provider says by its own rules what an exchanged token may do.
#[tokio::test(flavor = "multi_thread")]
async fn the_exchanged_token_decides_where_the_issuer_says_so_and_nothing_is_asked_for() {
    let house = issuer(
        "profile = \"generic\"\nscopes_from = \"exchanged\"\ndefault_scopes = [\"profile\", \"email\", \"notes.read\"]",
    )
    .await;
    house.provider.tamper_exchange(|answer| {
        answer.claims.insert("scope".into(), json!("profile email notes.read"));
        answer.response.insert("scope".into(), json!("profile email notes.read"));
    });
    // The caller's own scopes count for nothing.
    passes(&house, "", NOTES, "").await;
    let (answer, reached) = told(&house, "files.read", FILE, "").await;
    assert_eq!((answer.status, answer.error().as_str(), reached), (403, "insufficient_scope", false));
    asks_for(&answer, "files.read notes.read", FILE);
    assert!(asked(&house).iter().all(|scope| scope == "(none)"), "{:?}", asked(&house));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_does_not_decide_by_the_exchanged_token_without_a_warning() {
    let house = issuer("scopes_from = \"exchanged\"").await;
    assert_eq!(house.metric("obo_weakened_total{switch=\"scopes_from_exchange\"}").await, 1.0);
    house.close().await;
}

/// Entra grants `files.read` and is asked for `api://nextcloud/files.read`; Okta's list is an array called `scp`.
#[tokio::test(flavor = "multi_thread")]
async fn providers_with_names_of_their_own_are_understood() {
    let house = issuer("scope_prefix = \"api://nextcloud/\"").await;
    for scopes in ["api://nextcloud/files.read", "files.read"] {
        passes(&house, scopes, FILE, "").await;
    }
    let answer =
        ends(&house, "api://nextcloud/files.read api://other/notes.read", NOTES, "", 403, "insufficient_scope").await;
    asks_for(&answer, "api://nextcloud/files.read api://nextcloud/notes.read", NOTES);
    for scp in [json!("files.read other"), json!(["files.read", "other"])] {
        let token = house.provider.mint("alice").without("scope").claim("scp", scp).sign().unwrap();
        assert!(told_with(&house, &token, FILE, "").await.1);
        assert!(!told_with(&house, &token, NOTES, "").await.1);
    }
    // The provider has no such scopes: none is asked for.
    assert!(asked(&house).iter().all(|scope| scope == "(none)"), "{:?}", asked(&house));
    house.close().await;
}
