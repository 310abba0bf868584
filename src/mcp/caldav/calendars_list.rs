//! `calendars_list`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::home::{Calendar, Home};
use crate::mcp::fault::Fault;
use crate::mcp::listing::Page;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// List calendars.
pub struct CalendarsList;

/// None.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {}

// A calendar or task list. (A doc comment would be in every conversation.)
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Item {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Vec<Holds>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writable: Option<bool>,
}

// What it may hold.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub enum Holds {
    Events,
    Tasks,
}

impl From<Calendar> for Item {
    fn from(calendar: Calendar) -> Self {
        let events = calendar.events.then_some(Holds::Events);
        let tasks = calendar.tasks.then_some(Holds::Tasks);
        Self {
            id: calendar.id.to_string(),
            name: calendar.name,
            kind: Some(events.into_iter().chain(tasks).collect()),
            writable: Some(calendar.writable),
        }
    }
}

impl Tool for CalendarsList {
    type Arguments = Arguments;
    type Output = Page<Item>;
    const NAME: &'static str = "calendars_list";
    const TITLE: &'static str = "List calendars";
    const DESCRIPTION: &'static str = "Calendars and task lists, with what may be written.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["calendar.read"];
    const SET: Toolset = Toolset::Calendar;

    async fn call(Call { nextcloud, .. }: Call, Arguments {}: Arguments) -> Result<Reply<Page<Item>>, Fault> {
        let calendars = Home::of(&nextcloud).await?.calendars(&nextcloud, Kind::Events).await?;
        Ok(Page { items: calendars.into_iter().map(Item::from).collect(), next_cursor: None }.into())
    }
}
