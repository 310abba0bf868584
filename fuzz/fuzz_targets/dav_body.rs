//! `cargo +nightly fuzz run dav_body`: no path in a REPORT or SEARCH is overlooked.
//!
//! The second reading is a crude one: where the bytes hold no CDATA, comment, processing instruction or attribute, everything that is
//! called `href` can be found by looking for it.

#![no_main]

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use libfuzzer_sys::fuzz_target;
use obo_proxy::nextcloud::calendar_body;
use obo_proxy::nextcloud::dav_body;
use obo_proxy::nextcloud::parameters::Parameters;

fuzz_target!(|data: &[u8]| {
    let _ = calendar_body::invites(data);
    for kind in ["application/json", "application/x-www-form-urlencoded"] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(parameters) = Parameters::read(None, &headers, data) {
            let _ = (parameters.number("shareType"), parameters.text("publicUpload"));
        }
    }
    let Ok(body) = dav_body::read(data) else {
        return;
    };
    let text = std::str::from_utf8(data).expect("it was read").to_ascii_lowercase();
    if !text.contains(['!', '?', '=']) {
        let open = text.split('<').skip(1).filter(|tag| {
            let name = tag.split(['>', ' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
            name.rsplit(':').next() == Some("href")
        });
        assert_eq!(open.count(), body.hrefs.len());
    }
});
