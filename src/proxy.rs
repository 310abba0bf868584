//! The Nextcloud leg. It takes only [`Exchanged`](crate::middleware::exchange::Exchanged) requests, so a caller's token cannot get here.

pub mod forward;
pub mod headers;
pub mod rejection;
pub mod replay;
pub mod stream;
pub mod tunnel;
pub mod upload;

pub use forward::{Proxy, ProxyService};
