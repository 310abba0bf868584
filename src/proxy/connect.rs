//! Connections to Nextcloud: TCP, TLS or a Unix socket. They carry no state of any user (law 5).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::settings::UpstreamAddress;

type Stream = Either<TcpStream, Either<TlsStream<TcpStream>, UnixStream>>;

/// A connection to Nextcloud.
pub struct UpstreamStream(TokioIo<Stream>);

/// Connects to the configured address, whatever the URI says.
#[derive(Clone)]
pub struct Connector {
    address: Arc<UpstreamAddress>,
    tls: Option<TlsConnector>,
    timeout: Duration,
}

impl Connector {
    /// Connects there, within this time. `tls` is needed for `https` only.
    #[must_use]
    pub fn new(address: UpstreamAddress, tls: Option<Arc<ClientConfig>>, timeout: Duration) -> Self {
        Self { address: Arc::new(address), tls: tls.map(TlsConnector::from), timeout }
    }

    async fn connect(self) -> io::Result<UpstreamStream> {
        let stream = match &*self.address {
            UpstreamAddress::Http { host, port } => Either::Left(tcp(host, *port).await?),
            UpstreamAddress::Https { host, port } => Either::Right(Either::Left(self.tls(host, *port).await?)),
            UpstreamAddress::Unix(path) => Either::Right(Either::Right(UnixStream::connect(path).await?)),
        };
        Ok(UpstreamStream(TokioIo::new(stream)))
    }

    async fn tls(&self, host: &str, port: u16) -> io::Result<TlsStream<TcpStream>> {
        let connector = self.tls.as_ref().ok_or_else(|| io::Error::other("no TLS configuration"))?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        connector.connect(name, tcp(host, port).await?).await
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

// === impl Service ===

impl tower::Service<Uri> for Connector {
    type Response = UpstreamStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<UpstreamStream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let own = self.clone();
        Box::pin(async move {
            let timeout = own.timeout;
            tokio::time::timeout(timeout, own.connect())
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long")))
        })
    }
}

// === impl Connection, Read, Write ===

impl Connection for UpstreamStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for UpstreamStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for UpstreamStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, bytes)
    }
}
