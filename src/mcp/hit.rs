//! What a search found, by an id that `fetch` reads and other tools take.
//!
//! | id | what |
//! |---|---|
//! | `files:/Documents/a.md` | a file or folder |
//! | `notes:12` | a note |
//! | `event:personal/x.ics`, `task:todo/x.ics` | an object of a calendar |
//! | `contact:contacts/UID` | a contact by its address book and UID |
//! | `talk:abcd1234`, `talk:abcd1234/12` | a conversation, a message of it |
//! | `deck:1`, `deck:1/2` | a board, a card of it |
//! | `link:/apps/…` | something that only people open |

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

use super::arguments::FilePath;
use super::calendar::ObjectId;
use super::talk::Token;
use super::unified::Entry;

/// A longer id is none of ours.
const LONGEST: usize = 5_000;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table above says it")]
pub enum HitId {
    File(FilePath),
    Note(u64),
    Event(String),
    Task(String),
    Contact { book: String, uid: String },
    Conversation(Token),
    Message { conversation: Token, id: u64 },
    Board(u64),
    Card { board: u64, card: u64 },
    Link(String),
}

impl HitId {
    /// Reads an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let (kind, rest) = id.split_once(':').filter(|_| id.len() <= LONGEST)?;
        match kind {
            "files" => FilePath::parse(rest).ok().map(Self::File),
            "notes" => rest.parse().ok().map(Self::Note),
            "event" => ObjectId::parse(rest).ok().map(|_| Self::Event(rest.to_owned())),
            "task" => ObjectId::parse(rest).ok().map(|_| Self::Task(rest.to_owned())),
            "contact" => contact(rest.split_once('/')?),
            "talk" => match rest.split_once('/') {
                None => Token::parse(rest).map(Self::Conversation),
                Some((token, id)) => Some(Self::Message { conversation: Token::parse(token)?, id: id.parse().ok()? }),
            },
            "deck" => match rest.split_once('/') {
                None => rest.parse().ok().map(Self::Board),
                Some((board, card)) => Some(Self::Card { board: board.parse().ok()?, card: card.parse().ok()? }),
            },
            "link" => link(rest),
            _ => None,
        }
    }

    /// What a provider's entry is; a link if that cannot be told.
    #[must_use]
    pub fn of(provider: &str, entry: &Entry) -> Option<Self> {
        let url = entry.url.as_str();
        let known = match provider {
            "files" => entry.attribute("path").and_then(|path| FilePath::parse(&path).ok()).map(Self::File),
            "notes" => note(url).map(Self::Note),
            "calendar" => event(url).map(Self::Event),
            "tasks" => task(url).map(Self::Task),
            "contacts" => in_book(url),
            "talk-message" | "talk-conversations" => said(entry),
            "deck" | "search-deck-card-board" => on_board(url),
            _ => None,
        };
        known.or_else(|| Self::link(url))
    }
}

impl HitId {
    /// What people open at this URL.
    #[must_use]
    pub fn link(url: &str) -> Option<Self> {
        link(from_root(url))
    }
}

impl fmt::Display for HitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "files:{path}"),
            Self::Note(number) => write!(f, "notes:{number}"),
            Self::Event(object) => write!(f, "event:{object}"),
            Self::Task(object) => write!(f, "task:{object}"),
            Self::Contact { book, uid } => write!(f, "contact:{book}/{uid}"),
            Self::Conversation(token) => write!(f, "talk:{token}"),
            Self::Message { conversation, id } => write!(f, "talk:{conversation}/{id}"),
            Self::Board(board) => write!(f, "deck:{board}"),
            Self::Card { board, card } => write!(f, "deck:{board}/{card}"),
            Self::Link(target) => write!(f, "link:{target}"),
        }
    }
}

/// The number of the note that a URL of the Notes app opens (`/apps/notes/note/12`).
#[must_use]
pub fn note(url: &str) -> Option<u64> {
    leading_number(url.split_once("/apps/notes/note/")?.1)
}

/// `/apps/calendar/edit/` with the object's path for WebDAV in base64 (`EventsSearchProvider`).
fn event(url: &str) -> Option<String> {
    let coded = url.split_once("/apps/calendar/edit/")?.1.split(['?', '#']).next()?;
    let path = String::from_utf8(BASE64.decode(coded.trim_end_matches('/')).ok()?).ok()?;
    let mut segments = path.split_once("/dav/calendars/")?.1.split('/').skip(1);
    object(segments.next()?, segments.next()?)
}

/// `/apps/tasks/#/calendars/todo/tasks/x.ics` (`TasksSearchProvider`), or without `#`.
fn task(url: &str) -> Option<String> {
    let (calendar, name) = url.split_once("/calendars/")?.1.split_once("/tasks/")?;
    object(&decoded(calendar)?, &decoded(name)?)
}

fn object(calendar: &str, name: &str) -> Option<String> {
    let id = ObjectId::parse(&format!("{calendar}/{name}")).ok()?;
    // A name with `#` would be read as a recurrence.
    id.instance().is_none().then(|| id.to_string())
}

/// `/apps/contacts/direct/contact/UID~book` (`ContactsSearchProvider`).
fn in_book(url: &str) -> Option<HitId> {
    let rest = url.split_once("/contacts/direct/contact/")?.1;
    let decoded = decoded(rest.split(['?', '#']).next()?)?;
    let (uid, book) = decoded.rsplit_once('~')?;
    contact((book, uid))
}

fn contact((book, uid): (&str, &str)) -> Option<HitId> {
    let good = |text: &str| !text.is_empty() && text.len() <= 1_000 && !text.chars().any(char::is_control);
    let is_segment = !matches!(book, "." | "..") && !book.contains(['/', '\\']);
    (good(book) && good(uid) && is_segment).then(|| HitId::Contact { book: book.to_owned(), uid: uid.to_owned() })
}

/// Talk says it in attributes; what is found is a message of a conversation, or one itself.
fn said(entry: &Entry) -> Option<HitId> {
    let conversation = Token::parse(&entry.attribute("conversation")?)?;
    match entry.attribute("messageId") {
        Some(id) => Some(HitId::Message { conversation, id: id.parse().ok()? }),
        None => Some(HitId::Conversation(conversation)),
    }
}

/// `/apps/deck/board/1/card/2`, formerly with `#`.
fn on_board(url: &str) -> Option<HitId> {
    let rest = url.split_once("/board/")?.1;
    let board = leading_number(rest)?;
    match rest.split_once("/card/") {
        Some((_, card)) => Some(HitId::Card { board, card: leading_number(card)? }),
        None => Some(HitId::Board(board)),
    }
}

/// The part of a URL from the root of its host; other hosts than ours are never named.
fn from_root(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    }
}

fn link(target: &str) -> Option<HitId> {
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    (target.starts_with('/') && !target.starts_with("//") && plain && target.len() <= 2_000)
        .then(|| HitId::Link(target.to_owned()))
}

fn leading_number(text: &str) -> Option<u64> {
    text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(provider: &str, url: &str, attributes: serde_json::Value) -> Option<String> {
        let entry = json!({ "title": "x", "subline": "", "resourceUrl": url, "attributes": attributes });
        HitId::of(provider, &serde_json::from_value(entry).unwrap()).map(|id| id.to_string())
    }

    #[test]
    fn what_was_found_is_named_by_what_nextcloud_says_of_it() {
        let event = "/remote.php/dav/calendars/alice/personal/x y.ics";
        let sub = "/cloud/remote.php/dav/calendars/alice/personal/x.ics";
        for (provider, url, attributes, id) in [
            ("files", "/f/218".to_owned(), json!({ "fileId": "218", "path": "/seq/a.txt" }), "files:/seq/a.txt"),
            ("files", "/f/218".to_owned(), json!({ "fileId": "218", "path": "/../a" }), "link:/f/218"),
            ("notes", "/apps/notes/note/249".to_owned(), json!([]), "notes:249"),
            ("notes", "/nc/index.php/apps/notes/note/249".to_owned(), json!([]), "notes:249"),
            ("calendar", format!("/apps/calendar/edit/{}", BASE64.encode(event)), json!([]), "event:personal/x y.ics"),
            (
                "calendar",
                format!("/index.php/apps/calendar/edit/{}", BASE64.encode(sub)),
                json!([]),
                "event:personal/x.ics",
            ),
            ("calendar", "/apps/calendar/edit/%%".to_owned(), json!([]), "link:/apps/calendar/edit/%%"),
            ("tasks", "/apps/tasks/#/calendars/todo/tasks/t.ics".to_owned(), json!([]), "task:todo/t.ics"),
            ("tasks", "/apps/tasks/calendars/to%20do/tasks/t.ics".to_owned(), json!([]), "task:to do/t.ics"),
            (
                "contacts",
                "/apps/contacts/direct/contact/a~b%2F1~contacts".to_owned(),
                json!([]),
                "contact:contacts/a~b/1",
            ),
            (
                "talk-message",
                "/call/team0001#message_12".to_owned(),
                json!({ "conversation": "team0001", "messageId": "12" }),
                "talk:team0001/12",
            ),
            ("talk-conversations", "/call/team0001".to_owned(), json!({ "conversation": "team0001" }), "talk:team0001"),
            ("talk-conversations", "/call/team0001".to_owned(), json!([]), "link:/call/team0001"),
            ("deck", "/apps/deck/#/board/1/card/2".to_owned(), json!([]), "deck:1/2"),
            ("search-deck-card-board", "/apps/deck/board/1".to_owned(), json!([]), "deck:1"),
        ] {
            assert_eq!(of(provider, &format!("http://nextcloud.test{url}"), attributes.clone()).as_deref(), Some(id));
            assert_eq!(of(provider, &url, attributes).as_deref(), Some(id), "from the root: {url}");
            assert_eq!(
                HitId::parse(id).map(|id| id.to_string()).as_deref(),
                Some(id),
                "an id is read as it is written"
            );
        }
    }

    #[test]
    fn what_is_no_id_is_none() {
        for id in [
            "",
            "12",
            "notes:",
            "notes:-1",
            "notes:1/2",
            "files:/../a",
            "event:x.ics",
            "event:a/b/c",
            "contact:x",
            "contact:../x",
            "talk:UPPER",
            "talk:a/../b",
            "talk:abcd/x",
            "deck:x",
            "link:https://evil",
            "link://evil",
            "link:/a\nb",
            "mail:1",
        ] {
            assert_eq!(HitId::parse(id), None, "{id}");
        }
        assert_eq!(HitId::parse(&format!("files:/{}", "a".repeat(5_000))), None);
    }

    #[test]
    fn a_link_never_leaves_the_house() {
        assert_eq!(of("other", "https://evil.example/x?y#z", json!([])).as_deref(), Some("link:/x?y#z"));
        assert_eq!(of("other", "javascript:alert(1)", json!([])), None);
    }
}
