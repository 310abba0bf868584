//! Before authentication: by which name, from which page, how; and what a client without a token is told.

use serde_json::Value;

use crate::house::House;

#[tokio::test]
async fn a_foreign_host_or_origin_is_refused_before_anybody_looks_at_a_token() {
    let house = House::open().await;
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        let answer = house.client.post(format!("{}/mcp", house.url)).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}: {value}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{name}: {value}");
    }
    let own = house.client.post(format!("{}/mcp", house.url)).header("origin", &house.url).send().await.unwrap();
    assert_eq!(own.status(), 401);
    assert_eq!(own.headers()["access-control-allow-origin"], house.url.as_str());
    assert!(own.headers()["access-control-expose-headers"].to_str().unwrap().contains("www-authenticate"));
    house.close().await;
}

#[tokio::test]
async fn a_welcome_page_may_ask_beforehand_without_a_token() {
    let house = House::open().await;
    let asked = |origin: String| {
        house
            .client
            .request("OPTIONS".parse().unwrap(), format!("{}/mcp", house.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,mcp-protocol-version")
            .send()
    };
    let answer = asked(house.url.clone()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], house.url.as_str());
    assert_eq!(asked("https://evil.example".to_owned()).await.unwrap().status(), 403);
    house.close().await;
}

#[tokio::test]
async fn there_is_nothing_to_listen_to_and_nothing_to_end() {
    let house = House::open().await;
    for method in ["GET", "DELETE", "PUT", "HEAD"] {
        let answer = house.request(method, "/mcp", &house.token("alice")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"), "{method}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_client_without_a_token_is_led_to_the_issuer_and_told_what_to_ask_for() {
    let house = House::open().await;
    let answer = house.client.post(format!("{}/mcp", house.url)).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", house.url);
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
    assert!(challenge.contains("scope=\"") && challenge.contains("files.write"), "{challenge}");
    assert!(!challenge.contains("shares.write") && !challenge.contains("offline_access"), "{challenge}");
    let document: Value = house.client.get(metadata).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["resource"], format!("{}/mcp", house.url));
    assert_eq!(document["authorization_servers"][0], house.provider.issuer());
    assert!(document["scopes_supported"].as_array().unwrap().contains(&"nc.read".into()));
    house.close().await;
}
