//! The MCP frontend, through the whole house.

mod audit;
mod calendar;
pub mod client;
mod confirm;
mod contacts;
mod edge;
mod elicitation;
mod fetch;
mod handler;
mod notes;
pub mod probe;
mod protocol;
mod resource_server;
mod search;
mod talk;
mod tasks;
mod transport;
mod whoami;
