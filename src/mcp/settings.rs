//! `[mcp]`: what the frontend offers, and to whom.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::SecretString;

use crate::token::ScopeSet;

/// Settings of the frontend.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// Which tools it has.
    pub sets: BTreeSet<Toolset>,
    /// Hosts, with unusual ports, by which it may be called, beside that of `public_url`.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call it, beside that of `public_url`, as browsers write them.
    pub origins: Vec<String>,
    /// What a client without a token is told to ask for; none: the scopes of the sets but those by which things leave the house, as far as
    /// the issuers have them.
    pub challenge: Option<ScopeSet>,
    /// Calls of one tool by one principal in a minute.
    pub calls_per_minute: u32,
    /// Calls at once by one principal.
    pub calls_at_once: usize,
    /// A call takes no longer.
    pub tool_timeout: Duration,
    /// Whether the person is asked before something leaves the house.
    pub confirm: Confirm,
    /// Whether people can be sent to pages of ours to answer.
    pub confirm_url: bool,
    /// What states of questions are sealed with, for replicas that share it; none: a key of this process alone.
    pub state_key: Option<SecretString>,
}

/// Whether the person is asked before something leaves the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Where the client can ask.
    WhenPossible,
    /// Always: a client that cannot ask cannot do it.
    Always,
    /// Never.
    Never,
}

/// Tools that belong together. `whoami`, `search` and `fetch` are in every deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Toolset {
    /// Always there.
    Base,
    /// Files by WebDAV.
    Files,
    /// Shares of files.
    Shares,
    /// Events by CalDAV.
    Calendar,
    /// Tasks by CalDAV.
    Tasks,
    /// Contacts by CardDAV.
    Contacts,
    /// The Notes app.
    Notes,
    /// The Talk app.
    Talk,
}

impl Toolset {
    /// Those that an operator can choose.
    pub const ALL: [Self; 7] =
        [Self::Files, Self::Shares, Self::Calendar, Self::Tasks, Self::Contacts, Self::Notes, Self::Talk];

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Files => "files",
            Self::Shares => "shares",
            Self::Calendar => "calendar",
            Self::Tasks => "tasks",
            Self::Contacts => "contacts",
            Self::Notes => "notes",
            Self::Talk => "talk",
        }
    }

    /// What a client is told to ask for from the start: step-up alone would lock out the clients that cannot (facts/mcp.md §3.1). What sends
    /// something out of the house to others is left to it.
    #[must_use]
    pub fn scopes_from_the_start(self) -> &'static [&'static str] {
        match self {
            Self::Base => &["nc.read"],
            Self::Files => &["files.read", "files.write"],
            Self::Shares => &["shares.read"],
            Self::Calendar => &["calendar.read", "calendar.write"],
            Self::Tasks => &["tasks.read", "tasks.write"],
            Self::Contacts => &["contacts.read"],
            Self::Notes => &["notes.read", "notes.write"],
            Self::Talk => &["talk.read"],
        }
    }
}

impl McpSettings {
    /// What a client is told to ask for from the start, if the operator does not say.
    #[must_use]
    pub fn scopes_from_the_start(&self) -> ScopeSet {
        let sets = std::iter::once(&Toolset::Base).chain(&self.sets);
        sets.flat_map(|set| set.scopes_from_the_start()).copied().collect()
    }
}
