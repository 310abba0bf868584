//! HTTP/1.1 by hand, on either side of the proxy: a caller that sends what no library would, and a Nextcloud that answers so.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::house::House;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, and what was read of it and not yet taken.
pub struct Wire {
    pub stream: TcpStream,
    buffer: Vec<u8>,
    /// Trailer lines of the last chunked body.
    pub trailers: String,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and fields, names in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a field; several are joined by `|`.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.head.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect();
        (!values.is_empty()).then(|| values.join("|"))
    }

    /// The `error` of our own answers.
    pub fn error(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["error"].as_str().unwrap_or_default().to_owned()
    }
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new(), trailers: String::new() }
    }

    /// A caller's connection to the proxy.
    pub async fn to(house: &House) -> Self {
        Self::new(TcpStream::connect(house.running.address).await.unwrap())
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        tokio::time::timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await.expect("writable").unwrap();
    }

    /// Reads more; `false` at the end of the connection.
    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        matches!(read.expect("nothing came for ten seconds"), Ok(1..))
    }

    /// The next head, lower-cased but for its first line; nothing if the connection ended before.
    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return Some(String::from_utf8_lossy(&head).trim_end().to_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Exactly so many bytes; fewer if the connection ended.
    pub async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count && self.more().await {}
        self.buffer.drain(..count.min(self.buffer.len())).collect()
    }

    async fn line(&mut self) -> String {
        while !self.buffer.windows(2).any(|window| window == b"\r\n") && self.more().await {}
        let end = self.buffer.windows(2).position(|window| window == b"\r\n").map_or(self.buffer.len(), |end| end + 2);
        String::from_utf8_lossy(&self.buffer.drain(..end).collect::<Vec<_>>()).trim_end().to_owned()
    }

    /// A chunked body up to its end, or as far as it came. Whether it was complete.
    pub async fn chunked(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        self.trailers.clear();
        loop {
            let Ok(size) = usize::from_str_radix(&self.line().await, 16) else { return (body, false) };
            if size == 0 {
                loop {
                    match self.line().await {
                        line if line.is_empty() => return (body, true),
                        line => self.trailers.push_str(&format!("{line}\n")),
                    }
                }
            }
            body.extend(self.exactly(size).await);
            self.line().await;
        }
    }

    /// The body that belongs to this head.
    pub async fn body(&mut self, head: &str) -> Vec<u8> {
        let lower = head.to_ascii_lowercase();
        if lower.contains("\r\ntransfer-encoding: chunked") {
            return self.chunked().await.0;
        }
        match lower.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            Some(length) => self.exactly(length.trim().parse().unwrap()).await,
            None => Vec::new(),
        }
    }

    /// The next answer; nothing if the connection ended before.
    pub async fn answer(&mut self) -> Option<Answer> {
        let head = self.head().await?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        let body = if matches!(status, 100..=199 | 204 | 304) { Vec::new() } else { self.body(&head).await };
        Some(Answer { status, head: head.to_ascii_lowercase(), body })
    }

    /// Sends and reads one answer.
    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.write(request).await;
        self.answer().await.expect("an answer")
    }

    /// Whatever comes before the other side closes; panics if it does not.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.buffer)
    }
}

/// One answer to a request on a connection of its own.
pub async fn ask(house: &House, request: impl AsRef<[u8]>) -> Answer {
    Wire::to(house).await.ask(request).await
}

/// The status that a request is answered with; 0 if the connection just ends, as it may where bytes are left that nobody read.
pub async fn status(house: &House, request: impl AsRef<[u8]>) -> u16 {
    let mut wire = Wire::to(house).await;
    let _ = wire.stream.write_all(request.as_ref()).await;
    wire.answer().await.map_or(0, |answer| answer.status)
}

/// A request head with a token and a right `Host`; `fields` are whole lines.
pub fn request(house: &House, line: &str, token: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n", house.running.address)
}

/// A Nextcloud by hand.
pub struct Upstream {
    pub url: String,
    /// The heads that came, as they came.
    pub heads: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<AtomicUsize>,
}

impl Upstream {
    /// Each connection is handed to `serve`, with its number from 0.
    pub async fn serving<F>(serve: impl Fn(Wire, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Wire::new(stream), counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self { url, heads: Arc::default(), connections }
    }

    /// Reads each request and answers these bytes, over and over.
    pub async fn answering(answer: impl AsRef<[u8]>) -> Self {
        Self::answering_in_turn(vec![answer.as_ref().to_vec()]).await
    }

    /// The same, with one answer after the other; the last one stays.
    pub async fn answering_in_turn(answers: Vec<Vec<u8>>) -> Self {
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = heads.clone();
        let turn = Arc::new(AtomicUsize::new(0));
        let upstream = Self::serving(move |mut wire, _| {
            let (seen, answers, turn) = (seen.clone(), answers.clone(), turn.clone());
            async move {
                while let Some(head) = wire.head().await {
                    seen.lock().push(head.clone());
                    wire.body(&head).await;
                    let answer = &answers[turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
                    if wire.stream.write_all(answer).await.is_err() {
                        return;
                    }
                    if answer.windows(17).any(|window| window == b"Connection: close") {
                        return;
                    }
                }
            }
        })
        .await;
        Self { heads, ..upstream }
    }

    /// The last head, lower-cased.
    pub fn last(&self) -> String {
        self.heads.lock().last().cloned().unwrap_or_default().to_ascii_lowercase()
    }
}
