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
//!
//! All of these see a path as it is inside our mount (`mount.rs`); on the way back `hrefs.rs` tells it in public words.

pub mod destination;
pub mod family;
pub mod hrefs;
pub mod mount;
pub mod never;
pub mod query;
pub mod route;
pub mod target;
