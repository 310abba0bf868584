//! The MCP frontend, through the whole house.

mod calendar;
pub mod client;
mod contacts;
mod edge;
mod protocol;
mod tasks;
