//! Tasks (VTODO, RFC 5545 §3.6.2): as the tools show them, new ones, and changes.

use calcard::icalendar::{
    ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarStatus, ICalendarValue,
};

use super::change::open;
use super::document::Component;
use super::event::{read, text};
use super::when::{When, Zones, stamp};
use super::{Fault, fields, instance, text as texts};

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The UID.
    pub uid: Option<String>,
    /// SUMMARY.
    pub title: String,
    /// DUE, RFC 3339, or the day.
    pub due: Option<String>,
    /// DUE in seconds since 1970, to sort and to compare by.
    pub due_seconds: Option<i64>,
    /// Completed, or cancelled.
    pub done: bool,
    /// 1 is high, 9 is low.
    pub priority: Option<i64>,
    /// DESCRIPTION.
    pub notes: Option<String>,
}

/// What a caller says of a new task, as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewTask<'a> {
    /// What it is called.
    pub title: &'a str,
    /// RFC 3339 or a date.
    pub due: Option<&'a str>,
    /// 1 high to 9 low; 0 is none.
    pub priority: Option<i64>,
    /// Text.
    pub notes: Option<&'a str>,
}

/// The fields to change, as they came; an empty text takes a field away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskChanges<'a> {
    /// Completed or not.
    pub done: Option<bool>,
    /// What it is called.
    pub title: Option<&'a str>,
    /// RFC 3339 or a date.
    pub due: Option<&'a str>,
    /// 1 high to 9 low; 0 is none.
    pub priority: Option<i64>,
    /// Text.
    pub notes: Option<&'a str>,
}

/// The tasks of an object: one, for of a series only the series is shown.
///
/// # Errors
/// [`Fault::Object`] if it is too large or no iCalendar.
pub fn tasks(object: &str) -> Result<Vec<Task>, Fault> {
    let calendar = read(object)?;
    let zones = Zones::of(&calendar);
    let all = calendar.components.iter().filter(|component| component.component_type == ICalendarComponentType::VTodo);
    Ok(all
        .filter(|component| !component.is_recurrence_override())
        .map(|component| Task::read(component, &zones))
        .collect())
}

/// The object of a new task.
///
/// # Errors
/// [`Fault::Argument`].
pub fn compose_task(task: &NewTask<'_>, uid: &str, now: i64) -> Result<String, Fault> {
    let mut own = Component::new("VTODO");
    fields::stamp_new(&mut own, uid, now);
    own.add(&ICalendarEntry::new(ICalendarProperty::Status).with_value(ICalendarStatus::NeedsAction));
    let changes =
        TaskChanges { done: None, title: Some(task.title), due: task.due, priority: task.priority, notes: task.notes };
    let mut calendar = fields::envelope();
    let zones = Zones::of(&calendar.read_all());
    set_fields(&mut own, &changes, &zones)?;
    calendar.push(own);
    calendar.write()
}

/// Changes, completes or reopens a task. `None` if it is that way already.
///
/// # Errors
/// [`Fault`].
pub fn change_task(object: &[u8], changes: &TaskChanges<'_>, now: i64) -> Result<Option<String>, Fault> {
    if *changes == TaskChanges::default() {
        return Err(Fault::argument("nothing to change: give at least one field"));
    }
    let (mut calendar, zones) = open(object, "VTODO", &ICalendarComponentType::VTodo)?;
    let place = calendar.inside_mut("VTODO").find(|component| instance::is_master(component));
    let own = place.ok_or_else(|| Fault::object("only single recurrences of this task are here"))?;
    let before = own.clone();
    set_fields(own, changes, &zones)?;
    if let Some(done) = changes.done.filter(|done| *done != Task::read(&before.properties(), &zones).done) {
        set_done(own, done, now)?;
    }
    if *own == before {
        return Ok(None);
    }
    fields::stamp_changed(own, now);
    calendar.write().map(Some)
}

fn set_fields(own: &mut Component, changes: &TaskChanges<'_>, zones: &Zones) -> Result<(), Fault> {
    if let Some(title) = changes.title {
        fields::set_text(own, ICalendarProperty::Summary, texts::title(title)?);
    }
    if let Some(notes) = changes.notes {
        fields::set_description(own, texts::prose("notes", notes)?);
    }
    match changes.priority {
        Some(0) => own.remove(&ICalendarProperty::Priority),
        Some(priority @ 1..=9) => own.set(&ICalendarEntry::new(ICalendarProperty::Priority).with_value(priority)),
        Some(_) => return Err(Fault::argument("priority: 1 is high, 9 is low, 0 is none")),
        None => {}
    }
    match changes.due.map(str::trim) {
        Some("") => own.remove(&ICalendarProperty::Due),
        Some(due) => set_due(own, due, zones)?,
        None => {}
    }
    Ok(())
}

/// §3.8.2.3: DUE is of the same kind as DTSTART and not before it, and there is no DURATION beside it.
fn set_due(own: &mut Component, due: &str, zones: &Zones) -> Result<(), Fault> {
    let read = own.properties();
    let when = |property| read.property(&property).and_then(|entry| When::read(entry, zones));
    let (start, old) = (when(ICalendarProperty::Dtstart), when(ICalendarProperty::Due));
    let zone = old.as_ref().or(start.as_ref()).and_then(When::zone);
    let due = When::parse("due", due, zone)?;
    if let Some(start) = start {
        if start.is_date() != due.is_date() {
            let form = if start.is_date() { "a date" } else { "a time, RFC 3339" };
            return Err(Fault::argument(format!("due: this task starts at {}, so give {form}", start.rfc3339())));
        }
        if due.seconds() < start.seconds() {
            return Err(Fault::argument(format!("due: this task starts only at {}", start.rfc3339())));
        }
    }
    own.remove(&ICalendarProperty::Duration);
    own.set(&due.entry(ICalendarProperty::Due));
    Ok(())
}

fn set_done(own: &mut Component, done: bool, now: i64) -> Result<(), Fault> {
    if done && instance::recurs(own) {
        return Err(Fault::object(
            "this task recurs, and completing it would end all its recurrences; use the Tasks app",
        ));
    }
    if done {
        own.set(&ICalendarEntry::new(ICalendarProperty::Status).with_value(ICalendarStatus::Completed));
        own.set(&stamp(ICalendarProperty::Completed, now));
        own.set(&ICalendarEntry::new(ICalendarProperty::PercentComplete).with_value(100));
    } else {
        own.set(&ICalendarEntry::new(ICalendarProperty::Status).with_value(ICalendarStatus::NeedsAction));
        own.remove(&ICalendarProperty::Completed);
        own.remove(&ICalendarProperty::PercentComplete);
    }
    Ok(())
}

// === impl Task ===

impl Task {
    fn read(component: &ICalendarComponent, zones: &Zones) -> Self {
        let due = component.property(&ICalendarProperty::Due).and_then(|entry| When::read(entry, zones));
        let number = |property| component.property(&property)?.values.first().and_then(ICalendarValue::as_integer);
        let over = matches!(component.status(), Some(ICalendarStatus::Completed | ICalendarStatus::Cancelled));
        let done = over || component.has_property(&ICalendarProperty::Completed);
        Self {
            uid: component.uid().map(str::to_owned),
            title: text(component, &ICalendarProperty::Summary).unwrap_or_default(),
            due_seconds: due.as_ref().map(When::seconds),
            due: due.as_ref().map(When::rfc3339),
            done,
            priority: number(ICalendarProperty::Priority).filter(|priority| (1..=9).contains(priority)),
            notes: text(component, &ICalendarProperty::Description),
        }
    }
}
