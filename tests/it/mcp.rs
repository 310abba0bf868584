//! The MCP frontend, through the whole house.

pub mod client;
mod edge;
mod files;
mod protocol;
mod resources;
mod shares;
mod toolset;
