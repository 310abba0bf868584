//! The admin listener, readiness, the drain, a Unix socket, and the process as a whole.

use std::process::Stdio;
use std::time::Duration;

use obo_proxy::dev::nextcloud::{self, Nextcloud};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpStream, UnixListener};

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Answer, Upstream, Wire, ask, request};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";

async fn admin(house: &House, request: impl AsRef<[u8]>) -> Answer {
    Wire::new(TcpStream::connect(house.running.admin).await.unwrap()).ask(request).await
}

async fn readyz(house: &House) -> u16 {
    admin(house, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status
}

/// Rows 4, 9, 33: no page of the internet reads our metrics through its visitor's browser.
#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_answers_to_its_own_names_only() {
    let house = House::open().await;
    let port = house.running.admin.port();
    for (head, status) in [
        (format!("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), 200),
        ("GET /metrics HTTP/1.1\r\nHost: LOCALHOST\r\n\r\n".into(), 200),
        ("GET /metrics HTTP/1.1\r\nHost: [::1]:9090\r\n\r\n".into(), 200),
        (format!("GET http://localhost:{port}/metrics HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 200),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example:80:localhost\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\nHost: localhost@evil\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\nHost: \r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.0\r\n\r\n".into(), 403),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n".into(), 403),
        ("GET http://evil/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".into(), 403),
        ("GET http://localhost/metrics HTTP/1.1\r\nHost: evil\r\n\r\n".into(), 403),
        (
            "GET /metrics HTTP/1.1\r\nHost: evil\r\nX-Forwarded-Host: localhost\r\nUser-Agent: kube-probe/1\r\n\r\n"
                .into(),
            403,
        ),
        ("GET /readyz HTTP/1.1\r\nHost: evil\r\n\r\n".into(), 403),
    ] {
        let answer = admin(&house, &head).await;
        assert_eq!(answer.status, status, "{head}");
        assert_eq!(answer.body.windows(4).any(|window| window == b"obo_"), status == 200, "{head}");
    }
    house.close().await;
}

/// Row 33: nothing there changes state.
#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_is_read_only_and_exact() {
    let house = House::open().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        for path in ["/livez", "/readyz", "/metrics"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assert_eq!(admin(&house, head).await.status, 405, "{method} {path}");
        }
    }
    for path in ["/", "/metrics/", "//metrics", "/config", "/debug/pprof", "/Metrics", "/%6detrics"] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(admin(&house, head).await.status, 404, "{path}");
    }
    house.close().await;
}

/// Nobody's name or token is in a label.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_name_no_person_and_no_token() {
    let house = House::open().await;
    let token = house.token("alice");
    assert_eq!(ask(&house, request(&house, FILE, &token, "")).await.status, 200);
    assert_eq!(ask(&house, request(&house, "GET /x/alice", &token, "")).await.status, 403);
    let text = house.metrics().await;
    assert!(text.contains("obo_requests_total"), "{text}");
    for secret in ["alice", &house.provider.subject("alice"), &token, "127.0.0.1", "mcp-client"] {
        assert!(!text.contains(secret), "{secret}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_is_alive_at_once_and_ready_when_the_provider_has_answered() {
    let house = Plan { provider_down: true, ..Plan::default() }.build().await;
    assert_eq!(admin(&house, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
    assert_eq!(readyz(&house).await, 503);
    let token = house.token("alice");
    let answer = ask(&house, request(&house, FILE, &token, "")).await;
    assert_eq!((answer.status, answer.error()), (503, "idp_unavailable".into()));
    assert!(answer.header("retry-after").is_some());
    house.provider.resume().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), house.running.ready()).await.expect("ready");
    assert_eq!(readyz(&house).await, 200);
    assert_eq!(ask(&house, request(&house, FILE, &token, "")).await.status, 200);
    // Ready it stays: whose tokens are cached is served without the provider.
    house.provider.refuse_connections().await;
    assert_eq!(readyz(&house).await, 200);
    assert_eq!(ask(&house, request(&house, FILE, &token, "")).await.status, 200);
    house.close().await;
}

/// A stop lets what is under way finish, says so to the probes, and lets nobody in any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_open_downloads_refuses_new_connections_and_tells_the_probes() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let upstream = Upstream::serving(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            wire.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await;
            let _ = gate.wait_for(|open| *open).await;
            wire.write("rest").await;
        }
    })
    .await;
    let house = before(&upstream).await;
    let (public, admin) = (house.running.address, house.running.admin);
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, FILE, &house.token("alice"), "")).await;
    wire.head().await.unwrap();
    assert_eq!(wire.exactly(4).await, b"half");
    let mut idle = Wire::to(&house).await;
    let stopping = tokio::spawn(house.running.stop());
    tokio::time::timeout(Duration::from_secs(5), async {
        while TcpStream::connect(public).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the listener closes");
    assert_eq!(idle.rest().await, b"", "an idle connection is closed");
    let mut probe = Wire::new(TcpStream::connect(admin).await.expect("the admin listener goes last"));
    assert_eq!(probe.ask("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 503);
    assert_eq!(probe.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
    assert!(!stopping.is_finished());
    go.send_replace(true);
    assert_eq!(wire.exactly(4).await, b"rest");
    tokio::time::timeout(Duration::from_secs(5), stopping).await.expect("the drain ends").unwrap();
}

/// Whoever does not finish is left behind after `listen.drain`.
#[tokio::test(flavor = "multi_thread")]
async fn the_drain_ends_in_time() {
    let upstream = Upstream::serving(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let plan = Plan { upstream: Some(upstream.url.clone()), listen_lines: "drain = \"1s\"".into(), ..Plan::default() };
    let house = plan.build().await;
    let mut wire = Wire::to(&house).await;
    wire.write(request(&house, FILE, &house.token("alice"), "")).await;
    while upstream.connections.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::timeout(Duration::from_secs(5), house.running.stop()).await.expect("the drain ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_is_reached_through_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nextcloud.sock");
    let plan = Plan { upstream: Some(format!("unix:{}", path.display())), ..Plan::default() };
    let house = plan.build().await;
    let options = nextcloud::Options::trusting(house.provider.issuer(), &house.provider.jwks_uri());
    let behind = Nextcloud::start(UnixListener::bind(&path).unwrap(), options).await.unwrap();
    assert_eq!(ask(&house, request(&house, FILE, &house.token("alice"), "")).await.status, 200);
    assert_eq!(behind.seen()[0].user.as_deref(), Some("alice"));
    house.close().await;
}

/// Laws 5 and row 10: two people in turn on one upstream connection, each as himself.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_on_one_upstream_connection_stay_two() {
    let house = Plan { threads: Some(1), ..Plan::default() }.build().await;
    let tokens = [("alice", house.token("alice")), ("bob", house.token("bob"))];
    let mut wire = Wire::to(&house).await;
    for turn in 0..10 {
        let (person, token) = &tokens[turn % 2];
        let answer = wire.ask(request(&house, "GET /ocs/v2.php/cloud/user?format=json", token, "")).await;
        assert!(String::from_utf8_lossy(&answer.body).contains(&format!("\"id\":\"{person}\"")));
    }
    let seen = house.nextcloud.seen();
    assert!(seen.iter().all(|own| own.connection == seen[0].connection), "this test needs a shared connection");
    assert!(seen.iter().all(|own| own.header("cookie").is_none()));
    house.close().await;
}

/// Row 34, and SIGTERM: the real program, at its most talkative.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_logs_no_token_no_query_no_secret_and_stops_on_sigterm() {
    let house = House::open().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "mcp-server-secret").unwrap();
    let config = folder.path().join("obo.toml");
    let toml = format!(
        "public_url = \"http://127.0.0.1:1\"\n[listen]\naddress = \"127.0.0.1:0\"\nthreads = 1\n[admin]\naddress = \"127.0.0.1:0\"\n\
         [nextcloud]\nurl = {:?}\n[issuers.dev]\nissuer = {:?}\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n\
         [telemetry]\nlog = \"trace\"\n",
        house.nextcloud.url().unwrap(),
        house.provider.issuer(),
        folder.path().join("secret"),
    );
    std::fs::write(&config, toml).unwrap();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_obo-proxy"))
        .args(["serve", "--config"])
        .arg(&config)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut log = Vec::new();
    let address = loop {
        assert_ne!(stderr.read_buf(&mut log).await.unwrap(), 0, "{}", String::from_utf8_lossy(&log));
        let text = plain(&log);
        if let Some(rest) = text.split("public=").nth(1).filter(|rest| rest.contains(' ')) {
            break rest.split_whitespace().next().unwrap().to_owned();
        }
    };
    let reading = tokio::spawn(async move {
        stderr.read_to_end(&mut log).await.unwrap();
        plain(&log)
    });
    let token = house.token("alice");
    let bad = house.provider.mint("alice").expired(Duration::from_secs(100)).sign().unwrap();
    let mut first = 0;
    for _ in 0..200 {
        let mut wire = Wire::new(TcpStream::connect(&address).await.unwrap());
        first = wire
            .ask(format!("{FILE}?q=querysecret HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nCookie: a=cookiesecret\r\n\r\n"))
            .await
            .status;
        if first == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(first, 200);
    for (line, token) in [("GET //x?q=querysecret", &token), ("GET /x?access_token=querysecret", &token), (FILE, &bad)]
    {
        let mut wire = Wire::new(TcpStream::connect(&address).await.unwrap());
        wire.ask(format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n")).await;
    }
    let exchanged = house.nextcloud.seen()[0].header("authorization").unwrap().replace("Bearer ", "");
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it stops").unwrap();
    assert!(status.success(), "{status}");
    let log = reading.await.unwrap();
    assert!(log.contains("refused") && log.contains("draining"), "the log is not talkative enough to prove anything");
    for (secret, what) in [
        (&token[..], "the subject token"),
        (&token[token.len() - 40..], "its signature"),
        (&bad[..], "a refused token"),
        (&exchanged[..], "the exchanged token"),
        ("mcp-server-secret", "the client secret"),
        ("querysecret", "a query"),
        ("cookiesecret", "a cookie"),
    ] {
        if let Some(at) = log.find(secret) {
            panic!("the log holds {what}: …{}", &log[at.saturating_sub(300)..at]);
        }
    }
    house.close().await;
}

/// Without the colours of a terminal.
fn plain(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}
