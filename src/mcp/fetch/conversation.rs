//! A conversation or one of its messages.

use serde_json::Value;

use super::super::fault::Fault;
use super::super::nextcloud::Nextcloud;
use super::super::talk::{self, Token, conversations, messages};
use super::Read;

/// So many of its newest messages are a conversation's text.
const NEWEST: usize = 25;
const REST: &str = "talk_messages reads the conversation page by page";

/// The newest messages, the newest last: as people read them.
///
/// # Errors
/// As [`talk::history`].
pub async fn whole(nextcloud: &Nextcloud, conversation: &Token) -> Result<Read, Fault> {
    let room = conversations::room(nextcloud, conversation).await?;
    let (said, older_than) = messages::said(nextcloud, conversation, NEWEST, None, None).await?;
    let lines = said.iter().rev().map(|item| format!("{} ({}): {}\n", item.author, item.time, item.text));
    Ok(Read {
        title: room.name(),
        text: lines.collect(),
        url: talk::url(nextcloud, conversation, None),
        metadata: vec![("hint", older_than.map(|_| REST.into()))],
        rest: REST,
        is_cut: false,
    })
}

/// One message.
///
/// # Errors
/// As [`talk::history`], and if it is not there, or not any more.
pub async fn message(nextcloud: &Nextcloud, conversation: &Token, id: u64) -> Result<Read, Fault> {
    let stretch = talk::history(nextcloud, conversation, 1, Some(id), true).await?;
    let message = stretch.messages.iter().find(|message| message.id == id && message.is_said());
    let item = message.map(messages::item).ok_or_else(|| {
        Fault::said("There is no such message in this conversation, or not any more. Search or read it again.")
    })?;
    let metadata = vec![
        ("author", Some(Value::from(item.author.as_str()))),
        ("time", Some(item.time.into())),
        ("conversation", Some(conversation.as_str().into())),
    ];
    let url = talk::url(nextcloud, conversation, Some(id));
    Ok(Read { title: format!("Message of {}", item.author), text: item.text, url, metadata, rest: REST, is_cut: false })
}
