//! The answers of both stand-ins: a response builder that cannot fail.

use std::io;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// What the stand-ins send: buffered or streamed.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A body that is all there.
pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A response under construction.
#[derive(Debug)]
pub(super) struct Answer(Response<Body>);

impl Answer {
    /// A response with a status (502 for what is none) and no body.
    pub(super) fn new(status: u16) -> Self {
        let mut response = Response::new(full(Bytes::new()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        Self(response)
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status).header("content-type", "application/json").body(body.to_string())
    }

    pub(super) fn html(status: u16, page: String) -> Self {
        Self::new(status).header("content-type", "text/html; charset=UTF-8").body(page)
    }

    /// Sets a header. A value that no header can carry (control characters) is left out.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Adds a header that may stand several times.
    pub(super) fn and_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().append(HeaderName::from_static(name), value);
        }
        self
    }

    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.0.headers_mut().remove(name);
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.0.body_mut() = full(body);
        self
    }

    /// A body that is all there, sent without saying how long it is, as PHP does with what it prints.
    pub(super) fn chunked(self, body: impl Into<Bytes>) -> Self {
        let frame = Ok(Frame::data(body.into()));
        self.stream(StreamBody::new(futures_util::stream::iter([frame])).boxed_unsync())
    }

    pub(super) fn stream(mut self, body: Body) -> Self {
        *self.0.body_mut() = body;
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.headers().contains_key(name)
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.0
    }
}
