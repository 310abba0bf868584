//! What an answer is bound to: whose call it is, through which client, and the call itself, to the letter.

use serde_json::{Map, Value};

use crate::token::{Digest, DigestBuilder, Identity};

/// The method that all our questions belong to.
const METHOD: &str = "tools/call";

/// The digest of issuer, subject, client, method, tool and arguments.
#[must_use]
pub fn of_call(identity: &Identity, tool: &str, arguments: &Map<String, Value>) -> Digest {
    let principal = &identity.principal;
    let digest = DigestBuilder::new("elicitation")
        .field(principal.issuer().as_bytes())
        .field(principal.subject().as_bytes())
        // No client, and a client without a name, are not the same.
        .field(&[u8::from(identity.client.is_some())])
        .field(identity.client.as_deref().unwrap_or_default().as_bytes())
        .field(METHOD.as_bytes())
        .field(tool.as_bytes());
    object(digest, arguments).finish()
}

/// The digest of a call and of what was asked about it.
#[must_use]
pub fn of_question(call: Digest, question: Digest) -> Digest {
    DigestBuilder::new("elicitation-question").field(call.as_bytes()).field(question.as_bytes()).finish()
}

/// Whose the capabilities are that a client declared in the beginning.
#[must_use]
pub fn of_client(identity: &Identity) -> Digest {
    DigestBuilder::new("elicitation-client")
        .field(identity.principal.key().as_bytes())
        .field(&[u8::from(identity.client.is_some())])
        .field(identity.client.as_deref().unwrap_or_default().as_bytes())
        .finish()
}

/// A value in one spelling: members by their names, each with its kind. As deep as the reader of JSON went, which is 128.
fn value(digest: DigestBuilder, value: &Value) -> DigestBuilder {
    match value {
        Value::Null => digest.field(b"0"),
        Value::Bool(flag) => digest.field(b"b").field(&[u8::from(*flag)]),
        Value::Number(number) => digest.field(b"n").field(number.to_string().as_bytes()),
        Value::String(text) => digest.field(b"s").field(text.as_bytes()),
        Value::Array(items) => items.iter().fold(digest.field(b"a").field(&items.len().to_be_bytes()), self::value),
        Value::Object(members) => object(digest, members),
    }
}

fn object(digest: DigestBuilder, members: &Map<String, Value>) -> DigestBuilder {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let digest = digest.field(b"o").field(&members.len().to_be_bytes());
    sorted.into_iter().fold(digest, |digest, (name, member)| value(digest.field(name.as_bytes()), member))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::{Audiences, Principal, ScopeSet, Timestamp};

    fn identity(issuer: &str, subject: &str, client: Option<&str>) -> Identity {
        Identity {
            principal: Principal::new(&issuer.into(), subject).unwrap(),
            client: client.map(Into::into),
            session: None,
            key_id: None,
            issued_at: Timestamp(0),
            expires_at: Timestamp(0),
            accepted_until: Timestamp(0),
            audiences: Audiences::default(),
            scopes: ScopeSet::default(),
            introspected: false,
        }
    }

    fn call(identity: &Identity, tool: &str, arguments: &Value) -> Digest {
        of_call(identity, tool, arguments.as_object().unwrap())
    }

    #[test]
    fn every_part_of_a_call_counts() {
        let alice = identity("https://a", "alice", Some("claude"));
        let own = call(&alice, "share_create", &json!({ "path": "/a" }));
        for (identity, tool, arguments) in [
            (identity("https://b", "alice", Some("claude")), "share_create", json!({ "path": "/a" })),
            (identity("https://a", "bob", Some("claude")), "share_create", json!({ "path": "/a" })),
            (identity("https://a", "alice", Some("other")), "share_create", json!({ "path": "/a" })),
            (identity("https://a", "alice", None), "share_create", json!({ "path": "/a" })),
            (alice.clone(), "event_create", json!({ "path": "/a" })),
            (alice.clone(), "share_create", json!({ "path": "/b" })),
            (alice.clone(), "share_create", json!({ "path": "/a", "kind": "link" })),
            (alice.clone(), "share_create", json!({})),
            (alice.clone(), "share_create", json!({ "path": ["/a"] })),
        ] {
            assert_ne!(own, call(&identity, tool, &arguments), "{identity:?} {tool} {arguments}");
        }
        assert_ne!(of_question(own, Digest::of(b"this")), of_question(own, Digest::of(b"that")), "what was shown");
        assert_ne!(of_client(&alice), of_client(&identity("https://a", "alice", None)));
        assert_ne!(of_client(&alice), of_client(&identity("https://a", "bob", Some("claude"))));
    }

    #[test]
    fn the_order_of_members_does_not_count_and_values_keep_their_kind() {
        let alice = identity("https://a", "alice", None);
        let digest = |text: &str| call(&alice, "t", &serde_json::from_str(text).unwrap());
        assert_eq!(digest(r#"{"a":1,"b":{"c":2,"d":3}}"#), digest(r#"{"b":{"d":3,"c":2},"a":1}"#));
        for (one, other) in [
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":null}"#, r"{}"),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":[[],[]]}"#, r#"{"a":[[[]]]}"#),
            (r#"{"a":true}"#, r#"{"a":"\u0001"}"#),
            (r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"b":1,"c":2}}"#),
        ] {
            assert_ne!(digest(one), digest(other), "{one} {other}");
        }
    }
}
