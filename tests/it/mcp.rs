//! The MCP frontend, through the whole house.

pub mod client;
mod confirm;
mod audit;
mod edge;
mod elicitation;
pub mod probe;
mod protocol;
