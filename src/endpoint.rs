//! What obo-proxy answers itself.

pub mod admin;
pub mod well_known;
