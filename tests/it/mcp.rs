//! The MCP frontend, through the whole house.

pub mod client;
mod edge;
mod fetch;
mod notes;
mod protocol;
mod search;
mod talk;
mod whoami;
