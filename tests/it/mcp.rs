//! The MCP frontend, through the whole house.

pub mod client;
mod audit;
mod edge;
mod elicitation;
pub mod probe;
mod protocol;
