use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::upstream::UpstreamAddress;

const KEEP: Duration = Duration::from_secs(4);
const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A pool, and the connections that it opens.
async fn pool(keep: Duration) -> (Pool, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = UpstreamAddress::Http { host: "127.0.0.1".into(), port };
    (Pool::new(Connector::new(address, None, Duration::from_secs(5)), keep), listener)
}

fn request(body: Body) -> Box<Request<Body>> {
    Box::new(Request::builder().uri("/").header("host", "nextcloud").body(body).unwrap())
}

async fn get(pool: &Pool) -> Result<Response<UpstreamBody>, Unanswered> {
    pool.send(request(Body::empty()), Some(Instant::now() + Duration::from_secs(5))).await
}

async fn text(answer: Response<UpstreamBody>) -> Bytes {
    answer.into_body().collect().await.unwrap().to_bytes()
}

/// Reads a head; false at the end of the connection.
async fn head(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => seen.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Answers everything on every connection, and counts those.
fn serve(listener: TcpListener) -> Arc<AtomicUsize> {
    let opened = Arc::new(AtomicUsize::new(0));
    let counted = opened.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                while head(&mut stream).await {
                    stream.write_all(SHORT).await.unwrap();
                }
            });
        }
    });
    opened
}

#[tokio::test]
async fn a_connection_that_rests_is_used_again_and_requests_at_once_have_one_each() {
    let (pool, listener) = pool(KEEP).await;
    let opened = serve(listener);
    for _ in 0..100 {
        assert_eq!(text(get(&pool).await.unwrap()).await, "ok");
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { text(get(&pool).await.unwrap()).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ok");
    }
    let peak = opened.load(Ordering::SeqCst);
    assert!(peak <= 20, "{peak}");
}

#[tokio::test]
async fn connections_that_were_closed_while_they_rested_cost_no_request() {
    let (pool, listener) = pool(KEEP).await;
    let server = tokio::spawn(async move {
        // Two at once, so that two rest.
        let (mut one, mut two) = (listener.accept().await.unwrap().0, listener.accept().await.unwrap().0);
        for stream in [&mut one, &mut two] {
            assert!(head(stream).await);
            stream.write_all(SHORT).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        // One says a word before it goes, as Apache does.
        one.write_all(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        drop((one, two));
        let (mut third, _) = listener.accept().await.unwrap();
        assert!(head(&mut third).await);
        third.write_all(SHORT).await.unwrap();
    });
    let (one, two) = tokio::join!(get(&pool), get(&pool));
    assert_eq!((text(one.unwrap()).await, text(two.unwrap()).await), ("ok".into(), "ok".into()));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(pool.0.resting.lock().connections.len(), 2, "nobody has noticed");
    assert_eq!(text(get(&pool).await.unwrap()).await, "ok");
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_rests_for_too_long_is_closed() {
    let (pool, listener) = pool(Duration::from_millis(80)).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(head(&mut stream).await);
        stream.write_all(SHORT).await.unwrap();
        assert!(!head(&mut stream).await, "nothing comes but the end");
    });
    assert_eq!(text(get(&pool).await.unwrap()).await, "ok");
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    assert!(pool.0.resting.lock().connections.is_empty());
    assert!(!pool.0.resting.lock().watched, "and nobody watches over nothing");
}

#[tokio::test]
async fn a_connection_whose_answer_is_not_read_to_its_end_is_closed() {
    let (pool, listener) = pool(KEEP).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(head(&mut stream).await);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
        assert!(!head(&mut stream).await);
    });
    drop(get(&pool).await.unwrap());
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_comes_whole_and_lets_its_connection_rest() {
    let (pool, listener) = pool(KEEP).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while head(&mut stream).await {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            for piece in [&b"3\r\none\r\n"[..], b"3\r\ntwo\r\n5\r\nthree\r\n", b"0\r\n", b"\r\n"] {
                tokio::time::sleep(Duration::from_millis(5)).await;
                stream.write_all(piece).await.unwrap();
            }
        }
    });
    for _ in 0..3 {
        let mut answer = get(&pool).await.unwrap();
        assert!(answer.body_mut().whole().is_none());
        assert_eq!(text(answer).await, "onetwothree");
        assert_eq!(pool.0.resting.lock().connections.len(), 1);
    }
}

#[tokio::test]
async fn a_short_body_of_known_length_is_at_hand_with_its_head() {
    let (pool, listener) = pool(KEEP).await;
    serve(listener);
    assert_eq!(get(&pool).await.unwrap().body_mut().whole().unwrap(), "ok");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_waited_for_until_the_deadline() {
    let (pool, _listener) = pool(KEEP).await;
    let deadline = Instant::now() + Duration::from_millis(50);
    let answer = pool.send(request(Body::empty()), Some(deadline)).await;
    assert!(matches!(answer.map(drop), Err(Unanswered::Late)));
}

#[tokio::test]
async fn a_deadline_of_an_earlier_request_does_not_touch_a_later_one() {
    let (pool, listener) = pool(KEEP).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for pause in [0, 150] {
            assert!(head(&mut stream).await);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            stream.write_all(SHORT).await.unwrap();
        }
    });
    let soon = Some(Instant::now() + Duration::from_millis(100));
    assert_eq!(text(pool.send(request(Body::empty()), soon).await.unwrap()).await, "ok");
    assert_eq!(text(get(&pool).await.unwrap()).await, "ok");
}

#[tokio::test]
async fn an_upload_goes_on_behind_an_early_answer_that_nobody_reads() {
    let (pool, listener) = pool(KEEP).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(head(&mut stream).await);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        let mut upload = Vec::new();
        while !upload.ends_with(b"0\r\n\r\n") {
            upload.push(stream.read_u8().await.unwrap());
        }
        upload
    });
    let (pieces, mut upload) = mpsc::channel::<Bytes>(1);
    let upload = StreamBody::new(futures_util::stream::poll_fn(move |context| {
        upload.poll_recv(context).map(|piece| piece.map(|piece| Ok::<_, crate::body::BoxError>(Frame::data(piece))))
    }));
    let mut request = request(Body::new(upload));
    *request.method_mut() = http::Method::PUT;
    let mut answer = pool.send(request, None).await.unwrap();
    answer.body_mut().detach(std::future::pending());
    for _ in 0..10 {
        pieces.send("piece".into()).await.unwrap();
    }
    drop(pieces);
    let upload = tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    assert_eq!(upload.windows(5).filter(|window| *window == b"piece").count(), 10);
}

#[tokio::test]
async fn a_connection_that_rested_for_too_long_is_not_used_even_if_nobody_came_by_to_close_it() {
    let (pool, listener) = pool(Duration::from_millis(50)).await;
    let opened = serve(listener);
    pool.0.resting.lock().watched = true;
    for _ in 0..2 {
        assert_eq!(text(get(&pool).await.unwrap()).await, "ok");
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_last_connection_used_is_the_first_used_again() {
    let (pool, listener) = pool(KEEP).await;
    tokio::spawn(async move {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while head(&mut stream).await {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let (first, second) = (get(&pool).await.unwrap(), get(&pool).await.unwrap());
    assert_eq!((text(first).await, text(second).await), ("1".into(), "1".into()), "the answer was whole, so it rested");
    let (one, two) = tokio::join!(get(&pool), get(&pool));
    assert_eq!((text(one.unwrap()).await, text(two.unwrap()).await), ("1".into(), "2".into()));
    let last = pool.0.resting.lock().connections.back().unwrap().0.waker.clone();
    drop(get(&pool).await.unwrap());
    assert!(pool.0.resting.lock().connections.back().unwrap().0.waker.will_wake(&last));
}

#[tokio::test]
async fn a_connection_at_rest_holds_on_to_no_task() {
    let (pool, listener) = pool(KEEP).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while head(&mut stream).await {
            for piece in
                ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\none\r\n", "3\r\ntwo\r\n0\r\n\r\n"]
            {
                stream.write_all(piece.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    // Whether the rest has to be waited for or is there already.
    for pause in [0, 30] {
        let mut answer = get(&pool).await.unwrap();
        assert!(answer.body_mut().whole().is_none(), "only a part of it is here");
        let Driven::Here(connection, _) = &answer.body().driven else { panic!() };
        assert!(connection.waiting.0.lock().is_none(), "nobody waits for a head that is there");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        assert_eq!(tokio::spawn(text(answer)).await.unwrap(), "onetwo");
        assert!(pool.0.resting.lock().connections[0].0.waiting.0.lock().is_none(), "{pause}");
    }
}

#[tokio::test]
async fn a_body_whose_reader_changes_in_the_middle_wakes_the_new_one() {
    let (pool, listener) = pool(KEEP).await;
    let (go, mut gate) = mpsc::channel::<()>(1);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(head(&mut stream).await);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await.unwrap();
        gate.recv().await;
        stream.write_all(b"late").await.unwrap();
        gate.recv().await;
    });
    let mut answer = get(&pool).await.unwrap();
    // This task waits, and gives up.
    let waited = tokio::time::timeout(Duration::from_millis(20), answer.body_mut().frame()).await;
    assert!(waited.is_err());
    let reader = tokio::spawn(text(answer));
    tokio::time::sleep(Duration::from_millis(20)).await;
    go.send(()).await.unwrap();
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), reader).await.unwrap().unwrap(), "late");
}

#[tokio::test]
async fn a_body_of_known_length_in_two_pieces_is_whole_with_neither() {
    let (pool, listener) = pool(KEEP).await;
    let much = vec![b'x'; 600_000];
    let sent = much.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while head(&mut stream).await {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n").await.unwrap();
            stream.write_all(&sent).await.unwrap();
        }
    });
    for _ in 0..3 {
        let mut answer = get(&pool).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(answer.body_mut().whole().is_none());
        assert!(text(answer).await == much);
        assert_eq!(pool.0.resting.lock().connections.len(), 1, "it rests before anybody asks for more");
    }
}

#[tokio::test]
async fn the_deadline_of_a_head_is_also_that_of_the_connection_that_it_needs() {
    // Two connections that nobody accepts fill this listener; the next one gets no answer.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut filling = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        filling.push(stream);
    }
    let upstream = UpstreamAddress::Http { host: "127.0.0.1".into(), port: address.port() };
    let pool = Pool::new(Connector::new(upstream, None, Duration::from_secs(30)), KEEP);
    let sending = pool.send(request(Body::empty()), Some(Instant::now() + Duration::from_millis(50)));
    let answer = tokio::time::timeout(Duration::from_secs(5), sending).await.expect("it gives up");
    assert!(matches!(answer.map(drop), Err(Unanswered::Late)));
}
