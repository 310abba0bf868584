//! The handle's switches, bodies that stream, and connections that go on.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use obo_proxy::dev::Address;
use obo_proxy::dev::nextcloud::{Generation, Nextcloud, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::wire::{House, send};

const USER: &str = "/ocs/v2.php/cloud/user?format=json";
const FILES: &str = "/remote.php/dav/files/alice/";

async fn connect(house: &House) -> TcpStream {
    let Address::Tcp(address) = house.nextcloud.address() else { panic!("a TCP address") };
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn good_credentials_can_be_refused_in_every_shape() {
    let house = House::of(Generation::V7_3).await;
    house.nextcloud.reject_next(3);
    let ocs = house.as_user("alice", "GET", USER, &[], "").await;
    assert_eq!((ocs.status, ocs.json()["ocs"]["meta"]["statuscode"].as_u64()), (401, Some(997)));
    let dav = house.as_user("alice", "PROPFIND", FILES, &[], "").await;
    assert_eq!(dav.status, 401);
    assert!(dav.headers["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
    let notes = house.as_user("alice", "GET", "/apps/notes/api/v1/notes", &[], "").await;
    assert_eq!((notes.status, notes.text().as_str()), (401, r#"{"message":"Current user is not logged in"}"#));
    assert_eq!(house.as_user("alice", "GET", USER, &[], "").await.status, 200, "the fourth is served");
}

#[tokio::test]
async fn maintenance_is_told_by_its_header() {
    let house = House::of(Generation::V7_3).await;
    house.nextcloud.maintenance(true);
    for (method, target) in [("GET", USER), ("PROPFIND", FILES), ("GET", "/apps/files/")] {
        let answered = house.as_user("alice", method, target, &[], "").await;
        assert_eq!((answered.status, answered.headers["x-nextcloud-maintenance-mode"].to_str().unwrap()), (503, "1"));
    }
    assert!(house.send("GET", "/status.php", &[], "").await.json()["maintenance"].as_bool().unwrap());
    house.nextcloud.maintenance(false);
    house.nextcloud.too_many_next(1);
    assert_eq!(house.as_user("alice", "GET", USER, &[], "").await.status, 429);
    assert_eq!(house.as_user("alice", "GET", USER, &[], "").await.status, 200);
}

#[tokio::test]
async fn the_record_shows_what_came_byte_for_byte() {
    let house = House::of(Generation::V7_3).await;
    house.nextcloud.forget_seen();
    house.as_user("alice", "PUT", "/remote.php/dav/files/alice/%41%2Fb?x=%20", &[("x-odd", "value")], "12345").await;
    house.send("GET", USER, &[], "").await;
    let seen = house.nextcloud.seen();
    assert_eq!(seen[0].target, "/remote.php/dav/files/alice/%41%2Fb?x=%20");
    assert_eq!(
        (seen[0].method.as_str(), seen[0].user.as_deref(), seen[0].header("x-odd")),
        ("PUT", Some("alice"), Some("value"))
    );
    assert_eq!((seen[1].user.as_deref(), seen[1].status), (None, 401));
    assert_ne!(seen[0].connection, seen[1].connection);
    house.as_user("alice", "PUT", "/remote.php/dav/files/alice/five.txt", &[], "12345").await;
    assert_eq!(house.nextcloud.seen()[2].body_bytes, 5);
}

#[tokio::test]
async fn a_unix_socket_serves_closes_and_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nextcloud.sock");
    let options = Options::trusting("http://127.0.0.1:1/realms/dev", "http://127.0.0.1:1/certs");
    let nextcloud = Nextcloud::start(UnixListener::bind(&path).unwrap(), options).await.unwrap();
    let status = || async { UnixStream::connect(&path).await };
    assert_eq!(send(status().await.unwrap(), "GET", "/status.php", &[], "").await.status, 200);
    nextcloud.stop_listening().await;
    assert!(status().await.is_err());
    nextcloud.resume().await.unwrap();
    assert_eq!(send(status().await.unwrap(), "GET", "/status.php", &[], "").await.status, 200);
    drop(nextcloud);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let house = House::of(Generation::V7_3).await;
    let bearer = house.bearer("alice");
    let mut socket = connect(&house).await;
    let head = format!(
        "PUT {FILES}half.txt HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: 100\r\n\r\nhalf"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    while house.nextcloud.seen().last().is_none_or(|seen| seen.body_bytes < 4) {
        tokio::task::yield_now().await;
    }
    drop(socket);
    let next = house.as_user("alice", "GET", &format!("{FILES}half.txt"), &[], "").await;
    assert_eq!(next.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_both_ways() {
    let house = House::with(|options| options.echo = true).await;
    let content: Vec<u8> = (0..8_000_000u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let target = format!("{FILES}large.bin");
    assert_eq!(house.as_user("alice", "PUT", &target, &[], content.clone()).await.status, 201);
    assert!(house.as_user("alice", "GET", &target, &[], "").await.body == content);
    let tail = house.as_user("alice", "GET", &target, &[("range", "bytes=-10")], "").await;
    assert_eq!((tail.status, &tail.body[..]), (206, &content[content.len() - 10..]));
    let many =
        house.as_user("alice", "GET", "/ocs/v2.php/apps/notifications/api/v2/bytes?count=3000000", &[], "").await;
    assert_eq!(many.body.len(), 3_000_000);
    let back =
        house.as_user("alice", "POST", "/ocs/v2.php/apps/notifications/api/v2/echo/body", &[], content.clone()).await;
    assert!(back.body == content);
    let described =
        house.as_user("alice", "POST", "/ocs/v2.php/apps/notifications/api/v2/echo", &[], "12345").await.json();
    assert_eq!((described["user"].as_str(), described["body_bytes"].as_u64()), (Some("alice"), Some(5)));
}

#[tokio::test]
async fn slow_answers_are_slow_where_told() {
    let house = House::of(Generation::V8_10).await;
    house.nextcloud.slow_body(Duration::from_millis(2));
    let content = vec![b'x'; 5000];
    house.nextcloud.put_file("alice", "slow.txt", content.clone()).await.unwrap();
    let started = std::time::Instant::now();
    let answered = house.as_user("alice", "GET", &format!("{FILES}slow.txt"), &[], "").await;
    assert_eq!(answered.body, content);
    assert!(started.elapsed() >= Duration::from_millis(10), "five drops");
    house.nextcloud.slow_body(Duration::ZERO);

    house.nextcloud.hold();
    let waiting = house.as_user("alice", "GET", USER, &[], "");
    tokio::pin!(waiting);
    tokio::select! {
        _ = &mut waiting => panic!("it was to wait"),
        () = async { while house.nextcloud.seen().len() < 2 { tokio::task::yield_now().await } } => {}
    }
    house.nextcloud.release();
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn a_websocket_answers_itself_until_the_server_goes() {
    let house = House::of(Generation::V7_3).await;
    for path in ["/ocs/v2.php/apps/spreed/api/v3/signaling/socket", "/push/ws"] {
        let url = format!("{}{path}", house.nextcloud.url().unwrap().replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", house.bearer("alice").parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::client_async(request, connect(&house).await).await.unwrap();
        for message in [Message::text("hello"), Message::binary(vec![7; 70_000]), Message::text("x".repeat(300))] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message);
        }
        if path == "/push/ws" {
            house.nextcloud.stop_listening().await;
            assert!(!matches!(socket.next().await, Some(Ok(_))));
        }
    }
}

#[tokio::test]
async fn events_come_one_by_one_until_the_server_goes() {
    let house = House::of(Generation::V7_3).await;
    let mut socket = connect(&house).await;
    let head = format!(
        "GET /ocs/v2.php/apps/notifications/api/v2/events HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\r\n",
        house.bearer("alice")
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("data: {\"user\":\"alice\",\"number\":0}") {
        let mut block = [0; 4096];
        let read = socket.read(&mut block).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&block[..read]));
    }
    assert!(text.contains("content-type: text/event-stream"));
    house.nextcloud.stop_listening().await;
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    house.nextcloud.resume().await.unwrap();
    assert_eq!(house.send("GET", "/status.php", &[], "").await.status, 200);
}

#[tokio::test]
async fn zeros_by_the_gigabyte_take_no_memory_and_come_back() {
    let house = House::of(Generation::V7_3).await;
    let bearer = house.bearer("alice");
    let mut socket = connect(&house).await;
    const SIZE: usize = 1 << 30;
    let head = format!(
        "PUT {FILES}zeros.bin HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: {SIZE}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..SIZE / zeros.len() {
        socket.write_all(&zeros).await.unwrap();
    }
    let mut answer = vec![0; 4096];
    let read = socket.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer[..read]));
    let tail = house.as_user("alice", "GET", &format!("{FILES}zeros.bin"), &[("range", "bytes=-3")], "").await;
    assert_eq!(
        (tail.status, &tail.body[..], tail.headers["content-range"].to_str().unwrap()),
        (206, &[0, 0, 0][..], "bytes 1073741821-1073741823/1073741824")
    );
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 600_000, "{kilobytes} kB at the peak");
    }
}
