//! `audit` and `off` let scopes be, and nothing else; `[danger]` opens the never-list row by row. All of it is counted.

use super::{ends, passes, told, with};
use crate::house::{House, Plan};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";
const AUDITED: &str = "obo_policy_audited_total{refusal=\"insufficient_scope\"}";

#[tokio::test(flavor = "multi_thread")]
async fn audit_lets_through_and_counts_what_would_have_been_refused() {
    let house = with("[policy]\nenforcement = \"audit\"\n").await;
    for _ in 0..3 {
        passes(&house, "notes.read", FILE, "").await;
    }
    passes(&house, "files.read", FILE, "").await;
    passes(&house, "", "PUT /status.php", "").await;
    assert_eq!(house.metric(AUDITED).await, 3.0);
    assert_eq!(house.metric("obo_policy_audited_total{refusal=\"forbidden_route\"}").await, 1.0);
    assert_eq!(house.metric("obo_weakened_total{switch=\"policy_audit\"}").await, 1.0);
    // Nothing is asked for that the caller has not.
    let scopes = |seen: &obo_proxy::dev::identity_provider::ExchangeSeen| {
        seen.parameters.iter().find(|(name, _)| name == "scope").map(|(_, value)| value.clone())
    };
    let asked: Vec<_> = house.provider.exchanges().iter().map(scopes).collect();
    assert_eq!(asked.iter().flatten().collect::<Vec<_>>(), ["files.read"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn off_decides_nothing_and_counts_nothing() {
    let house = with("[policy]\nenforcement = \"off\"\n").await;
    passes(&house, "", FILE, "").await;
    passes(&house, "", "PUT /status.php", "").await;
    passes(&house, "", "PROPFIND /remote.php/dav/\nDepth: infinity", "").await;
    assert_eq!(house.metric(AUDITED).await, 0.0);
    assert_eq!(house.metric("obo_weakened_total{switch=\"policy_off\"}").await, 1.0);
    house.close().await;
}

/// Law 3: the never-list and law 7 hold in every mode.
#[tokio::test(flavor = "multi_thread")]
async fn neither_opens_the_never_list_nor_an_ambiguous_body() {
    for mode in ["audit", "off"] {
        let house = with(&format!("[policy]\nenforcement = \"{mode}\"\n[policy.egress]\nmessages = false\n")).await;
        for head in ["GET /ocs/v2.php/core/getapppassword", "GET /settings/user", "GET /apps/files", "GET /login"] {
            ends(&house, "", head, "", 403, "forbidden_route").await;
        }
        let report = "REPORT /remote.php/dav/calendars/alice/personal/";
        let body = "<d:r xmlns:d=\"DAV:\"><d:href>../x</d:href></d:r>";
        ends(&house, "", report, body, 400, "invalid_request").await;
        let body = "<d:r xmlns:d=\"DAV:\"><d:href>/remote.php/dav/comments/deckCard/1</d:href></d:r>";
        ends(&house, "", report, body, 403, "forbidden_route").await;
        ends(&house, "", "POST /ocs/v2.php/apps/spreed/api/v1/chat/abcd", "", 403, "forbidden_route").await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn danger_opens_the_rows_that_it_names_and_no_others() {
    let house = with("[danger]\nallow_never = [\"settings\", \"notes_settings\"]\n").await;
    assert_eq!(house.metric("obo_weakened_total{switch=\"never_opened\"}").await, 2.0);
    // In no family: a valid token is enough.
    passes(&house, "", "GET /settings/user", "").await;
    // In a listed family: its scopes are needed.
    passes(&house, "notes.write", "PUT /apps/notes/api/v1/settings", "").await;
    ends(&house, "notes.read", "PUT /apps/notes/api/v1/settings", "", 403, "insufficient_scope").await;
    for head in ["GET /ocs/v2.php/core/getapppassword", "GET /login", "GET /apps/files", "GET /ocs/v2.php/cloud/users"]
    {
        ends(&house, "", head, "", 403, "forbidden_route").await;
    }
    house.close().await;
    let house = with("[danger]\nallow_never = [\"unlisted\"]\n").await;
    passes(&house, "", "GET /apps/files", "").await;
    ends(&house, "", "GET /settings/user", "", 403, "forbidden_route").await;
    ends(&house, "", "GET /mcp/x", "", 404, "invalid_request").await;
    assert_eq!(told(&house, "", "GET /apps/../settings", "").await.0.status, 400);
    let stranger =
        crate::wire::ask(&house, format!("GET /apps/files HTTP/1.1\r\nHost: {}\r\n\r\n", house.running.address)).await;
    assert_eq!(stranger.status, 401);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_changes_the_table_and_what_every_token_has() {
    let tables = "[policy]\nimplicit_scopes = []\n[policy.families.talk]\n[policy.families.notes]\nread = \"files.read\"\n\
                  [policy.search]\nforms = \"forms.read\"\n";
    let house = with(tables).await;
    ends(&house, "", "GET /ocs/v2.php/cloud/user", "", 403, "insufficient_scope").await;
    passes(&house, "nc.read", "GET /ocs/v2.php/cloud/user", "").await;
    ends(&house, "talk.write", "GET /ocs/v2.php/apps/spreed/api/v4/room", "", 403, "forbidden_route").await;
    passes(&house, "files.read", "GET /apps/notes/api/v1/notes", "").await;
    ends(&house, "notes.write", "PUT /apps/notes/api/v1/notes/1", "", 403, "forbidden_route").await;
    passes(&house, "forms.read", "GET /ocs/v2.php/search/providers/forms/search", "").await;
    house.close().await;
}

/// Law 7 goes with what is opened: what is in no family may still name paths that are in one.
#[tokio::test(flavor = "multi_thread")]
async fn an_opened_route_is_no_way_round_to_a_listed_one() {
    let house = with("[danger]\nallow_never = [\"unlisted\", \"search_elsewhere\"]\n").await;
    let report = "REPORT /remote.php/dav/public-calendars/x/";
    let of = |path: &str| {
        format!("<c:calendar-multiget xmlns:c=\"c\" xmlns:d=\"DAV:\"><d:href>{path}</d:href></c:calendar-multiget>")
    };
    let calendar = of("/remote.php/dav/calendars/alice/personal/1.ics");
    ends(&house, "files.read", report, &calendar, 403, "insufficient_scope").await;
    passes(&house, "calendar.read", report, &calendar).await;
    ends(&house, "calendar.read", report, &of("/settings/user"), 403, "forbidden_route").await;
    ends(&house, "calendar.read", report, &of("../x"), 400, "invalid_request").await;
    let search = "SEARCH /remote.php/dav/calendars/alice/";
    let of = |path: &str| {
        format!(
            "<d:searchrequest xmlns:d=\"DAV:\"><d:from><d:scope><d:href>{path}</d:href></d:scope></d:from></d:searchrequest>"
        )
    };
    ends(&house, "calendar.read", search, &of("/files/alice"), 403, "insufficient_scope").await;
    ends(&house, "files.read", search, &of("/calendars/alice"), 403, "forbidden_route").await;
    passes(&house, "files.read", search, &of("/files/alice")).await;
    house.close().await;
}

/// Whatever a table says, nothing is moved to where people and the root of the tree are.
#[tokio::test(flavor = "multi_thread")]
async fn no_table_makes_a_destination_of_principals() {
    let house = with("[policy.families.principals]\nread = \"nc.read\"\nwrite = \"files.write\"\n").await;
    let moved = "MOVE /remote.php/dav/files/alice/x\nDestination: /remote.php/dav/principals/users/alice";
    ends(&house, "files.write", moved, "", 403, "forbidden_route").await;
    house.close().await;
}

/// A caller whose token is passed on, or who acts by one account, is held to its scopes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_holds_in_every_mode_of_the_credential() {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "x").unwrap();
    let plan = Plan {
        top: "mode = \"basic\"".into(),
        nextcloud_lines: format!("username = \"alice\"\npassword_file = {:?}", password.path()),
        ..Plan::default()
    };
    let house: House = plan.build().await;
    ends(&house, "notes.read", FILE, "", 403, "insufficient_scope").await;
    passes(&house, "files.read", FILE, "").await;
    house.close().await;
}
