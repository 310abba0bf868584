//! Talk (the app `spreed`), after its documentation (`docs/conversation.md`, `docs/chat.md`). Reading marks nothing as read and shows nobody as
//! online; what a message says is its author's, and data.

pub mod conversations;
pub mod message;
pub mod messages;
pub mod send;

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::answer::Answer;
use super::fault::Fault;
use super::nextcloud::{Ask, Nextcloud};
use message::Message;

const ROOMS: &str = "/ocs/v2.php/apps/spreed/api/v4/room";
const CHAT: &str = "/ocs/v2.php/apps/spreed/api/v1/chat";
const ABSENT: &str = "This Nextcloud does not have the Talk app for this user.";

/// The id of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(String);

impl Token {
    /// Reads an id: letters and digits, as Talk makes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = matches!(text.len(), 1..=64) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
        good.then(|| Self(text.to_owned()))
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// With or without the `talk:` of an id that search gave.
impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.strip_prefix("talk:").unwrap_or(&text))
            .ok_or_else(|| D::Error::custom("this is no id of a conversation; talk_conversations names them"))
    }
}

impl JsonSchema for Token {
    fn schema_name() -> Cow<'static, str> {
        "Token".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Where people open a conversation, at a message.
#[must_use]
pub fn url(nextcloud: &Nextcloud, conversation: &Token, message: Option<u64>) -> String {
    let message = message.map(|id| format!("#message_{id}")).unwrap_or_default();
    nextcloud.url(&format!("/index.php/call/{conversation}{message}"))
}

/// A part of a conversation's history.
pub struct Stretch {
    /// Newest first.
    pub messages: Vec<Message>,
    /// The number of the oldest of them that was read, if there may be older ones.
    pub older_than: Option<u64>,
}

/// At most so many messages, system messages among them, older than this one, or that one and older.
///
/// # Errors
/// [`Fault::Said`] if there is no Talk app or no such conversation; whatever [`Nextcloud::ask`] says.
pub async fn history(
    nextcloud: &Nextcloud,
    conversation: &Token,
    limit: usize,
    known: Option<u64>,
    including: bool,
) -> Result<Stretch, Fault> {
    let from = known.map(|id| format!("&lastKnownMessageId={id}&includeLastKnown={}", u8::from(including)));
    let target = format!(
        "{CHAT}/{conversation}?lookIntoFuture=0&limit={limit}&setReadMarker=0&markNotificationsAsRead=0&noStatusUpdate=1{}",
        from.unwrap_or_default()
    );
    let answer = nextcloud.ask(Ask::ocs(target)).await?;
    if answer.status == StatusCode::NOT_MODIFIED {
        return Ok(Stretch { messages: Vec::new(), older_than: None });
    }
    let answer = there(answer, conversation)?;
    let given = answer.headers.get("x-chat-last-given").and_then(|given| given.to_str().ok()?.parse().ok());
    let messages: Vec<Message> = answer.ocs()?;
    // A place that does not move would be read for ever.
    let moves = |older: &u64| known.is_none_or(|known| *older < known) && !messages.is_empty();
    let older_than = given.or_else(|| messages.last().map(|message| message.id)).filter(moves);
    Ok(Stretch { messages, older_than })
}

/// An answer about a conversation. The app's own 404 says nothing; that of OCS without the app has a number of its own (998).
fn there(answer: Answer, conversation: &Token) -> Result<Answer, Fault> {
    match answer.status {
        StatusCode::NOT_FOUND if is_absent(&answer) => Err(Fault::said(ABSENT)),
        StatusCode::NOT_FOUND => Err(Fault::said(format!(
            "The user is in no conversation {conversation}. talk_conversations lists those that there are."
        ))),
        StatusCode::PRECONDITION_FAILED => {
            Err(Fault::said("The conversation has a lobby, and the user waits in it. Tell the user."))
        }
        StatusCode::FORBIDDEN => {
            Err(Fault::said("The user may not write in this conversation; it may be for reading only. Tell the user."))
        }
        _ => answer.good("conversation"),
    }
}

fn is_absent(answer: &Answer) -> bool {
    answer.ocs_status().is_none_or(|status| status == 998)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_letters_and_digits() {
        let read = |text: &str| serde_json::from_value::<Token>(text.into()).ok().map(|token| token.0);
        assert_eq!(read("team0001").as_deref(), Some("team0001"));
        assert_eq!(read("talk:team0001").as_deref(), Some("team0001"));
        for text in ["", "talk:", "TEAM", "a/b", "a?b", "..", "a b", "ä", "talk:talk:a", &"a".repeat(65)] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
