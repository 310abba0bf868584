//! `event_create`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::event::{EventItem, question};
use super::home::{Home, first_choice};
use super::{Kind, new_uid};
use crate::mcp::calendar::id::CalendarId;
use crate::mcp::calendar::{self, NewEvent, ObjectId, address};
use crate::mcp::fault::Fault;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Create event.
pub struct EventCreate;

/// The event.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Calendar id; default calendar if absent
    pub calendar: Option<String>,
    /// Title
    pub title: String,
    /// RFC 3339, or a date for all-day
    pub start: String,
    /// RFC 3339, or a date
    pub end: String,
    /// IANA zone
    pub timezone: Option<String>,
    /// Place
    pub location: Option<String>,
    /// Text
    pub description: Option<String>,
    /// E-mail addresses; they are invited by mail
    pub attendees: Option<Vec<String>>,
    /// RFC 5545 RRULE
    pub rrule: Option<String>,
}

impl Tool for EventCreate {
    type Arguments = Arguments;
    type Output = EventItem;
    const NAME: &'static str = "event_create";
    const TITLE: &'static str = "Create event";
    const DESCRIPTION: &'static str = "Create an event; attendees get an invitation.";
    const HINTS: Hints = Hints::adds().open_world();
    const SCOPES: &'static [&'static str] = &["calendar.read", "calendar.write"];
    const SET: Toolset = Toolset::Calendar;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<EventItem>, Fault> {
        let nextcloud = &call.nextcloud;
        let attendees = arguments.attendees.unwrap_or_default();
        let new = NewEvent {
            title: &arguments.title,
            start: &arguments.start,
            end: &arguments.end,
            timezone: arguments.timezone.as_deref(),
            location: arguments.location.as_deref(),
            description: arguments.description.as_deref(),
            attendees: &attendees,
            rrule: arguments.rrule.as_deref(),
        };
        let home = Home::of(nextcloud).await?;
        let person = match &arguments.calendar {
            Some(_) if attendees.is_empty() => None,
            Some(_) | None => Some(home.person(nextcloud).await?),
        };
        let mail = person.as_ref().and_then(|person| address::mail(&person.addresses));
        let uid = new_uid();
        let data = calendar::compose(&new, mail, &uid, nextcloud.now().0)?;
        let calendar = match &arguments.calendar {
            Some(wanted) => CalendarId::parse(wanted)?,
            None => {
                let default = person.as_ref().and_then(|person| person.default.as_ref());
                first_choice(home.calendars(nextcloud, Kind::Events).await?, Kind::Events, default)?
            }
        };
        for event in calendar::events(&data)?.iter().filter(|event| !event.attendees.is_empty()) {
            call.confirm(&question("Create this event and invite these people by mail?", event, &event.attendees))?;
        }
        let id = ObjectId::of_uid(calendar, &uid);
        let etag = home.create(nextcloud, Kind::Events, &id, data.clone()).await?;
        home.written_event(nextcloud, &id, data, etag).await
    }
}
