//! Apps that are there, and a Nextcloud without them.

use serde_json::Value;

use super::wire::House;

const APPS: [&str; 6] = ["notes", "deck", "spreed", "calendar", "contacts", "tasks"];

async fn listed(house: &House, path: &str) -> Value {
    let answered = house.as_user("alice", "GET", &format!("/ocs/v2.php/{path}?format=json"), &[], "").await;
    assert_eq!(answered.status, 200, "{path}");
    answered.json()["ocs"]["data"].clone()
}

fn names(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_app_is_in_the_lists() {
    let house = House::with(|_| {}).await;
    let navigation = names(&listed(&house, "core/navigation/apps").await, "app");
    let providers = names(&listed(&house, "search/providers").await, "appId");
    for app in APPS {
        assert!(navigation.iter().any(|known| known == app), "{app}");
        assert!(providers.iter().any(|known| known == app), "{app}");
    }
    let capabilities = listed(&house, "cloud/capabilities").await;
    assert_eq!(capabilities["capabilities"]["spreed"]["config"]["chat"]["max-length"], 32000);
    assert_eq!(capabilities["capabilities"]["notes"]["api_version"][0], "0.2");
}

#[tokio::test]
async fn without_an_app_nothing_of_it_is_there() {
    let house = House::with(|options| options.without_apps = APPS.map(str::to_owned).to_vec()).await;
    for (path, name) in [("core/navigation/apps", "app"), ("search/providers", "appId")] {
        let list = names(&listed(&house, path).await, name);
        assert!(!list.is_empty() && !list.iter().any(|app| APPS.contains(&app.as_str())), "{path}: {list:?}");
    }
    let capabilities = listed(&house, "cloud/capabilities").await["capabilities"].clone();
    assert!(capabilities["notes"].is_null() && capabilities["spreed"].is_null() && !capabilities["files"].is_null());

    let room = house.as_user("alice", "GET", "/ocs/v2.php/apps/spreed/api/v4/room?format=json", &[], "").await;
    assert_eq!((room.status, &room.json()["ocs"]["meta"]["statuscode"]), (404, &998.into()));
    for path in
        ["/index.php/apps/notes/api/v1/notes", "/apps/notes/api/v1/notes", "/index.php/apps/deck/api/v1.0/boards"]
    {
        let answered = house.as_user("alice", "GET", path, &[("accept", "application/json")], "").await;
        assert_eq!(answered.status, 404, "{path}");
        assert!(answered.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{path}");
    }
    for provider in ["notes", "deck", "calendar", "tasks", "contacts", "talk-message", "talk-conversations"] {
        let target = format!("/ocs/v2.php/search/providers/{provider}/search?format=json&term=a");
        assert_eq!(house.as_user("alice", "GET", &target, &[], "").await.status, 500, "{provider}");
    }
    // What the server itself has stays, whatever shows it.
    let calendars = house.as_user("alice", "PROPFIND", "/remote.php/dav/calendars/alice/", &[("depth", "1")], "").await;
    assert_eq!(calendars.status, 207);
}
