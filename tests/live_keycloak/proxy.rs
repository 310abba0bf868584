//! obo-proxy as a whole between a real Keycloak and the Nextcloud stand-in, which trusts that Keycloak: a house for each
//! test ([`house`]), with obo-proxy in this process and its log at hand ([`log`]).
//!
//! [`people`] (whose requests arrive, and as whose), [`requester`] (a realm or a configuration that is not right),
//! [`revocation`] (logout, not-before, keys), [`hostname`] (other ways to the same server), [`check`] (`obo-proxy check
//! --online`), [`outage`] (Keycloak goes away and comes back), [`ignorant`] (a provider that is deaf to `audience`).

mod check;
mod hostname;
mod house;
mod ignorant;
mod log;
mod mcp;
mod outage;
mod people;
mod requester;
mod revocation;
mod server;
