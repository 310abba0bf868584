//! `event_delete`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::event::question;
use super::home::Home;
use crate::mcp::calendar::{self, ObjectId};
use crate::mcp::fault::Fault;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Delete event.
pub struct EventDelete;

/// Which.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Event id
    pub id: String,
    /// etag from a read; the call fails if it changed meanwhile
    pub etag: Option<String>,
}

/// That it is done.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl Tool for EventDelete {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "event_delete";
    const TITLE: &'static str = "Delete event";
    const DESCRIPTION: &'static str = "Delete an event; attendees get a cancellation.";
    const HINTS: Hints = Hints::changes().idempotent().open_world();
    const SCOPES: &'static [&'static str] = &["calendar.read", "calendar.write"];
    const SET: Toolset = Toolset::Calendar;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let nextcloud = &call.nextcloud;
        let id = ObjectId::parse(&arguments.id)?;
        let home = Home::of(nextcloud).await?;
        let held = home.read(nextcloud, Kind::Events, &id, arguments.etag.as_deref()).await?;
        let events = calendar::events(&held.data)?;
        let Some(event) = events.iter().find(|event| event.instance.as_ref() == id.instance()).or(events.first())
        else {
            return Err(Fault::said("This is no event. Tasks are changed by task_update."));
        };
        if let Some(instance) = id.instance() {
            home.recurs(nextcloud, &id, instance, &held.data).await?;
        }
        if !event.attendees.is_empty() {
            call.confirm(&question("Delete this event and tell these people by mail?", event, &event.attendees))?;
        }
        let etag = match id.instance() {
            None => {
                home.delete(nextcloud, &id, &held).await?;
                None
            }
            Some(instance) => {
                let data = calendar::without_instance(held.data.as_bytes(), instance, nextcloud.now().0)?;
                home.replace(nextcloud, Kind::Events, &id, &held, data).await?
            }
        };
        Ok(Output { ok: true, url: None, etag }.into())
    }
}
