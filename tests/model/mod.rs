//! An independent model of how Nextcloud, and what may stand in front of it, reads a request target; and the claim that
//! obo-proxy agrees with it. Shared by `tests/route_properties.rs` and `fuzz/fuzz_targets/route.rs`.

pub mod agreement;
pub mod nextcloud_reading;
