//! A client that sends a request byte for byte as it is told, which `url::Url` would not, and the two servers to send it to.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use obo_proxy::dev::Address;
use obo_proxy::dev::identity_provider::{self, IdentityProvider};
use obo_proxy::dev::nextcloud::{Generation, Nextcloud, Options};
use tokio::net::{TcpListener, TcpStream};

use super::recording::Answered;

/// A provider and a Nextcloud that trusts it.
pub struct House {
    pub provider: IdentityProvider,
    pub nextcloud: Nextcloud,
}

impl House {
    pub async fn of(user_oidc: Generation) -> Self {
        Self::with(|options| options.user_oidc = user_oidc).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = IdentityProvider::start(listener, identity_provider::Options::default()).unwrap();
        let mut options = Options::trusting(provider.issuer(), &provider.jwks_uri());
        change(&mut options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nextcloud = Nextcloud::start(listener, options).await.unwrap();
        Self { provider, nextcloud }
    }

    /// `Bearer …` of an exchanged token.
    pub fn bearer(&self, user: &str) -> String {
        format!("Bearer {}", self.provider.mint_exchanged(user).sign().unwrap())
    }

    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answered {
        let Address::Tcp(address) = self.nextcloud.address() else { panic!("a TCP address") };
        send(TcpStream::connect(address).await.unwrap(), method, target, headers, body).await
    }

    /// With a user's bearer and `OCS-APIRequest`.
    pub async fn as_user(
        &self,
        user: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answered {
        let bearer = self.bearer(user);
        let mut all = vec![("authorization", bearer.as_str()), ("ocs-apirequest", "true")];
        all.extend(headers);
        self.send(method, target, &all, body).await
    }
}

pub async fn send<I>(io: I, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answered
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(target).header("host", "nextcloud.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    Answered { status: head.status.as_u16(), headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}
