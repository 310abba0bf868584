//! The MCP frontend, through the whole house.

pub mod client;
mod edge;
mod handler;
mod protocol;
mod resource_server;
mod transport;
