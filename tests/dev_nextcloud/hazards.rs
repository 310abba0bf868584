//! What a proxy has to defend against really happens behind it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obo_proxy::dev::identity_provider::{Algorithm, Signature, TokenBuilder};
use obo_proxy::dev::nextcloud::Generation;

use super::recording::Answered;
use super::wire::House;

const USER: &str = "/ocs/v2.php/cloud/user?format=json";

pub fn id(answered: &Answered) -> Option<String> {
    answered.json()["ocs"]["data"]["id"].as_str().map(str::to_owned)
}

/// The PHP session of an answer, as a browser would send it back.
pub fn session_of(house: &House, answered: &Answered) -> String {
    let kept = [house.nextcloud.instance_id(), "oc_sessionPassphrase"];
    let cookies = answered.set_cookies();
    let pairs = cookies.iter().map(|line| line.split(';').next().unwrap());
    pairs.filter(|pair| kept.iter().any(|name| pair.starts_with(&format!("{name}=")))).collect::<Vec<_>>().join("; ")
}

pub async fn with(house: &House, bearer: &str, cookie: &str) -> Answered {
    house.send("GET", USER, &[("authorization", bearer), ("cookie", cookie), ("ocs-apirequest", "true")], "").await
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_token_is_accepted_or_refused_as_user_oidc_does() {
    let house = House::of(Generation::V7_3).await;
    let es256 = house.provider.publish_key(Algorithm::Es256).unwrap();
    let eddsa = house.provider.publish_key(Algorithm::EdDsa).unwrap();
    let token = || house.provider.mint_exchanged("alice");
    let issuer = house.provider.issuer().to_owned();
    let table: Vec<(&str, TokenBuilder, u16)> = vec![
        ("as it should be", token(), 200),
        ("without audience", token().without("aud"), 200),
        ("several audiences", token().audiences(&["x", "nextcloud"]), 200),
        ("another audience", token().audiences(&["mcp-server"]), 401),
        ("another issuer", token().claim("iss", format!("{issuer}/")), 401),
        ("no issuer", token().without("iss"), 401),
        ("expired", token().expired(Duration::from_secs(1)), 401),
        ("no expiry", token().without("exp"), 401),
        ("issued a little ahead", token().claim("iat", now() + 30), 200),
        ("not yet valid", token().claim("nbf", now() + 120), 401),
        ("an ID token", token().claim("typ", "ID"), 200),
        ("header at+jwt", token().header("typ", "at+jwt"), 200),
        ("no subject", token().without("sub"), 200),
        ("no user name", token().without("preferred_username"), 401),
        ("unsigned", token().signed(Signature::None), 401),
        ("HS256 with the public key", token().signed(Signature::PublicKeyAsHmac), 401),
        ("another algorithm than the key's", token().signed(Signature::RealmAs(Algorithm::Ps256)), 401),
        ("a rogue key", token().signed(Signature::Rogue), 401),
        ("no kid", token().header("kid", serde_json::Value::Null), 401),
        ("ES256", token().signed(Signature::Key(es256)), 200),
        ("EdDSA", token().signed(Signature::Key(eddsa)), 200),
    ];
    for (case, token, status) in table {
        let bearer = format!("Bearer {}", token.sign().unwrap());
        assert_eq!(with(&house, &bearer, "x=y").await.status, status, "{case}");
    }
}

#[tokio::test]
async fn each_generation_reads_its_own_schemes() {
    for (generation, lenient) in [(Generation::V7_3, 200), (Generation::V8_10, 401)] {
        let house = House::of(generation).await;
        let token = house.provider.mint_exchanged("alice").sign().unwrap();
        for (value, status) in [
            (format!("Bearer {token}"), 200),
            (format!("bearer {token}"), 200),
            (format!("BEARER {token}"), lenient),
            (format!("Bearer\t{token}"), lenient),
            (token.clone(), lenient),
        ] {
            let answered = house.send("GET", USER, &[("authorization", &value)], "").await;
            assert_eq!(answered.status, status, "{generation:?} {}", &value[..8]);
        }
        let second = house.send("GET", USER, &[("xauthorization", &format!("Bearer {token}"))], "").await;
        assert_eq!(second.status, 200);
        let federated = [("authorization", format!("Bearer {token}")), ("x-nextcloud-federation", "1".into())];
        let federated: Vec<(&str, &str)> = federated.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(house.send("GET", USER, &federated, "").await.status, 401);
    }
}

#[tokio::test]
async fn a_minted_app_password_opens_everything_afterwards() {
    let house = House::of(Generation::V7_3).await;
    for (method, target) in [
        ("GET", "/ocs/v2.php/core/getapppassword?format=json"),
        ("HEAD", "/ocs/v2.php/core/getapppassword"),
        ("GET", "/ocs/v2.php//core/getapppassword"),
        ("GET", "/ocs/v2.php/core/%67etapppassword"),
        ("POST", "/settings/personal/authtokens"),
    ] {
        let before = house.nextcloud.minted_app_passwords();
        assert_eq!(house.as_user("alice", method, target, &[], "").await.status, 200, "{method} {target}");
        assert_eq!(house.nextcloud.minted_app_passwords(), before + 1, "{method} {target}");
    }
    let answered = house.as_user("alice", "GET", "/ocs/v2.php/core/getapppassword?format=json", &[], "").await;
    let password = answered.json()["ocs"]["data"]["apppassword"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 72);
    let basic = |password: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("alice:{password}")))
    };
    assert_eq!(id(&with(&house, &basic(&password), "x=y").await).unwrap(), "alice");
    assert_eq!(with(&house, &basic("wrong"), "x=y").await.status, 401);

    let house = House::of(Generation::V8_10).await;
    let refused = house.as_user("alice", "GET", "/ocs/v2.php/core/getapppassword?format=json", &[], "").await;
    assert_eq!((refused.status, house.nextcloud.minted_app_passwords()), (403, 0));
}

#[tokio::test]
async fn a_bearer_changes_an_email_address() {
    let house = House::of(Generation::V8_10).await;
    assert_eq!(house.nextcloud.email("alice").unwrap(), "alice@ex.org");
    let json = [("content-type", "application/json")];
    let body = r#"{"key":"email","value":"x@y.zz"}"#;
    assert_eq!(house.as_user("alice", "PUT", "/ocs/v2.php/cloud/users/alice", &json, body).await.status, 200);
    assert_eq!(house.nextcloud.email("alice").unwrap(), "x@y.zz");
    assert_eq!(house.as_user("bob", "PUT", "/ocs/v2.php/cloud/users/alice", &json, body).await.status, 404);
}

#[tokio::test]
async fn the_notes_settings_make_a_reader_of_files() {
    let house = House::of(Generation::V8_10).await;
    let notes = "/index.php/apps/notes/api/v1/notes";
    let seen = |answered: Answered| answered.text().contains("This file belongs to alice.");
    assert!(!seen(house.as_user("alice", "GET", notes, &[], "").await));
    let json = [("content-type", "application/json")];
    let body = r#"{"notesPath":"/","fileSuffix":".txt"}"#;
    house.as_user("alice", "PUT", "/index.php/apps/notes/api/v1/settings", &json, body).await;
    assert!(seen(house.as_user("alice", "GET", notes, &[], "").await));
}

#[tokio::test]
async fn dot_segments_lead_elsewhere() {
    let house = House::of(Generation::V8_10).await;
    let depth = [("depth", "1")];
    let plain = house.as_user("alice", "PROPFIND", "/remote.php/dav/files/../calendars/alice/", &depth, "").await;
    assert_eq!(plain.status, 207);
    assert!(plain.text().contains("<d:href>/remote.php/dav/calendars/alice/personal/</d:href>"));
    let encoded = house.as_user("alice", "PROPFIND", "/remote.php/dav/files/%2e%2e/calendars/alice/", &depth, "").await;
    assert_eq!(encoded.status, 404);
    let doubled = house.as_user("alice", "PUT", "/remote.php//dav//files//alice//doubled.txt", &[], "x").await;
    assert_eq!(doubled.status, 201);
    let old = house.as_user("alice", "GET", "/remote.php/webdav/doubled.txt", &[], "").await;
    assert_eq!(old.text(), "x");
}

#[tokio::test]
async fn the_ocs_header_switches_the_csrf_check_off() {
    let house = House::of(Generation::V7_3).await;
    let bearer = house.bearer("alice");
    for target in ["/index.php/apps/files/api/v1/stats", "/apps/files/api/v1/stats"] {
        let alone = house.send("GET", target, &[("authorization", &bearer)], "").await;
        assert_eq!(alone.status, 412);
        assert_eq!(house.as_user("alice", "GET", target, &[], "").await.status, 200);
    }
    let cookie = session_of(&house, &with(&house, &bearer, "x=y").await);
    let page = house
        .send("GET", "/index.php/apps/notes/api/v1/notes", &[("authorization", &bearer), ("cookie", &cookie)], "")
        .await;
    assert_eq!(page.status, 302);
}

#[tokio::test]
async fn nobody_reaches_another_persons_files() {
    let house = House::of(Generation::V8_10).await;
    let target = "/remote.php/dav/files/alice/alice.txt";
    for (method, status) in
        [("GET", 404), ("PUT", 403), ("DELETE", 404), ("PROPFIND", 404), ("PROPPATCH", 404), ("MKCOL", 403)]
    {
        assert_eq!(house.as_user("bob", method, target, &[], "").await.status, status, "{method}");
    }
    for method in ["COPY", "MOVE"] {
        let to = [("destination", "/remote.php/dav/files/bob/stolen.txt")];
        assert_eq!(house.as_user("bob", method, target, &to, "").await.status, 404);
        let into = [("destination", target)];
        let answered = house.as_user("bob", method, "/remote.php/dav/files/bob/bob.txt", &into, "").await;
        assert_eq!(answered.status, 403);
    }
    assert_eq!(house.nextcloud.file("alice", "alice.txt").await.unwrap(), "This file belongs to alice.\n");
    assert_eq!(house.nextcloud.file("bob", "bob.txt").await.unwrap(), "This file belongs to bob.\n");
}

#[tokio::test]
async fn a_remapped_user_is_another_account() {
    let house = House::of(Generation::V7_3).await;
    house.nextcloud.rename("alice", "alice-2");
    assert_eq!(id(&with(&house, &house.bearer("alice"), "x=y").await).unwrap(), "alice-2");
    assert_eq!(id(&with(&house, &house.bearer("carol"), "x=y").await).unwrap(), "carol", "new people come into being");
}
