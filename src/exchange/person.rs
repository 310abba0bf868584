//! For whom Nextcloud takes an exchanged token: all by which it could tell people apart, as one digest (product.md §3). Whoever is renamed,
//! remapped, acted for by another or known to another issuer is another person here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::token::{Digest, DigestBuilder};

/// The claims that differ between two exchanges for the same person.
const OF_THE_MOMENT: &[&str] = &["exp", "iat", "jti", "scope"];

/// The person of an exchanged token and the client that the caller came through. `token` is one whose signature has been checked.
///
/// None if there is no client (checklist row 23: an empty part is no key), or if the token has no claims to read.
#[must_use]
pub fn person(token: &str, client: Option<&str>) -> Option<Digest> {
    let client = client.filter(|client| !client.is_empty())?;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    let key = DigestBuilder::new("person at Nextcloud").field(client.as_bytes());
    let lasting = claims.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()));
    Some(object(key, lasting.collect()).finish())
}

/// Sorted here: the order of a map of serde_json depends on what other crates ask of it.
fn object(key: DigestBuilder, mut members: Vec<(&String, &Value)>) -> DigestBuilder {
    members.sort_by_key(|(name, _)| *name);
    let key = key.field(b"object").field(&members.len().to_be_bytes());
    members.into_iter().fold(key, |key, (name, member)| value(key.field(name.as_bytes()), member))
}

/// Each value behind the word for its kind, so that `1` and `"1"` are two. Arrays keep their order: `["a","b"]` may be more than a set.
fn value(key: DigestBuilder, of: &Value) -> DigestBuilder {
    match of {
        Value::Null => key.field(b"null"),
        Value::Bool(flag) => key.field(if *flag { b"true" } else { b"false" }),
        Value::Number(number) => key.field(b"number").field(number.to_string().as_bytes()),
        Value::String(text) => key.field(b"string").field(text.as_bytes()),
        Value::Array(items) => items.iter().fold(key.field(b"array").field(&items.len().to_be_bytes()), value),
        Value::Object(members) => object(key, members.iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = r#"{"iss":"https://sso","sub":"1","preferred_username":"alice","sid":"s","act":{"sub":"a","n":1},"exp":1,"iat":1,"jti":"x","scope":"a b"}"#;

    fn of(payload: &str, client: Option<&str>) -> Option<Digest> {
        person(&format!("e30.{}.AAAA", URL_SAFE_NO_PAD.encode(payload)), client)
    }

    fn alice() -> Digest {
        of(ALICE, Some("mcp-client")).unwrap()
    }

    #[test]
    fn what_every_exchange_brings_anew_makes_nobody_else() {
        for (claim, other) in
            [(r#""exp":1"#, r#""exp":2"#), (r#""iat":1"#, r#""iat":9"#), (r#""jti":"x""#, r#""jti":"y""#), ("a b", "c")]
        {
            assert_eq!(of(&ALICE.replace(claim, other), Some("mcp-client")), Some(alice()), "{claim}");
        }
    }

    #[test]
    fn whatever_else_differs_is_somebody_else() {
        for (claim, other) in [
            (r#""preferred_username":"alice""#, r#""preferred_username":"bob""#),
            (r#""iss":"https://sso""#, r#""iss":"https://other""#),
            (r#""sub":"1""#, r#""sub":"2""#),
            (r#""sub":"1""#, r#""sub":1"#),
            (r#""sid":"s""#, r#""sid":"t""#),
            (r#""act":{"sub":"a","n":1}"#, r#""act":{"sub":"b","n":1}"#),
            (r#","act":{"sub":"a","n":1}"#, ""),
            (r#""n":1"#, r#""n":1,"exp":1"#),
        ] {
            let changed = ALICE.replace(claim, other);
            assert_ne!(changed, ALICE, "{claim}");
            assert_ne!(of(&changed, Some("mcp-client")), Some(alice()), "{other}");
        }
        assert_ne!(of(ALICE, Some("another-client")), Some(alice()));
    }

    #[test]
    fn the_order_of_members_says_nothing() {
        let turned = r#"{"scope":"z","act":{"n":1,"sub":"a"},"sid":"s","preferred_username":"alice","sub":"1","iss":"https://sso"}"#;
        assert_eq!(of(turned, Some("mcp-client")), Some(alice()));
    }

    #[test]
    fn values_cannot_flow_into_each_other() {
        let key = |payload| of(payload, Some("c")).unwrap();
        assert_ne!(key(r#"{"a":["b"],"c":"d"}"#), key(r#"{"a":["b","c"],"d":""}"#));
        assert_ne!(key(r#"{"a":[["b"]]}"#), key(r#"{"a":["b"]}"#));
        assert_ne!(key(r#"{"a":null}"#), key("{}"));
        assert_ne!(key(r#"{"a":{}}"#), key(r#"{"a":[]}"#));
    }

    #[test]
    fn without_a_client_or_claims_there_is_no_key() {
        assert_eq!(of(ALICE, None), None);
        assert_eq!(of(ALICE, Some("")), None);
        assert_eq!(of("[]", Some("c")), None);
        assert_eq!(person("opaque", Some("c")), None);
    }
}
