//! The Nextcloud leg. It takes only [`Exchanged`](crate::middleware::exchange::Exchanged) requests, so a caller's token cannot get here.

pub mod connect;
pub mod forward;
pub mod headers;
pub mod leg;
pub mod rejection;
pub mod replay;
pub mod settings;
pub mod stream;
pub mod tunnel;
pub mod upload;

pub use forward::{Proxy, ProxyService};
pub use settings::{NextcloudSettings, UpstreamAddress};
