//! `events_find`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::event::EventItem;
use super::home::Home;
use super::query::events_within;
use super::{Kind, has_words};
use crate::mcp::arguments::Limit;
use crate::mcp::calendar;
use crate::mcp::calendar::when::When;
use crate::mcp::fault::Fault;
use crate::mcp::keyset::{ordered, page};
use crate::mcp::listing::{Listing, Page};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// A wider window is refused: Nextcloud makes each recurrence in it anew, days.
const WIDEST: i64 = 400;

/// Find events.
pub struct EventsFind;

/// When, and which.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// RFC 3339
    #[schemars(extend("format" = "date-time"))]
    pub start: String,
    /// RFC 3339
    #[schemars(extend("format" = "date-time"))]
    pub end: String,
    /// Calendar id
    pub calendar: Option<String>,
    /// Words in title, text or place
    pub query: Option<String>,
    #[serde(default)]
    #[expect(missing_docs, reason = "its type says it")]
    pub limit: Limit,
    /// next_cursor of the previous page
    pub cursor: Option<String>,
}

impl Tool for EventsFind {
    type Arguments = Arguments;
    type Output = Page<EventItem>;
    const NAME: &'static str = "events_find";
    const TITLE: &'static str = "Find events";
    const DESCRIPTION: &'static str = "Events in a time window, recurrences expanded.";
    const HINTS: Hints = Hints::reads().open_world();
    const SCOPES: &'static [&'static str] = &["calendar.read"];
    const SET: Toolset = Toolset::Calendar;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<EventItem>>, Fault> {
        let Arguments { start, end, calendar, query, limit, cursor } = arguments;
        let (from, until) = window(&start, &end)?;
        let home = Home::of(&nextcloud).await?;
        let mut all = Vec::new();
        for id in home.chosen(&nextcloud, Kind::Events, calendar.as_deref()).await? {
            for found in home.find(&nextcloud, Kind::Events, &id, events_within(from, until, None)).await? {
                // What cannot be read is left out: others wrote it, and the rest is good.
                for event in calendar::events(&found.data).unwrap_or_default() {
                    // A cancelled event does not take place.
                    let texts = [Some(event.title.as_str()), event.description.as_deref(), event.location.as_deref()];
                    let texts: Vec<&str> = texts.into_iter().flatten().collect();
                    if event.cancelled || !has_words(query.as_deref(), &texts) {
                        continue;
                    }
                    let start = ordered(event.seconds);
                    let item = EventItem::new(&nextcloud, &home, &found.id, found.etag.clone(), event);
                    all.push(((start, item.id.clone()), item));
                }
            }
        }
        let list = [&*start, &end, calendar.as_deref().unwrap_or_default(), query.as_deref().unwrap_or_default()];
        let page = page(all, limit, cursor.as_deref(), &Listing::of(Self::NAME, &list))?;
        Ok(page.into())
    }
}

/// Seconds since 1970.
fn window(start: &str, end: &str) -> Result<(i64, i64), Fault> {
    let (from, until) = (When::parse("start", start, None)?.seconds(), When::parse("end", end, None)?.seconds());
    if until <= from {
        return Err(Fault::said("end has to be after start."));
    }
    if until - from > WIDEST * 86_400 {
        return Err(Fault::Said(format!("The window is too wide. Ask for at most {WIDEST} days at once.")));
    }
    Ok((from, until))
}
