//! An event as the tools show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;

use super::LONGEST_LINE;
use super::home::Home;
use crate::mcp::calendar::{Event, ObjectId};
use crate::mcp::elicitation::question::Question;
use crate::mcp::nextcloud::{Nextcloud, segment};
use crate::mcp::shown::shown;

// An event, or one recurrence of it. (A doc comment would be in every conversation.)
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventItem {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    pub title: String,
    pub start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendees: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

// === impl EventItem ===

impl EventItem {
    /// An event of the object `id`.
    pub fn new(nextcloud: &Nextcloud, home: &Home, id: &ObjectId, etag: Option<String>, event: Event) -> Self {
        let attendees: Vec<String> = event.attendees.iter().map(|attendee| line(attendee)).collect();
        Self {
            id: id.with_instance(event.instance).to_string(),
            calendar: Some(id.calendar().to_string()),
            title: line(&event.title),
            start: event.start,
            end: Some(event.end),
            location: event.location.as_deref().map(line),
            attendees: Some(attendees).filter(|attendees| !attendees.is_empty()),
            recurring: Some(event.recurring),
            etag,
            url: Some(page(nextcloud, home, id)),
        }
    }
}

fn line(text: &str) -> String {
    shown(text, LONGEST_LINE)
}

/// What the person is asked before these people get a mail about an event.
pub fn question(words: &'static str, event: &Event, people: &[String]) -> Question {
    let asked = Question::new(words).with("Title", &event.title).with("Start", &event.start);
    people.iter().fold(asked, |asked, address| asked.with("To", address))
}

/// Where the Calendar app shows it: it calls an object by its path on this server, in base64.
#[must_use]
pub fn page(nextcloud: &Nextcloud, home: &Home, id: &ObjectId) -> String {
    let object = nextcloud.url(&home.target(&id.encoded()));
    let path = object.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    nextcloud.url(&format!("/index.php/apps/calendar/edit/{}", segment(&STANDARD.encode(path.unwrap_or_default()))))
}
