//! The MCP frontend (`/mcp`): the Model Context Protocol over streamable HTTP, stateless, in both of its eras on one endpoint.
//!
//! ```text
//! Request        │ mcp/edge.rs       Host and Origin, before anything is read; POST alone; what Accept means
//!                │ mcp/confirm.rs    pages for people who are asked something; open to browsers, which sign in
//! Authenticated  │ mcp/frontend.rs   reads the message once, holds the tool's scopes against the token, binds a client to the caller
//!                │ mcp/handler.rs    what rmcp asks us: versions, lists, calls
//!                │ mcp/tool.rs       one tool: its arguments, its answer, its scopes, its hints
//!                │ mcp/elicitation.rs  the person is asked before something leaves the house
//!                │ mcp/nextcloud.rs  the client: each request of a tool goes through authorization, exchange and proxy like a caller's own
//! ```
//!
//! No token is known in this room. A handler gets the [`Nextcloud`](nextcloud::Nextcloud) of its caller, and that is all it can do.

pub mod answer;
pub mod arguments;
pub mod audit;
pub mod caldav;
pub mod calendar;
pub mod confirm;
pub mod contacts;
pub mod cors;
pub mod dav;
pub mod edge;
pub mod elicitation;
pub mod fault;
pub mod fetch;
pub mod files;
pub mod frontend;
pub mod handler;
pub mod hit;
pub mod keyset;
pub mod large;
pub mod limits;
pub mod listing;
pub mod message;
pub mod nextcloud;
pub mod notes;
pub mod resources;
pub mod schema;
pub mod search;
pub mod settings;
pub mod shares;
pub mod shown;
pub mod signed;
pub mod talk;
pub mod text;
pub mod time;
pub mod tool;
pub mod toolbox;
pub mod unified;
pub mod whoami;
