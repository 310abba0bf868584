//! The record of what reached Nextcloud: what a test looks into to see what the proxy sent.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use parking_lot::Mutex;

use super::super::server::Connection;

/// One request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Counts from 1, in the order of arrival.
    pub number: u64,
    /// The connection it came on.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// Path and query, byte for byte.
    pub target: String,
    /// All header lines in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// As whom it was served; nobody where it was refused or open to all.
    pub user: Option<String>,
    /// The status that was answered; 0 before it was.
    pub status: u16,
    /// Bytes of the body read so far.
    pub body_bytes: u64,
}

// === impl SeenRequest ===

impl SeenRequest {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// More requests are not remembered: the oldest are forgotten.
const REMEMBERED: usize = 100_000;

/// All records.
#[derive(Default)]
pub(super) struct Log(Mutex<Records>);

#[derive(Default)]
struct Records {
    entries: VecDeque<Arc<Entry>>,
    count: u64,
}

/// The record of a request that is being served.
pub(super) struct Entry {
    seen: Mutex<SeenRequest>,
    body_bytes: AtomicU64,
}

/// A request body that counts what is read of it.
pub(super) struct CountedBody {
    body: Option<Incoming>,
    entry: Arc<Entry>,
}

// === impl Log ===

impl Log {
    pub(super) fn open(&self, request: &Request<Incoming>, connection: &Connection) -> Arc<Entry> {
        let mut records = self.0.lock();
        records.count += 1;
        let headers = request.headers().iter();
        let seen = SeenRequest {
            number: records.count,
            connection: connection.id,
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or_else(|| request.uri().to_string(), ToString::to_string),
            headers: headers
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            user: None,
            status: 0,
            body_bytes: 0,
        };
        let entry = Arc::new(Entry { seen: Mutex::new(seen), body_bytes: AtomicU64::new(0) });
        records.entries.push_back(Arc::clone(&entry));
        if records.entries.len() > REMEMBERED {
            records.entries.pop_front();
        }
        entry
    }

    pub(super) fn all(&self) -> Vec<SeenRequest> {
        self.0.lock().entries.iter().map(|entry| entry.snapshot()).collect()
    }

    pub(super) fn forget(&self) {
        *self.0.lock() = Records::default();
    }
}

// === impl Entry ===

impl Entry {
    pub(super) fn served_as(&self, user: Option<&str>) {
        self.seen.lock().user = user.map(str::to_owned);
    }

    pub(super) fn answered(&self, status: u16) {
        self.seen.lock().status = status;
    }

    fn snapshot(&self) -> SeenRequest {
        let mut seen = self.seen.lock().clone();
        seen.body_bytes = self.body_bytes.load(Ordering::Relaxed);
        seen
    }
}

// === impl CountedBody ===

impl CountedBody {
    pub(super) fn new(body: Incoming, entry: Arc<Entry>) -> Self {
        Self { body: Some(body), entry }
    }

    /// The whole body, of at most `limit` bytes; nothing where it is longer or breaks off.
    pub(super) async fn collected(self, limit: usize) -> Option<Bytes> {
        Limited::new(self, limit).collect().await.ok().map(http_body_util::Collected::to_bytes)
    }
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.entry.body_bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// What nobody read is read to its end, as nginx does in front of PHP: closing on unread bytes would reset the connection, and the answer with it.
impl Drop for CountedBody {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(mut body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
        }
    }
}
