//! obo-proxy as a whole, in this process, between real servers: the embedded identity provider and the Nextcloud stand-in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]

mod house;

mod smoke;
