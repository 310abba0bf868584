//! The Nextcloud legs. One takes only [`Exchanged`](crate::middleware::exchange::Exchanged) requests, so a caller's token cannot get here; the
//! other takes only [`Untouched`](crate::middleware::untouched::Untouched) ones, which bear none. They share no connection.

pub mod forward;
pub mod headers;
pub mod inward;
pub mod leg;
pub mod multistatus;
pub mod outward;
pub mod rejection;
pub mod replay;
pub mod stream;
pub mod tunnel;
pub mod untouched;
pub mod upload;

pub use forward::{Proxy, ProxyService};
pub use untouched::{UntouchedProxy, UntouchedService};
