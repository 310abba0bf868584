//! All tools of this deployment, by name.

use std::collections::{BTreeMap, BTreeSet};

use super::caldav;
use super::contacts;
use super::fetch::Fetch;
use super::files;
use super::notes;
use super::search::Search;
use super::settings::Toolset;
use super::shares;
use super::talk;
use super::tool::Registered;
use super::whoami::Whoami;

/// The tools that an operator chose. The same for every caller: what a token lacks it is told at the call, or step-up could never begin.
pub struct Toolbox(BTreeMap<&'static str, Registered>);

impl Toolbox {
    /// The tools of these sets.
    #[must_use]
    pub fn new(sets: &BTreeSet<Toolset>) -> Self {
        Self(every().into_iter().filter(|(_, tool)| tool.set == Toolset::Base || sets.contains(&tool.set)).collect())
    }

    /// These tools as well.
    #[must_use]
    pub fn and(mut self, tools: Vec<Registered>) -> Self {
        self.0.extend(tools.into_iter().map(|tool| (tool.name, tool)));
        self
    }

    /// A tool by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Registered> {
        self.0.get(name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.0.values()
    }
}

fn every() -> Vec<(&'static str, Registered)> {
    fn of<T: super::tool::Tool>() -> (&'static str, Registered) {
        (T::NAME, Registered::of::<T>())
    }
    vec![
        of::<files::list::FilesList>(),
        of::<files::search::FilesSearch>(),
        of::<files::read::FilesRead>(),
        of::<files::write::FilesWrite>(),
        of::<files::mkdir::FilesMkdir>(),
        of::<files::transfer::FilesMove>(),
        of::<files::transfer::FilesCopy>(),
        of::<files::delete::FilesDelete>(),
        of::<files::restore::FilesRestore>(),
        of::<shares::list::SharesList>(),
        of::<shares::create::ShareCreate>(),
        of::<shares::delete::ShareDelete>(),
        of::<Whoami>(),
        of::<caldav::calendars_list::CalendarsList>(),
        of::<caldav::events_find::EventsFind>(),
        of::<caldav::event_create::EventCreate>(),
        of::<caldav::event_update::EventUpdate>(),
        of::<caldav::event_delete::EventDelete>(),
        of::<caldav::tasks_find::TasksFind>(),
        of::<caldav::task_create::TaskCreate>(),
        of::<caldav::task_update::TaskUpdate>(),
        of::<contacts::search::ContactsSearch>(),
        of::<notes::find::NotesFind>(),
        of::<notes::write::NoteWrite>(),
        of::<talk::conversations::TalkConversations>(),
        of::<talk::messages::TalkMessages>(),
        of::<talk::send::TalkSend>(),
        of::<Search>(),
        of::<Fetch>(),
    ]
}
