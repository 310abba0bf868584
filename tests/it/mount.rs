//! Nextcloud under another address than its own: at the root, below a prefix, with a web root that it says or hides.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use tokio::net::TcpStream;

use crate::house::{Change, House, Plan};
use crate::tls::h2;
use crate::wire::{Answer, Upstream, ask, request};

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
        ("/nc/mcp", 404),
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
    for target in ["/nc/remote.php/dav/", "/elsewhere", "/nc/mcp"] {
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

/// A Nextcloud by hand whose answer can be changed.
async fn changeable() -> (Upstream, Arc<Mutex<Vec<Vec<u8>>>>) {
    let pieces: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let given = pieces.clone();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let heads = seen.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let (pieces, heads) = (given.lock().clone(), heads.clone());
        async move {
            let head = wire.head().await.unwrap_or_default();
            wire.body(&head).await;
            heads.lock().push(head);
            for piece in pieces {
                wire.write(piece).await;
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    (Upstream { heads: seen, ..upstream }, pieces)
}

/// Row 47, below a prefix.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_nextcloud_in_headers_become_public_ones() {
    let (upstream, pieces) = changeable().await;
    let house = below_nc(&upstream).await;
    let port = upstream.url.rsplit(':').next().unwrap();
    for (name, sent, wanted) in [
        ("Location", "http://cloud.internal/own/a?b=/own/c", "{}/nc/a?b=/own/c"),
        ("Location", "https://CLOUD.internal:443/own/a", "{}/nc/a"),
        ("Location", "http://cloud.internal:{port}/own/a", "{}/nc/a"),
        ("Location", "{up}/own/a", "{}/nc/a"),
        ("Location", "http://10.0.0.7:8080/own", "{}/nc"),
        ("Location", "//cloud.internal/own/a", "{}/nc/a"),
        ("Location", "{}/own/a", "{}/nc/a"),
        ("Location", "{}/nc/a", "{}/nc/a"),
        ("Location", "/own/a", "/nc/a"),
        ("Location", "/nc/a", "/nc/a"),
        ("Location", "/ownx/a", "/ownx/a"),
        ("Location", "a/own/", "a/own/"),
        ("Location", "http://10.0.0.7:8081/own/a", "http://10.0.0.7:8081/own/a"),
        ("Location", "https://cloud.internal.evil/own/a", "https://cloud.internal.evil/own/a"),
        ("Location", "https://cloud.internal@evil/own/a", "https://cloud.internal@evil/own/a"),
        ("Location", "//evil/own/a", "//evil/own/a"),
        ("Content-Location", "/own/remote.php/dav/x", "/nc/remote.php/dav/x"),
        (
            "Link",
            "<http://cloud.internal/own/ocs/v2.php/apps/files_sharing/api/v1/sharees?a=<b&page=2>; rel=\"next\"",
            "<{}/nc/ocs/v2.php/apps/files_sharing/api/v1/sharees?a=<b&page=2>; rel=\"next\"",
        ),
        (
            "Link",
            "</own/a>; rel=x; title=\"</own/b>\", <http://else/own/>",
            "</nc/a>; rel=x; title=\"</own/b>\", <http://else/own/>",
        ),
    ] {
        let filled =
            |text: &str| text.replace("{}", &origin(&house)).replace("{up}", &upstream.url).replace("{port}", port);
        let head = format!(
            "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n{name}: {}\r\n\r\n",
            filled(sent)
        );
        *pieces.lock() = vec![head.into_bytes()];
        let line = "GET /nc/ocs/v2.php/cloud/user";
        let answer = ask(&house, request(&house, line, &house.token("alice"), "")).await;
        let got = answer.header(&name.to_ascii_lowercase());
        assert_eq!(got, Some(filled(wanted).to_ascii_lowercase()), "{name}: {sent}");
    }
    house.close().await;
}

const MULTISTATUS: &str = "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/own/remote.php/dav/files/alice/a&amp;b.txt\
    </d:href><d:propstat><d:prop><x>/own/remote.php/x</x><d:owner><d:href>http://cloud.internal/own/p/</d:href></d:owner></d:prop></d:propstat>\
    </d:response><!-- <d:href>/own/c</d:href> --></d:multistatus>";
const PUBLIC: &str = "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/nc/remote.php/dav/files/alice/a&amp;b.txt\
    </d:href><d:propstat><d:prop><x>/own/remote.php/x</x><d:owner><d:href>{}/nc/p/</d:href></d:owner></d:prop></d:propstat>\
    </d:response><!-- <d:href>/own/c</d:href> --></d:multistatus>";

fn xml(status: &str, fields: &str, body: &str) -> Vec<Vec<u8>> {
    let length = body.len();
    vec![
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
            .into_bytes(),
    ]
}

async fn asked(house: &House, method: &str, fields: &str) -> Answer {
    let line = format!("{method} /nc/remote.php/dav/files/alice/");
    ask(house, request(house, &line, &house.token("alice"), fields)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multistatus_is_told_in_public_words_however_it_is_cut_and_keeps_its_trailers() {
    let (upstream, pieces) = changeable().await;
    let house = below_nc(&upstream).await;
    let public = PUBLIC.replace("{}", &origin(&house));
    for size in [1, 7, 50, 10_000] {
        let head = "HTTP/1.1 207 Multi-Status\r\nConnection: close\r\nContent-Type: application/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
        let mut told = vec![head.as_bytes().to_vec()];
        told.extend(
            MULTISTATUS
                .as_bytes()
                .chunks(size)
                .map(|piece| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()),
        );
        told.push(b"0\r\nX-Sum: 1\r\n\r\n".to_vec());
        *pieces.lock() = told;
        // Over HTTP/2, for only there trailers cross.
        let mut sender = h2::<Empty<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
        let request = http::Request::builder()
            .method("PROPFIND")
            .uri(format!("{}/remote.php/dav/files/alice/", house.url))
            .header("authorization", format!("Bearer {}", house.token("alice")))
            .header("accept-encoding", "gzip, br");
        let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().get("content-length")), (207, None));
        let collected = answer.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().and_then(|sent| sent.get("x-sum")).unwrap(), "1", "{size}");
        assert_eq!(String::from_utf8_lossy(&collected.to_bytes()), public, "{size}");
        assert!(upstream.last().contains("\naccept-encoding: identity\r"), "{}", upstream.last());
        assert!(!upstream.last().contains("gzip"));
    }
    house.close().await;
}

/// What is rewritten is DAV's own XML, and never anybody's file.
#[tokio::test(flavor = "multi_thread")]
async fn only_xml_of_dav_itself_is_rewritten() {
    const XML: &str = "Content-Type: application/xml; charset=utf-8\r\n";
    let (upstream, pieces) = changeable().await;
    let house = below_nc(&upstream).await;
    let public = PUBLIC.replace("{}", &origin(&house));
    for (method, status, fields, rewritten) in [
        ("PROPFIND", "207 Multi-Status", XML, true),
        ("REPORT", "207 Multi-Status", "Content-Type: text/xml\r\n", true),
        ("REPORT", "207 Multi-Status", "Content-Type: Text/XML;charset=x\r\n", true),
        ("LOCK", "200 OK", XML, true),
        ("DELETE", "423 Locked", XML, true),
        ("PROPFIND", "404 Not Found", XML, true),
        ("GET", "200 OK", XML, false),
        ("PUT", "409 Conflict", XML, false),
        ("PROPFIND", "207 Multi-Status", "Content-Type: text/html\r\n", false),
        ("PROPFIND", "207 Multi-Status", "Content-Type: application/xml\r\nContent-Encoding: gzip\r\n", false),
        ("PROPFIND", "207 Multi-Status", "", false),
    ] {
        *pieces.lock() = xml(status, fields, MULTISTATUS);
        let answer = asked(&house, method, "").await;
        let (body, wanted) = (String::from_utf8(answer.body).unwrap(), if rewritten { &*public } else { MULTISTATUS });
        assert_eq!(body, wanted, "{method} {status} {fields}");
    }
    // A file is asked for in whatever coding the caller likes.
    *pieces.lock() = xml("200 OK", XML, MULTISTATUS);
    asked(&house, "GET", "Accept-Encoding: gzip\r\n").await;
    assert!(upstream.last().contains("\naccept-encoding: gzip\r"));
    house.close().await;
}

/// The way that is recommended: `overwritewebroot` is the path of `public_url`, and no body is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn where_nextcloud_calls_itself_as_callers_do_no_body_is_rewritten() {
    let (upstream, pieces) = changeable().await;
    let plan = Plan {
        prefix: "/nc",
        upstream: Some(upstream.url.clone()),
        nextcloud_lines: "webroot = \"/nc\"".into(),
        ..Plan::default()
    };
    let house = plan.build().await;
    *pieces.lock() = xml("207 Multi-Status", "Content-Type: application/xml\r\n", MULTISTATUS);
    let answer = asked(&house, "PROPFIND", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(String::from_utf8_lossy(&answer.body), MULTISTATUS);
    assert_eq!(answer.header("content-length"), Some(MULTISTATUS.len().to_string()));
    assert!(upstream.last().contains("\naccept-encoding: gzip\r"), "{}", upstream.last());
    house.close().await;
}

/// RFC 9728 §3.1 puts the well-known part between host and path.
#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_resource_with_a_path_stand_at_the_root_of_the_host() {
    let house = mounted(("/nc", "", "/nc")).await;
    for (resource, path) in [("", "/nc/remote.php/dav/"), ("/mcp", "/nc/mcp"), ("/mcp", "/nc/mcp/x"), ("", "/nc/mcpx")]
    {
        let url = format!("{}/.well-known/oauth-protected-resource/nc{resource}", origin(&house));
        let challenged = house.client.get(format!("{}{path}", origin(&house))).send().await.unwrap();
        let challenge = challenged.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert_eq!(challenge, format!("Bearer resource_metadata=\"{url}\""), "{path}");
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

/// The recorded redirect to the login page, below Nextcloud's own root.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_by_redirect_is_recognised_below_a_webroot() {
    let upstream = Upstream::answering(
        "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\nLocation: http://cloud.internal/own/login?clear=1\r\n\r\n",
    )
    .await;
    let house = below_nc(&upstream).await;
    let answer = asked(&house, "GET", "").await;
    assert_eq!((answer.status, answer.error()), (502, "nextcloud_rejected_token".into()));
    assert_eq!(upstream.heads.lock().len(), 2);
    house.close().await;
}

/// A multiget below a prefix names everything as callers do; Nextcloud would find nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn hrefs_in_requests_are_told_in_nextclouds_words() {
    let bodies = Arc::<Mutex<Vec<String>>>::default();
    let seen = bodies.clone();
    let upstream = Upstream::serving(move |mut wire, _| {
        let seen = seen.clone();
        async move {
            while let Some(head) = wire.head().await {
                let body = wire.body(&head).await;
                seen.lock().push(format!("{head}\n\n{}", String::from_utf8_lossy(&body)));
                wire.write("HTTP/1.1 207 Multi-Status\r\nContent-Length: 0\r\n\r\n").await;
            }
        }
    })
    .await;
    for top in ["", "non_bearer = \"forward\""] {
        let plan = Plan {
            top: top.into(),
            prefix: "/nc",
            upstream_root: "/own",
            upstream: Some(upstream.url.clone()),
            ..Plan::default()
        };
        let house = plan.build().await;
        let multiget = |root: &str| {
            format!(
                "<c:calendar-multiget><d:prop/><d:href>{root}/remote.php/dav/calendars/alice/p/a%20b.ics</d:href>\
                 <d:href>{origin}{root}/remote.php/dav/calendars/alice/p/b.ics</d:href><d:href>/x/nc/</d:href>\
                 <d:href>http://else/nc/</d:href><x>/nc/</x></c:calendar-multiget>",
                origin = origin(&house)
            )
        };
        let credential = match top {
            "" => format!("Bearer {}", house.token("alice")),
            _ => "Basic YTpi".to_owned(),
        };
        let asked = multiget("/nc");
        for (fields, body) in [
            (format!("Content-Length: {}", asked.len()), asked.clone()),
            ("Transfer-Encoding: chunked".into(), format!("{:x}\r\n{asked}\r\n0\r\n\r\n", asked.len())),
        ] {
            let head = format!(
                "REPORT /nc/remote.php/dav/calendars/alice/p/ HTTP/1.1\r\nHost: {}\r\nAuthorization: {credential}\r\n{fields}\r\n\
                 Content-Type: application/xml\r\nIf: </nc/a> (<urn:/nc/x> [\"</nc/>\"]) (Not <DAV:no-lock>) <{}/nc/b> ([\"x\"])\r\n\r\n{body}",
                house.running.address,
                origin(&house)
            );
            assert_eq!(ask(&house, head).await.status, 207);
            let told = bodies.lock().pop().unwrap();
            assert!(told.ends_with(&format!("\n\n{}", multiget("/own"))), "{told}");
            let tags = format!(
                "if: </own/a> (<urn:/nc/x> [\"</nc/>\"]) (Not <DAV:no-lock>) <{}/own/b> ([\"x\"])\r",
                origin(&house)
            );
            assert!(told.contains(&tags), "{told}");
        }
        // Somebody's file is nobody's business.
        let file = "<d:href>/nc/a</d:href>";
        let head = format!(
            "PUT /nc/remote.php/dav/files/alice/a.xml HTTP/1.1\r\nHost: {}\r\nAuthorization: {credential}\r\nContent-Length: {}\r\n\
             Content-Type: application/xml\r\n\r\n{file}",
            house.running.address,
            file.len()
        );
        ask(&house, head).await;
        assert!(bodies.lock().pop().unwrap().ends_with(file));
        house.close().await;
    }
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
