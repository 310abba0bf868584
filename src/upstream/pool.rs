//! Connections to Nextcloud that are kept for the next request, the last one used first. A connection is driven by whoever waits for it, for
//! the head of an answer or for its body, and not by a task of its own: that saves two changes of task a request. So a connection that rests
//! notices only at its next use that it was closed; the request that noticed takes another.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{SendRequest, handshake};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::connect::Connector;
use crate::body::Body;

/// The connections of one runtime; they do not cross to another. Cloning shares them. There are never more at rest than there were requests
/// at once.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    connector: Connector,
    keep: Duration,
    resting: Mutex<Resting>,
}

/// Connections at rest and since when, the last one used at the back.
#[derive(Default)]
struct Resting {
    connections: VecDeque<(Connection, Instant)>,
    /// Whether somebody comes by and closes those that rest for too long.
    watched: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    /// The connection broke, or what came is not HTTP.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// No head in time.
    #[error("no answer in time")]
    Late,
}

/// How an exchange on one connection failed.
enum Failed {
    /// Before anything of the request was sent.
    Unsent(Box<Request<Body>>, hyper::Error),
    /// Afterwards.
    Finally(Unanswered),
}

// === impl Pool ===

impl Pool {
    /// Connects so, and keeps a connection that rests for this long.
    #[must_use]
    pub fn new(connector: Connector, keep: Duration) -> Self {
        Self(Arc::new(Shared { connector, keep, resting: Mutex::default() }))
    }

    /// Sends a request, whose target is in origin form and whose `Host` is set, and waits for the head of the answer, if there is a deadline
    /// until then. A request of which nothing was sent, because a connection had been closed while it rested, goes by another one.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn send(
        &self,
        mut request: Box<Request<Body>>,
        deadline: Option<Instant>,
    ) -> Result<Response<UpstreamBody>, Unanswered> {
        loop {
            let rested = self.0.rested();
            let fresh = rested.is_none();
            let connection = match rested {
                Some(connection) => connection,
                // Boxed: most requests find a connection, and their futures need not be this large.
                None => Box::pin(self.0.connect(deadline)).await?,
            };
            match self.0.exchange(connection, request, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::Unsent(again, _)) if !fresh => request = again,
                Err(Failed::Unsent(_, error)) => return Err(error.into()),
                Err(Failed::Finally(error)) => return Err(error),
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    fn rested(&self) -> Option<Connection> {
        let (connection, since) = self.resting.lock().connections.pop_back()?;
        (since.elapsed() < self.keep).then_some(connection)
    }

    async fn connect(&self, deadline: Option<Instant>) -> Result<Connection, Unanswered> {
        let connecting = self.connector.clone().call(Uri::default());
        let stream = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, connecting).await.map_err(|_| Unanswered::Late)??,
            None => connecting.await?,
        };
        let (sender, driver) = handshake(stream).await?;
        Ok(Connection::new(sender, Box::pin(driver.with_upgrades())))
    }

    async fn exchange(
        self: &Arc<Self>,
        mut connection: Connection,
        request: Box<Request<Body>>,
        deadline: Option<Instant>,
    ) -> Result<Response<UpstreamBody>, Failed> {
        let answer = connection.exchange(request, deadline).await?;
        let mut answer =
            answer.map(|incoming| UpstreamBody { incoming, driven: Driven::Here(connection, self.clone()) });
        answer.body_mut().rest();
        Ok(answer)
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        let mut resting = self.resting.lock();
        resting.connections.push_back((connection, Instant::now()));
        if !resting.watched {
            resting.watched = true;
            tokio::spawn(watch(Arc::downgrade(self), self.keep));
        }
    }

    /// Closes what rests for too long; says whether anything is left.
    fn close_old(&self) -> bool {
        let mut resting = self.resting.lock();
        let old = resting.connections.iter().take_while(|(_, since)| since.elapsed() >= self.keep).count();
        let closed: Vec<_> = resting.connections.drain(..old).collect();
        resting.watched = !resting.connections.is_empty();
        let left = resting.watched;
        drop(resting);
        drop(closed);
        left
    }
}

async fn watch(pool: Weak<Shared>, keep: Duration) {
    loop {
        tokio::time::sleep(keep / 4).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}

/// An HTTP/1.1 connection, and what has to be polled so that it moves.
struct Connection {
    sender: SendRequest<Body>,
    /// None: it has ended.
    driver: Option<Driver>,
    /// When the head of an answer has to be there. Moving a timer on is cheaper than making one for each request.
    patience: Pin<Box<Sleep>>,
    waiting: Arc<Waiting>,
    /// `waiting` as a waker: always the same, so that nobody who keeps it has to change it.
    waker: Waker,
}

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Whom the connection wakes: the one task that waits for it, or nobody.
#[derive(Default)]
struct Waiting(Mutex<Option<Waker>>);

// === impl Connection ===

impl Connection {
    fn new(sender: SendRequest<Body>, driver: Driver) -> Self {
        let waiting = Arc::<Waiting>::default();
        let patience = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { sender, driver: Some(driver), patience, waker: waiting.clone().into(), waiting }
    }

    /// Moves it, and has the task woken when it can move again.
    fn drive(&mut self, context: &Context<'_>) {
        let Some(driver) = &mut self.driver else { return };
        self.waiting.is(context.waker());
        // How it ended is told to whoever waits for an answer or a body.
        if driver.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready() {
            self.driver = None;
        }
    }

    /// Sends a request and drives the connection until the head of the answer is there.
    async fn exchange(
        &mut self,
        request: Box<Request<Body>>,
        deadline: Option<Instant>,
    ) -> Result<Response<Incoming>, Failed> {
        if let Some(deadline) = deadline {
            self.patience.as_mut().reset(deadline);
        }
        // Nothing comes but by driving, so it needs no waker; and without one it must not be made to wait for its turn.
        let mut answer = pin!(tokio::task::unconstrained(self.sender.try_send_request(*request)));
        let answer = poll_fn(|context| {
            self.drive(context);
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(answer.map_err(Failed::from));
            }
            if deadline.is_some() && self.patience.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready() {
                return Poll::Ready(Err(Failed::Finally(Unanswered::Late)));
            }
            Poll::Pending
        })
        .await;
        self.waiting.is_over();
        answer
    }
}

impl From<TrySendError<Request<Body>>> for Failed {
    fn from(mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(unsent) => Self::Unsent(Box::new(unsent), error.into_error()),
            None => Self::Finally(error.into_error().into()),
        }
    }
}

// === impl Waiting ===

impl Waiting {
    fn is(&self, waker: &Waker) {
        let mut waiting = self.0.lock();
        match &*waiting {
            Some(present) if present.will_wake(waker) => {}
            _ => *waiting = Some(waker.clone()),
        }
    }

    fn is_over(&self) {
        self.0.lock().take();
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = self.0.lock().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

/// The body of an answer. It drives the connection that it comes by, which rests as soon as the body is through, and is closed if the body is
/// dropped before.
pub struct UpstreamBody {
    incoming: Incoming,
    driven: Driven,
}

/// Who drives the connection of a body.
enum Driven {
    /// The body.
    Here(Connection, Arc<Shared>),
    /// A task of its own; or nobody any more, because the connection ended or is no longer ours, by an upgrade.
    Elsewhere,
    /// It rests: all of the answer has come.
    Resting,
}

// === impl UpstreamBody ===

impl UpstreamBody {
    /// The bytes of a body of known length, if all of it came with the head.
    pub fn whole(&mut self) -> Option<Bytes> {
        if !matches!(self.driven, Driven::Resting) || self.incoming.size_hint().exact().is_none() {
            return None;
        }
        match Pin::new(&mut self.incoming).poll_frame(&mut Context::from_waker(Waker::noop())) {
            // hyper holds one piece at most, so this is all.
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            _ => None,
        }
    }

    /// Has the connection driven by a task of its own, after which it is closed, at the latest by this `end`: for an answer that came before
    /// the end of the upload, which has to go on even if the caller does not read.
    pub fn detach(&mut self, end: impl Future<Output = ()> + Send + 'static) {
        if let Driven::Here(..) = self.driven
            && let Driven::Here(connection, _) = std::mem::replace(&mut self.driven, Driven::Elsewhere)
            && let Some(driver) = connection.driver
        {
            tokio::spawn(async move {
                tokio::select! {
                    _ = driver => {}
                    () = end => {}
                }
            });
        }
    }

    /// Lets the connection rest if all of the answer is here.
    fn rest(&mut self) {
        let Driven::Here(connection, _) = &self.driven else { return };
        if connection.driver.is_none() {
            self.driven = Driven::Elsewhere;
        } else if connection.sender.is_ready()
            && let Driven::Here(connection, pool) = std::mem::replace(&mut self.driven, Driven::Resting)
        {
            pool.keep(connection);
        }
    }
}

// === impl HttpBody ===

impl HttpBody for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let own = &mut *self;
        let Driven::Here(connection, _) = &mut own.driven else {
            return Pin::new(&mut own.incoming).poll_frame(context);
        };
        // As for the head: nothing comes but by driving.
        let mut nobody = Context::from_waker(Waker::noop());
        let here = Pin::new(&mut own.incoming).poll_frame(&mut nobody);
        if here.is_ready() {
            return here;
        }
        connection.drive(context);
        let frame = Pin::new(&mut own.incoming).poll_frame(&mut nobody);
        if frame.is_ready() {
            connection.waiting.is_over();
        }
        own.rest();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
