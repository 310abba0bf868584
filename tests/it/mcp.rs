//! The MCP frontend, through the whole house.

mod audit;
mod calendar;
pub mod client;
mod confirm;
mod contacts;
mod edge;
mod elicitation;
mod fetch;
mod files;
mod handler;
mod hostile;
mod names;
mod notes;
pub mod probe;
mod protocol;
mod resource_server;
mod resources;
mod search;
mod shares;
mod strangers;
mod talk;
mod tasks;
mod toolset;
mod transport;
mod whoami;
