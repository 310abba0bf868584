//! The providers of the unified search that are asked, and whose they are (`[search]` in `config/policy.toml`).

use super::App;

/// A provider.
#[derive(Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id at Nextcloud.
    pub id: &'static str,
    /// Whose things it finds.
    pub app: App,
}

/// All of them. Deck has changed its id.
pub const ALL: [Provider; 9] = [
    Provider { id: "files", app: App::Files },
    Provider { id: "notes", app: App::Notes },
    Provider { id: "calendar", app: App::Calendar },
    Provider { id: "tasks", app: App::Tasks },
    Provider { id: "contacts", app: App::Contacts },
    Provider { id: "talk-message", app: App::Talk },
    Provider { id: "talk-conversations", app: App::Talk },
    Provider { id: "deck", app: App::Deck },
    Provider { id: "search-deck-card-board", app: App::Deck },
];
