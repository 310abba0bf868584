//! The Notes API, version 1: notes are files below the person's notes folder, which is what makes its settings hazardous.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::answer::Answer;
use super::super::clock;
use super::accounts::Account;
use super::call::{Call, json};
use super::storage::{Node, joined};

pub(super) async fn answer(call: &mut Call, uid: &str, path: &str) -> Answer {
    let verb = call.verb().to_owned();
    let route = path.trim_start_matches("v1/").trim_start_matches("v1.3/").trim_start_matches("v0.2/");
    let id = route.strip_prefix("notes/").and_then(|id| id.parse::<u64>().ok());
    let answer = match (verb.as_str(), route, id) {
        ("GET", "settings", _) => settings(call, uid),
        ("PUT", "settings", _) => change_settings(call, uid).await,
        ("GET", "notes", _) => list(call, uid),
        ("POST", "notes", _) => create(call, uid).await,
        ("GET", _, Some(id)) => get(call, uid, id),
        ("PUT", _, Some(id)) => update(call, uid, id).await,
        ("DELETE", _, Some(id)) => delete(call, uid, id),
        _ => json(404, &json!({ "message": "Not found" })),
    };
    answer.header("x-notes-api-versions", "0.2, 1.3, 1.4")
}

fn settings(call: &Call, uid: &str) -> Answer {
    let Some(account) = call.instance.accounts().get(uid) else {
        return missing();
    };
    json(200, &json!({ "notesPath": account.notes_path, "fileSuffix": account.note_suffix, "noteMode": "rich" }))
}

/// The hazard: `notesPath: "/"` and another suffix make a reader of files of it.
async fn change_settings(call: &mut Call, uid: &str) -> Answer {
    let fields = call.fields().await;
    call.instance.accounts().change(uid, |account| {
        if let Some(path) = fields["notesPath"].as_str() {
            path.trim_matches('/').clone_into(&mut account.notes_path);
        }
        if let Some(suffix) = fields["fileSuffix"].as_str() {
            suffix.clone_into(&mut account.note_suffix);
        }
    });
    settings(call, uid)
}

/// Every note of a person, whole.
pub(super) fn all(call: &Call, uid: &str) -> Vec<Value> {
    nodes(call, uid).iter().map(|node| note(call, uid, node)).collect()
}

/// Of one category, where one is asked for; of what is older than `pruneBefore` the numbers alone.
fn list(call: &Call, uid: &str) -> Answer {
    let without: Vec<&str> = call.query.get("exclude").unwrap_or_default().split(',').collect();
    let before = call.query.get("pruneBefore").and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
    // Without any is a category as well.
    let category = call.query.all("category").next();
    let mut notes = all(call, uid);
    notes.retain(|note| category.is_none_or(|category| note["category"] == category));
    let modified = notes.iter().filter_map(|note| note["modified"].as_u64()).max().unwrap_or(0);
    for note in &mut notes {
        let pruned = note["modified"].as_u64().is_some_and(|modified| modified < before);
        if let Value::Object(members) = note {
            members.retain(|name, _| if pruned { name == "id" } else { !without.contains(&name.as_str()) });
        }
    }
    let body = Value::Array(notes);
    json(200, &body)
        .header("last-modified", &clock::http_date(modified.max(1)))
        .header("etag", &format!("\"{}\"", digest(body.to_string().as_bytes())))
}

async fn create(call: &mut Call, uid: &str) -> Answer {
    let fields = call.fields().await;
    let content = fields["content"].as_str().unwrap_or_default().to_owned();
    let title = title_of(fields["title"].as_str(), &content);
    let Some(path) = free_path(call, uid, fields["category"].as_str().unwrap_or_default(), &title) else {
        return missing();
    };
    if call.instance.storage().write(&path, content).is_err() {
        return missing();
    }
    set_favorite(call, &path, &fields);
    shown(call, uid, &path, 200)
}

fn get(call: &Call, uid: &str, id: u64) -> Answer {
    let Some(node) = find(call, uid, id) else {
        return missing();
    };
    let note = note(call, uid, &node);
    let etag = note["etag"].as_str().unwrap_or_default().to_owned();
    json(200, &note).header("etag", &format!("\"{etag}\""))
}

async fn update(call: &mut Call, uid: &str, id: u64) -> Answer {
    let Some(node) = find(call, uid, id) else {
        return missing();
    };
    let before = note(call, uid, &node);
    let expected = call.header("if-match").map(|etag| etag.trim_matches('"').to_owned());
    if expected.is_some_and(|etag| Some(etag.as_str()) != before["etag"].as_str()) {
        return json(412, &before);
    }
    let fields = call.fields().await;
    let mut path = node.path;
    if let Some(content) = fields["content"].as_str()
        && call.instance.storage().write(&path, content.to_owned()).is_err()
    {
        return missing();
    }
    if fields["title"].is_string() || fields["category"].is_string() {
        let title = fields["title"].as_str().or(before["title"].as_str()).unwrap_or_default().to_owned();
        let category = fields["category"].as_str().or(before["category"].as_str()).unwrap_or_default().to_owned();
        let same = before["title"] == title.as_str() && before["category"] == category.as_str();
        if !same && let Some(to) = free_path(call, uid, &category, &title) {
            if call.instance.storage().rename(&path, &to).is_err() {
                return missing();
            }
            path = to;
        }
    }
    set_favorite(call, &path, &fields);
    shown(call, uid, &path, 200)
}

fn delete(call: &Call, uid: &str, id: u64) -> Answer {
    let Some(node) = find(call, uid, id) else {
        return missing();
    };
    match call.instance.storage().remove(&node.path) {
        Ok(()) => json(200, &json!([])),
        Err(_) => missing(),
    }
}

fn shown(call: &Call, uid: &str, path: &[String], status: u16) -> Answer {
    match call.instance.storage().node(path) {
        Some(node) => json(status, &note(call, uid, &node)),
        None => missing(),
    }
}

fn set_favorite(call: &Call, path: &[String], fields: &Value) {
    if let (Some(favorite), Some(mut node)) = (fields["favorite"].as_bool(), call.instance.storage().node(path)) {
        node.record.favorite = favorite;
        let _ = call.instance.storage().set_record(path, &node.record);
    }
}

fn account(call: &Call, uid: &str) -> Option<Account> {
    call.instance.accounts().get(uid)
}

fn folder(account: &Account) -> Vec<String> {
    let below = account.notes_path.split('/').filter(|segment| !segment.is_empty());
    [account.uid.as_str(), "files"].into_iter().chain(below).map(str::to_owned).collect()
}

fn nodes(call: &Call, uid: &str) -> Vec<Node> {
    let Some(account) = account(call, uid) else {
        return Vec::new();
    };
    let all = call.instance.storage().descendants(&folder(&account));
    all.into_iter().filter(|node| !node.is_folder && node.name().ends_with(&account.note_suffix)).collect()
}

fn find(call: &Call, uid: &str, id: u64) -> Option<Node> {
    nodes(call, uid).into_iter().find(|node| node.record.id == id)
}

/// A path for a note, with its folders made and a name that nobody has.
fn free_path(call: &Call, uid: &str, category: &str, title: &str) -> Option<Vec<String>> {
    let account = account(call, uid)?;
    let mut path = folder(&account);
    for segment in category.split('/').filter(|segment| !segment.is_empty() && *segment != "..") {
        path.push(segment.to_owned());
        if call.instance.storage().node(&path).is_none() {
            call.instance.storage().make_folder(&path).ok()?;
        }
    }
    let mut number = 1;
    loop {
        let suffix = &account.note_suffix;
        let name = if number == 1 { format!("{title}{suffix}") } else { format!("{title} ({number}){suffix}") };
        let candidate = joined(&path, &name);
        if call.instance.storage().node(&candidate).is_none() {
            return Some(candidate);
        }
        number += 1;
    }
}

fn note(call: &Call, uid: &str, node: &Node) -> Value {
    let suffix = account(call, uid).map(|account| account.note_suffix).unwrap_or_default();
    let root = account(call, uid).map_or(2, |account| folder(&account).len());
    let content = call.instance.storage().read(&node.path).unwrap_or_default();
    let content = String::from_utf8_lossy(&content).into_owned();
    let category = node.path.get(root..node.path.len() - 1).unwrap_or_default().join("/");
    let etag =
        digest(format!("{} {} {} {content}", node.record.id, node.record.favorite, node.path.join("/")).as_bytes());
    json!({
        "id": node.record.id,
        "title": node.name().trim_end_matches(suffix.as_str()),
        "modified": node.record.modified,
        "category": category,
        "favorite": node.record.favorite,
        "readonly": false,
        "internalPath": format!("/{}", node.path.get(2..).unwrap_or_default().join("/")),
        "shareTypes": [],
        "isShared": false,
        "error": false,
        "errorType": "",
        "content": content,
        "etag": etag,
    })
}

/// The title as a file name; without one, the first line.
fn title_of(title: Option<&str>, content: &str) -> String {
    let line = content.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    let title = title.filter(|title| !title.is_empty()).unwrap_or(line);
    let safe: String = title.chars().filter(|letter| !"/\\:*?\"<>|".contains(*letter)).take(100).collect();
    if safe.trim().is_empty() { "New note".into() } else { safe.trim().to_owned() }
}

fn missing() -> Answer {
    json(404, &json!({ "errorType": "OCA\\Notes\\Service\\NoteDoesNotExistException" }))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
