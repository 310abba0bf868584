//! The MCP frontend, through the whole house.

mod calendar;
pub mod client;
mod contacts;
mod edge;
mod fetch;
mod notes;
mod protocol;
mod search;
mod talk;
mod tasks;
mod whoami;
