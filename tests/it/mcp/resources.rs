//! Files as resources, in both eras.

use serde_json::{Value, json};

use super::client::{LEGACY, Said};
use crate::house::{House, Plan};

async fn read(house: &House, token: &str, uri: &str) -> Said {
    house.ask(token, "resources/read", json!({ "uri": uri })).await
}

async fn read_of_old(house: &House, token: &str, uri: &str) -> Said {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": uri } });
    house.say(token, LEGACY, message).await
}

async fn put(house: &House, path: &str, body: Vec<u8>) {
    let target = format!("/remote.php/dav/files/alice{path}");
    assert!(
        house.request("PUT", &target, &house.token("alice")).body(body).send().await.unwrap().status().is_success()
    );
}

#[tokio::test]
async fn there_is_a_template_and_no_list_of_trees() {
    let house = House::open().await;
    let alice = house.token("alice");
    let discovered = house.ask(&alice, "server/discover", json!({})).await;
    assert!(discovered.body["result"]["capabilities"]["resources"].is_object(), "{discovered:?}");
    let said = house.ask(&alice, "resources/templates/list", json!({})).await;
    let result = &said.body["result"];
    assert_eq!(result["resourceTemplates"][0]["uriTemplate"], "nextcloud://files/{+path}", "{said:?}");
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(300_000), &json!("private")));
    let list = house.ask(&alice, "resources/list", json!({})).await;
    assert_eq!(list.body["result"]["resources"], json!([]));
    let cursor = house.ask(&alice, "resources/templates/list", json!({ "cursor": "x" })).await;
    assert_eq!(cursor.body["error"]["code"], -32_602);
    house.close().await;
}

#[tokio::test]
async fn a_file_is_read_by_its_uri_as_text_or_as_what_it_is() {
    let house = House::open().await;
    let alice = house.token_with("alice", "openid files.read");
    put(&house, "/a%20b%20%C3%BC%23.md", "# Größe".into()).await;
    put(&house, "/data.bin", vec![0, 255]).await;
    put(&house, "/latin.txt", vec![b'a', 0xff]).await;
    put(&house, "/large.bin", vec![7; 1024 * 1024 + 1]).await;
    let uri = "nextcloud://files/a%20b%20%C3%BC%23.md";
    for said in [read(&house, &alice, uri).await, read_of_old(&house, &alice, uri).await] {
        let contents = &said.body["result"]["contents"][0];
        assert_eq!(contents, &json!({ "uri": uri, "mimeType": "text/markdown", "text": "# Größe" }), "{said:?}");
    }
    for (name, blob) in [("data.bin", "AP8="), ("latin.txt", "Yf8=")] {
        let said = read(&house, &alice, &format!("nextcloud://files/{name}")).await;
        assert_eq!(said.body["result"]["contents"][0]["blob"], blob, "{said:?}");
        assert_eq!((&said.body["result"]["ttlMs"], &said.body["result"]["cacheScope"]), (&json!(0), &json!("private")));
    }
    let large = read(&house, &alice, "nextcloud://files/large.bin").await;
    assert!(large.body["error"]["message"].as_str().unwrap().contains("larger than 1 MiB"), "{large:?}");

    // A link of files_read is such a URI.
    let called = house.call(&alice, "files_read", json!({ "path": "/data.bin" })).await;
    let said = read(&house, &alice, called.content[1]["uri"].as_str().unwrap()).await;
    assert_eq!(said.body["result"]["contents"][0]["blob"], "AP8=");
    house.close().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_the_users_is_not_found() {
    let house = House::open().await;
    let (alice, bob) = (house.token_with("alice", "openid files.read"), house.token_with("bob", "openid files.read"));
    put(&house, "/mine.md", "mine".into()).await;
    let not_found = |said: &Said, code: i64, uri: &str| {
        assert_eq!(said.body["error"]["code"], code, "{uri}: {said:?}");
        assert_eq!(said.body["error"]["data"]["uri"], uri, "{said:?}");
        assert!(!said.body.to_string().contains("\"contents\""), "{said:?}");
    };
    for uri in [
        "nextcloud://files/none.md",
        "nextcloud://files/",
        "nextcloud://files/../alice/mine.md",
        "nextcloud://files/%2e%2e/alice/mine.md",
        "nextcloud://files/..%2falice%2fmine.md",
        "nextcloud://files/a%2Fb",
        "nextcloud://files/%00",
        "nextcloud://calendars/alice",
        "file:///etc/passwd",
        "https://example.org/",
    ] {
        not_found(&read(&house, &alice, uri).await, -32_602, uri);
        not_found(&read_of_old(&house, &alice, uri).await, -32_002, uri);
    }
    not_found(&read(&house, &bob, "nextcloud://files/mine.md").await, -32_602, "nextcloud://files/mine.md");
    house.close().await;
}

#[tokio::test]
async fn reading_takes_the_scope_of_files_and_a_house_that_offers_them() {
    let house = House::open().await;
    let stranger = house.token_with("alice", "openid notes.read");
    let said = read(&house, &stranger, "nextcloud://files/Readme.md").await;
    assert_eq!(said.status, 403, "{said:?}");
    assert!(said.headers["www-authenticate"].to_str().unwrap().contains("files.read"), "{said:?}");
    house.close().await;

    let tables = "[mcp]\ntools = [\"notes\"]\n".to_owned();
    let house = Plan { tables, ..Plan::default() }.build().await;
    let alice = house.token("alice");
    assert_eq!(read(&house, &alice, "nextcloud://files/Readme.md").await.body["error"]["code"], -32_601);
    let said = house.ask(&alice, "resources/templates/list", json!({})).await;
    assert_eq!(said.body["error"]["code"], -32_601, "{said:?}");
    let discovered = house.ask(&alice, "server/discover", json!({})).await;
    assert_eq!(discovered.body["result"]["capabilities"]["resources"], Value::Null, "{discovered:?}");
    house.close().await;
}

#[tokio::test]
async fn a_client_whose_user_logged_out_hears_it_as_http() {
    let house = House::open().await;
    let minted = house.provider.mint("alice").scope("openid files.read");
    let sid = minted.sid().unwrap().to_owned();
    let token = minted.sign().unwrap();
    house.provider.logout(&sid);
    let said = read(&house, &token, "nextcloud://files/Readme.md").await;
    assert_eq!(said.status, 401, "{said:?}");
    assert!(said.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"), "{said:?}");
    house.close().await;
}
