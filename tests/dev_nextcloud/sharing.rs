//! Shares: what another person sees and may do, and what a link opens to anybody.

use obo_proxy::dev::nextcloud::Generation;
use serde_json::{Value, json};

use super::wire::House;

const SHARES: &str = "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json";
const BOB: &str = "/remote.php/dav/files/bob";

async fn share(house: &House, fields: Value) -> Value {
    let json = [("content-type", "application/json")];
    let answered = house.as_user("alice", "POST", SHARES, &json, fields.to_string()).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    answered.json()["ocs"]["data"].clone()
}

#[tokio::test]
async fn a_link_opens_a_file_to_anybody() {
    let house = House::of(Generation::V7_3).await;
    let link = share(&house, json!({ "path": "/alice.txt", "shareType": 3 })).await;
    let token = link["token"].as_str().unwrap();
    let listed = house.as_user("alice", "GET", SHARES, &[], "").await;
    assert!(listed.text().contains(token), "listing shares lists what opens them");
    for path in [
        format!("/s/{token}/download"),
        format!("/index.php/s/{token}/download"),
        format!("/public.php/dav/files/{token}"),
    ] {
        let answered = house.send("GET", &path, &[], "").await;
        assert_eq!((answered.status, answered.text().as_str()), (200, "This file belongs to alice.\n"), "{path}");
    }
    assert_eq!(house.send("GET", &format!("/s/{token}"), &[], "").await.status, 200);
    assert_eq!(house.send("PUT", &format!("/public.php/dav/files/{token}"), &[], "x").await.status, 403);
    let id = link["id"].as_str().unwrap();
    let target = format!("/ocs/v2.php/apps/files_sharing/api/v1/shares/{id}");
    assert_eq!(house.as_user("bob", "DELETE", &target, &[], "").await.status, 404, "it is not bob's");
    assert_eq!(house.as_user("alice", "DELETE", &target, &[], "").await.status, 200);
    assert_eq!(house.send("GET", &format!("/s/{token}/download"), &[], "").await.status, 404);
    assert_eq!(house.send("GET", &format!("/public.php/dav/files/{token}"), &[], "").await.status, 401);
}

#[tokio::test]
async fn a_link_with_write_permission_takes_files_from_anybody() {
    let house = House::of(Generation::V7_3).await;
    let link = share(&house, json!({ "path": "/Documents", "shareType": 3, "publicUpload": true })).await;
    assert_eq!(link["permissions"], 31);
    let tree = format!("/public.php/dav/files/{}", link["token"].as_str().unwrap());
    assert_eq!(house.send("PUT", &format!("{tree}/dropped.txt"), &[], "dropped").await.status, 201);
    assert_eq!(house.nextcloud.file("alice", "Documents/dropped.txt").await.unwrap(), "dropped");
    let listed = house.send("PROPFIND", &tree, &[("depth", "1")], "").await;
    assert!(listed.text().contains(&format!("<d:href>{tree}/Plan.md</d:href>")), "{}", listed.text());
    assert_eq!(house.send("GET", &format!("{tree}/../alice.txt"), &[], "").await.status, 404);
}

#[tokio::test]
async fn a_password_closes_a_link() {
    let house = House::of(Generation::V7_3).await;
    let link = share(&house, json!({ "path": "/alice.txt", "shareType": 3, "password": "sesame" })).await;
    let token = link["token"].as_str().unwrap();
    assert_eq!(house.send("GET", &format!("/s/{token}/download"), &[], "").await.status, 303);
    let tree = format!("/public.php/dav/files/{token}");
    for (password, status) in [("sesame", 200), ("wrong", 401)] {
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("anonymous:{password}"));
        let headers = [("authorization", format!("Basic {basic}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(house.send("GET", &tree, &headers, "").await.status, status);
    }
}

#[tokio::test]
async fn what_is_shared_stands_among_the_receivers_files_with_its_permissions() {
    let house = House::of(Generation::V8_10).await;
    let made =
        share(&house, json!({ "path": "/alice.txt", "shareType": 0, "shareWith": "bob", "permissions": 1 })).await;
    let path = format!("{BOB}/alice.txt");
    assert_eq!(house.as_user("bob", "GET", &path, &[], "").await.text(), "This file belongs to alice.\n");
    assert!(
        house.as_user("bob", "PROPFIND", &format!("{BOB}/"), &[("depth", "1")], "").await.text().contains("/alice.txt")
    );
    assert_eq!(house.as_user("bob", "PUT", &path, &[], "x").await.status, 403, "reading only");
    let json = [("content-type", "application/json")];
    let target = format!("/ocs/v2.php/apps/files_sharing/api/v1/shares/{}?format=json", made["id"].as_str().unwrap());
    assert_eq!(house.as_user("bob", "PUT", &target, &json, r#"{"permissions":31}"#).await.status, 404);
    let changed = house.as_user("alice", "PUT", &target, &json, r#"{"permissions":3}"#).await;
    assert_eq!(changed.json()["ocs"]["data"]["permissions"], 3);
    assert_eq!(house.as_user("bob", "PUT", &path, &[], "from bob").await.status, 204);
    assert_eq!(house.nextcloud.file("alice", "alice.txt").await.unwrap(), "from bob");
    assert_eq!(house.as_user("bob", "DELETE", &path, &[], "").await.status, 204, "only the share goes");
    assert_eq!(house.as_user("bob", "GET", &path, &[], "").await.status, 404);
    assert_eq!(house.nextcloud.file("alice", "alice.txt").await.unwrap(), "from bob");
    assert_eq!(house.as_user("alice", "PUT", &target, &json, "{}").await.status, 404);
}

#[tokio::test]
async fn a_share_by_mail_leaves_the_house() {
    let house = House::of(Generation::V8_10).await;
    share(&house, json!({ "path": "/alice.txt", "shareType": 4, "shareWith": "x@out.example" })).await;
    assert_eq!(house.nextcloud.mails()[0].to, "x@out.example");
}

#[tokio::test]
async fn what_is_shared_with_a_group_stands_among_the_files_of_who_is_in_it() {
    let people = vec![("staff".to_owned(), vec!["alice".to_owned(), "bob".to_owned()])];
    let house = House::with(|options| options.groups = people).await;
    let made =
        share(&house, json!({ "path": "/Documents", "shareType": 1, "shareWith": "staff", "permissions": 1 })).await;
    assert_eq!(
        (&made["share_with"], &made["share_with_displayname"], &made["token"]),
        (&"staff".into(), &"staff".into(), &Value::Null)
    );
    let plan = format!("{BOB}/Documents (2)/Plan.md");
    assert_eq!(house.as_user("bob", "GET", &plan.replace(' ', "%20"), &[], "").await.status, 200);
    let with_me = format!("{SHARES}&shared_with_me=true");
    let ids = async |user: &str, target: &str| {
        let list = house.as_user(user, "GET", target, &[], "").await.json()["ocs"]["data"].clone();
        list.as_array().unwrap().iter().map(|share| share["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("bob", &with_me).await, [made["id"].clone()]);
    assert_eq!(ids("alice", &with_me).await, Vec::<Value>::new(), "it is her own");
    assert_eq!(ids("carol", &with_me).await, Vec::<Value>::new());
    assert_eq!(ids("alice", &format!("{SHARES}&path=/&subfiles=true")).await, [made["id"].clone()]);
}

#[tokio::test]
async fn a_share_that_cannot_be_is_refused_in_words() {
    let house = House::of(Generation::V8_10).await;
    let refused = async |fields: Value| {
        let json = [("content-type", "application/json")];
        let answered = house.as_user("alice", "POST", SHARES, &json, fields.to_string()).await;
        (answered.status, answered.json()["ocs"]["meta"]["message"].as_str().unwrap().to_owned())
    };
    for (fields, status, words) in [
        (json!({ "path": "/alice.txt", "shareType": 1, "shareWith": "nobody" }), 404, "Please specify a valid group"),
        (
            json!({ "path": "/alice.txt", "shareType": 0, "shareWith": "nobody" }),
            404,
            "Please specify a valid account to share with",
        ),
        (
            json!({ "path": "/alice.txt", "shareType": 3, "expireDate": "soon" }),
            404,
            "Invalid date. Format must be YYYY-MM-DD",
        ),
        (
            json!({ "path": "/alice.txt", "shareType": 3, "expireDate": "2020-01-01" }),
            404,
            "Expiration date is in the past",
        ),
        (json!({ "path": "/nothing", "shareType": 3 }), 404, "Wrong path, file/folder does not exist"),
        (json!({ "shareType": 3 }), 404, "Please specify a file or folder path"),
    ] {
        assert_eq!(refused(fields.clone()).await, (status, words.to_owned()), "{fields}");
    }
    let file = house.as_user("alice", "GET", &format!("{SHARES}&path=/alice.txt&subfiles=true"), &[], "").await;
    assert_eq!((file.status, &file.json()["ocs"]["meta"]["message"]), (400, &"Not a directory".into()));
    let day =
        share(&house, json!({ "path": "/alice.txt", "shareType": 3, "expireDate": "2099-12-31", "note": "for you" }))
            .await;
    assert_eq!((&day["expiration"], &day["note"]), (&"2099-12-31 00:00:00".into(), &"for you".into()));
    let mail = share(&house, json!({ "path": "/alice.txt", "shareType": 4, "shareWith": "x@out.example" })).await;
    assert_eq!((&mail["share_with"], &mail["share_type"]), (&"x@out.example".into(), &4.into()));
}
