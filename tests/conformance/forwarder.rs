//! Adds a caller's token to every request and passes everything else on as it is, streams included.

use std::net::SocketAddr;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// Starts it, for as long as the process lives.
pub fn start(listener: TcpListener, to: SocketAddr, token: &str) {
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let bearer = bearer.clone();
            tokio::spawn(async move {
                let forward = service_fn(move |request| forward(request, to, bearer.clone()));
                // A client that goes away is no failure.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), forward).await;
            });
        }
    });
}

/// One connection for each request: its end is the end of the answer, and a client that goes away is gone behind us as well.
async fn forward(
    mut request: Request<Incoming>,
    to: SocketAddr,
    bearer: HeaderValue,
) -> Result<Response<Incoming>, hyper::Error> {
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let stream = TcpStream::connect(to).await.expect("the proxy listens");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    sender.send_request(request).await
}
