//! What clients are told of the tools, held to the set that was agreed on (`tests/mcp/toolset.json`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::house::House;

/// Where a tool deviates: its name, where in its definition, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// All of the list, in bytes: under 6,000 tokens.
const LARGEST_LIST: usize = 25_000;

fn agreed() -> BTreeMap<String, Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mcp/toolset.json");
    let tools: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    tools.into_iter().map(|tool| (tool["name"].as_str().unwrap().to_owned(), without_scopes(tool))).collect()
}

/// Scopes are told by challenges, not in the list.
fn without_scopes(mut tool: Value) -> Value {
    tool.as_object_mut().unwrap().remove("_meta");
    tool
}

/// `required` is a set.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let each = object.into_iter().map(|(key, value)| match value {
                Value::Array(mut names) if key == "required" => {
                    names.sort_by_key(|name| name.as_str().unwrap_or_default().to_owned());
                    (key, Value::Array(names))
                }
                value => (key, sorted(value)),
            });
            each.collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        value => value,
    }
}

/// Each place at which two values differ.
fn differences(place: &str, own: &Value, agreed: &Value, found: &mut Vec<(String, String)>) {
    if let (Value::Object(own), Value::Object(agreed)) = (own, agreed) {
        for key in own.keys().chain(agreed.keys()).collect::<BTreeSet<_>>() {
            let of = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or(Value::Null);
            differences(&format!("{place}/{key}"), &of(own), &of(agreed), found);
        }
    } else if own != agreed {
        found.push((place.to_owned(), format!("{own} instead of {agreed}")));
    }
}

#[tokio::test]
async fn clients_are_told_what_was_agreed_on_and_little_more_than_that() {
    let house = House::open().await;
    let said = house.ask(&house.token("alice"), "tools/list", json!({})).await;
    let result = &said.body["result"];
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(300_000), &json!("private")), "{said:?}");
    let tools = result["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");

    let agreed = agreed();
    let mut faults = Vec::new();
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let Some(wanted) = agreed.get(name) else {
            faults.push(format!("{name} is in no toolset"));
            continue;
        };
        let mut found = Vec::new();
        differences("", &sorted(tool.clone()), &sorted(wanted.clone()), &mut found);
        found.retain(|(place, _)| !DEVIATIONS.iter().any(|(tool, at, _)| *tool == name && at == place));
        faults.extend(found.into_iter().map(|(place, difference)| format!("{name}{place}: {difference}")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    assert_eq!(names, agreed.keys().map(String::as_str).collect::<Vec<_>>());
    let bytes = serde_json::to_string(tools).unwrap().len();
    assert!(bytes <= LARGEST_LIST, "{bytes} bytes");
    house.close().await;
}
