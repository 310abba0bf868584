//! Every recorded request, sent to the stand-in in its order; its answer compared with the recorded one.

use std::collections::HashMap;

use obo_proxy::dev::nextcloud::Generation;

use super::recording::{Answered, Recorded, entries};
use super::wire::House;

/// Recordings that are replayed here, whole.
const REPLAYED: [&str; 11] = [
    "calendar.http",
    "contacts.http",
    "deck.http",
    "files.http",
    "never-user_oidc-7.3.2.http",
    "notes.http",
    "ocs.http",
    "search.http",
    "sessions-user_oidc-7.3.2.http",
    "sessions-user_oidc-8.10.1.http",
    "shares.http",
];

const NOTES: &str = "/index.php/apps/notes/api/v1/notes";

/// Recorded etags, numbers and names, and what the stand-in calls them.
#[derive(Default)]
struct Learned(HashMap<String, String>);

impl Learned {
    fn apply(&self, text: &str) -> String {
        let mut result = String::new();
        let mut word = String::new();
        for letter in text.chars() {
            if letter.is_alphanumeric() || "._-".contains(letter) {
                word.push(letter);
                continue;
            }
            result.push_str(self.0.get(&word).unwrap_or(&word));
            word.clear();
            result.push(letter);
        }
        result + self.0.get(&word).unwrap_or(&word)
    }

    fn learn(&mut self, recorded: &Recorded, answered: &Answered) {
        for name in ["etag", "oc-fileid"] {
            let real = answered.headers.get(name).and_then(|value| value.to_str().ok());
            if let (Some(recorded), Some(real)) = (recorded.answer_header(name), real) {
                self.0.insert(recorded.trim_matches('"').to_owned(), real.trim_matches('"').to_owned());
                if name == "oc-fileid" {
                    let number = |id: &str| id[..8].trim_start_matches('0').to_owned();
                    self.0.insert(number(recorded), number(real));
                }
            }
        }
        if let (Ok(recorded), Ok(real)) = (
            serde_json::from_str::<serde_json::Value>(&recorded.answer_body),
            serde_json::from_slice::<serde_json::Value>(&answered.body),
        ) {
            for name in ["id", "etag"] {
                let text = |json: &serde_json::Value| json[name].to_string().trim_matches('"').to_owned();
                if recorded[name] != serde_json::Value::Null {
                    self.0.insert(text(&recorded), text(&real));
                }
            }
        }
        let trashed = |text: &str| {
            text.split("/trash/c.txt.d").nth(1).map(|rest| format!("c.txt.d{}", rest.split('<').next().unwrap()))
        };
        if let (Some(recorded), Some(real)) = (trashed(&recorded.answer_body), trashed(&answered.text())) {
            self.0.insert(recorded, real);
        }
    }
}

async fn replay(file: &str, generation: Generation) {
    // The recorded one had none of these.
    let without = ["spreed", "calendar", "contacts", "tasks"].map(str::to_owned).to_vec();
    let house = House::with(|options| (options.user_oidc, options.without_apps) = (generation, without)).await;
    // The recorded bob had no notes.
    for note in house.as_user("bob", "GET", NOTES, &[], "").await.json().as_array().unwrap() {
        house.as_user("bob", "DELETE", &format!("{NOTES}/{}", note["id"]), &[], "").await;
    }
    // What shares and searches were recorded of was left there by files.
    if file == "shares.http" || file == "search.http" {
        assert_eq!(house.as_user("alice", "MKCOL", "/remote.php/dav/files/alice/seq", &[], "").await.status, 201);
        house.nextcloud.put_file("alice", "seq/a.txt", "hello again\n").await.unwrap();
    }
    let mut learned = Learned::default();
    let mut faults = Vec::new();
    let mut compared = 0;
    for recorded in entries(file) {
        let (_, user) = recorded.label.split_once(' ').unwrap();
        let headers: Vec<(String, String)> =
            recorded.headers.iter().map(|(name, value)| (name.clone(), learned.apply(value))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target = learned.apply(&recorded.target);
        let answered = house.as_user(user, &recorded.method, &target, &headers, recorded.body.clone()).await;
        compared += 1;
        if let Err(fault) = recorded.compare(&answered) {
            faults.push(format!("{file} {}: {} {target}\n{fault}", recorded.label, recorded.method));
        }
        learned.learn(&recorded, &answered);
    }
    assert!(compared > 0, "{file} has no entries");
    assert!(faults.is_empty(), "{} of {compared} differ\n\n{}", faults.len(), faults.join("\n\n"));
}

#[tokio::test]
async fn files_answer_as_recorded() {
    replay("files.http", Generation::V8_10).await;
}

#[tokio::test]
async fn ocs_answers_as_recorded() {
    replay("ocs.http", Generation::V8_10).await;
}

#[tokio::test]
async fn notes_answer_as_recorded() {
    replay("notes.http", Generation::V8_10).await;
}

#[tokio::test]
async fn calendars_answer_as_recorded() {
    replay("calendar.http", Generation::V8_10).await;
}

#[tokio::test]
async fn contacts_answer_as_recorded() {
    replay("contacts.http", Generation::V8_10).await;
}

#[tokio::test]
async fn deck_answers_as_recorded() {
    replay("deck.http", Generation::V8_10).await;
}

#[tokio::test]
async fn shares_answer_as_recorded() {
    replay("shares.http", Generation::V8_10).await;
}

#[tokio::test]
async fn search_answers_as_recorded() {
    replay("search.http", Generation::V8_10).await;
}

#[tokio::test]
async fn what_no_bearer_should_reach_answers_as_recorded() {
    replay("never-user_oidc-7.3.2.http", Generation::V7_3).await;
}

/// Cookies by their recorded labels.
#[derive(Default)]
struct Jar {
    sessions: HashMap<String, String>,
    passphrases: HashMap<String, String>,
    remembered: HashMap<String, String>,
}

async fn replay_sessions(file: &str, generation: Generation) {
    let house = House::of(generation).await;
    let mut jar = Jar::default();
    let mut faults = Vec::new();
    for recorded in entries(file) {
        let headers: Vec<(String, String)> =
            recorded.headers.iter().map(|(name, value)| (name.clone(), jar.fill(&house, name, value))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answered = house.send(&recorded.method, &recorded.target, &headers, recorded.body.clone()).await;
        let cookies = jar.compare(&house, &recorded, &answered);
        let outcome = recorded.compare(&answered).and(cookies);
        if let Err(fault) = outcome {
            faults.push(format!("{file}: {}\n{fault}", recorded.label));
        }
    }
    assert!(faults.is_empty(), "{} differ\n\n{}", faults.len(), faults.join("\n\n"));
}

impl Jar {
    fn fill(&self, house: &House, name: &str, value: &str) -> String {
        match name {
            "authorization" if value.contains("<bad>") => "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.AAAA".into(),
            "authorization" => house.bearer(value.split(['<', '>']).nth(1).unwrap()),
            "cookie" => {
                let label = value
                    .split("=<")
                    .find_map(|part| part.strip_prefix("session "))
                    .map(|rest| rest.trim_end_matches('>'));
                let pairs = value.split("; ").map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    match (name, label) {
                        ("oc_sessionPassphrase", Some(label)) => {
                            format!("{name}={}", self.passphrases[label])
                        }
                        (_, Some(label)) => {
                            format!("{}={}", house.nextcloud.instance_id(), self.sessions[label])
                        }
                        ("nc_username", None) => format!("{name}={value}"),
                        (_, None) => format!("{name}={}", self.remembered[name]),
                    }
                });
                pairs.collect::<Vec<_>>().join("; ")
            }
            _ => value.to_owned(),
        }
    }

    /// The same lines in the same order; a label is always the same session, and another label another one.
    fn compare(&mut self, house: &House, recorded: &Recorded, answered: &Answered) -> Result<(), String> {
        let labels: Vec<&str> = recorded
            .answer_headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .map(|(_, line)| line.as_str())
            .collect();
        let lines = answered.set_cookies();
        let named = |line: &str| {
            let (name, rest) = line.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            let is_session = name.len() == 12 && name.starts_with("oc") && name != "oc_sessionPassphrase";
            let name = if is_session { "oc" } else { name };
            let shown =
                if ["oc", "oc_sessionPassphrase", "nc_token", "nc_session_id"].contains(&name) && value != "deleted" {
                    "…"
                } else {
                    value
                };
            (format!("{name}={shown};{attributes}"), value.to_owned())
        };
        let wanted: Vec<String> = labels.iter().map(|line| named(line).0).collect();
        let real: Vec<String> = lines.iter().map(|line| named(line).0).collect();
        if wanted != real {
            return Err(format!("Set-Cookie\n{}\ninstead of\n{}", real.join("\n"), wanted.join("\n")));
        }
        let mut passphrase = None;
        for (label, line) in labels.iter().zip(&lines) {
            let (name, value) = (line.split('=').next().unwrap(), named(line).1);
            if name == "oc_sessionPassphrase" {
                passphrase = Some(value);
            } else if name == house.nextcloud.instance_id() {
                let label = named(label).1.trim_matches(['<', '>']).trim_start_matches("session ").to_owned();
                let taken = self.sessions.iter().any(|(known, id)| *known != label && *id == value);
                let known = self.sessions.insert(label.clone(), value.clone()).is_none_or(|id| id == value);
                if taken || !known {
                    return Err(format!("session {label} is not the one it was, or another one's"));
                }
                if let Some(passphrase) = passphrase.take() {
                    self.passphrases.insert(label, passphrase);
                }
            } else if value != "deleted" {
                self.remembered.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn sessions_of_7_3_answer_as_recorded() {
    replay_sessions("sessions-user_oidc-7.3.2.http", Generation::V7_3).await;
}

#[tokio::test]
async fn sessions_of_8_10_answer_as_recorded() {
    replay_sessions("sessions-user_oidc-8.10.1.http", Generation::V8_10).await;
}

#[test]
fn every_recording_is_replayed() {
    let folder = format!("{}/tests/recordings", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut recordings: Vec<String> = files.filter(|name| name.ends_with(".http")).collect();
    recordings.sort();
    assert_eq!(recordings, REPLAYED);
}
