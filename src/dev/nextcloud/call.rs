//! A request on its way to the route that answers it, and the dress of the answers.

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::clock;
use super::super::form::Form;
use super::instance::Instance;
use super::login::Visit;
use super::seen::CountedBody;
use super::websocket::Upgrade;

/// Larger than any body that is read whole.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What a route needs of a request.
pub(super) struct Call {
    pub instance: Instance,
    pub method: Method,
    /// The path as received, below the place where Nextcloud is mounted.
    pub path: String,
    /// What absolute links begin with.
    pub base: String,
    pub query: Form,
    pub headers: HeaderMap,
    pub body: Option<CountedBody>,
    pub upgrade: Option<Upgrade>,
}

// === impl Call ===

impl Call {
    /// The method as routes see it: HEAD is answered as GET is.
    pub(super) fn verb(&self) -> &str {
        if self.method == Method::HEAD { "GET" } else { self.method.as_str() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What paths begin with, as Nextcloud sees itself.
    pub(super) fn root(&self) -> &str {
        self.instance.options().root()
    }

    /// The whole body; empty where it is too long or breaks off.
    pub(super) async fn body(&mut self) -> Bytes {
        match self.body.take() {
            Some(body) => body.collected(BODY_LIMIT).await.unwrap_or_default(),
            None => Bytes::new(),
        }
    }

    /// The parameters of the query, and over them the fields of a JSON or form body.
    pub(super) async fn fields(&mut self) -> Value {
        let is_json = self.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let body = self.body().await;
        let form = if is_json { Form::default() } else { Form::parse(&body) };
        let mut fields: Map<String, Value> =
            self.query.iter().chain(form.iter()).map(|(name, value)| (name.to_owned(), value.into())).collect();
        if let Ok(Value::Object(json)) = serde_json::from_slice(&body) {
            fields.extend(json);
        }
        Value::Object(fields)
    }

    /// Whether the caller wants JSON: `format` decides, else `Accept`.
    pub(super) fn wants_json(&self) -> bool {
        match self.query.get("format") {
            Some(format) => format == "json",
            None => self.header("accept").is_some_and(|accept| accept.contains("application/json")),
        }
    }
}

/// The headers of everything that goes through the app framework.
pub(super) fn framed(answer: Answer, visit: &Visit) -> Answer {
    let answer = answer
        .header("x-request-id", &clock::alphanumeric(20))
        .header("cache-control", "no-cache, no-store, must-revalidate");
    let answer = if answer.has("content-security-policy") {
        answer
    } else {
        let policy = "default-src 'none';base-uri 'none';manifest-src 'self';frame-ancestors 'none'";
        answer.header("content-security-policy", policy)
    };
    match &visit.user {
        Some(user) => answer.header("x-user-id", user),
        None => answer,
    }
}

/// JSON as the app framework writes it.
pub(super) fn json(status: u16, body: &Value) -> Answer {
    Answer::json(status, body).header("content-type", "application/json; charset=utf-8")
}
