//! Moving a series: what names its recurrences moves along — the end of its rule, what it leaves out and adds, and the recurrences that
//! were changed, which keep a time of their own if they were given one.

use calcard::icalendar::ICalendarProperty;
use chrono::TimeDelta;

use super::document::{Component, written};
use super::span::Span;
use super::when::{When, Zones};
use super::{Fault, fields, instance, rule};

/// From where to where a series moves, by the clock on the wall.
pub struct Move<'a> {
    pub old: &'a When,
    pub new: &'a When,
    by: Option<TimeDelta>,
}

// === impl Move ===

impl<'a> Move<'a> {
    pub fn new(old: &'a When, new: &'a When) -> Self {
        let by = old.same_form(new).then(|| new.naive() - old.naive());
        Self { old, new, by }
    }

    /// Moves what the series itself says. `ruled` says that a new rule is given along.
    ///
    /// # Errors
    /// [`Fault`] if something cannot be moved.
    pub fn series(&self, master: &mut Component, ruled: bool, zones: &Zones) -> Result<(), Fault> {
        let Some(by) = self.by else { return self.nothing_to_move(master, ruled) };
        for property in [ICalendarProperty::Exdate, ICalendarProperty::Rdate] {
            let read = master.properties();
            let moved: Result<Vec<String>, Fault> = read
                .properties(&property)
                .map(|entry| instance::moved_values(entry, by, self.old, zones).map(|entry| written(&entry)))
                .collect();
            master.put(&property, moved?);
        }
        if ruled {
            return Ok(());
        }
        let lines: Result<Vec<String>, Fault> = master
            .lines(&ICalendarProperty::Rrule)
            .map(|line| rule::moved(line, self.old, self.new, by, zones))
            .collect();
        let lines = lines?;
        master.put(&ICalendarProperty::Rrule, lines);
        Ok(())
    }

    /// Moves a changed recurrence.
    ///
    /// # Errors
    /// [`Fault`] if it cannot be moved.
    pub fn recurrence(&self, component: &mut Component, now: i64, zones: &Zones) -> Result<(), Fault> {
        let by = self.by.ok_or_else(another_form)?;
        let read = component.properties();
        let Some(entry) = read.property(&ICalendarProperty::RecurrenceId) else { return Ok(()) };
        let original = When::read(entry, zones);
        if let Some(span) =
            Span::read(&read, zones).filter(|span| Some(span.start.seconds()) == original.map(|at| at.seconds()))
        {
            let start = span.start.moved(by, self.old.zone()).ok_or_else(instance::beyond)?;
            fields::set_span(component, &span.starting(start).ok_or_else(instance::beyond)?);
        }
        component.set(&instance::moved_values(entry, by, self.old, zones)?);
        fields::stamp_changed(component, now);
        Ok(())
    }

    /// From a date to a time, or to another zone: only a series that names none of its recurrences can go there.
    fn nothing_to_move(&self, master: &Component, ruled: bool) -> Result<(), Fault> {
        let until = master.lines(&ICalendarProperty::Rrule).any(|line| line.to_ascii_uppercase().contains("UNTIL="));
        let named = master.has(&ICalendarProperty::Exdate) || master.has(&ICalendarProperty::Rdate);
        if named || (until && !ruled) { Err(another_form()) } else { Ok(()) }
    }
}

fn another_form() -> Fault {
    Fault::object(
        "this series has an end or changed recurrences, so that it cannot go to another time zone or become all-day or timed; \
         give start in its own zone, or make a new event",
    )
}
