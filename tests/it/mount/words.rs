//! Headers and bodies are told in the words of whoever reads them.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use tokio::net::TcpStream;

use super::{below_nc, origin};
use crate::house::{House, Plan};
use crate::tls::h2;
use crate::wire::{Answer, Upstream, ask, request};

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

/// Callers follow a `Location` or an href with their token.
#[tokio::test(flavor = "multi_thread")]
async fn no_path_of_nextclouds_becomes_another_host() {
    let (upstream, pieces) = changeable().await;
    let house = Plan { upstream_root: "/own", upstream: Some(upstream.url.clone()), ..Plan::default() }.build().await;
    for (sent, wanted) in [
        ("/own/a//b", "/a//b"),
        ("/own//evil.example/a", "/own//evil.example/a"),
        ("/own/\\evil.example/a", "/own/\\evil.example/a"),
        ("//evil.example/own/a", "//evil.example/own/a"),
        ("http://cloud.internal.evil.example/own/a", "http://cloud.internal.evil.example/own/a"),
        ("{}/own//evil.example/a", "{}//evil.example/a"),
    ] {
        let [sent, wanted] = [sent, wanted].map(|text| text.replace("{}", &origin(&house)));
        let href = |path: &str| format!("<d:href>{path}</d:href>");
        let fields = format!("Location: {sent}\r\nLink: <{sent}>; rel=next\r\nContent-Type: application/xml\r\n");
        *pieces.lock() = xml("207 Multi-Status", &fields, &href(&sent));
        let line = "PROPFIND /remote.php/dav/files/alice/";
        let answer = ask(&house, request(&house, line, &house.token("alice"), "")).await;
        assert_eq!(String::from_utf8_lossy(&answer.body), href(&wanted));
        assert_eq!(answer.header("location"), Some(wanted.clone()));
        assert_eq!(answer.header("link"), Some(format!("<{wanted}>; rel=next")));
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
    // The body of a REPORT is read before it goes on.
    let body = if method == "REPORT" { "<d:sync-collection xmlns:d=\"DAV:\"/>" } else { "" };
    let fields = format!("{fields}Content-Length: {}\r\n", body.len());
    ask(house, request(house, &line, &house.token("alice"), &fields) + body).await
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
        // A bearer's foreign hrefs end before they come this far.
        let foreign = if top.is_empty() { "" } else { "<d:href>/x/nc/</d:href><d:href>http://else/nc/</d:href>" };
        let multiget = |root: &str| {
            format!(
                "<c:calendar-multiget><d:prop/><d:href>{root}/remote.php/dav/calendars/alice/p/a%20b.ics</d:href>\
                 <d:href>{origin}{root}/remote.php/dav/calendars/alice/p/b.ics</d:href>{foreign}<x>/nc/</x></c:calendar-multiget>",
                origin = origin(&house)
            )
        };
        let house_origin = origin(&house);
        let tags = |root: &str, origin: &str| {
            let calendar = "remote.php/dav/calendars/alice/p";
            format!(
                "<{root}/{calendar}/a> (<urn:/nc/x> [\"</nc/>\"]) (Not <DAV:no-lock>) <{origin}{root}/{calendar}/b> ([\"x\"])"
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
                 Content-Type: application/xml\r\nIf: {}\r\n\r\n{body}",
                house.running.address,
                tags("/nc", &house_origin)
            );
            assert_eq!(ask(&house, head).await.status, 207);
            let told = bodies.lock().pop().unwrap();
            assert!(told.ends_with(&format!("\n\n{}", multiget("/own"))), "{told}");
            // sabre looks at the path alone; of a bearer's tag only the path that was judged goes on.
            let tags = tags("/own", if top.is_empty() { "" } else { &house_origin });
            let tags = format!("if: {tags}\r");
            assert!(told.contains(&tags), "{told}");
        }
        // The scope of a SEARCH is no path on the host.
        let scope = if top.is_empty() { "/files/alice" } else { "/nc/alice" };
        let search = format!("<d:scope><d:href>{scope}</d:href></d:scope>");
        let head = format!(
            "SEARCH /nc/remote.php/dav/ HTTP/1.1\r\nHost: {}\r\nAuthorization: {credential}\r\nContent-Length: {}\r\n\r\n{search}",
            house.running.address,
            search.len()
        );
        ask(&house, head).await;
        assert!(bodies.lock().pop().unwrap().ends_with(&search));
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
