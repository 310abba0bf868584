//! DAV answers in public words, where Nextcloud calls itself by another root than callers do: the body streams through [`Hrefs`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};

use super::outward;
use crate::body::{Body, BoxError};
use crate::nextcloud::hrefs::{Hrefs, Swap};
use crate::upstream::NextcloudSettings;

/// Methods whose bodies are DAV's own and never a file of somebody's, whatever the status of an answer (RFC 4918 §16 puts hrefs into errors).
const DAV_METHODS: &[&str] = &[
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "ACL",
    "DELETE",
];

/// Asks for an answer that can be read, where it may have to be rewritten.
pub fn ask(method: &Method, headers: &mut HeaderMap, settings: &NextcloudSettings) {
    if !settings.mount.is_seamless() && is_dav(method) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
}

/// The answer in public words. One that came compressed all the same cannot be read and passes as it is.
pub fn answer(asked: &Method, mut answer: Response<Body>, settings: &Arc<NextcloudSettings>) -> Response<Body> {
    let concerned = is_dav(asked) || answer.status() == StatusCode::MULTI_STATUS;
    if settings.mount.is_seamless() || !concerned || !is_plain_xml(answer.headers()) || answer.body().is_end_stream() {
        return answer;
    }
    answer.headers_mut().remove(CONTENT_LENGTH);
    let settings = settings.clone();
    let horizon = outward::horizon(&settings);
    answer.map(|body| {
        let swap = move |text: &[u8]| outward::swap(text, &settings);
        Body::new(Rewritten::new(body, Hrefs::new(horizon, swap)))
    })
}

/// Whether what goes with this method is DAV's own.
pub(super) fn is_dav(method: &Method) -> bool {
    DAV_METHODS.contains(&method.as_str())
}

fn is_plain_xml(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let xml = [&b"application/xml"[..], b"text/xml"].iter().any(|xml| kind.eq_ignore_ascii_case(xml));
    xml && headers.get(CONTENT_ENCODING).is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// A body on its way through [`Hrefs`].
pub(super) struct Rewritten<S> {
    inner: Body,
    hrefs: Hrefs<S>,
    last: Last,
}

impl<S> Rewritten<S> {
    pub(super) fn new(inner: Body, hrefs: Hrefs<S>) -> Self {
        Self { inner, hrefs, last: Last::None }
    }
}

/// What is left to be given behind the data.
enum Last {
    None,
    /// Trailers, which have to wait for the end of the data.
    Trailers(Frame<Bytes>),
    Done,
}

// === impl HttpBody ===

impl<S: Fn(&[u8]) -> Option<Swap> + Unpin> HttpBody for Rewritten<S> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            match std::mem::replace(&mut self.last, Last::None) {
                Last::None => {}
                Last::Trailers(trailers) => {
                    self.last = Last::Done;
                    return Poll::Ready(Some(Ok(trailers)));
                }
                Last::Done => {
                    self.last = Last::Done;
                    return Poll::Ready(None);
                }
            }
            let public = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.hrefs.push(&data),
                    Err(trailers) => {
                        self.last = Last::Trailers(trailers);
                        self.hrefs.finish()
                    }
                },
                None => {
                    self.last = Last::Done;
                    self.hrefs.finish()
                }
            };
            if !public.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(public.into()))));
            }
        }
    }
}
