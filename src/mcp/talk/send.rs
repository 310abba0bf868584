//! `talk_send`.

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::elicitation::question::Question;
use super::super::fault::Fault;
use super::super::nextcloud::Ask;
use super::super::settings::Toolset;
use super::super::tool::{Call, Hints, Reply, Tool};
use super::message::Message;
use super::{CHAT, Token, conversations, there, url};

/// Talk takes no more characters by default (`spreed => config => chat => max-length`).
const LONGEST: usize = 32_000;

/// Sends a message.
pub struct TalkSend;

/// What to say, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Conversation id
    conversation: Token,
    /// Markdown
    text: String,
    /// Message id
    reply_to: Option<String>,
}

/// The message.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Tool for TalkSend {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "talk_send";
    const TITLE: &'static str = "Send message";
    const DESCRIPTION: &'static str = "Send a message to a conversation.";
    const HINTS: Hints = Hints::adds().open_world();
    const SCOPES: &'static [&'static str] = &["talk.read", "talk.write"];
    const SET: Toolset = Toolset::Talk;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let nextcloud = &call.nextcloud;
        let Arguments { conversation, text, reply_to } = arguments;
        if text.trim().is_empty() {
            return Err(Fault::said("text is empty, and nothing was sent."));
        }
        if text.chars().count() > LONGEST {
            return Err(Fault::said("text has more than 32000 characters, and nothing was sent. Send it in parts."));
        }
        let mut body = json!({ "message": text });
        if let Some(reply_to) = reply_to {
            let id: u64 = reply_to
                .parse()
                .map_err(|_| Fault::said("reply_to is no id of a message: talk_messages gives them, e.g. 123."))?;
            body["replyTo"] = id.into();
        }
        let room = conversations::room(nextcloud, &conversation).await?;
        call.confirm(&Question::new("Send this message?").with("Conversation", &room.name()).with("Message", &text))?;
        let ask = Ask::new("POST", format!("{CHAT}/{conversation}")).accept_json().json(&body);
        let answer = nextcloud.ask(ask).await?;
        match answer.status {
            StatusCode::BAD_REQUEST if body.get("replyTo").is_some() => {
                return Err(Fault::said(
                    "Nextcloud did not take this, and nothing was sent. Is reply_to a message of this conversation?",
                ));
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Fault::said("text is longer than this Nextcloud takes, and nothing was sent. Shorten it."));
            }
            _ => {}
        }
        let message: Message = there(answer, &conversation)?.ocs()?;
        let url = Some(url(nextcloud, &conversation, Some(message.id)));
        Ok(Output { id: message.id.to_string(), url }.into())
    }
}
