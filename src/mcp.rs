//! The MCP frontend: what its tools know of calendars and contacts.

pub mod calendar;
pub mod contacts;
