//! JSON Schemas from the types that read and write the values: small, and without what strict clients stumble over (facts/mcp.md §2, 9).

use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// The schema of arguments.
#[must_use]
pub fn of_arguments<T: JsonSchema>() -> Arc<Map<String, Value>> {
    generate::<T>(SchemaSettings::draft2020_12().for_deserialize(), true)
}

/// The schema of an answer. Its names have to speak for themselves: what docs say of our types is for us.
#[must_use]
pub fn of_answer<T: JsonSchema>() -> Arc<Map<String, Value>> {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize(), false)
}

fn generate<T: JsonSchema>(mut settings: SchemaSettings, describes: bool) -> Arc<Map<String, Value>> {
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    Plain { is_root: true, describes }.transform(&mut schema);
    let mut object = schema.as_object().cloned().unwrap_or_default();
    // A client may insist on it, where there is nothing to say.
    object.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    Arc::new(object)
}

/// Drops names of Rust types, widths of integers, and `null` as another way to leave something out.
struct Plain {
    is_root: bool,
    describes: bool,
}

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        let is_root = std::mem::take(&mut self.is_root);
        if let Some(object) = schema.as_object_mut() {
            object.remove("title");
            if is_root || !self.describes {
                object.remove("description");
            }
            let is_integer = names(object.get("type"), "integer");
            if is_integer {
                object.remove("format");
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            without_null(object);
        }
        transform_subschemas(self, schema);
    }
}

fn names(types: Option<&Value>, wanted: &str) -> bool {
    match types {
        Some(Value::String(only)) => only == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        _ => false,
    }
}

fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|one| !one.is_null());
    }
    if let Some(Value::Array(choices)) = object.remove("anyOf") {
        let mut choices: Vec<Value> = choices.into_iter().filter(|choice| !names(choice.get("type"), "null")).collect();
        match (choices.len(), choices.pop()) {
            (1, Some(Value::Object(only))) => {
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
            (_, Some(last)) => {
                choices.push(last);
                object.insert("anyOf".to_owned(), Value::Array(choices));
            }
            (_, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    /// What it is.
    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        File,
        Folder,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read for its schema")]
    struct Arguments {
        /// Where
        path: String,
        /// How large
        size: Option<u64>,
        /// Which
        kind: Option<Kind>,
    }

    #[test]
    fn a_schema_says_what_a_client_needs_and_no_more() {
        assert_eq!(
            Value::Object(Arc::unwrap_or_clone(of_arguments::<Arguments>())),
            json!({
                "type": "object",
                "properties": {
                    "path": { "type": "string", "description": "Where" },
                    "size": { "type": "integer", "description": "How large", "minimum": 0 },
                    "kind": { "type": "string", "enum": ["file", "folder"], "description": "Which" },
                },
                "required": ["path"],
                "additionalProperties": false,
            })
        );
    }

    /// For us.
    #[derive(Serialize, JsonSchema)]
    struct Answer {
        /// For us.
        items: Vec<Kind>,
    }

    #[test]
    fn a_schema_of_an_answer_has_no_prose() {
        assert_eq!(
            Value::Object(Arc::unwrap_or_clone(of_answer::<Answer>())),
            json!({
                "type": "object",
                "properties": { "items": { "type": "array", "items": { "type": "string", "enum": ["file", "folder"] } } },
                "required": ["items"],
            })
        );
    }
}
