//! What no bearer may reach (nextcloud.md §4), through the whole proxy: nothing reaches Nextcloud, no app password is minted.

use crate::house::{House, Plan};
use crate::wire::{Wire, ask, request};

/// Rows 37, 38: each row of the table, by each way in.
const NEVER: &[&str] = &[
    "/ocs/v2.php/core/getapppassword",
    "/ocs/v1.php/core/getapppassword",
    "/ocs/v2.php/core/getapppassword-onetime",
    "/ocs/v2.php/core/apppassword",
    "/ocs/v2.php/core/apppassword/rotate",
    "/ocs/v2.php/core/apppassword/confirm",
    "/index.php/settings/personal/authtokens",
    "/settings/personal/authtokens",
    "/settings/user",
    "/settings/admin/overview",
    "/settings",
    "/login",
    "/index.php/login",
    "/index.php/login/v2",
    "/login/v2/poll",
    "/login/flow",
    "/logout",
    "/index.php/logout",
    "/apps/oauth2/authorize",
    "/index.php/apps/oauth2/api/v1/token",
    "/apps/oidc/token",
    "/apps/user_oidc/login/1",
    "/index.php/apps/user_oidc/api/v1/me",
    "/apps/app_api/proxy/x",
    "/ocs/v2.php/apps/app_api/api/v1/ex-app/x",
    "/ocs/v2.php/cloud/users",
    "/ocs/v2.php/cloud/users/alice",
    "/ocs/v1.php/cloud/users/alice/groups",
    "/ocs/v2.php/cloud/groups",
    "/ocs/v2.php/cloud/groups/admin",
    "/ocs/v2.php/cloud/apps/files",
    "/ocs/v2.php/apps/provisioning_api/api/v1/config/apps",
    "/apps/notes/api/v1/settings",
    "/index.php/apps/notes/api/v1/settings",
    "/apps/notes/api/v0.2/settings",
    // Web routes outside the listed families.
    "/",
    "/index.php",
    "/apps/files",
    "/index.php/apps/files/api/v1/stats",
    "/apps/dashboard/",
    "/core/search",
    "/s/abcdef",
    "/remote.php/direct/x",
    "/public.php/webdav",
    "/public.php/dav/files/x",
    "/ocs-provider/",
    "/ocs/v3.php/cloud/user",
    "/remote.php/dav/comments/deckCard/1",
    "/remote.php/dav/provisioning/apple-provisioning.mobileconfig",
];

/// Row 54: the list ignores the method.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "SEARCH",
    "COPY",
    "MOVE",
    "MKCOL",
    "LOCK",
    "UNLOCK",
    "MKCALENDAR",
    "ACL",
];

/// Each spelling of a path by which somebody could hope to get by; some are the same to Nextcloud, some to a server in between.
fn spellings(path: &str) -> Vec<String> {
    let last = path.rfind('/').unwrap_or_default();
    let (head, tail) = path.split_at(last + 1);
    let mut spelled = vec![
        path.to_owned(),
        format!("{path}/"),
        format!("{path}?format=json"),
        format!("{head}/{tail}"),
        format!("/{path}"),
        format!("{head}./{tail}"),
        format!("{head}x/../{tail}"),
        format!("{head}%2e/{tail}"),
        format!("{head}x/%2E%2e/{tail}"),
        format!("{head}%2f{tail}"),
        format!("{head}%5c{tail}"),
        format!("{path};x=y"),
        format!("{path}%3bx"),
        format!("{path}%00"),
        format!("{path}%0a"),
        format!("/..;{path}"),
        format!("/remote.php/dav/files/alice/..{path}"),
        format!("/status.php/..{path}"),
        format!("/mcp/..{path}"),
        format!("/.well-known/oauth-protected-resource/..{path}"),
        path.to_ascii_uppercase(),
    ];
    if let Some(first) = tail.chars().next() {
        let code = first as u32;
        spelled.push(format!("{head}%{code:02x}{}", &tail[1..]));
        spelled.push(format!("{head}%25{code:02x}{}", &tail[1..]));
        spelled.push(format!("{head}%{code:02X}{}", &tail[1..]));
    }
    spelled
}

async fn assert_untouched(house: &House) {
    let seen = house.nextcloud.seen();
    assert!(seen.is_empty(), "reached Nextcloud: {:?}", seen.iter().map(|own| &own.target).collect::<Vec<_>>());
    assert_eq!(house.nextcloud.minted_app_passwords(), 0);
    assert_eq!(house.nextcloud.email("alice").as_deref(), Some("alice@ex.org"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_reaches_a_route_of_the_never_table() {
    let house = House::open().await;
    let token = house.token("alice");
    let mut wire = Wire::to(&house).await;
    for path in NEVER {
        for method in METHODS {
            wire.write(request(&house, &format!("{method} {path}"), &token, "")).await;
            if *method == "HEAD" {
                assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 403"), "{method} {path}");
                continue;
            }
            let answer = wire.answer().await.unwrap();
            assert_eq!((answer.status, answer.error()), (403, "forbidden_route".into()), "{method} {path}");
        }
    }
    assert_untouched(&house).await;
    // Not even an exchange was spent on it.
    assert_eq!(house.provider.counts().exchanges(), 0);
    house.close().await;
}

/// Rows 5, 40.
#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_reaches_a_route_of_the_never_table() {
    let house = House::open().await;
    let token = house.token("alice");
    for path in NEVER {
        let mut wire = Wire::to(&house).await;
        for (number, spelling) in spellings(path).into_iter().enumerate() {
            let method = ["GET", "POST"][number % 2];
            let answer = wire.ask(request(&house, &format!("{method} {spelling}"), &token, "")).await;
            assert!(matches!(answer.status, 400 | 403), "{method} {spelling}: {}", answer.status);
        }
    }
    assert_untouched(&house).await;
    house.close().await;
}

/// Product §4: a token in the query would stand in logs (RFC 6750 §2.3 is refused), in each spelling that PHP reads as one.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_query_is_refused_with_and_without_a_header() {
    let house = House::open().await;
    let token = house.token("alice");
    for name in ["access_token", "access%5ftoken", "%61ccess_token", "access.token", "access+token", "access_token[]"] {
        let target = format!("/remote.php/webdav/alice.txt?a=b&{name}={token}");
        let answer = ask(&house, request(&house, &format!("GET {target}"), &token, "")).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request".into()), "{name}");
        let answer = ask(&house, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{name}");
    }
    assert_untouched(&house).await;
    house.close().await;
}

/// Row 2: neither query nor fragment nor a header opens a path.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_path_decides() {
    let house = House::open().await;
    let token = house.token("alice");
    for target in [
        "/ocs/v2.php/core/getapppassword?/.well-known/oauth-protected-resource",
        "/ocs/v2.php/core/getapppassword#/status.php",
        "/ocs/v2.php/core/getapppassword?x=/status.php",
    ] {
        let answer = ask(&house, request(&house, &format!("GET {target}"), &token, "")).await;
        assert!(matches!(answer.status, 400 | 403), "{target}: {}", answer.status);
    }
    for fields in [
        "X-Forwarded-Uri: /status.php\r\n",
        "X-Original-URL: /status.php\r\n",
        "X-Rewrite-URL: /status.php\r\n",
        "X-Forwarded-Prefix: /x\r\n",
        "X-HTTP-Method-Override: PROPFIND\r\n",
        "User-Agent: kube-probe/1.30\r\n",
    ] {
        let line = "GET /ocs/v2.php/core/getapppassword";
        assert_eq!(ask(&house, request(&house, line, &token, fields)).await.status, 403, "{fields}");
    }
    assert_untouched(&house).await;
    // The other way round: an open route with such a header stays what it is.
    let fields = "X-Original-URL: /ocs/v2.php/core/getapppassword\r\nX-HTTP-Method-Override: DELETE\r\n";
    assert_eq!(
        ask(&house, request(&house, "GET /remote.php/webdav/alice.txt?_method=DELETE", &token, fields)).await.status,
        200
    );
    let seen = house.nextcloud.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path()), ("GET", "/remote.php/webdav/alice.txt"));
    assert!(house.nextcloud.file("alice", "alice.txt").await.is_some());
    assert_eq!(house.nextcloud.minted_app_passwords(), 0);
    house.close().await;
}

/// The open pages of ours are exact, and need no token; nothing beside them is open.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_our_own_metadata_is_open() {
    let house = House::open().await;
    let ours = "/.well-known/oauth-protected-resource";
    for (target, status) in [
        (ours.to_owned(), 200),
        (format!("{ours}/mcp"), 200),
        (format!("{ours}?x=y"), 200),
        (format!("{ours}/"), 401),
        (format!("{ours}/x"), 401),
        (format!("{ours}/../../status.php"), 401),
        (format!("/status.php?{ours}"), 401),
        ("/status.php".into(), 401),
        ("/livez".into(), 401),
        ("/metrics".into(), 401),
        ("/ocs/v2.php/core/getapppassword".into(), 401),
        ("//".into(), 401),
    ] {
        let answer = ask(&house, format!("GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: GoogleHC/1.0\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{target}");
    }
    assert_untouched(&house).await;
    house.close().await;
}

/// Rows 47, 55: `Destination` is a second path, on every method that bears it.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_judged_as_the_path_is() {
    let house = House::open().await;
    let token = house.token("alice");
    let base = format!("http://{}", house.running.address);
    let file = "/remote.php/dav/files/alice/alice.txt";
    for method in ["MOVE", "COPY", "PUT", "GET", "PROPFIND"] {
        for (destination, status) in [
            ("/settings/user".to_owned(), 403),
            (format!("{base}/ocs/v2.php/core/getapppassword"), 403),
            ("/ocs/v2.php/core/%67etapppassword".into(), 403),
            ("/index.php/apps/notes/api/v1/settings".into(), 403),
            ("/remote.php/dav/files/alice/../bob/x".into(), 400),
            ("/remote.php/dav/files/alice//x".into(), 400),
            ("/remote.php/dav/files/alice/%2e%2e/x".into(), 400),
            ("http://evil.example/remote.php/dav/files/alice/x".into(), 400),
            (format!("{base}@evil/remote.php/dav/files/alice/x"), 400),
            (format!("{base}:80/remote.php/dav/files/alice/x"), 400),
            ("//evil/remote.php/dav/files/alice/x".into(), 400),
            ("remote.php/dav/files/alice/x".into(), 400),
            (format!("{file}?x"), 400),
            (String::new(), 400),
        ] {
            let fields = format!("Destination: {destination}\r\n");
            let answer = ask(&house, request(&house, &format!("{method} {file}"), &token, &fields)).await;
            assert_eq!(answer.status, status, "{method} {destination}");
        }
        let two = format!("Destination: {file}x\r\nDestination: /settings\r\n");
        assert_eq!(ask(&house, request(&house, &format!("{method} {file}"), &token, &two)).await.status, 400);
    }
    assert_untouched(&house).await;
    house.close().await;
}

/// Rows 40, 47: a good destination goes on as a path, its bytes as they came; aliases work.
#[tokio::test(flavor = "multi_thread")]
async fn files_move_by_every_alias_and_only_the_destinations_path_goes_on() {
    let house = House::open().await;
    let token = house.token("alice");
    let base = format!("http://{}", house.running.address);
    for (from, to) in [
        ("/remote.php/dav/files/alice/alice.txt", "/remote.php/dav/files/alice/%62%20c.txt".to_owned()),
        ("/remote.php/dav/files/alice/b%20c.txt", format!("{base}/remote.php/dav/files/alice/d.txt")),
        ("/remote.php/webdav/d.txt", format!("{}/remote.php/webdav/e.txt", base.replace("http", "HTTP"))),
        ("/remote.php/dav/files/%61lice/e.txt", "/remote.php/dav/files/alice/f.txt".to_owned()),
    ] {
        let answer =
            ask(&house, request(&house, &format!("MOVE {from}"), &token, &format!("Destination: {to}\r\n"))).await;
        assert_eq!(answer.status, 201, "{from} -> {to}");
        let seen = house.nextcloud.seen().pop().unwrap();
        assert_eq!(seen.target, from);
        assert_eq!(
            seen.header("destination"),
            Some(to.strip_prefix(&base).unwrap_or(&to).trim_start_matches(&base.replace("http", "HTTP")))
        );
    }
    assert!(house.nextcloud.file("alice", "f.txt").await.is_some());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alias_of_an_open_route_works_byte_for_byte() {
    let house = House::open().await;
    let token = house.token("alice");
    for (line, status) in [
        ("GET /remote.php/webdav/alice.txt", 200),
        ("GET /remote.php/dav/files/alice/%61lice.txt", 200),
        ("PROPFIND /remote.php/caldav/", 207),
        ("PROPFIND /remote.php/dav/calendars/alice/", 207),
        ("GET /ocs/v1.php/cloud/user?format=json", 200),
        ("GET /ocs/v2.php/cloud/%75ser?format=json&x=%2e%2e", 200),
        ("GET /index.php/apps/notes/api/v1/notes", 200),
        ("GET /apps/notes/api/v1/notes", 200),
        ("GET /status.php", 200),
        ("GET /.well-known/caldav", 301),
    ] {
        let answer = ask(&house, request(&house, line, &token, "")).await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(house.nextcloud.seen().pop().unwrap().target, line.split_once(' ').unwrap().1);
    }
    house.close().await;
}

/// The never-list holds in every mode.
#[tokio::test(flavor = "multi_thread")]
async fn the_never_list_holds_with_an_app_password_too() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "app-password").unwrap();
    let plan = Plan {
        top: "mode = \"basic\"".into(),
        nextcloud: Some(Box::new(|options| {
            options.app_passwords = vec![("alice".to_owned(), "app-password".to_owned().into())];
        })),
        nextcloud_lines: format!("username = \"alice\"\npassword_file = {:?}", secret.path()),
        ..Plan::default()
    };
    let house = plan.build().await;
    let token = house.token("bob");
    for path in NEVER {
        assert_eq!(ask(&house, request(&house, &format!("GET {path}"), &token, "")).await.status, 403, "{path}");
    }
    assert_untouched(&house).await;
    assert_eq!(ask(&house, request(&house, "GET /remote.php/webdav/alice.txt", &token, "")).await.status, 200);
    assert!(house.nextcloud.seen()[0].header("authorization").unwrap().starts_with("Basic "));
    house.close().await;
}
