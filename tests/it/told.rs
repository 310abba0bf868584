//! product.md §4: what the caller is told, row by row, as far as the rows can be reached. Exchange rows in full stand in exchange/refusals.rs.

use std::collections::HashSet;

use obo_proxy::dev::identity_provider::Endpoint;
use reqwest::Response;
use serde_json::{Value, json};

use crate::house::{House, Plan};
use crate::verdict::OPEN;

/// A refusal of ours, checked for what all have in common; returns its body and its challenge.
async fn refusal(response: Response, status: u16, error: Option<&str>) -> (Value, Option<String>) {
    assert_eq!(response.status().as_u16(), status, "{error:?}");
    let headers = response.headers().clone();
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!(header("www-authenticate").is_some(), status == 401, "{error:?}");
    assert_eq!(header("retry-after").is_some(), status == 503, "{error:?}");
    assert!(header("set-cookie").is_none());
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"].as_str(), error);
    assert_eq!(body["error_description"].is_string(), error.is_some(), "{body}");
    let id = body["request_id"].as_str().unwrap();
    assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
    let members: HashSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(members.is_subset(&HashSet::from(["error", "error_description", "request_id"])), "{body}");
    (body, header("www-authenticate"))
}

impl House {
    async fn plain(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bearer_the_challenge_names_the_metadata_and_no_error() {
    let house = House::open().await;
    let basic: &[(&str, &str)] = &[("authorization", "Basic YTpi")];
    for (path, metadata) in [(OPEN, ""), ("/", ""), ("/mcp/x", "/mcp"), ("/mcpx", "")] {
        for headers in [&[][..], basic, &[("authorization", "DPoP abc")]] {
            let (_, challenge) = refusal(house.plain(path, headers).await, 401, None).await;
            let expected =
                format!("Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource{metadata}\"", house.url);
            // At /mcp it also says what to ask for: mcp/resource_server.rs.
            let told = challenge.unwrap_or_default();
            let named = told.split_once(", scope=").filter(|_| metadata == "/mcp").map_or(&*told, |(named, _)| named);
            assert_eq!(named, expected, "{path}");
            // RFC 9728 §3: the metadata stands there, and names this resource.
            let document: Value = house
                .plain(&format!("/.well-known/oauth-protected-resource{metadata}"), &[])
                .await
                .json()
                .await
                .unwrap();
            assert_eq!(document["resource"], json!(format!("{}{metadata}", house.url)));
            assert_eq!(document["authorization_servers"], json!([house.provider.issuer()]));
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tokens_a_token_in_the_query_and_ambiguous_targets_are_bad_requests() {
    let house = House::open().await;
    let token = house.token("alice");
    let bearer = format!("Bearer {token}");
    for second in [bearer.as_str(), "Basic YTpi", ""] {
        let request = house.request("GET", OPEN, &token).header("authorization", second);
        refusal(request.send().await.unwrap(), 400, Some("invalid_request")).await;
    }
    for query in ["access_token=x", "a=b&access_token=", "access%5Ftoken=x", "access_token"] {
        let path = format!("{OPEN}?{query}");
        refusal(house.get(&path, &token).await, 400, Some("invalid_request")).await;
        refusal(house.plain(&path, &[]).await, 400, Some("invalid_request")).await;
    }
    let exact = async |target: &str| {
        let authority = house.running.address;
        house
            .raw(format!(
                "GET {target} HTTP/1.1\r\nhost: {authority}\r\nauthorization: {bearer}\r\nconnection: close\r\n\r\n"
            ))
            .await
    };
    for target in ["/a//b", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a\\b", "/a%00b", "/a;b", "/%252e%252e/b"] {
        let answer = exact(target).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{target}: {answer}");
    }
    assert!(exact(OPEN).await.starts_with("HTTP/1.1 200 "), "the control");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_401_invalid_token_with_the_reason_and_the_metadata() {
    let house = House::open().await;
    let mint = || house.provider.mint("alice");
    for (bad, reason) in [
        ("x".to_owned(), "malformed"),
        (mint().signed(obo_proxy::dev::identity_provider::Signature::Broken).sign().unwrap(), "signature"),
        (mint().claim("iss", "http://elsewhere.test").sign().unwrap(), "issuer"),
        (mint().audiences(&["account"]).sign().unwrap(), "meant"),
        (mint().claim("typ", "ID").sign().unwrap(), "access token"),
        (mint().expired(std::time::Duration::from_secs(60)).sign().unwrap(), "expired"),
    ] {
        let (body, challenge) = refusal(house.get(OPEN, &bad).await, 401, Some("invalid_token")).await;
        let (told, challenge) = (body["error_description"].as_str().unwrap(), challenge.unwrap());
        assert!(told.contains(reason), "{reason}: {told}");
        let metadata = format!("Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource\"", house.url);
        assert!(challenge.starts_with(&metadata), "{challenge}");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_inside_the_cooldown_is_503_with_retry_after() {
    let house = House::open().await;
    let token = house.provider.mint("alice").header("kid", "unknown").sign().unwrap();
    refusal(house.get(OPEN, &token).await, 503, Some("idp_unavailable")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_that_no_bearer_may_reach_are_403_forbidden_route() {
    let house = House::open().await;
    let token = house.token("alice");
    for path in ["/ocs/v2.php/core/getapppassword", "/index.php/settings/admin", "/login", "/status.php/x", "/cron.php"]
    {
        refusal(house.get(path, &token).await, 403, Some("forbidden_route")).await;
    }
    assert_eq!((house.exchanges(), house.nextcloud.seen().len()), (0, 0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_methods_are_405_and_pages_that_we_do_not_have_404() {
    let house = House::open().await;
    let token = house.token("alice");
    for method in ["TRACE", "get", "BREW", "PRI2", "propfind"] {
        let response = house.request(method, OPEN, &token).send().await.unwrap();
        assert!(response.headers()["allow"].to_str().unwrap().contains("PROPFIND"), "RFC 9110 §15.5.6");
        refusal(response, 405, Some("invalid_request")).await;
    }
    for path in ["/.well-known/oauth-protected-resource/x", "/oauth/nothing", "/mcp/nothing"] {
        refusal(house.get(path, &token).await, 404, Some("invalid_request")).await;
    }
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_targets_heads_and_bodies_have_their_own_statuses() {
    let plan = Plan { nextcloud_lines: "max_body = \"1000\"".into(), ..Plan::default() };
    let house = plan.build().await;
    let token = house.token("alice");
    let long = format!("/remote.php/dav/files/alice/{}", "x".repeat(20_000));
    refusal(house.get(&long, &token).await, 414, Some("invalid_request")).await;
    let request = house.request("PUT", "/remote.php/dav/files/alice/large.txt", &token);
    refusal(request.body(vec![b'x'; 1_001]).send().await.unwrap(), 413, Some("invalid_request")).await;
    assert!(house.nextcloud.file("alice", "large.txt").await.is_none());
    let request = house.request("PUT", "/remote.php/dav/files/alice/fits.txt", &token);
    assert!(request.body(vec![b'x'; 1_000]).send().await.unwrap().status().is_success());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_of_the_exchange_has_its_row() {
    let house = House::open().await;
    for (status, error, description, told, code) in [
        (400, "invalid_request", "Invalid token", 401, "invalid_token"),
        (403, "access_denied", "no", 403, "exchange_refused"),
        (400, "invalid_scope", "Invalid scopes: files.read", 502, "idp_misconfigured"),
        (401, "invalid_client", "wrong secret", 502, "idp_misconfigured"),
        (500, "", "", 503, "idp_unavailable"),
        (200, "", "", 502, "idp_malformed"),
    ] {
        let body = json!({ "error": error, "error_description": description }).to_string();
        house.provider.fail_exchanges_with(status, &body);
        let (body, _) = refusal(house.get(OPEN, &house.token("alice")).await, told, Some(code)).await;
        let text = body.to_string();
        assert!(description.is_empty() || !text.contains(description), "nothing of the cause: {text}");
    }
    house.provider.recover(Endpoint::Exchange);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_unreachable_late_or_refusing_is_502_504_502() {
    let house = Plan { nextcloud_lines: "head_timeout = \"300ms\"".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.nextcloud.reject_next(2);
    let dav = "/remote.php/dav/files/alice/";
    let response = house.request("PROPFIND", dav, &token).header("depth", "0").send().await.unwrap();
    refusal(response, 502, Some("nextcloud_rejected_token")).await;
    house.pass(31);
    house.nextcloud.hold();
    refusal(house.get(OPEN, &token).await, 504, Some("nextcloud_timeout")).await;
    house.nextcloud.release();
    house.nextcloud.stop_listening().await;
    let (body, _) = refusal(house.get(OPEN, &token).await, 502, Some("nextcloud_unreachable")).await;
    let address = house.nextcloud.url().unwrap().replace("http://", "");
    assert!(!body.to_string().contains(&address), "nothing of the cause: {body}");
    house.nextcloud.resume().await.unwrap();
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_says_so_at_once() {
    let house = Plan { listen_lines: "max_requests = 1".into(), ..Plan::default() }.build().await;
    let token = house.token("alice");
    house.provider.hold(Endpoint::Exchange);
    let guest = tokio::spawn(house.request("GET", OPEN, &token).send());
    house.until("the one guest is in", async || house.exchanges() == 1).await;
    refusal(house.get(OPEN, &token).await, 503, Some("overloaded")).await;
    house.provider.release(Endpoint::Exchange);
    assert_eq!(guest.await.unwrap().unwrap().status(), 200);
    assert_eq!(house.verdict(&token).await, "200");
    house.close().await;
}

/// The id is ours and new each time, whatever the caller sends.
#[tokio::test(flavor = "multi_thread")]
async fn the_request_id_is_ours() {
    let house = House::open().await;
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let own = [
            ("x-request-id", "00000000000000000000000000000000"),
            ("request-id", "mine"),
            ("traceparent", "00-11111111111111111111111111111111-2222222222222222-01"),
        ];
        let (body, _) = refusal(house.plain(OPEN, &own).await, 401, None).await;
        ids.insert(body["request_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 5);
    assert!(!ids.iter().any(|id| id.contains("00000000000000000000000000000000")
        || id.contains("mine")
        || id.contains("1111111111111111")));
    house.close().await;
}

/// Nextcloud's own answers pass untouched: status and body of a 404 that is Nextcloud's.
#[tokio::test(flavor = "multi_thread")]
async fn nextclouds_own_refusals_are_nextclouds() {
    let house = House::open().await;
    let response = house.get("/remote.php/dav/files/alice/nowhere", &house.token("alice")).await;
    assert_eq!(response.status(), 404);
    let body = response.text().await.unwrap();
    assert!(body.contains("Sabre") && !body.contains("request_id"), "{body}");
    house.close().await;
}

/// A refused HEAD has the status and the challenge of a GET, and no body.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_head_is_told_in_its_head() {
    let house = House::open().await;
    let response = house.client.head(format!("{}{OPEN}", house.url)).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    assert!(response.bytes().await.unwrap().is_empty());
    house.close().await;
}

/// What hyper's parser refuses has no body of ours, and a status all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_parser_refuses_is_told_by_its_status() {
    let house = House::open().await;
    let host = house.running.address;
    // Many small fields: of one large one a part might lie unread when the connection is closed, and take the answer along.
    let fields: String = (0..400).map(|number| format!("x-{number}: x\r\n")).collect();
    for (head, status) in [
        (format!("GET {OPEN} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n"), "431"),
        (format!("GET {OPEN} HTTP/1.1\r\nhost: {host}\r\nno colon\r\n\r\n"), "400"),
        (format!("GET {OPEN} HTTP/1.1\r\nhost: {host}\r\ncontent-length: x\r\n\r\n"), "400"),
    ] {
        let answer = house.raw(&head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:.90}… was answered {answer:?}");
    }
    house.close().await;
}

/// An answer does not wait for what the caller has not sent yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_before_the_body_or_the_next_request_is_complete() {
    let house = House::open().await;
    let host = house.running.address;
    let head = format!("POST {OPEN} HTTP/1.1\r\nhost: {host}\r\n");
    for unfinished in [format!("{head}content-length: 100\r\n\r\nxxxxx"), format!("{head}\r\nGET / HT")] {
        let answer = house.raw(&unfinished).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{unfinished:?} was answered {answer:?}");
    }
    house.close().await;
}
