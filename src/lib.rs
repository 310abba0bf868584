//! obo-proxy: an on-behalf-of proxy for Nextcloud. A caller sends its own bearer token; we prove it, exchange it (RFC 8693) for one that
//! Nextcloud accepts, and forward the request in that user's name. The caller never holds a Nextcloud credential; Nextcloud never sees the
//! caller's token.
//!
//! # The life of a request
//!
//! A connection arrives on one of the per-core accept sockets of [`server`], which builds the tower stack of [`stack`] for it. There the
//! request passes, from top to bottom:
//!
//! ```text
//! socket ─ server.rs ─ stack.rs ┐
//!                               │ middleware/respond.rs        (on the way back: Error → Response)
//!               Request         │ route.rs ── endpoint/well_known.rs
//!                               │ mcp/edge.rs, mcp/confirm.rs  (by which name /mcp is called; pages for people)
//!               Untouched   ┌───┤ middleware/untouched.rs      (bears no token, and the operator lets that pass)
//!                           │   │ middleware/authenticate.rs ── exchange/entries.rs, oauth/verifier.rs ── oauth/jwks.rs
//!               Authenticated   │ mcp/frontend.rs ── mcp/handler.rs ── a tool ── mcp/nextcloud.rs ─┐
//!                           │   │ ◀───────────── the tool's own requests, on behalf of the caller ─┘
//!                           │   │ middleware/authorize.rs ── nextcloud/target.rs ── nextcloud/route.rs ── nextcloud/never.rs
//!                           │   │                         └─ nextcloud/policy.rs ── nextcloud/dav_body.rs, nextcloud/parameters.rs
//!               Authorized  │   │ middleware/exchange.rs ── exchange/cached.rs ── exchange/rfc8693.rs ── oauth/client.rs
//!               Exchanged   │   │ proxy/forward.rs ── proxy/headers.rs, session.rs, proxy/rejection.rs
//!                           │   ▼
//!                           │ proxy/leg.rs ── upstream/pool.rs ─────▶ Nextcloud
//!                           └─▶ proxy/untouched.rs ── proxy/leg.rs (another one) ─────▶ Nextcloud
//! ```
//!
//! Each type in the left column is a passport: it can be minted only in the file that does the check, and the proxy takes nothing but
//! [`Exchanged`](middleware::exchange::Exchanged). So a request that skipped a check does not compile on its way to Nextcloud.
//!
//! Paths are decided on as they are inside our mount (`nextcloud/mount.rs`); where Nextcloud calls itself by another root than callers do,
//! `proxy/inward.rs` and `proxy/outward.rs` tell each in its own words.
//!
//! What is known of a token is one [`Entry`](exchange::Entry), found by one lookup; whatever talks to the identity provider, and what we ask
//! Nextcloud ourselves ([`session`]), runs on the control runtime ([`flight`]), apart from the callers.
//!
//! # The rooms, in layer order
//!
//! A module knows only those above it; `tests/layering.rs` holds the table.

pub mod token;
pub mod metrics;
pub mod flight;
pub mod body;
pub mod oauth;
pub mod exchange;
pub mod nextcloud;
pub mod upstream;
pub mod session;
pub mod error;
pub mod service;
pub mod middleware;
pub mod proxy;
pub mod endpoint;
pub mod mcp;
pub mod route;
pub mod stack;
pub mod server;
pub mod config;
pub mod telemetry;
pub mod app;
#[cfg(feature = "dev")]
pub mod dev;
pub mod cli;
