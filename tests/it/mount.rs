//! Nextcloud under another address than its own: at the root, below a prefix, with a web root that it says or hides.

mod words;

use crate::house::{Change, House, Plan};
use crate::wire::{Upstream, ask, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How Nextcloud and we can be mounted: callers' root, the web server's, and the one that Nextcloud calls itself by.
const MOUNTS: &[(&str, &str, &str)] = &[
    ("", "", ""),
    ("/nc", "", ""),
    ("/nc", "", "/nc"),
    ("/nc", "/nextcloud", "/nextcloud"),
    ("/nc", "/nextcloud", "/nc"),
    ("", "/nextcloud", "/nextcloud"),
    ("/a/b", "/nextcloud", "/elsewhere"),
];

async fn mounted((prefix, webroot, own): (&'static str, &'static str, &'static str)) -> House {
    let change: Change = Box::new(move |options| {
        options.webroot = webroot.into();
        options.overwrite_webroot = Some(own.into());
    });
    let nextcloud_lines = format!("webroot = {own:?}");
    Plan { prefix, upstream_root: webroot, nextcloud: Some(change), nextcloud_lines, ..Plan::default() }.build().await
}

/// A house below `/nc` in front of a Nextcloud by hand that has, and calls itself by, `/own`.
async fn below_nc(upstream: &Upstream) -> House {
    let nextcloud_lines = "host = \"cloud.internal\"\nalso_known_as = [\"10.0.0.7:8080\"]".into();
    let upstream = Some(upstream.url.clone());
    Plan { prefix: "/nc", upstream_root: "/own", upstream, nextcloud_lines, ..Plan::default() }.build().await
}

fn hrefs(multistatus: &str) -> Vec<&str> {
    multistatus.split("<d:href>").skip(1).map(|rest| rest.split("</d:href>").next().unwrap()).collect()
}

fn origin(house: &House) -> String {
    format!("http://{}", house.running.address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_a_dav_client_goes_well_under_every_mount() {
    for mount in MOUNTS {
        let house = mounted(*mount).await;
        let token = house.token("alice");
        let send = |method: &str, path: &str| house.request(method, path, &token);
        let put = send("PUT", "/remote.php/dav/files/alice/a%20%26%20b.txt").body("x").send().await.unwrap();
        assert_eq!(put.status(), 201, "{mount:?}");

        let listed = send("PROPFIND", "/remote.php/dav/files/alice/").header("depth", "1").send().await.unwrap();
        assert_eq!(listed.status(), 207, "{mount:?}");
        let listed = listed.text().await.unwrap();
        assert!(hrefs(&listed).len() > 2, "{listed}");
        for href in hrefs(&listed) {
            let inside = href.strip_prefix(mount.0).unwrap_or_else(|| panic!("{mount:?}: {href}"));
            assert!(inside.starts_with("/remote.php/dav/files/alice/"), "{mount:?}: {href}");
            let again = send("PROPFIND", inside).header("depth", "0").send().await.unwrap();
            assert_eq!(again.status(), 207, "{mount:?}: {href}");
        }

        for (destination, name) in [(origin(&house), "c.txt"), (String::new(), "d%20d.txt")] {
            let destination = format!("{destination}{}/remote.php/dav/files/alice/{name}", mount.0);
            let copied = send("COPY", "/remote.php/dav/files/alice/a%20%26%20b.txt").header("destination", destination);
            assert_eq!(copied.send().await.unwrap().status(), 201, "{mount:?} {name}");
        }
        assert!(house.nextcloud.file("alice", "d d.txt").await.is_some());

        let body = "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:current-user-principal/></d:prop></d:propfind>";
        let who = send("PROPFIND", "/remote.php/dav/").header("depth", "0").body(body).send().await.unwrap();
        let who = who.text().await.unwrap();
        let principal = format!("{}/remote.php/dav/principals/users/alice/", mount.0);
        assert_eq!(hrefs(&who), [format!("{}/remote.php/dav/", mount.0), principal], "{mount:?}");
        house.close().await;
    }
}

/// Law 7 below a prefix: one representation, which is the path inside.
#[tokio::test(flavor = "multi_thread")]
async fn policy_sees_what_is_inside_and_nothing_else_is_there() {
    let upstream = Upstream::answering(OK).await;
    let house = below_nc(&upstream).await;
    let token = house.token("alice");
    for (target, status) in [
        ("/nc/ocs/v2.php/core/getapppassword", 403),
        ("/nc/ocs/v2.php/core/%67etapppassword", 403),
        ("/nc/index.php/settings/admin", 403),
        ("/nc/nc/remote.php/dav/files/alice/a", 403),
        ("/nc", 403),
        ("/nc/mcp/x", 404),
        ("/nc//remote.php/dav/files/alice/a", 400),
        ("/nc/../nc/remote.php/dav/files/alice/a", 400),
        ("/nc/%2e%2e/nc/remote.php/dav/files/alice/a", 400),
        ("/nc/%2e%2e%2fown/remote.php/dav/files/alice/a", 400),
        // Elsewhere on the host, in any spelling.
        ("/remote.php/dav/files/alice/a", 404),
        ("/own/remote.php/dav/files/alice/a", 404),
        ("/ncx/remote.php/dav/files/alice/a", 404),
        ("/%6ec/remote.php/dav/files/alice/a", 404),
        ("/NC/remote.php/dav/files/alice/a", 404),
        ("//nc/remote.php/dav/files/alice/a", 404),
        ("/x/../nc/remote.php/dav/files/alice/a", 404),
        ("/nc%2fremote.php/dav/files/alice/a", 404),
    ] {
        let answer = ask(&house, request(&house, &format!("GET {target}"), &token, "")).await;
        assert_eq!(answer.status, status, "{target}");
    }
    assert!(upstream.heads.lock().is_empty(), "{:?}", upstream.heads.lock());
    // A stranger is not even told what is where.
    for target in ["/nc/remote.php/dav/", "/elsewhere", "/nc/mcp/x"] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", house.running.address);
        assert_eq!(ask(&house, head).await.status, 401, "{target}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_inside_goes_on_byte_for_byte() {
    let upstream = Upstream::answering(OK).await;
    let house = below_nc(&upstream).await;
    for inside in [
        "/remote.php/dav/files/alice/%67%20a%3Bb.txt?x=/nc/y&z=%2F",
        "/remote.php/dav/files/alice/nc/own/",
        "/ocs/v2.php/cloud/user?format=json",
    ] {
        let line = format!("GET /nc{inside}");
        assert_eq!(ask(&house, request(&house, &line, &house.token("alice"), "")).await.status, 200, "{inside}");
        let head = upstream.heads.lock().last().cloned().unwrap();
        assert_eq!(head.lines().next(), Some(&*format!("GET /own{inside} HTTP/1.1")));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_judged_inside_and_told_in_nextclouds_words() {
    let upstream = Upstream::answering("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
    let house = below_nc(&upstream).await;
    let token = house.token("alice");
    let own = origin(&house);
    for (destination, told) in [
        ("/nc/remote.php/dav/files/alice/b%20%26.txt".to_owned(), Ok("/own/remote.php/dav/files/alice/b%20%26.txt")),
        (format!("{own}/nc/remote.php/dav/files/alice/b"), Ok("/own/remote.php/dav/files/alice/b")),
        (format!("{own}/remote.php/dav/files/alice/b"), Err(400)),
        (format!("{own}/own/remote.php/dav/files/alice/b"), Err(400)),
        ("/remote.php/dav/files/alice/b".into(), Err(400)),
        ("/ncx/remote.php/dav/files/alice/b".into(), Err(400)),
        ("/nc/../remote.php/dav/files/alice/b".into(), Err(400)),
        ("/nc".into(), Err(400)),
        ("/nc/ocs/v2.php/core/getapppassword".into(), Err(403)),
        ("/nc/settings/users".into(), Err(403)),
        ("/nc/nc/remote.php/dav/files/alice/b".into(), Err(403)),
    ] {
        let fields = format!("Destination: {destination}\r\n");
        let answer = ask(&house, request(&house, "MOVE /nc/remote.php/dav/files/alice/a", &token, &fields)).await;
        match told {
            Ok(told) => {
                assert_eq!(answer.status, 201, "{destination}");
                assert!(upstream.last().contains(&format!("\ndestination: {told}\r")), "{}", upstream.last());
            }
            Err(status) => assert_eq!(answer.status, status, "{destination}"),
        }
    }
    assert_eq!(upstream.heads.lock().len(), 2);
    house.close().await;
}

/// RFC 9728 §3.1 puts the well-known part between host and path.
#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_resource_with_a_path_stand_at_the_root_of_the_host() {
    let house = mounted(("/nc", "", "/nc")).await;
    for (resource, path) in [("", "/nc/remote.php/dav/"), ("/mcp", "/nc/mcp/x"), ("", "/nc/mcpx")] {
        let url = format!("{}/.well-known/oauth-protected-resource/nc{resource}", origin(&house));
        let challenged = house.client.get(format!("{}{path}", origin(&house))).send().await.unwrap();
        let challenge = challenged.headers()["www-authenticate"].to_str().unwrap().to_owned();
        // What it names beside it at /mcp: mcp/resource_server.rs.
        assert!(challenge.starts_with(&format!("Bearer resource_metadata=\"{url}\"")), "{path}: {challenge}");
        let document: serde_json::Value = house.client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["resource"], format!("{}{resource}", house.url));
    }
    for path in ["/.well-known/oauth-protected-resource", "/nc/.well-known/oauth-protected-resource"] {
        assert_eq!(house.client.get(format!("{}{path}", origin(&house))).send().await.unwrap().status(), 401, "{path}");
    }
    house.close().await;
}

/// RFC 6764 §5: clients know the host alone, come by PROPFIND, and follow with their method and their credential.
#[tokio::test(flavor = "multi_thread")]
async fn calendars_and_contacts_are_found_from_the_root_of_the_host_under_every_mount() {
    for mount in MOUNTS {
        let house = mounted(*mount).await;
        let token = house.token("alice");
        for service in ["caldav", "carddav"] {
            for method in ["PROPFIND", "GET", "OPTIONS"] {
                let url = format!("{}/.well-known/{service}", origin(&house));
                let asked = house.client.request(method.parse().unwrap(), &url).bearer_auth(&token);
                let moved = asked.send().await.unwrap();
                assert_eq!(moved.status(), 301, "{mount:?} {method}");
                assert_eq!(moved.headers()["location"], format!("{}/remote.php/dav/", house.url), "{mount:?} {method}");
            }
        }
        let found = house.request("PROPFIND", "/remote.php/dav/", &token).header("depth", "0").send().await.unwrap();
        assert_eq!(found.status(), 207, "{mount:?}");
        house.close().await;
    }
}

/// Where nobody could answer rightly but us, nobody has to show a token to be told where to go.
#[tokio::test(flavor = "multi_thread")]
async fn below_a_prefix_the_way_to_calendars_is_told_to_everybody_and_without_nextcloud() {
    let upstream = Upstream::answering(OK).await;
    let house = below_nc(&upstream).await;
    for path in ["/.well-known/caldav", "/nc/.well-known/carddav"] {
        let head = format!("PROPFIND {path} HTTP/1.1\r\nHost: {}\r\n\r\n", house.running.address);
        let answer = ask(&house, head).await;
        assert_eq!((answer.status, answer.header("location")), (301, Some(format!("{}/remote.php/dav/", house.url))));
    }
    for path in ["/.well-known/caldav/", "/.well-known/CalDAV", "/.well-known/webfinger", "/nc/x/.well-known/caldav"] {
        let head = format!("PROPFIND {path} HTTP/1.1\r\nHost: {}\r\n\r\n", house.running.address);
        assert_eq!(ask(&house, head).await.status, 401, "{path}");
    }
    assert!(upstream.heads.lock().is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_is_told_the_public_address_and_no_prefix() {
    let upstream = Upstream::answering(OK).await;
    let plan = Plan { prefix: "/nc", upstream: Some(upstream.url.clone()), ..Plan::default() };
    let house = plan.build().await;
    let fields = "X-Forwarded-Prefix: /evil\r\nX-Forwarded-Host: evil\r\n";
    let line = "GET /nc/ocs/v2.php/cloud/user";
    assert_eq!(ask(&house, request(&house, line, &house.token("alice"), fields)).await.status, 200);
    let head = upstream.last();
    let address = house.running.address;
    for field in [
        format!("\nhost: {address}\r"),
        format!("\nx-forwarded-host: {address}\r"),
        "\nx-forwarded-proto: http\r".into(),
    ] {
        assert_eq!(head.matches(&field).count(), 1, "{field} in\n{head}");
    }
    assert!(!head.contains("prefix") && !head.contains("evil"), "{head}");
    house.close().await;
}

/// The same for the second path of a request that nobody judges.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_client_moves_below_every_mount() {
    for mount in MOUNTS {
        let (prefix, webroot, own) = *mount;
        let change: Change = Box::new(move |options| {
            options.webroot = webroot.into();
            options.overwrite_webroot = Some(own.into());
        });
        let plan = Plan {
            top: "non_bearer = \"forward\"".into(),
            prefix,
            upstream_root: webroot,
            nextcloud: Some(change),
            nextcloud_lines: format!("webroot = {own:?}"),
            ..Plan::default()
        };
        let house = plan.build().await;
        let password = house.nextcloud.add_app_password("alice");
        let url = format!("{}/remote.php/dav/files/alice", house.url);
        for (origin, name) in [(origin(&house), "b.txt"), (String::new(), "c.txt")] {
            let copied = house
                .client
                .request("COPY".parse().unwrap(), format!("{url}/alice.txt"))
                .basic_auth("alice", Some(&password))
                .header("destination", format!("{origin}{prefix}/remote.php/dav/files/alice/{name}"));
            assert_eq!(copied.send().await.unwrap().status(), 201, "{mount:?} {name}");
            assert!(house.nextcloud.file("alice", name).await.is_some());
        }
        house.close().await;
    }
}
