//! All that we know of Nextcloud: how it reads a path, and what must never be reached.
//!
//! A request target goes this way, and every other path in a request goes the same one:
//!
//! ```text
//! bytes ── target.rs ── never.rs ── route.rs ── family.rs
//!          parse,       403 for     one form     one name
//!          or 400       every       for all      for policy
//!                       spelling    aliases      and metrics
//! Destination ── destination.rs ──┘
//! ```

pub mod destination;
pub mod family;
pub mod never;
pub mod query;
pub mod route;
pub mod target;
