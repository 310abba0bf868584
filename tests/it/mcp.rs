//! The MCP frontend, through the whole house.

mod calendar;
pub mod client;
mod contacts;
mod edge;
mod fetch;
mod handler;
mod notes;
mod protocol;
mod resource_server;
mod search;
mod talk;
mod tasks;
mod transport;
mod whoami;
