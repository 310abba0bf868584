//! An RSA key of a JWK set as HAProxy wants it: PEM of a SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017 §A.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::Outcome;

/// The first RSA key.
pub fn of_jwk_set(jwk_set: &str) -> Outcome<String> {
    let set: Value = serde_json::from_str(jwk_set)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("no keys")?;
    let signs = |key: &&Value| key.get("kty") == Some(&"RSA".into()) && key.get("use") != Some(&"enc".into());
    let key = keys.iter().find(signs).ok_or("no RSA key")?;
    let number = |name| -> Outcome<Vec<u8>> {
        Ok(URL_SAFE_NO_PAD.decode(key.get(name).and_then(Value::as_str).ok_or("an RSA key without its numbers")?)?)
    };
    let key = sequence(&[integer(number("n")?), integer(number("e")?)]);
    // rsaEncryption, NULL.
    let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let bits = tagged(3, [vec![0], key].concat());
    let text = STANDARD.encode(sequence(&[algorithm.to_vec(), bits]));
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
}

/// Not negative: a leading bit of one gets a byte before it.
fn integer(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    tagged(2, bytes)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x30, parts.concat())
}

fn tagged(tag: u8, content: Vec<u8>) -> Vec<u8> {
    let length = content.len();
    let [.., high, low] = length.to_be_bytes();
    let head = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}
