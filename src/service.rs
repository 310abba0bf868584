//! The shape of our own services: a request of one type, a response or an [`Error`], a boxed future.

use std::future::Future;
use std::pin::Pin;

use crate::body::Body;
use crate::error::Error;

/// What our services answer.
pub type Answer = Result<http::Response<Body>, Error>;
/// The future of a service.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A service of ours that takes a request of this type. Any [`tower::Service`] of the right shape is one.
pub trait Serve<R>:
    tower::Service<R, Response = http::Response<Body>, Error = Error, Future = Answering> + Clone + Send + 'static
{
}

impl<R, S> Serve<R> for S where
    S: tower::Service<R, Response = http::Response<Body>, Error = Error, Future = Answering> + Clone + Send + 'static
{
}
