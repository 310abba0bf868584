//! Listeners. One current-thread runtime per core with an accept socket of its own; connections never cross. The caller brings the listeners
//! and the stop signal.

mod joined;
mod timer;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus::IntGauge;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::Service;

use self::joined::Joined;
use self::timer::HeadTimer;
use crate::body::Body;

/// A request head larger than this is answered 431 by hyper.
const LARGEST_HEAD: usize = 64 * 1024;
/// Reading a request head, and waiting for the next one, may take this long.
const HEAD: Duration = Duration::from_secs(60);
/// A TLS handshake may take this long.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// HTTP/2: streams at once on one connection.
const STREAMS: u32 = 128;
/// Connections that the kernel holds before we accept them.
const BACKLOG: i32 = 4096;

/// How connections are served.
#[derive(Clone)]
pub struct Serving {
    /// TLS, if we terminate it.
    pub tls: Option<TlsAcceptor>,
    /// How many connections may be open, over all cores.
    pub connections: Arc<Semaphore>,
    /// Counts them.
    pub gauge: IntGauge,
    /// No new connections after this; those that are open are drained.
    pub stop: CancellationToken,
    /// How long draining may take.
    pub drain: Duration,
}

/// Binds one listening socket per core to one address. A plain bind is tried first: with `SO_REUSEPORT` alone, a second obo-proxy on the same
/// port would succeed silently and take half of the connections.
///
/// # Errors
/// What the operating system says.
pub fn bind(address: SocketAddr, cores: usize) -> io::Result<Vec<std::net::TcpListener>> {
    let probe = std::net::TcpListener::bind(address)?;
    let address = probe.local_addr()?;
    drop(probe);
    (0..cores.max(1)).map(|_| bind_shared(address)).collect()
}

fn bind_shared(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections until told to stop, then lets those that are open finish. `stack` makes the service of one connection.
///
/// # Errors
/// If the listener cannot be used; a failed accept is survived.
pub async fn serve<F, S>(listener: std::net::TcpListener, serving: Serving, stack: F) -> io::Result<()>
where
    F: Fn(IpAddr) -> S,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let listener = TcpListener::from_std(listener)?;
    let builder = builder();
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = serving.stop.cancelled() => break,
            accepted = accept(&listener, &serving.connections) => accepted,
        };
        let (stream, permit) = stream;
        let service = TowerToHyperService::new(stack(peer.ip()));
        let watcher = graceful.watcher();
        let (mut builder, serving) = (builder.clone(), serving.clone());
        builder.http1().timer(HeadTimer::default());
        tokio::spawn(async move {
            serving.gauge.inc();
            let _ = stream.set_nodelay(true);
            if let Some(acceptor) = serving.tls {
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    converse(stream, &builder, service, watcher).await;
                }
            } else {
                converse(stream, &builder, service, watcher).await;
            }
            serving.gauge.dec();
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(serving.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections were still open at the end of the drain");
    }
    Ok(())
}

/// The next connection, and the right to keep it open. In a full house the kernel's backlog waits.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> ((TcpStream, Option<OwnedSemaphorePermit>), SocketAddr) {
    loop {
        let permit = connections.clone().acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, peer)) => return ((stream, permit), peer),
            Err(error) => {
                // Out of file descriptors, or a connection that died in the backlog: neither ends the server.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn converse<I, S>(
    stream: I,
    builder: &Builder<TokioExecutor>,
    service: TowerToHyperService<S>,
    watcher: hyper_util::server::graceful::Watcher,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let connection = builder.serve_connection_with_upgrades(Joined(TokioIo::new(stream)), service);
    // Errors here are the caller's: broken connections, malformed heads.
    let _ = watcher.watch(connection.into_owned()).await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without `pipeline_flush`: it holds an answer back as long as bytes behind the request are unread, and loses hyper's own 400 and 431.
    builder.http1().header_read_timeout(HEAD).max_buf_size(LARGEST_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(LARGEST_HEAD as u32)
        .max_pending_accept_reset_streams(Some(32))
        .max_local_error_reset_streams(Some(128))
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_refused_even_by_another_sharing_socket() {
        let first = bind("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let address = first[0].local_addr().unwrap();
        assert_eq!(address, first[1].local_addr().unwrap());
        assert!(bind(address, 2).is_err());
    }
}
