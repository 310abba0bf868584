//! The shape of our own services: a request of one type, a response or an [`Error`], a boxed future.

use std::future::Future;
use std::pin::Pin;

use crate::body::Body;
use crate::error::Error;

/// What our services answer.
pub type Answer = Result<http::Response<Body>, Error>;
/// The future of a service.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A request on its way through the house. Boxed once, because it is handed on a dozen times.
pub type Guest = Box<http::Request<Body>>;

/// A service of ours that takes a request of this type. Any [`tower::Service`] of the right shape is one, if it is always ready, and cheap to
/// clone: that happens for each request.
pub trait Serve<R>:
    tower::Service<R, Response = http::Response<Body>, Error = Error, Future = Answering> + Clone + Send + 'static
{
    /// Takes a request without being asked whether it is ready.
    fn pass(&self, request: R) -> Answering {
        self.clone().call(request)
    }
}

impl<R, S> Serve<R> for S where
    S: tower::Service<R, Response = http::Response<Body>, Error = Error, Future = Answering> + Clone + Send + 'static
{
}
