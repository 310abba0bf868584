//! The MCP frontend, through the whole house.

mod calendar;
pub mod client;
mod contacts;
mod edge;
mod fetch;
mod files;
mod handler;
mod notes;
mod protocol;
mod resource_server;
mod resources;
mod search;
mod shares;
mod talk;
mod tasks;
mod toolset;
mod transport;
mod whoami;
