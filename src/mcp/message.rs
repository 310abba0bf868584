//! The one message of a request, read before rmcp reads it: which tool is called decides which scopes are needed, and a message that is none
//! gets an answer in the words of JSON-RPC instead of rmcp's 415.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::body::Body;

/// What a message is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'m> {
    /// A tool is called.
    Call(Cow<'m, str>),
    /// A resource is read.
    Read,
    /// Something that needs no scope.
    Other,
}

/// Why a body is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMessage {
    /// It is not JSON.
    Syntax,
    /// It is a batch, which only 2025-03-26 knew, or nothing that JSON-RPC knows.
    Shape,
    /// The parameters of a call are none.
    Parameters,
    /// It is one by its outline, but nobody can read it: parameters of another kind, or nested without end.
    Unreadable,
}

/// Duplicate members are refused by serde: rmcp would take the last of them, and somebody else the first.
#[derive(Deserialize)]
struct Envelope<'m> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'m, str>>,
    #[serde(borrow)]
    method: Option<Cow<'m, str>>,
    #[serde(borrow)]
    params: Option<&'m RawValue>,
}

/// Ids are numbers or strings; what is neither is not repeated.
#[derive(Deserialize)]
struct Identified {
    id: Option<Id>,
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Id {
    Number(serde_json::Number),
    Text(String),
}

/// What rmcp cannot read as a call it takes for a method of its handler's own, which would be told as one that is not there.
#[derive(Deserialize)]
struct Named<'m> {
    #[serde(borrow)]
    name: Cow<'m, str>,
    #[serde(borrow)]
    arguments: Option<&'m RawValue>,
}

#[derive(Deserialize)]
struct Located<'m> {
    #[serde(borrow, rename = "uri")]
    _uri: Cow<'m, str>,
}

impl<'m> Message<'m> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`NoMessage`].
    pub fn read(body: &'m [u8]) -> Result<Self, NoMessage> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|error| if error.is_data() { NoMessage::Shape } else { NoMessage::Syntax })?;
        if envelope.jsonrpc.as_deref() != Some("2.0") {
            return Err(NoMessage::Shape);
        }
        let params = envelope.params.map_or("null", RawValue::get);
        match envelope.method.as_deref() {
            Some("tools/call") => {
                let Named { name, arguments } = parameters(params)?;
                match arguments {
                    Some(arguments) if !arguments.get().starts_with('{') => Err(NoMessage::Parameters),
                    _ => Ok(Self::Call(name)),
                }
            }
            Some("resources/read") => parameters::<Located>(params).map(|_| Self::Read),
            _ => Ok(Self::Other),
        }
    }
}

fn parameters<'m, T: Deserialize<'m>>(params: &'m str) -> Result<T, NoMessage> {
    // A list would be taken for the members in their order.
    if params.starts_with('{') {
        serde_json::from_str(params).map_err(|_| NoMessage::Parameters)
    } else {
        Err(NoMessage::Parameters)
    }
}

impl NoMessage {
    /// The answer to this body: 400 and an error of JSON-RPC 2.0 §5.1, under the id of the request if it has one.
    #[must_use]
    pub fn answer(self, body: &[u8]) -> Response<Body> {
        let (code, message) = match self {
            Self::Syntax => (-32_700, "the body is not JSON"),
            Self::Shape => (-32_600, "the body has to be one JSON-RPC 2.0 message; batches are not supported"),
            Self::Parameters => (-32_602, "params have to be an object with what the method asks for, once"),
            Self::Unreadable => (-32_602, "the message does not have the shape that its method asks for"),
        };
        let id = serde_json::from_slice::<Identified>(body).ok().and_then(|request| request.id);
        let body = serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
        let mut response = Response::new(Body::full(body.to_string()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_of_a_call_is_known_before_rmcp_knows_it() {
        let read = |body: &'static str| Message::read(body.as_bytes());
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"files_\u0072ead"}}"#),
            Ok(Message::Call("files_read".into()))
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"nextcloud://x"}}"#),
            Ok(Message::Read)
        );
        for arguments in ["{}", "null", " { } "] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{{"name":"a","arguments":{arguments}}}}}"#);
            assert_eq!(Message::read(body.as_bytes()), Ok(Message::Call("a".into())), "{arguments}");
        }
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#), Ok(Message::Other));
    }

    #[test]
    fn what_could_be_read_twice_is_not_read_at_all() {
        for (body, fault) in [
            ("", NoMessage::Syntax),
            ("{", NoMessage::Syntax),
            ("\u{feff}{}", NoMessage::Syntax),
            ("[]", NoMessage::Shape),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, NoMessage::Shape),
            ("{}", NoMessage::Shape),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, NoMessage::Shape),
            (r#"{"jsonrpc":"2.0","method":"ping","method":"tools/call"}"#, NoMessage::Shape),
            (r#"{"jsonrpc":"2.0","method":"tools/call"}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","name":"b"}}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":1}}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":[]}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":["a",{}]}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":[]}}"#, NoMessage::Parameters),
            (
                r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":"{}"}}"#,
                NoMessage::Parameters,
            ),
            (r#"{"jsonrpc":"2.0","method":"resources/read","params":{}}"#, NoMessage::Parameters),
            (r#"{"jsonrpc":"2.0","method":"resources/read"}"#, NoMessage::Parameters),
        ] {
            assert_eq!(Message::read(body.as_bytes()), Err(fault), "{body}");
        }
        let deep = "[".repeat(100_000);
        assert!(Message::read(deep.as_bytes()).is_err());
    }
}
