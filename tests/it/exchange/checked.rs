//! Law 4, checklist row 20: what comes back is used only if it is what was asked for.

use std::time::Duration;

use obo_proxy::dev::identity_provider::{Algorithm, ExchangeAnswer, Signature};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::house::{House, Plan};
use crate::verdict::{MALFORMED, OPEN};

type Tamper = Box<dyn Fn(&mut ExchangeAnswer) + Send + Sync>;

fn claim(name: &'static str, value: Value) -> Tamper {
    Box::new(move |answer| drop(answer.claims.insert(name.into(), value.clone())))
}

fn no_claim(name: &'static str) -> Tamper {
    Box::new(move |answer| drop(answer.claims.remove(name)))
}

fn member(name: &'static str, value: Value) -> Tamper {
    Box::new(move |answer| drop(answer.response.insert(name.into(), value.clone())))
}

fn no_member(name: &'static str) -> Tamper {
    Box::new(move |answer| drop(answer.response.remove(name)))
}

fn signature(signature: Signature) -> Tamper {
    Box::new(move |answer| answer.signature = signature.clone())
}

impl House {
    /// A new token whose exchange is falsified is answered 502 `idp_malformed`, and Nextcloud hears nothing; the true one is served.
    async fn throws_away(&self, what: &str, tamper: Tamper) {
        self.provider.tamper_exchange(tamper);
        assert_eq!(self.verdict(&self.token("alice")).await, MALFORMED, "{what}");
        assert!(self.nextcloud.seen().is_empty(), "{what} reached Nextcloud");
    }

    /// The control: the same house serves an exchange that is not falsified.
    async fn serves_the_truth(self) {
        self.provider.stop_tampering();
        assert_eq!(self.verdict(&self.token("alice")).await, "200");
        self.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_no_audience_another_or_one_more_is_thrown_away() {
    let house = House::open().await;
    house.throws_away("no aud", no_claim("aud")).await;
    for aud in [
        json!(null),
        json!(""),
        json!([]),
        json!("mcp-server"),
        json!("Nextcloud"),
        json!("nextcloud "),
        json!(["nextcloud", "account"]),
        json!(["mcp-server", "nextcloud"]),
        json!({ "nextcloud": 1 }),
    ] {
        house.throws_away(&format!("aud {aud}"), claim("aud", aud)).await;
    }
    house.provider.tamper_exchange(claim("aud", json!(["nextcloud"])));
    assert_eq!(house.verdict(&house.token("alice")).await, "200", "an array of one is the same");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_token_is_thrown_away() {
    let house = House::open().await;
    let bob = house.provider.subject("bob");
    house.throws_away("bob's sub", claim("sub", json!(bob))).await;
    house.throws_away("no sub", no_claim("sub")).await;
    house.throws_away("empty sub", claim("sub", json!(""))).await;
    house.throws_away("sub in capitals", claim("sub", json!(house.provider.subject("alice").to_uppercase()))).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_session_is_thrown_away() {
    let house = House::open().await;
    house.throws_away("another sid", claim("sid", json!("another"))).await;
    house.throws_away("no sid", no_claim("sid")).await;
    house.throws_away("null sid", claim("sid", json!(null))).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_nobody_asked_for_are_thrown_away_wherever_they_stand() {
    let house = House::open().await;
    house.throws_away("extra scope in the token", claim("scope", json!("profile email files.write"))).await;
    house.throws_away("extra scope in the answer", member("scope", json!("profile email files.write"))).await;
    house.throws_away("offline_access", claim("scope", json!("profile offline_access"))).await;
    house.throws_away("a scope that only begins like a default", claim("scope", json!("profiles"))).await;
    house.throws_away("scopes that are no text", claim("scope", json!(["files.write"]))).await;
    house.provider.tamper_exchange(claim("scope", json!("email")));
    assert_eq!(house.verdict(&house.token("alice")).await, "200", "less than asked for is no fault");
    house.close().await;
}

/// Law 4: scopes within those asked ∪ the configured defaults.
#[tokio::test(flavor = "multi_thread")]
async fn only_configured_default_scopes_may_come_unasked() {
    let lines = "default_scopes = [\"openid\"]\nexchange_scopes = [\"profile\", \"email\"]".to_owned();
    let house = Plan { issuer_lines: lines, ..Plan::default() }.build().await;
    assert_eq!(house.verdict(&house.token("alice")).await, "200");
    let asked = house.provider.exchanges();
    let scope = asked[0].parameters.iter().find(|(name, _)| name == "scope").map(|(_, scope)| scope.as_str());
    assert_eq!(scope, Some("email profile"));
    house.nextcloud.forget_seen();
    house.throws_away("phone", claim("scope", json!("openid profile phone"))).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_access_token_is_thrown_away() {
    let house = House::open().await;
    for typ in ["ID", "Refresh", "Offline", "Logout", ""] {
        house.throws_away(typ, claim("typ", json!(typ))).await;
    }
    for kind in ["N_A", "DPoP", "mac", "", "Bearer "] {
        house.throws_away(kind, member("token_type", json!(kind))).await;
    }
    for kind in ["refresh_token", "id_token", "jwt", "saml2"] {
        let issued = format!("urn:ietf:params:oauth:token-type:{kind}");
        house.throws_away(kind, member("issued_token_type", json!(issued))).await;
    }
    house.throws_away("access_token", member("issued_token_type", json!("access_token"))).await;
    house.throws_away("bound", claim("cnf", json!({ "jkt": "x" }))).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_lacks_a_member_is_thrown_away() {
    let house = House::open().await;
    for name in ["token_type", "issued_token_type"] {
        house.throws_away(name, no_member(name)).await;
        house.throws_away(name, member(name, json!(null))).await;
        house.throws_away(name, member(name, json!(7))).await;
    }
    for token in [json!(null), json!(""), json!("opaque"), json!("a.b.c"), json!(7), json!("a\r\nb")] {
        house.throws_away(&format!("access_token {token}"), member("access_token", token)).await;
    }
    house.serves_the_truth().await;
}

/// The spelling of `token_type` does not matter (RFC 6749 §5.1), and `expires_in` is not what decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_lower_case_bearer_without_expires_in_is_good() {
    let house = House::open().await;
    house.provider.tamper_exchange(|answer| {
        answer.response.insert("token_type".into(), "bearer".into());
        answer.response.remove("expires_in");
        answer.response.remove("scope");
    });
    assert_eq!(house.verdict(&house.token("alice")).await, "200");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_endless_or_future_token_is_thrown_away() {
    let house = House::open().await;
    let now = house.now();
    house.throws_away("expired", claim("exp", json!(now - 1))).await;
    house.throws_away("expiring now", claim("exp", json!(now))).await;
    house.throws_away("no exp", no_claim("exp")).await;
    house.throws_away("exp as text", claim("exp", json!((now + 100).to_string()))).await;
    house.throws_away("not valid yet", claim("nbf", json!(now + 600))).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_a_bad_signature_is_thrown_away() {
    let house = House::open().await;
    for bad in [Signature::Broken, Signature::Rogue, Signature::None, Signature::PublicKeyAsHmac] {
        house.throws_away(&format!("{bad:?}"), signature(bad)).await;
    }
    house.throws_away("another algorithm", signature(Signature::RealmAs(Algorithm::Rs512))).await;
    house.throws_away("another padding", signature(Signature::RealmAs(Algorithm::Ps256))).await;
    let critical: Tamper = Box::new(|answer| drop(answer.header.insert("crit".into(), json!(["exp"]))));
    house.throws_away("critical", critical).await;
    let nameless: Tamper = Box::new(|answer| drop(answer.header.insert("kid".into(), json!(null))));
    house.throws_away("no kid", nameless).await;
    house.serves_the_truth().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_issuer_is_thrown_away() {
    let house = House::open().await;
    let slash = format!("{}/", house.provider.issuer());
    house.throws_away("a slash more", claim("iss", json!(slash))).await;
    house.throws_away("another", claim("iss", json!("http://elsewhere.test"))).await;
    house.throws_away("none", no_claim("iss")).await;
    house.serves_the_truth().await;
}

/// The subject token itself, handed back, is no exchange: it names another audience than Nextcloud's.
#[tokio::test(flavor = "multi_thread")]
async fn the_subject_token_handed_back_is_thrown_away() {
    let house = House::open().await;
    let own = house.provider.mint("alice").lifetime(Duration::from_secs(600)).sign().unwrap();
    let echoed = own.clone();
    house.provider.tamper_exchange(move |answer| {
        answer.response.insert("access_token".into(), echoed.clone().into());
    });
    assert_eq!(house.verdict(&own).await, MALFORMED);
    assert!(house.nextcloud.seen().is_empty());
    house.close().await;
}

/// A success that is no JSON, or anything that is neither success nor refusal, is no token.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_answer_is_malformed() {
    let house = House::open().await;
    for (status, body) in
        [(200, ""), (200, "<html>ok</html>"), (200, "{}"), (200, "[]"), (204, ""), (302, ""), (307, "{}")]
    {
        house.provider.fail_exchanges_with(status, body);
        assert_eq!(house.verdict(&house.token("alice")).await, MALFORMED, "{status} {body}");
    }
    house.provider.fail_exchanges_with(200, &"x".repeat(700 * 1024));
    assert_eq!(house.verdict(&house.token("alice")).await, MALFORMED, "answers are bounded");
    assert!(house.nextcloud.seen().is_empty());
    house.provider.recover(obo_proxy::dev::identity_provider::Endpoint::Exchange);
    assert_eq!(house.get(OPEN, &house.token("alice")).await.status(), 200);
    house.close().await;
}

/// Checklist row 12: a redirect of the token endpoint is not followed, for the subject token and our secret would go along.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = listener.local_addr().unwrap();
    let house = Plan { issuer_lines: format!("token_endpoint = \"http://{elsewhere}/token\""), ..Plan::default() }
        .build()
        .await;
    let location = house.provider.token_endpoint();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request).await;
            let head = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    assert_eq!(house.verdict(&house.token("alice")).await, MALFORMED);
    assert_eq!(house.exchanges(), 0);
    house.close().await;
}
