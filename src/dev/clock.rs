//! The only place of this room that looks at the clock and at chance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Seconds since 1970, as JWTs count them.
pub(super) fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the stand-ins live in the real time")]
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `Sat, 21 Nov 2026 11:24:18 GMT`.
pub(super) fn http_date(seconds: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Unguessable, `bytes` bytes in base64url.
pub(super) fn unguessable(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(random_bytes(bytes))
}

/// `2 × bytes` lower-case hexadecimal digits.
pub(super) fn hex(bytes: usize) -> String {
    random_bytes(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters and digits, as Nextcloud's request ids.
pub(super) fn alphanumeric(length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

/// A version 4 UUID.
pub(super) fn uuid() -> String {
    uuid_from(rand::random())
}

/// Sixteen bytes dressed as a version 4 UUID.
pub(super) fn uuid_from(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rand::fill(bytes.as_mut_slice());
    bytes
}
