//! Calendars, events and tasks as tools, over CalDAV (RFC 4791). What the objects say is read and written in [`calendar`].
//!
//! Tools for tasks send requests that keep to tasks ([`Kind::Tasks`]): they pass with `tasks.*` and are held to VTODO
//! (`nextcloud/policy/tasks.rs`), so that a client with these scopes alone cannot reach events.

pub mod calendars_list;
pub(super) mod event;
pub mod event_create;
pub mod event_delete;
pub mod event_update;
pub mod events_find;
pub(super) mod home;
pub(super) mod object;
pub mod task_create;
pub mod task_update;
pub mod tasks_find;
mod query;
mod task;

use super::calendar;
use super::calendar::id::CalendarId;
use super::fault::Fault;
use super::nextcloud::Ask;

/// Titles and names are shown up to so many characters.
const LONGEST_LINE: usize = 1_000;

/// What a tool is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// VEVENT.
    Events,
    /// VTODO.
    Tasks,
}

// === impl Kind ===

impl Kind {
    /// As the errand of the tool.
    fn ask(self, ask: Ask) -> Ask {
        match self {
            Self::Events => ask,
            Self::Tasks => ask.for_tasks(),
        }
    }

    /// What there is of them, in the words of the tools.
    fn place(self, id: &CalendarId) -> String {
        match self {
            Self::Events => format!("calendar {id} (calendars_list names all)"),
            Self::Tasks => format!("task list {id} (without a list, tasks_find looks in all)"),
        }
    }

    /// Where to look for another place.
    fn elsewhere(self) -> &'static str {
        match self {
            Self::Events => "calendars_list tells which calendars take events.",
            Self::Tasks => "Leave list out for the user's own.",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Events => "event",
            Self::Tasks => "task",
        }
    }
}

impl From<calendar::Fault> for Fault {
    fn from(fault: calendar::Fault) -> Self {
        Self::Said(fault.to_string())
    }
}

/// Whether each word of a search is in one of these texts.
fn has_words(query: Option<&str>, texts: &[&str]) -> bool {
    let all = texts.join("\n").to_lowercase();
    query.is_none_or(|query| query.to_lowercase().split_whitespace().all(|word| all.contains(word)))
}

/// A new UID (RFC 7986 §5.3: random, and nothing that tells of us): a UUID of version 4.
fn new_uid() -> String {
    let random: u128 = rand::random();
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_random_uuid() {
        let (one, other) = (new_uid(), new_uid());
        assert_ne!(one, other);
        for uid in [one, other] {
            let parts: Vec<&str> = uid.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{uid}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{uid}");
        }
    }

    #[test]
    fn each_word_has_to_be_somewhere() {
        assert!(has_words(None, &[]) && has_words(Some(" "), &["x"]));
        assert!(has_words(Some("ROOM stand"), &["Stand-up", "Room 1"]));
        assert!(!has_words(Some("room 2"), &["Stand-up", "Room 1"]));
    }
}
