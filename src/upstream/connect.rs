//! Connections to Nextcloud: TCP, TLS or a Unix socket. They carry no state of any user (law 5).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
///
/// Nextcloud may answer an upload early and close: what is written then fails, though the answer stands ready to be read, and hyper would not
/// read it any more. So a connection that was closed on us swallows what is written; reading tells whether there is an answer.
pub struct UpstreamStream {
    stream: TokioIo<Stream>,
    closed_on_us: bool,
}

impl UpstreamStream {
    fn written(&mut self, written: io::Result<usize>, offered: usize) -> io::Result<usize> {
        match written {
            Err(error) if was_closed(&error) => {
                self.closed_on_us = true;
                Ok(offered)
            }
            written => written,
        }
    }

    fn done(&mut self, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(error) if was_closed(&error) => {
                self.closed_on_us = true;
                Ok(())
            }
            done => done,
        }
    }
}

fn was_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

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
        Ok(UpstreamStream { stream: TokioIo::new(stream), closed_on_us: false })
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for UpstreamStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.closed_on_us {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(self.written(written, bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed_on_us {
            return Poll::Ready(Ok(()));
        }
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(self.done(flushed))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A head alone, as most requests are: the kernel is quicker with a plain write.
        if let [only] = bytes {
            return self.poll_write(context, only);
        }
        let offered = bytes.iter().map(|slice| slice.len()).sum();
        if self.closed_on_us {
            return Poll::Ready(Ok(offered));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, bytes));
        Poll::Ready(self.written(written, offered))
    }
}
