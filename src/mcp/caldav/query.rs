//! `calendar-query` (RFC 4791 §7.8): what is asked, and what is found.

use chrono::DateTime;

use super::Kind;
use super::home::Home;
use super::object::bare;
use crate::mcp::calendar::LARGEST_OBJECT;
use crate::mcp::calendar::id::{CalendarId, ObjectId};
use crate::mcp::dav::{CALDAV, DAV, Multistatus, escaped};
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud};

/// An object that was found.
#[derive(Debug)]
pub struct Found {
    pub id: ObjectId,
    pub etag: Option<String>,
    /// The object, or its recurrences in the window.
    pub data: String,
}

/// The recurrences of events within a window, seconds since 1970; of one UID, if one is given.
pub fn events_within(start: i64, end: i64, uid: Option<&str>) -> String {
    let window = format!("start=\"{}\" end=\"{}\"", time(start), time(end));
    query(
        &format!("<c:calendar-data><c:expand {window}/></c:calendar-data>"),
        &format!("<c:comp-filter name=\"VEVENT\"><c:time-range {window}/>{}</c:comp-filter>", of_uid(uid)),
    )
}

/// Tasks that are not completed.
pub fn open_tasks() -> String {
    tasks("<c:prop-filter name=\"COMPLETED\"><c:is-not-defined/></c:prop-filter>")
}

/// All tasks, or those of one UID.
pub fn all_tasks(uid: Option<&str>) -> String {
    tasks(&of_uid(uid))
}

fn tasks(condition: &str) -> String {
    query("<c:calendar-data/>", &format!("<c:comp-filter name=\"VTODO\">{condition}</c:comp-filter>"))
}

fn query(data: &str, filter: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"{CALDAV}\"><d:prop><d:getetag/>{data}</d:prop>\
         <c:filter><c:comp-filter name=\"VCALENDAR\">{filter}</c:comp-filter></c:filter></c:calendar-query>"
    )
}

fn of_uid(uid: Option<&str>) -> String {
    uid.map_or_else(String::new, |uid| {
        let uid = escaped(uid);
        format!("<c:prop-filter name=\"UID\"><c:text-match collation=\"i;octet\">{uid}</c:text-match></c:prop-filter>")
    })
}

fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

impl Home {
    /// Asks a calendar.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn find(
        &self,
        nextcloud: &Nextcloud,
        kind: Kind,
        calendar: &CalendarId,
        query: String,
    ) -> Result<Vec<Found>, Fault> {
        let target = self.target(&format!("{}/", calendar.encoded()));
        let ask = kind.ask(Ask::new("REPORT", target).depth("1").xml(query));
        let read = Multistatus::of(&nextcloud.ask(ask).await?.good(&kind.place(calendar))?)?;
        let found = read.responses.iter().filter_map(|response| {
            let data = response.get(CALDAV, "calendar-data").map(|data| data.text.clone())?;
            let id = self.id(nextcloud, &response.href)?;
            let etag = response.text(DAV, "getetag").map(|etag| bare(etag).to_owned());
            Some(Found { id, etag, data })
        });
        Ok(found.filter(|found| found.id.calendar() == calendar && found.data.len() <= LARGEST_OBJECT).collect())
    }
}
