//! Everything around the proxy, in one process: an identity provider that behaves like Keycloak and a Nextcloud stand-in.
//!
//! `obo-proxy dev` starts both so that a stranger can try the product with one command, and the integration tests start them
//! as their fakes: real servers on port 0, with handles that make them misbehave. Neither is for production: the login page
//! has one button per person, and nothing is kept. The container image is built without this room (feature `dev`).

pub mod identity_provider;
pub mod nextcloud;

mod answer;
mod clock;
mod form;
mod server;

pub use server::{Address, Listener};

/// How the stand-in calls itself when it fetches the provider's keys.
const NEXTCLOUD_AGENT: &str = "obo-proxy-dev-nextcloud";
