//! `cargo +nightly fuzz run route`: no target has two readings. The first byte chooses the method.

#![no_main]

#[path = "../../tests/model/mod.rs"]
mod model;

use libfuzzer_sys::fuzz_target;
use obo_proxy::nextcloud::destination::{Destination, PublicAddress};
use obo_proxy::nextcloud::target::Target;

const METHODS: &[&str] = &["GET", "HEAD", "PUT", "PROPFIND", "SEARCH", "MOVE"];

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else {
        return;
    };
    let _ = Destination::parse(data, &PublicAddress::default());
    let Ok(target) = std::str::from_utf8(data) else {
        return;
    };
    model::agreement::one_reading(METHODS[usize::from(first) % METHODS.len()], target);
    if let Ok(target) = Target::parse(target) {
        let _ = (target.has_access_token(), target.parameters().count());
    }
});
