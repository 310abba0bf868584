//! What Keycloak really does, asked of a real one: the facts on which `oauth/`, `exchange/` and the realm file of
//! operators (`keycloak/realm.json`) rest, one sentence a test.
//!
//! `scripts/live-keycloak [version]` starts a Keycloak, runs this binary against it and stops it again; the address and
//! the admin client come by environment (see [`keycloak::Keycloak`]). Without one, every test says loudly that it was
//! skipped and passes; with `OBO_REQUIRE_LIVE=1` it fails instead.
//!
//! The harness, from the server inwards: [`keycloak`] (the server and its admin client), [`realm`] (one realm: login,
//! exchange, administration), [`overlay`] (the realm file, and what only tests add to it), [`browser`] (a login form
//! filled in by a script), [`exchange`] (one RFC 8693 request, changed at will), [`answer`] (what came back).
//!
//! The facts, in the order of an exchange: [`admission`] (who may exchange), [`subject`] and [`dpop`] (which tokens),
//! [`audience`] (for whom the new one is), [`scope`] (what it may do), [`exchanged`] (what it looks like),
//! [`introspection`] (who may ask about it), [`sessions`] and [`offline`] (when it dies), [`keys`] (what it is signed
//! with), [`hostname`] (whose name it carries), [`operators`] (that the realm file as delivered gives nothing away).
//!
//! And on top of them: [`proxy`] (obo-proxy as a whole between a real Keycloak and the Nextcloud stand-in).
//!
//! Tests share one realm, [`realm::Realm::shared`], and run in parallel. A test that changes what others stand on
//! (keys, not-before) takes a realm of its own, [`realm::Realm::fresh`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]

mod admission;
mod answer;
mod audience;
mod browser;
mod dpop;
mod exchange;
mod exchanged;
mod hostname;
mod introspection;
mod keycloak;
mod keys;
mod offline;
mod operators;
mod overlay;
mod proxy;
mod realm;
mod scope;
mod sessions;
mod subject;
