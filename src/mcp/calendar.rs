//! Calendar objects (RFC 5545) as the tools read, make and change them. Nothing here sends anything or knows the time.
//!
//! Values are read and written by `calcard`. What is changed of an object that Nextcloud holds is changed in its lines
//! ([`document`]), so that whatever we do not know of it stays as it was. Recurrences are never expanded here: Nextcloud does that.
//!
//! Words of the tools, the same in both directions: a date as the `end` of an all-day event is its **last day** (RFC 5545 writes the day
//! after it); an event in an expanded answer is named with its recurrence (`personal/x.ics#20261201T080000Z`), and what is done under
//! that name is done to that one alone.

pub mod address;
pub mod change;
pub mod compose;
pub mod document;
pub mod event;
pub mod id;
pub mod rule;
pub mod task;
pub mod text;
pub mod when;
mod fields;
mod instance;
mod series;
mod span;
mod zone;

pub use change::{Changes, change, without_instance};
pub use compose::{NewEvent, compose};
pub use event::{Event, events};
pub use id::{Instance, ObjectId};
pub use task::{NewTask, Task, TaskChanges, change_task, compose_task, tasks};

/// A larger object is not read, and not made, bytes.
pub const LARGEST_OBJECT: usize = 1024 * 1024;

/// Who we are to a reader of the object (RFC 5545 §3.7.3).
const PRODID: &str = "-//obo-proxy//MCP//EN";

/// Why something cannot be read, made or changed, in words that tell the assistant what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An argument is no good; the text says which, and what would be.
    #[error("{0}")]
    Argument(String),
    /// What Nextcloud holds cannot be read, or cannot be changed this way.
    #[error("{0}")]
    Object(String),
}

impl Fault {
    fn argument(text: impl Into<String>) -> Self {
        Self::Argument(text.into())
    }

    fn object(text: impl Into<String>) -> Self {
        Self::Object(text.into())
    }
}

#[cfg(test)]
mod tests;
