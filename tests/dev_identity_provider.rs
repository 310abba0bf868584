//! The embedded identity provider answers as Keycloak does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]
#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "dev_identity_provider/client.rs"]
mod client;
#[path = "dev_identity_provider/exchange.rs"]
mod exchange;
#[path = "dev_identity_provider/login.rs"]
mod login;
#[path = "dev_identity_provider/registration.rs"]
mod registration;
#[path = "dev_identity_provider/tokens.rs"]
mod tokens;
