//! `event_update`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Kind;
use super::event::{EventItem, question};
use super::home::Home;
use super::query::events_within;
use crate::error::Error;
use crate::mcp::calendar::{self, Changes, Instance, ObjectId, address};
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::Nextcloud;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};
use crate::nextcloud::policy::Refusal;

/// Change event.
pub struct EventUpdate;

/// Which, and what of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Event id
    pub id: String,
    /// etag from a read; the call fails if it changed meanwhile
    pub etag: Option<String>,
    /// Title
    pub title: Option<String>,
    /// RFC 3339, or a date for all-day
    pub start: Option<String>,
    /// RFC 3339, or a date
    pub end: Option<String>,
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

impl Tool for EventUpdate {
    type Arguments = Arguments;
    type Output = EventItem;
    const NAME: &'static str = "event_update";
    const TITLE: &'static str = "Change event";
    const DESCRIPTION: &'static str = "Change given fields of an event.";
    const HINTS: Hints = Hints::changes().idempotent().open_world();
    const SCOPES: &'static [&'static str] = &["calendar.read", "calendar.write"];
    const SET: Toolset = Toolset::Calendar;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<EventItem>, Fault> {
        let nextcloud = &call.nextcloud;
        let id = ObjectId::parse(&arguments.id)?;
        let home = Home::of(nextcloud).await?;
        let held = home.read(nextcloud, Kind::Events, &id, arguments.etag.as_deref()).await?;
        if let Some(instance) = id.instance() {
            home.recurs(nextcloud, &id, instance, &held.data).await?;
        }
        let person = home.person(nextcloud).await?;
        let changes = Changes {
            title: arguments.title.as_deref(),
            start: arguments.start.as_deref(),
            end: arguments.end.as_deref(),
            timezone: arguments.timezone.as_deref(),
            location: arguments.location.as_deref(),
            description: arguments.description.as_deref(),
            attendees: arguments.attendees.as_deref(),
            rrule: arguments.rrule.as_deref(),
        };
        let now = nextcloud.now().0;
        match calendar::change(held.data.as_bytes(), id.instance(), &changes, &person.addresses, now)? {
            Some(data) => {
                let (before, after) = (event_of(&id, &held.data)?, event_of(&id, &data)?);
                let people = others(before.iter().chain(&after), &person.addresses);
                // Who is no longer invited gets a mail as well, with the new title. That stands in no attendee of what is sent.
                if !people.is_empty() && !nextcloud.may_invite() {
                    return Err(Error::PolicyRefused(Refusal::Invitations).into());
                }
                if let Some(after) = after.filter(|_| !people.is_empty()) {
                    call.confirm(&question("Change this event and tell these people by mail?", &after, &people))?;
                }
                let etag = home.replace(nextcloud, Kind::Events, &id, &held, data.clone()).await?;
                home.written_event(nextcloud, &id, data, etag).await
            }
            None => home.written_event(nextcloud, &id, held.data, Some(held.etag)).await,
        }
    }
}

impl Home {
    /// Whether a series has this recurrence: it was changed before, or Nextcloud expands to it. Otherwise one that nobody knows would be
    /// added to the series.
    ///
    /// # Errors
    /// [`Fault::Said`] if it has none.
    pub(super) async fn recurs(
        &self,
        nextcloud: &Nextcloud,
        id: &ObjectId,
        instance: &Instance,
        data: &str,
    ) -> Result<(), Fault> {
        let known = calendar::events(data)?;
        let is_it = |event: &calendar::Event| event.instance.as_ref() == Some(instance);
        if known.iter().any(is_it) {
            return Ok(());
        }
        let (from, until) = match instance {
            Instance::Date(date) => {
                let from = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
                (from, from + 86_400)
            }
            Instance::Utc(at) => (at.timestamp(), at.timestamp() + 1),
            Instance::Floating(at) => (at.and_utc().timestamp(), at.and_utc().timestamp() + 1),
        };
        let uid = known.first().and_then(|event| event.uid.as_deref());
        let found = self.find(nextcloud, Kind::Events, id.calendar(), events_within(from, until, uid)).await?;
        let mut own = found.iter().filter(|found| found.id == id.with_instance(None));
        if own.any(|found| calendar::events(&found.data).unwrap_or_default().iter().any(is_it)) {
            return Ok(());
        }
        Err(Fault::said(
            "There is no such recurrence of this event, or no longer. Take its id from events_find, or the whole series by the id without \
             what stands behind #.",
        ))
    }

    /// What was written, as the tools show it. Where Nextcloud changed it on the way, it is read again.
    pub(super) async fn written_event(
        &self,
        nextcloud: &Nextcloud,
        id: &ObjectId,
        data: String,
        etag: Option<String>,
    ) -> Result<Reply<EventItem>, Fault> {
        let (data, etag) = match etag {
            Some(etag) => (data, etag),
            None => {
                let held = self.read(nextcloud, Kind::Events, id, None).await?;
                (held.data, held.etag)
            }
        };
        let wanted = id.instance().copied();
        let event = calendar::events(&data)?.into_iter().find(|event| event.instance == wanted);
        let event =
            event.ok_or_else(|| Fault::said("It was written, but cannot be read back. Look with events_find."))?;
        Ok(EventItem::new(nextcloud, self, id, Some(etag), event).into())
    }
}

/// The event or recurrence of this id; where that does not stand in the object by itself, its series.
fn event_of(id: &ObjectId, data: &str) -> Result<Option<calendar::Event>, Fault> {
    let mut events = calendar::events(data)?;
    let own = events.iter().position(|event| event.instance.as_ref() == id.instance());
    let own = own.or_else(|| events.iter().position(|event| event.instance.is_none()));
    Ok(own.map(|at| events.swap_remove(at)))
}

/// Who hears of a change: the attendees before and after it, but the user.
fn others<'e>(events: impl Iterator<Item = &'e calendar::Event>, own: &[String]) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    for attendee in events.flat_map(|event| &event.attendees) {
        let is = |known: &String| address::strip_mailto(known).eq_ignore_ascii_case(attendee);
        if !own.iter().any(is) && !people.iter().any(is) {
            people.push(attendee.clone());
        }
    }
    people
}
