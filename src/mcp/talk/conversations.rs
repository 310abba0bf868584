//! `talk_conversations`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::arguments::Limit;
use super::super::fault::Fault;
use super::super::listing::{Listing, Page};
use super::super::nextcloud::{Ask, Nextcloud};
use super::super::settings::Toolset;
use super::super::shown::shown;
use super::super::time;
use super::super::tool::{Call, Hints, Reply, Tool};
use super::{ABSENT, ROOMS, Token, url};

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// Lists conversations.
pub struct TalkConversations;

/// Which.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Unread only
    unread: Option<bool>,
    limit: Option<Limit>,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Item {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A conversation as Talk gives it.
#[derive(Deserialize)]
pub struct Room {
    token: String,
    #[serde(default, rename = "type")]
    kind: u64,
    #[serde(default, rename = "displayName")]
    display_name: String,
    #[serde(default, rename = "unreadMessages")]
    unread: i64,
    #[serde(default, rename = "lastActivity")]
    last_activity: i64,
}

impl Room {
    /// What it is called; its id if it has no name.
    #[must_use]
    pub fn name(&self) -> String {
        let name = shown(&self.display_name, LONGEST_NAME);
        if name.is_empty() { self.token.clone() } else { name }
    }

    /// After the list of types in Talk's `docs/constants.md`.
    fn kind(&self) -> &'static str {
        match self.kind {
            1 => "one-to-one",
            2 => "group",
            3 => "public",
            4 => "changelog",
            5 => "former one-to-one",
            6 => "note to self",
            _ => "other",
        }
    }
}

impl Tool for TalkConversations {
    type Arguments = Arguments;
    type Output = Page<Item>;
    const NAME: &'static str = "talk_conversations";
    const TITLE: &'static str = "List conversations";
    const DESCRIPTION: &'static str = "Talk conversations with unread counts.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["talk.read"];
    const SET: Toolset = Toolset::Talk;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Item>>, Fault> {
        let unread = arguments.unread == Some(true);
        let listing = Listing::of(Self::NAME, &[if unread { "unread" } else { "" }]);
        let after: Option<(i64, Token)> =
            arguments.cursor.map(|cursor| listing.place::<(i64, Token)>(&cursor)).transpose()?;
        let mut rooms: Vec<(Token, Room)> = rooms(&nextcloud).await?;
        rooms.retain(|(_, room)| !unread || room.unread > 0);
        // Those last active first; a conversation that becomes active meanwhile moves to the front and pushes nothing out.
        rooms.sort_by(|one, other| place(other).cmp(&place(one)));
        rooms.retain(|room| after.as_ref().is_none_or(|after| place(room) < (after.0, &after.1)));
        let limit = arguments.limit.unwrap_or_default().get();
        let last = rooms.get(limit.saturating_sub(1)).filter(|_| rooms.len() > limit);
        let next_cursor = last.and_then(|(token, room)| listing.cursor(&(room.last_activity, token.as_str())));
        rooms.truncate(limit);
        let items = rooms.into_iter().map(|(token, room)| Item {
            name: room.name(),
            kind: Some(room.kind()),
            unread: Some(room.unread.max(0)),
            last_activity: time::rfc3339(room.last_activity),
            url: Some(url(&nextcloud, &token, None)),
            id: token.to_string(),
        });
        Ok(Page { items: items.collect(), next_cursor }.into())
    }
}

fn place((token, room): &(Token, Room)) -> (i64, &Token) {
    (room.last_activity, token)
}

async fn rooms(nextcloud: &Nextcloud) -> Result<Vec<(Token, Room)>, Fault> {
    let answer = nextcloud.ask(Ask::ocs(format!("{ROOMS}?noStatusUpdate=1"))).await?;
    if matches!(answer.status.as_u16(), 404 | 412) {
        return Err(Fault::said(ABSENT));
    }
    let rooms: Vec<Room> = answer.good("list of conversations")?.ocs()?;
    Ok(rooms.into_iter().filter_map(|room| Some((Token::parse(&room.token)?, room))).collect())
}

/// One conversation.
///
/// # Errors
/// As [`super::history`].
pub async fn room(nextcloud: &Nextcloud, conversation: &Token) -> Result<Room, Fault> {
    super::there(nextcloud.ask(Ask::ocs(format!("{ROOMS}/{conversation}"))).await?, conversation)?.ocs()
}
