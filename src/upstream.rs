//! Where Nextcloud is and how it is connected to: what the Nextcloud leg and our own requests to Nextcloud share.

pub mod connect;
pub mod pool;
pub mod settings;

pub use connect::Connector;
pub use pool::{Pool, UpstreamBody};
pub use settings::{NextcloudSettings, UpstreamAddress};
