//! The claim: what we let through as family F, every reader takes for F or for nothing; and Nextcloud itself takes for
//! exactly what we take it for. What we close, Nextcloud lists nowhere, or some reader takes it for a route of the never-list.

use http::Method;
use obo_proxy::nextcloud::family::Family;
use obo_proxy::nextcloud::route::Route;
use obo_proxy::nextcloud::target::Target;

use super::nextcloud_reading::{Reader, Reading, read};

/// Panics if a target has a second reading that matters.
pub fn one_reading(method: &str, received: &str) {
    let (Ok(verb), Ok(target)) = (Method::from_bytes(method.as_bytes()), Target::parse(received)) else {
        return;
    };
    let forwarded = match target.query() {
        Some(query) => format!("{}?{query}", target.path()),
        None => target.path().to_owned(),
    };
    assert_eq!(forwarded, received, "what is forwarded is what was received");

    let ours = match Route::fold(&verb, &target).family() {
        Family::Forbidden(_) => None,
        family => Some(family.as_str()),
    };
    let nextclouds = match read(method, received, Reader::NEXTCLOUD) {
        Reading::Family(family) => Some(family),
        Reading::Never | Reading::Nothing => None,
    };
    let Some(ours) = ours else {
        // The never-list cuts each segment at these; that closes more than any one reader here would open.
        let cut = target.decoded().contains([';', '?', '#']);
        let dangerous = |reader| read(method, received, reader) == Reading::Never;
        assert!(
            nextclouds.is_none() || cut || Reader::all().any(dangerous),
            "{method} {received}: refused without need"
        );
        return;
    };
    assert_eq!(Some(ours), nextclouds, "{method} {received}: ours, Nextcloud's");
    for reader in Reader::all() {
        match read(method, received, reader) {
            Reading::Nothing => {}
            Reading::Family(theirs) => assert_eq!(ours, theirs, "{method} {received}: ours, that of {reader:?}"),
            Reading::Never => panic!("{method} {received}: let through as {ours}, but never allowed to {reader:?}"),
        }
    }
}
