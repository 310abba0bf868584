//! Inbound verification of JWTs (product.md §3; checklist D2). Each bad token has a good twin, so that nothing else can be what is refused.

mod claims;
mod issuers;
mod keys;
mod kinds;
