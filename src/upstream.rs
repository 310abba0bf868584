//! Where Nextcloud is and how it is connected to: what the Nextcloud leg and our own requests to Nextcloud share.

pub mod connect;
pub mod settings;

pub use connect::Connector;
pub use settings::{NextcloudSettings, UpstreamAddress};
