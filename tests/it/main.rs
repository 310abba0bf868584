//! obo-proxy as a whole, in this process, between real servers: the embedded identity provider and the Nextcloud stand-in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]

mod house;
mod verdict;
mod wire;

// The main job.
mod smoke;

// Whose token, and what it is exchanged for.
mod tokens;
mod opaque;
mod exchange;
mod laws;
mod told;

// What crosses, and what does not.
mod hygiene;
mod framing;
mod bodies;
mod limits;
mod pool;
mod tunnels;
mod refused;
mod rejected;
mod sessions;
mod tls;
mod never;
mod families;
mod surprises;
mod mcp;
mod mount;
mod in_front;
mod policy;
mod operations;
