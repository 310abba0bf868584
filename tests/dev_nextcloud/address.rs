//! Where Nextcloud believes to be: its links, its `href`s and what it asks of `Destination`.

use super::wire::House;

const CALDAV: &str = "/.well-known/caldav";

#[tokio::test]
async fn well_known_redirects_are_made_of_host_and_scheme() {
    let house = House::with(|_| {}).await;
    for (headers, location) in [
        (vec![], "http://nextcloud.test/remote.php/dav/"),
        (vec![("x-forwarded-proto", "https")], "https://nextcloud.test/remote.php/dav/"),
        (
            vec![("x-forwarded-proto", "https"), ("x-forwarded-host", "cloud.example:8443, inner")],
            "https://cloud.example:8443/remote.php/dav/",
        ),
    ] {
        for path in [CALDAV, "/.well-known/carddav"] {
            let answered = house.send("GET", path, &headers, "").await;
            assert_eq!((answered.status, answered.headers["location"].to_str().unwrap()), (301, location));
        }
    }
    let house = House::with(|options| options.trusts_proxy = false).await;
    let forged = [("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")];
    let answered = house.send("GET", CALDAV, &forged, "").await;
    assert_eq!(answered.headers["location"], "http://nextcloud.test/remote.php/dav/");
}

#[tokio::test]
async fn mounted_below_a_prefix_it_answers_only_there_and_calls_itself_by_it() {
    let house = House::with(|options| options.webroot = "/nextcloud".into()).await;
    let depth = [("depth", "0")];
    assert_eq!(house.as_user("alice", "PROPFIND", "/remote.php/dav/files/alice/", &depth, "").await.status, 404);
    assert_eq!(house.as_user("alice", "GET", "/nextcloudy/status.php", &[], "").await.status, 404);
    let answered = house.as_user("alice", "PROPFIND", "/nextcloud/remote.php/dav/files/alice/", &depth, "").await;
    assert!(answered.text().contains("<d:href>/nextcloud/remote.php/dav/files/alice/</d:href>"), "{}", answered.text());
    let at_home = house.send("GET", CALDAV, &[], "").await;
    assert_eq!(at_home.headers["location"], "http://nextcloud.test/nextcloud/remote.php/dav/");
    moves_only_within(&house, "/nextcloud", "/nextcloud", &["/other", ""]).await;
}

#[tokio::test]
async fn an_overwritten_webroot_is_in_every_link_and_asked_of_a_destination() {
    let house = House::with(|options| options.overwrite_webroot = Some("/nc".into())).await;
    let answered = house.as_user("alice", "PROPFIND", "/remote.php/dav/files/alice/", &[("depth", "1")], "").await;
    assert_eq!(answered.text().matches("<d:href>").count(), answered.text().matches("<d:href>/nc/remote.php/").count());
    let at_home = house.send("GET", CALDAV, &[], "").await;
    assert_eq!(at_home.headers["location"], "http://nextcloud.test/nc/remote.php/dav/");
    moves_only_within(&house, "", "/nc", &["", "/nextcloud"]).await;
}

/// Requests come with `mount`; a `Destination` is taken below `root` and refused below any of `elsewhere`.
async fn moves_only_within(house: &House, mount: &str, root: &str, elsewhere: &[&str]) {
    let from = format!("{mount}/remote.php/dav/files/alice/alice.txt");
    for outside in elsewhere {
        let to = format!("{outside}/remote.php/dav/files/alice/b.txt");
        let answered = house.as_user("alice", "MOVE", &from, &[("destination", &to)], "").await;
        assert_eq!(answered.status, 403, "{to}");
        assert!(answered.text().contains("is out of base uri"), "{}", answered.text());
    }
    let to = format!("http://anything{root}/remote.php/dav/files/alice/b.txt");
    assert_eq!(house.as_user("alice", "MOVE", &from, &[("destination", &to)], "").await.status, 201);
    assert!(house.nextcloud.file("alice", "b.txt").await.is_some());
}

#[tokio::test]
async fn a_host_that_is_not_trusted_is_refused_everywhere() {
    let house = House::with(|options| options.trusted_domains = vec!["cloud.example".into()]).await;
    for path in ["/status.php", CALDAV, "/ocs/v2.php/cloud/user", "/remote.php/dav/files/alice/"] {
        assert_eq!(house.as_user("alice", "GET", path, &[], "").await.status, 400, "{path}");
        let told = [("x-forwarded-host", "cloud.example:8443")];
        assert_ne!(house.as_user("alice", "GET", path, &told, "").await.status, 400, "{path}");
    }
}
