//! A message as Talk gives it: text with placeholders, and what they stand for beside it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::shown::shown;
use super::super::text;

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// What was said, or what happened.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Its number, greater than those of all before it.
    pub id: u64,
    /// When, in seconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    #[serde(default, rename = "actorType")]
    actor_type: String,
    #[serde(default, rename = "actorId")]
    actor_id: String,
    #[serde(default, rename = "actorDisplayName")]
    actor_name: String,
    #[serde(default)]
    message: String,
    /// A list if there are none, for PHP knows no empty map.
    #[serde(default, rename = "messageParameters")]
    parameters: Value,
    #[serde(default, rename = "systemMessage")]
    system: String,
    #[serde(default, rename = "messageType")]
    kind: String,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
}

impl Message {
    /// Whether somebody said it: not what happened, such as a call, and not what its author took back.
    #[must_use]
    pub fn is_said(&self) -> bool {
        self.system.is_empty() && !matches!(self.kind.as_str(), "system" | "comment_deleted")
    }

    /// Who said it.
    #[must_use]
    pub fn author(&self) -> String {
        let name = shown(&self.actor_name, LONGEST_NAME);
        match self.actor_type.as_str() {
            "deleted_users" => "a deleted user".to_owned(),
            "guests" | "emails" if name.is_empty() => "a guest".to_owned(),
            "guests" | "emails" => format!("{name} (guest)"),
            _ if name.is_empty() => shown(&self.actor_id, LONGEST_NAME),
            _ => name,
        }
    }

    /// What was said, with names for its placeholders.
    #[must_use]
    pub fn text(&self) -> String {
        let parameters: BTreeMap<String, Parameter> =
            serde_json::from_value(self.parameters.clone()).unwrap_or_default();
        text::prose(&spoken(&self.message, &parameters))
    }
}

/// Each placeholder once: a name with braces in it stands for nothing else.
fn spoken(message: &str, parameters: &BTreeMap<String, Parameter>) -> String {
    let (mut spoken, mut rest) = (String::with_capacity(message.len()), message);
    while let Some((before, after)) = rest.split_once('{') {
        spoken.push_str(before);
        let known = after.split_once('}').and_then(|(name, behind)| Some((parameters.get(name)?, behind)));
        match known {
            Some((parameter, behind)) => {
                if is_somebody(&parameter.kind) {
                    spoken.push('@');
                }
                spoken.push_str(&shown(&parameter.name, LONGEST_NAME));
                rest = behind;
            }
            None => {
                spoken.push('{');
                rest = after;
            }
        }
    }
    spoken + rest
}

fn is_somebody(kind: &str) -> bool {
    matches!(kind, "user" | "guest" | "call" | "user-group" | "circle" | "email" | "federated_user")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(fields: Value) -> Message {
        let mut all = json!({ "id": 1, "actorDisplayName": "Bob", "messageParameters": [], "messageType": "comment" });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn placeholders_become_names_and_nothing_else_does() {
        let text = message(json!({
            "message": "{mention-user1}: {file} {unknown} {} { {{file}} {mention-user1",
            "messageParameters": {
                "mention-user1": { "type": "user", "id": "alice", "name": "Alice {file}" },
                "file": { "type": "file", "id": "1", "name": "Plan\u{202e}.md\nx", "path": "Documents/Plan.md" },
            },
        }));
        assert_eq!(text.text(), "@Alice {file}: Plan.md x {unknown} {} { {Plan.md x} {mention-user1");
        assert_eq!(message(json!({ "message": "a\u{0}\nb" })).text(), "a\nb");
    }

    #[test]
    fn an_author_is_always_called_something() {
        for (fields, author) in [
            (json!({}), "Bob"),
            (json!({ "actorType": "guests" }), "Bob (guest)"),
            (json!({ "actorType": "guests", "actorDisplayName": "" }), "a guest"),
            (json!({ "actorType": "deleted_users", "actorDisplayName": "" }), "a deleted user"),
            (json!({ "actorType": "users", "actorDisplayName": "", "actorId": "bob" }), "bob"),
        ] {
            assert_eq!(message(fields).author(), author);
        }
    }

    #[test]
    fn what_happened_was_not_said() {
        assert!(message(json!({ "messageType": "comment" })).is_said());
        assert!(!message(json!({ "messageType": "system", "systemMessage": "call_started" })).is_said());
        assert!(!message(json!({ "messageType": "comment_deleted" })).is_said());
    }
}
