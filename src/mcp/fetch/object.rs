//! An event, a task or a contact, as lines that can be read.

use super::super::caldav::Kind;
use super::super::caldav::event::page;
use super::super::caldav::home::Home;
use super::super::calendar::{self, ObjectId};
use super::super::contacts::Card;
use super::super::dav::{self, CARDDAV, Multistatus};
use super::super::fault::Fault;
use super::super::nextcloud::{Ask, Nextcloud, segment};
use super::super::{shown::shown, text};
use super::{LONGEST_TITLE, Read};

/// So many recurrences that differ from their series are told.
const MOST_EVENTS: usize = 20;
const REST: &str = "the rest is in Nextcloud: the url opens it";

/// An event, with those of its recurrences that were changed.
///
/// # Errors
/// [`Fault::Said`] if it is not there or cannot be read; whatever [`Nextcloud::ask`] says.
pub async fn event(nextcloud: &Nextcloud, id: &str) -> Result<Read, Fault> {
    let (home, id) = (Home::of(nextcloud).await?, ObjectId::parse(id)?);
    let held = home.read(nextcloud, Kind::Events, &id, None).await?;
    let mut events = calendar::events(&held.data)?;
    if let Some(instance) = id.instance() {
        // Of a recurrence that was never changed the series is all there is.
        let (own, series) =
            events.into_iter().partition::<Vec<_>, _>(|event| event.instance.as_ref() == Some(instance));
        events =
            if own.is_empty() { series.into_iter().filter(|event| event.instance.is_none()).collect() } else { own };
    }
    let first = events
        .first()
        .ok_or_else(|| Fault::said("This is no event: fetch reads tasks by the ids that search gives them."))?;
    let title = first.title.clone();
    let mut lines = Lines::default();
    for event in events.iter().take(MOST_EVENTS) {
        if let Some(instance) = event.instance.filter(|_| events.len() > 1) {
            lines.add("Changed recurrence", Some(&instance.to_string()));
            lines.add("Title", Some(&event.title));
        }
        lines.add("From", Some(&event.start));
        lines.add("Until", Some(&event.end));
        lines.add("Recurring", event.recurring.then_some("yes"));
        lines.add("Cancelled", event.cancelled.then_some("yes"));
        lines.add("Where", event.location.as_deref());
        lines.add("Organizer", event.organizer.as_deref());
        lines.add("Attendees", Some(&event.attendees.join(", ")));
        lines.text(event.description.as_deref());
    }
    let metadata = vec![("event_id", Some(id.to_string().into())), ("etag", Some(held.etag.into()))];
    Ok(Read { title, text: lines.0, url: page(nextcloud, &home, &id), metadata, rest: REST, is_cut: false })
}

/// A task.
///
/// # Errors
/// As [`event`].
pub async fn task(nextcloud: &Nextcloud, id: &str) -> Result<Read, Fault> {
    let id = ObjectId::parse(id)?.with_instance(None);
    let held = Home::of(nextcloud).await?.read(nextcloud, Kind::Tasks, &id, None).await?;
    let task = calendar::tasks(&held.data)?.into_iter().next();
    let task = task.ok_or_else(|| Fault::said("There is no task of this id. Search again to find the right one."))?;
    let mut lines = Lines::default();
    lines.add("Done", Some(if task.done { "yes" } else { "no" }));
    lines.add("Due", task.due.as_deref());
    lines.add("Priority", task.priority.map(|priority| priority.to_string()).as_deref());
    lines.text(task.notes.as_deref());
    let metadata = vec![("task_id", Some(id.to_string().into())), ("etag", Some(held.etag.into()))];
    let url = nextcloud.url("/index.php/apps/tasks");
    Ok(Read { title: task.title, text: lines.0, url, metadata, rest: REST, is_cut: false })
}

/// A contact, found by its UID, for its name as a file may be another.
///
/// # Errors
/// As [`event`].
pub async fn contact(nextcloud: &Nextcloud, book: &str, uid: &str) -> Result<Read, Fault> {
    let target = format!("/remote.php/dav/addressbooks/users/{}/{}/", segment(&nextcloud.uid().await?), segment(book));
    let query = format!(
        "<?xml version=\"1.0\"?><c:addressbook-query xmlns:d=\"DAV:\" xmlns:c=\"{CARDDAV}\"><d:prop><c:address-data/></d:prop>\
         <c:filter><c:prop-filter name=\"UID\"><c:text-match match-type=\"equals\">{}</c:text-match></c:prop-filter></c:filter>\
         </c:addressbook-query>",
        dav::escaped(uid)
    );
    let answer =
        nextcloud.ask(Ask::new("REPORT", target).depth("1").xml(query)).await?.good("address book of this id")?;
    let found = Multistatus::of(&answer)?;
    let cards = found.responses.iter().filter_map(|response| Card::parse(&response.get(CARDDAV, "address-data")?.text));
    // A collation folds case; a UID does not.
    let card = cards.into_iter().find(|card| card.uid.as_deref() == Some(uid));
    let card = card.ok_or_else(|| Fault::said("There is no such contact. Search again to find the right one."))?;
    let mut lines = Lines::default();
    lines.add("Name", Some(&card.name));
    lines.add("Organization", card.org.as_deref());
    card.emails.iter().for_each(|email| lines.add("Email", Some(email)));
    card.phones.iter().for_each(|phone| lines.add("Phone", Some(phone)));
    let url = nextcloud.url(&format!("/index.php/apps/contacts/direct/contact/{}", segment(&format!("{uid}~{book}"))));
    Ok(Read { title: card.name, text: lines.0, url, rest: REST, ..Read::default() })
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A line, if there is something to say.
    fn add(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0 += &format!("{name}: {}\n", shown(value, 10 * LONGEST_TITLE));
        }
    }

    /// A text of several lines, and the end of what it belongs to.
    fn text(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0 += &format!("\n{}\n", text::prose(text).trim_end());
        }
        self.0.push('\n');
    }
}
