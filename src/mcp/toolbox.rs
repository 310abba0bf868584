//! All tools of this deployment, by name.

use std::collections::{BTreeMap, BTreeSet};

use super::caldav::calendars_list::CalendarsList;
use super::caldav::event_create::EventCreate;
use super::caldav::event_delete::EventDelete;
use super::caldav::event_update::EventUpdate;
use super::caldav::events_find::EventsFind;
use super::caldav::task_create::TaskCreate;
use super::caldav::task_update::TaskUpdate;
use super::caldav::tasks_find::TasksFind;
use super::contacts::search::ContactsSearch;
use super::settings::Toolset;
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
        of::<Whoami>(),
        of::<CalendarsList>(),
        of::<EventsFind>(),
        of::<EventCreate>(),
        of::<EventUpdate>(),
        of::<EventDelete>(),
        of::<TasksFind>(),
        of::<TaskCreate>(),
        of::<TaskUpdate>(),
        of::<ContactsSearch>(),
    ]
}
