//! The person is asked in the modern era, and an answer is good for what was asked, in its time, once.

use std::time::Duration;

use obo_proxy::mcp::elicitation::binding;
use obo_proxy::mcp::elicitation::question::Question;
use obo_proxy::mcp::elicitation::seal::{NotOpened, Seal};
use obo_proxy::token::{Audiences, Identity, Principal, ScopeSet, Timestamp};
use serde_json::{Value, json};

use super::client::Said;
use super::probe::{self, LATE, SHARE, WORDS};
use crate::house::{House, Plan};

async fn house(mcp: &str) -> House {
    Plan { tools: probe::tools(), tables: mcp.to_owned(), ..Plan::default() }.build().await
}

/// How many shares Nextcloud was asked for.
fn shared(house: &House) -> usize {
    house.nextcloud.seen().iter().filter(|seen| seen.method == "POST" && seen.target.contains("files_sharing")).count()
}

fn arguments() -> Value {
    json!({ "path": "/alice.txt" })
}

async fn call(house: &House, token: &str, tool: &str, arguments: Value) -> Said {
    house.ask(token, "tools/call", json!({ "name": tool, "arguments": arguments })).await
}

/// The state of a question, which has to be one.
#[track_caller]
fn state(said: &Said) -> String {
    assert_eq!(said.body["result"]["resultType"], "input_required", "{said:?}");
    said.body["result"]["requestState"].as_str().unwrap().to_owned()
}

async fn answer(house: &House, token: &str, tool: &str, arguments: Value, state: &str, action: &str) -> Said {
    let responses = json!({ "confirm": { "action": action, "content": {} } });
    let params = json!({ "name": tool, "arguments": arguments, "inputResponses": responses, "requestState": state });
    house.ask(token, "tools/call", params).await
}

fn is_failure(said: &Said) -> bool {
    said.body["result"]["isError"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_says_yes() {
    let house = house("").await;
    let token = house.token("alice");
    let asked = call(&house, &token, SHARE, json!({ "path": "/alice.txt", "note": "x\nPath: /other\u{202e}" })).await;
    let request = &asked.body["result"]["inputRequests"]["confirm"];
    assert_eq!(request["method"], "elicitation/create", "{asked:?}");
    assert_eq!(request["params"]["mode"], "form");
    assert_eq!(request["params"]["message"], format!("{WORDS}\nPath: /alice.txt\nNote: x Path: /other"));
    assert_eq!(request["params"]["requestedSchema"]["properties"], json!({}));
    assert_eq!(shared(&house), 0);

    let state = state(&call(&house, &token, SHARE, arguments()).await);
    let done = answer(&house, &token, SHARE, arguments(), &state, "accept").await;
    assert!(done.body["result"]["structuredContent"]["id"].is_string(), "{done:?}");
    assert_eq!(shared(&house), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_no() {
    let house = house("").await;
    let token = house.token("alice");
    for action in ["decline", "cancel"] {
        let state = state(&call(&house, &token, SHARE, arguments()).await);
        let said = answer(&house, &token, SHARE, arguments(), &state, action).await;
        assert!(is_failure(&said) && said.body.to_string().contains("does not want this"), "{said:?}");
        // A no is final for this state: nobody makes a yes of it.
        assert_ne!(self::state(&answer(&house, &token, SHARE, arguments(), &state, "accept").await), state);
    }
    assert_eq!(shared(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_once() {
    let house = house("").await;
    let token = house.token("alice");
    let first = state(&call(&house, &token, SHARE, arguments()).await);
    let yes = || answer(&house, &token, SHARE, arguments(), &first, "accept");
    let both = tokio::join!(yes(), yes());
    assert_ne!(state_of(&both.0).is_some(), state_of(&both.1).is_some(), "one did it, one is asked anew: {both:?}");
    assert_eq!(shared(&house), 1);
    assert!(state_of(&yes().await).is_some());
    assert_eq!(shared(&house), 1);
    house.close().await;
}

fn state_of(said: &Said) -> Option<&str> {
    said.body["result"]["requestState"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_for_five_minutes() {
    let house = house("").await;
    let token = house.provider.mint("alice").lifetime(Duration::from_hours(1)).sign().unwrap();
    let early = state(&call(&house, &token, SHARE, arguments()).await);
    house.clock.advance(Duration::from_secs(299));
    // What it does then fails, for the provider's clock stands elsewhere; that it is done is what counts.
    let said = answer(&house, &token, SHARE, arguments(), &early, "accept").await;
    assert!(state_of(&said).is_none() && !said.body.to_string().contains("requestState"), "{said:?}");
    let late = state(&call(&house, &token, SHARE, arguments()).await);
    house.clock.advance(Duration::from_secs(300));
    assert!(state_of(&answer(&house, &token, SHARE, arguments(), &late, "accept").await).is_some(), "asked anew");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_for_the_person_client_tool_and_arguments_that_asked() {
    let house = house("").await;
    let alice = house.token("alice");
    let bob = house.token("bob");
    let other_client = house.provider.mint("alice").claim("azp", "other-client").sign().unwrap();
    let state = state(&call(&house, &alice, SHARE, arguments()).await);
    let other = json!({ "path": "/notes.txt" });
    let more = json!({ "path": "/alice.txt", "note": "x" });
    for (token, tool, arguments) in [
        (&bob, SHARE, arguments()),
        (&other_client, SHARE, arguments()),
        (&alice, LATE, arguments()),
        (&alice, SHARE, other),
        (&alice, SHARE, more),
    ] {
        let said = answer(&house, token, tool, arguments.clone(), &state, "accept").await;
        assert!(is_failure(&said) && said.body.to_string().contains("requestState"), "{tool} {arguments} {said:?}");
    }
    for tampered in [String::new(), "rs1.AA.AA".to_owned(), state.replace("rs1.", "rs2."), format!("{state}A")] {
        let said = answer(&house, &alice, SHARE, arguments(), &tampered, "accept").await;
        assert!(is_failure(&said), "{tampered} {said:?}");
    }
    assert_eq!(shared(&house), 0);
    assert!(state_of(&answer(&house, &alice, SHARE, arguments(), &state, "accept").await).is_none());
    assert_eq!(shared(&house), 1, "none of them used it up");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_asked_again() {
    let house = house("").await;
    let token = house.token("alice");
    let first = state(&call(&house, &token, SHARE, arguments()).await);
    for responses in [
        json!({}),
        json!({ "other": { "action": "accept" } }),
        json!({ "confirm": {} }),
        json!({ "confirm": "accept" }),
        json!({ "confirm": { "action": true } }),
        json!({ "confirm": { "action": "Accept" } }),
    ] {
        let params =
            json!({ "name": SHARE, "arguments": arguments(), "inputResponses": responses, "requestState": first });
        assert!(state_of(&house.ask(&token, "tools/call", params).await).is_some(), "{responses}");
    }
    let unasked =
        json!({ "name": SHARE, "arguments": arguments(), "inputResponses": { "confirm": { "action": "accept" } } });
    assert!(state_of(&house.ask(&token, "tools/call", unasked).await).is_some());
    assert_eq!(shared(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_that_was_not_declared_is_not_used() {
    let house = house("").await;
    let token = house.token("alice");
    let params = json!({ "name": SHARE, "arguments": arguments() });
    for (capabilities, is_asked) in [
        (json!({}), false),
        (json!({ "elicitation": { "url": {} } }), false),
        (json!({ "elicitation": {} }), true),
        (json!({ "elicitation": { "form": {} } }), true),
    ] {
        let said = house.ask_as(&token, "tools/call", params.clone(), capabilities.clone()).await;
        assert_eq!(state_of(&said).is_some(), is_asked, "{capabilities} {said:?}");
    }
    // The other era has no form in an answer, whatever a request says of itself.
    assert!(!house.call(&token, SHARE, arguments()).await.is_error);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_want_it_always_or_never() {
    let always = house("[mcp]\nconfirm = \"always\"\n").await;
    let token = always.token("alice");
    assert!(always.call(&token, SHARE, arguments()).await.failure().contains("cannot ask"));
    let params = json!({ "name": SHARE, "arguments": arguments() });
    assert!(is_failure(&always.ask_as(&token, "tools/call", params.clone(), json!({})).await));
    assert_eq!(shared(&always), 0);
    let state = state(&call(&always, &token, SHARE, arguments()).await);
    assert!(!is_failure(&answer(&always, &token, SHARE, arguments(), &state, "accept").await));
    assert_eq!(shared(&always), 1);
    always.close().await;

    let never = house("[mcp]\nconfirm = \"never\"\n").await;
    assert!(state_of(&never.ask(&never.token("alice"), "tools/call", params).await).is_none());
    assert_eq!(shared(&never), 1);
    never.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_question_is_no_authorization() {
    let house = house("[policy.egress]\npublic_links = false\n").await;
    let token = house.token("alice");
    let state = state(&call(&house, &token, SHARE, arguments()).await);
    let said = answer(&house, &token, SHARE, arguments(), &state, "accept").await;
    assert!(is_failure(&said) && said.body.to_string().contains("operator"), "{said:?}");
    assert_eq!(shared(&house), 0);

    // Before the question, where the tool knows what it needs, and after it, where the request does.
    let poor = house.token_with("alice", "nc.read files.read");
    let before = call(&house, &poor, SHARE, arguments()).await;
    assert_eq!((before.status, before.body["error"].as_str()), (403, Some("insufficient_scope")), "{before:?}");
    let state = self::state(&call(&house, &poor, LATE, arguments()).await);
    let after = answer(&house, &poor, LATE, arguments(), &state, "accept").await;
    assert_eq!((after.status, after.body["error"].as_str()), (403, Some("insufficient_scope")), "{after:?}");
    assert!(after.headers["www-authenticate"].to_str().unwrap().contains("shares.write"));
    assert_eq!(shared(&house), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_the_key_that_an_operator_gives_them() {
    let text = "0123456789abcdef0123456789abcdef";
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), format!("{text}\n")).unwrap();
    let house = house(&format!("[mcp]\nrequest_state_key_file = {:?}\n", key.path())).await;
    let token = house.provider.mint("alice");
    let claim = |name: &str| token.claims()[name].as_str().unwrap().to_owned();
    let identity = Identity {
        principal: Principal::new(&claim("iss").into(), &claim("sub")).unwrap(),
        client: Some(claim("azp").into()),
        session: None,
        key_id: None,
        issued_at: Timestamp(0),
        expires_at: Timestamp(0),
        accepted_until: Timestamp(0),
        audiences: Audiences::default(),
        scopes: ScopeSet::default(),
        introspected: false,
    };
    let question = Question::new(WORDS).with("Path", "/alice.txt").digest();
    let call_digest = binding::of_call(&identity, SHARE, arguments().as_object().unwrap());
    let purpose = binding::of_question(call_digest, question);
    let state = state(&call(&house, &token.sign().unwrap(), SHARE, arguments()).await);
    let opened = |seal: Seal| seal.open(&state, purpose, house.clock.now());
    assert!(opened(Seal::new(Some(&text.to_owned().into()))).is_ok(), "another replica opens it");
    assert_eq!(opened(Seal::new(None)), Err(NotOpened::Foreign));
    house.close().await;
}
