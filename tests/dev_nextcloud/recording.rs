//! Reading the recordings, and comparing an answer with a recorded one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

/// One entry of a `.http` file.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What stands behind `###`.
    pub label: String,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub status: u16,
    pub answer_headers: Vec<(String, String)>,
    pub answer_body: String,
}

/// What was answered.
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answered {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

/// All entries of a file in `tests/recordings`.
pub fn entries(file: &str) -> Vec<Recorded> {
    let path = format!("{}/tests/recordings/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    format!("\n{text}").split("\n### ").skip(1).map(entry).collect()
}

fn entry(text: &str) -> Recorded {
    let (request, answer) = text.split_once("\n>>> ").unwrap();
    let (label, request) = request.split_once('\n').unwrap();
    let (line, rest) = request.split_once('\n').unwrap_or((request, ""));
    let mut words = line.split(' ');
    let (headers, body) = rest.split_once("\n\n").map_or((rest, ""), |(headers, body)| (headers, body));
    let (status, rest) = answer.split_once('\n').unwrap();
    let (answer_headers, answer_body) = rest.split_once("\n\n").unwrap_or((rest, ""));
    Recorded {
        label: label.to_owned(),
        method: words.next().unwrap().to_owned(),
        target: words.next().unwrap().to_owned(),
        headers: header_lines(headers),
        body: body.strip_suffix('\n').unwrap_or(body).to_owned(),
        status: status[..3].parse().unwrap(),
        answer_headers: header_lines(answer_headers),
        answer_body: answer_body.trim().to_owned(),
    }
}

fn header_lines(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

impl Recorded {
    /// The first header of the recorded answer with this name.
    pub fn answer_header(&self, name: &str) -> Option<&str> {
        self.answer_headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The recording ends in the middle of the body.
    fn is_cut(&self) -> bool {
        self.answer_body.starts_with('{') && serde_json::from_str::<Value>(&self.answer_body).is_err()
    }

    /// Status, header names and body shape; `Err` says what differs.
    pub fn compare(&self, answered: &Answered) -> Result<(), String> {
        if self.status != answered.status {
            return Err(format!("status {} instead of {}: {}", answered.status, self.status, answered.text()));
        }
        let ignored = ["date", "transfer-encoding", "content-length", "set-cookie"];
        let recorded: BTreeSet<&str> =
            self.answer_headers.iter().map(|(name, _)| name.as_str()).filter(|name| !ignored.contains(name)).collect();
        let real: BTreeSet<&str> =
            answered.headers.keys().map(|name| name.as_str()).filter(|name| !ignored.contains(name)).collect();
        if recorded != real {
            return Err(format!("headers {real:?} instead of {recorded:?}"));
        }
        for name in ["content-type", "allow", "dav", "www-authenticate", "vary", "x-user-id", "location"] {
            let real = answered.headers.get(name).map(|value| value.to_str().unwrap());
            if self.answer_header(name) != real {
                return Err(format!("{name}: {real:?} instead of {:?}", self.answer_header(name)));
            }
        }
        if self.is_cut() {
            // Then the person it names must be the one.
            let id = self.answer_body.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
            let real = answered.json()["ocs"]["data"]["id"].as_str().map(str::to_owned);
            return if real.as_deref() == id { Ok(()) } else { Err(format!("{real:?} instead of {id:?}")) };
        }
        let (recorded, real) = (shape(&self.answer_body), shape(&answered.text()));
        if recorded == real { Ok(()) } else { Err(format!("body {real:#?}\ninstead of {recorded:#?}")) }
    }
}

/// What a body is made of: kinds of JSON values by path, names of XML elements by path, error texts word by word.
fn shape(body: &str) -> BTreeMap<String, String> {
    let mut shape = BTreeMap::new();
    if let Ok(json) = serde_json::from_str::<Value>(body) {
        json_shape(&json, "", &mut shape);
    } else if body.starts_with("<!DOCTYPE") {
        shape.insert("page".into(), String::new());
    } else if body.starts_with("<?xml") {
        xml_shape(body, &mut shape);
    } else if body.starts_with('<') && body.ends_with("bytes of binary>")
        || body.starts_with("PK")
        || body.contains("IHDR")
    {
        shape.insert("binary".into(), String::new());
    } else {
        // The recordings have lost their carriage returns.
        shape.insert("text".into(), body.trim().replace("\r\n", "\n"));
    }
    shape
}

fn json_shape(json: &Value, path: &str, shape: &mut BTreeMap<String, String>) {
    match json {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            // Maps by number, of whatever length.
            let name = if name.parse::<u64>().is_ok() { "#" } else { name };
            json_shape(value, &format!("{path}/{name}"), shape);
        }),
        Value::Array(items) if items.is_empty() => drop(shape.insert(path.into(), "[]".into())),
        Value::Array(items) => items.iter().for_each(|item| json_shape(item, &format!("{path}/[]"), shape)),
        Value::Null => drop(shape.insert(path.into(), "null".into())),
        Value::Bool(_) => drop(shape.insert(path.into(), "bool".into())),
        Value::Number(_) => drop(shape.insert(path.into(), "number".into())),
        Value::String(text) => {
            let exact = path.ends_with("/message") || path.ends_with("/error") || path.ends_with("/errorType");
            let kind = if exact { text.trim_end() } else { "string" };
            shape.insert(path.into(), kind.to_owned());
        }
    }
}

fn xml_shape(xml: &str, shape: &mut BTreeMap<String, String>) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    loop {
        use quick_xml::events::Event;
        match reader.read_event().unwrap() {
            Event::Start(start) => path.push(start.name().as_ref().to_owned()),
            Event::End(_) => drop(path.pop()),
            Event::Empty(empty) => {
                let path = format!("{}/{}", path.join("/"), empty.name().as_ref());
                shape.entry(path).or_default();
            }
            // Only layout.
            Event::Text(text) if text.xml10_content().trim().is_empty() => {}
            Event::Text(text) => {
                let path = path.join("/");
                let exact = ["exception", "s:message", "statuscode", "message", "d:status"]
                    .iter()
                    .any(|name| path.ends_with(name));
                // Where a parser complains, it does in its own words.
                let exact = exact && !shape.values().any(|text| text.ends_with("BadRequest"));
                let text = if exact { text.xml10_content().trim().to_owned() } else { String::new() };
                let entry = shape.entry(path).or_default();
                if !entry.contains(&text) {
                    entry.push_str(&text);
                }
            }
            Event::Eof => return,
            _ => {}
        }
    }
}
