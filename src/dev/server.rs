//! The HTTP server below both stand-ins: an accept loop that can be switched off and on again.
//!
//! Switching off is real: the listener is closed, every connection with it (upgraded ones included), and the port refuses.
//! It stays reserved all the while by a socket that is bound and does not listen, so that nobody else can take it.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::answer::Body;

/// A socket to serve on. The caller brings it, bound.
#[derive(Debug)]
pub enum Listener {
    /// TCP, usually `127.0.0.1:0`.
    Tcp(TcpListener),
    /// A Unix socket with a path.
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A path in the file system.
    Unix(PathBuf),
}

/// The connection on which a request came.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Counts from 1, in the order of acceptance.
    pub id: u64,
    /// Cancelled when the server is switched off or stopped; whoever outlives the response (an upgraded connection, a
    /// stream) has to end then.
    pub gone: CancellationToken,
}

enum Command {
    Close(oneshot::Sender<()>),
    Open(oneshot::Sender<io::Result<()>>),
}

/// Controls the accept loop. Clones control the same loop.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    address: Address,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
    connections: Arc<AtomicU64>,
}

/// Starts serving. The loop ends when the guard is dropped.
///
/// # Errors
/// The listener has no address that it could be opened at again.
pub(super) fn start<H, F>(listener: Listener, handler: H) -> io::Result<(Switch, DropGuard)>
where
    H: Fn(Request<Incoming>, Connection) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let address = address_of(&listener)?;
    let (commands, inbox) = mpsc::channel(4);
    let stop = CancellationToken::new();
    let connections = Arc::new(AtomicU64::new(0));
    let switch = Switch { address: address.clone(), commands, stop: stop.clone(), connections: connections.clone() };
    let accept_loop = AcceptLoop { address, stop: stop.clone(), connections, handler };
    tokio::spawn(accept_loop.run(listener, inbox));
    Ok((switch, stop.drop_guard()))
}

/// The address to which `listener` is bound.
///
/// # Errors
/// A Unix listener without a path, or a socket that has gone.
pub(super) fn address_of(listener: &Listener) -> io::Result<Address> {
    match listener {
        Listener::Tcp(tcp) => Ok(Address::Tcp(tcp.local_addr()?)),
        Listener::Unix(unix) => unix
            .local_addr()?
            .as_pathname()
            .map(|path| Address::Unix(path.to_path_buf()))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a Unix listener without a path")),
    }
}

// === impl Switch ===

impl Switch {
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// How many connections were accepted so far.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Closes the listener and every connection; returns when they are closed.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The address cannot be bound any more.
    pub(super) async fn open(&self) -> io::Result<()> {
        let (done, opened) = oneshot::channel();
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the server was shut down");
        self.commands.send(Command::Open(done)).await.map_err(|_| gone())?;
        opened.await.map_err(|_| gone())?
    }

    pub(super) fn stop(&self) {
        self.stop.cancel();
    }
}

struct AcceptLoop<H> {
    address: Address,
    stop: CancellationToken,
    connections: Arc<AtomicU64>,
    handler: H,
}

enum Next {
    Accepted(io::Result<Stream>),
    Told(Option<Command>),
    Stopped,
}

// === impl AcceptLoop ===

impl<H, F> AcceptLoop<H>
where
    H: Fn(Request<Incoming>, Connection) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    async fn run(self, listener: Listener, mut inbox: mpsc::Receiver<Command>) {
        let mut listener = listener;
        loop {
            let Some(done) = self.serve(listener, &mut inbox).await else {
                return;
            };
            let reserved = Reserved::take(&self.address);
            let _ = done.send(());
            let Some(opened) = self.wait(reserved, &mut inbox).await else {
                return;
            };
            listener = opened;
        }
    }

    /// Serves until it is told to close (then who waits for it) or to stop.
    async fn serve(&self, listener: Listener, inbox: &mut mpsc::Receiver<Command>) -> Option<oneshot::Sender<()>> {
        let gone = self.stop.child_token();
        let open = TaskTracker::new();
        let told = loop {
            let next = tokio::select! {
                () = self.stop.cancelled() => Next::Stopped,
                told = inbox.recv() => Next::Told(told),
                accepted = accept(&listener) => Next::Accepted(accepted),
            };
            match next {
                Next::Accepted(Ok(stream)) => {
                    let id = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let connection = Connection { id, gone: gone.clone() };
                    open.spawn(serve_connection(stream, self.handler.clone(), connection));
                }
                // Out of descriptors, or a peer that left before it was accepted.
                Next::Accepted(Err(_)) => tokio::task::yield_now().await,
                Next::Told(Some(Command::Open(done))) => drop(done.send(Ok(()))),
                Next::Told(Some(Command::Close(done))) => break Some(done),
                Next::Told(None) | Next::Stopped => break None,
            }
        };
        drop(listener);
        gone.cancel();
        open.close();
        open.wait().await;
        told
    }

    /// Waits until it is told to open again.
    async fn wait(&self, reserved: Reserved, inbox: &mut mpsc::Receiver<Command>) -> Option<Listener> {
        let mut reserved = Some(reserved);
        loop {
            let told = tokio::select! {
                () = self.stop.cancelled() => return None,
                told = inbox.recv() => told?,
            };
            match told {
                Command::Close(done) => drop(done.send(())),
                Command::Open(done) => match reserved.take().unwrap_or(Reserved::Nothing).listen(&self.address) {
                    Ok(listener) => {
                        let _ = done.send(Ok(()));
                        return Some(listener);
                    }
                    Err(error) => drop(done.send(Err(error))),
                },
            }
        }
    }
}

/// Holds the address while nobody listens at it.
enum Reserved {
    Port(TcpSocket),
    Nothing,
}

impl Reserved {
    fn take(address: &Address) -> Self {
        match address {
            Address::Tcp(address) => bound(*address).map_or(Self::Nothing, Self::Port),
            Address::Unix(path) => {
                let _ = std::fs::remove_file(path);
                Self::Nothing
            }
        }
    }

    fn listen(self, address: &Address) -> io::Result<Listener> {
        match (self, address) {
            (Self::Port(socket), _) => Ok(Listener::Tcp(socket.listen(1024)?)),
            (Self::Nothing, Address::Tcp(address)) => Ok(Listener::Tcp(bound(*address)?.listen(1024)?)),
            (Self::Nothing, Address::Unix(path)) => Ok(Listener::Unix(UnixListener::bind(path)?)),
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

enum Stream {
    Tcp(tokio::net::TcpStream),
    Unix(tokio::net::UnixStream),
}

async fn accept(listener: &Listener) -> io::Result<Stream> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        }
        Listener::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
    }
}

async fn serve_connection<H, F>(stream: Stream, handler: H, connection: Connection)
where
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    match stream {
        Stream::Tcp(stream) => serve_io(stream, handler, connection).await,
        Stream::Unix(stream) => serve_io(stream, handler, connection).await,
    }
}

async fn serve_io<I, H, F>(io: I, handler: H, connection: Connection)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    H: Fn(Request<Incoming>, Connection) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let gone = connection.gone.clone();
    let service = service_fn(|request| {
        let answer = handler(request, connection.clone());
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(io), service).with_upgrades();
    tokio::select! {
        () = gone.cancelled() => {}
        // A peer that breaks the protocol or leaves: nothing to tell.
        _ = serving => {}
    }
}
