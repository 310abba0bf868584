//! All that we know of Nextcloud: how it reads a path and the bodies that hold paths, what must never be reached, and which scopes open
//! the rest.
//!
//! A request target goes this way, and every other path in a request goes the same one:
//!
//! ```text
//! bytes ── target.rs ── never.rs ── route.rs ── family.rs
//!          parse,       403 for     one form     one name
//!          or 400       every       for all      for policy
//!                       spelling    aliases      and metrics
//! Destination ── destination.rs ──┤          │
//! REPORT, SEARCH ── dav_body.rs ──┘          ├── policy.rs: scopes, or a refusal
//! shares ── parameters.rs ───────────────────┤
//! calendar objects ── calendar_body.rs ──────┘
//! ```
//!
//! All of these see a path as it is inside our mount (`mount.rs`); on the way back `hrefs.rs` tells it in public words.

pub mod calendar_body;
pub mod dav_body;
pub mod destination;
pub mod family;
pub mod hrefs;
pub mod mount;
pub mod never;
pub mod parameters;
pub mod policy;
pub mod query;
pub mod route;
pub mod target;
