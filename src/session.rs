//! Upstream sessions: the PHP session that Nextcloud opened for one person's exchanged tokens, kept privately by us (product.md §3,
//! nextcloud.md §2). A bearer alone costs Nextcloud a session, a key pair and a row per request; with its session it costs a tenth.
//!
//! A session wins over the bearer beside it (user_oidc ≤ 8.6): whoever got another person's would be served as that person. Therefore:
//!
//! 1. It belongs to one person and client, by all that Nextcloud could tell people apart by ([`person`](crate::exchange::person)); there is
//!    one [`Sessions`] for one Nextcloud.
//! 2. It comes only from a request of our own without cookies, whose answer names the user and logs the same one in ([`opening`]).
//! 3. It is asked again before it is old ([`kept`]): Nextcloud lets a disabled user go on in it for minutes.
//! 4. It ends in this order: nobody finds it, nobody uses it, Nextcloud forgets it ([`departures`]). A bearer sent with the id of a session that
//!    was logged out would make it live once more.
//! 5. What was begun before a purge is not kept after it.
//!
//! Sessions are for exchanged tokens alone. In mode `basic` all callers are one account, and its password needs no session to be fast. In mode
//! `multi-audience` the caller holds the token itself: the saving is the caller's to make, and nobody would tell us that its login is over.

pub mod cookies;
pub mod courier;
pub mod departures;
pub mod doubt;
pub mod kept;
pub mod opening;
mod sessions;
pub mod settings;
pub mod store;
pub mod usefulness;

pub use kept::Lease;
pub use sessions::Sessions;
pub use settings::SessionSettings;
