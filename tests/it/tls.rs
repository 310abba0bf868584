//! TLS on both legs, and HTTP/2 in front.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::house::{House, Plan};
use crate::hygiene::before;
use crate::wire::{Upstream, ask, request};

const FILE: &str = "GET /remote.php/dav/files/alice/alice.txt";

/// An authority of our own, and a certificate for one name.
struct Papers {
    authority: String,
    certificate: String,
    key: String,
}

fn papers(name: &str) -> Papers {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap().pem();
    Papers { authority, certificate, key: key.serialize_pem() }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A Nextcloud behind TLS that answers `ok`.
async fn behind_tls(papers: &Papers) -> u16 {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(papers.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(papers.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut read = [0; 8192];
            while matches!(stream.read(&mut read).await, Ok(1..)) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    });
    port
}

/// Nobody speaks to a Nextcloud that cannot show its papers.
#[tokio::test(flavor = "multi_thread")]
async fn nextcloud_behind_tls_has_to_prove_its_name_to_an_authority_that_we_know() {
    let (good, stranger, other_name) = (papers("localhost"), papers("localhost"), papers("other.example"));
    let folder = tempfile::tempdir().unwrap();
    for (shown, known, status) in [
        (&good, Some(&good), 200),
        (&good, Some(&stranger), 502),
        (&good, None, 502),
        (&other_name, Some(&other_name), 502),
    ] {
        let port = behind_tls(shown).await;
        let file = folder.path().join("ca.pem");
        let top = known.map_or(String::new(), |known| {
            std::fs::write(&file, &known.authority).unwrap();
            format!("ca_file = {file:?}")
        });
        let plan = Plan { upstream: Some(format!("https://localhost:{port}")), top, ..Plan::default() };
        let house = plan.build().await;
        let answer = ask(&house, request(&house, FILE, &house.token("alice"), "")).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 502 {
            assert_eq!(answer.error(), "nextcloud_unreachable");
            assert!(!String::from_utf8_lossy(&answer.body).contains("ertificate"), "the cause is not the caller's");
        }
        house.close().await;
    }
}

async fn front_tls(house: &House, papers: &Papers, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(papers.authority.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(house.running.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

type Sender<B> = SendRequest<B>;

pub async fn h2<B>(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(house: &House, scheme: &str, path: &str, token: &str) -> http::request::Builder {
    http::Request::get(format!("{scheme}://{}{path}", house.running.address))
        .header("authorization", format!("Bearer {token}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_in_front_speaks_what_alpn_settles() {
    let papers = papers("localhost");
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate, &papers.certificate).unwrap();
    std::fs::write(&key, &papers.key).unwrap();
    let plan = Plan {
        listen_lines: format!("tls_certificate_file = {certificate:?}\ntls_key_file = {key:?}"),
        ..Plan::default()
    };
    let house = plan.build().await;
    let token = house.token("alice");
    let stream = front_tls(&house, &papers, &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut sender = h2::<Empty<Bytes>>(stream).await;
    let path = "/remote.php/webdav/alice.txt";
    let answer = sender.send_request(get(&house, "https", path, &token).body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("set-cookie"));
    assert!(!answer.into_body().collect().await.unwrap().to_bytes().is_empty());

    let mut stream = front_tls(&house, &papers, &[b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(request(&house, FILE, &token, "Connection: close\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    // Plain HTTP finds nobody there.
    assert_eq!(crate::wire::status(&house, request(&house, FILE, &token, "")).await, 0);
    house.close().await;
}

/// Law 5: two people on one HTTP/2 connection (an agent's, say), at once.
#[tokio::test(flavor = "multi_thread")]
async fn streams_of_two_people_on_one_http2_connection_stay_theirs() {
    let house = House::open().await;
    let (alice, bob) = (house.token("alice"), house.token("bob"));
    let sender = h2::<Empty<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
    let mut asked = Vec::new();
    for turn in 0..20 {
        let (person, token) = if turn % 2 == 0 { ("alice", &alice) } else { ("bob", &bob) };
        let request =
            get(&house, "http", "/ocs/v2.php/cloud/user?format=json", token).header("cookie", "nc_username=bob");
        let mut sender = sender.clone();
        let request = request.body(Empty::new()).unwrap();
        asked.push((person, tokio::spawn(async move { sender.send_request(request).await.unwrap() })));
    }
    for (person, answer) in asked {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(&format!("\"id\":\"{person}\"")));
    }
    assert!(house.nextcloud.seen().iter().all(|seen| seen.header("cookie").is_none()));
    house.close().await;
}

/// Trailers come after every decision: none that decides anything crosses, in either direction.
#[tokio::test(flavor = "multi_thread")]
async fn trailers_carry_no_cookie_no_credential_and_no_framing() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Good, Set-Cookie\r\n\r\n2\r\nok\r\n0\r\nX-Good: yes\r\n\
         Set-Cookie: a=canary\r\nSet-Cookie2: a=canary\r\nContent-Length: 7\r\nLocation: http://canary\r\n\
         WWW-Authenticate: Basic canary\r\nX_Good: canary\r\nX-Accel-Redirect: canary\r\nTransfer-Encoding: canary\r\n\r\n",
    )
    .await;
    let house = before(&upstream).await;
    let mut sender = h2::<Empty<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
    let request = get(&house, "http", "/remote.php/webdav/a", &house.token("alice")).header("te", "trailers");
    let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    let collected = answer.into_body().collect().await.unwrap();
    let trailers = format!("{:?}", collected.trailers());
    assert!(
        trailers.contains("x-good") && !trailers.contains("canary") && !trailers.contains("content-length"),
        "{trailers}"
    );
    house.close().await;
}

/// The same on the way to Nextcloud.
#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_a_caller_reach_nextcloud_neither_as_trailers_nor_as_fields() {
    let (told, mut tell) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::serving(move |mut wire, _| {
        let told = told.clone();
        async move {
            let head = wire.head().await.unwrap_or_default();
            wire.chunked().await;
            let _ = told.send(format!("{head}\n{}", wire.trailers));
            wire.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let house = before(&upstream).await;
    let fields = "Transfer-Encoding: chunked\r\nTrailer: X-Nextcloud-Federation, Cookie, Authorization\r\n";
    let body = "2\r\nok\r\n0\r\nX-Nextcloud-Federation: canary\r\nCookie: canary\r\nAuthorization: Bearer canary\r\nX_Forwarded_For: canary\r\n\r\n";
    let answer = ask(&house, request(&house, "PUT /remote.php/webdav/x", &house.token("alice"), fields) + body).await;
    assert_eq!(answer.status, 201);
    let seen = tell.recv().await.unwrap();
    assert!(!seen.contains("canary"), "{seen}");
    house.close().await;
}

/// Row 8, and smuggling by HTTP/2: a length that is not the body's reaches Nextcloud in no form.
#[tokio::test(flavor = "multi_thread")]
async fn an_http2_request_with_a_false_length_never_puts_nextcloud_out_of_step() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let plan = Plan { upstream: Some(upstream.url.clone()), threads: Some(1), ..Plan::default() };
    let house = plan.build().await;
    let token = house.token("alice");
    for (length, body) in [("10", ""), ("10", "abc"), ("1", "abc"), ("0", "abc")] {
        let mut sender = h2::<Full<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
        let mut request = get(&house, "http", "/remote.php/webdav/a", &token).header("content-length", length);
        request = request.method("PUT");
        let answer = sender.send_request(request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap());
        if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(5), answer).await {
            assert!(answer.status().is_client_error(), "{length} {body:?}: {}", answer.status());
        }
        let next = ask(&house, crate::wire::request(&house, FILE, &token, "X-Next: yes\r\n")).await;
        assert_eq!(next.status, 200, "{length} {body:?}");
        assert!(upstream.last().contains("x-next: yes"), "the next request was read as a body: {}", upstream.last());
    }
    house.close().await;
}

/// A `Host` beside `:authority` that says something else is a second reader's.
#[tokio::test(flavor = "multi_thread")]
async fn an_http2_request_with_two_hosts_is_refused() {
    let house = House::open().await;
    let token = house.token("alice");
    let mut sender = h2::<Empty<Bytes>>(TcpStream::connect(house.running.address).await.unwrap()).await;
    for (host, status) in [("evil.example".to_owned(), 400), (house.running.address.to_string(), 200)] {
        let request = get(&house, "http", "/remote.php/webdav/alice.txt", &token).header("host", &host);
        let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    house.close().await;
}
