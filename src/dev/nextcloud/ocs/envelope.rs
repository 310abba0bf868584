//! The envelope of OCS, in its two versions and two formats.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::super::answer::Answer;
use super::super::dav;

/// What a route came to.
#[derive(Debug)]
pub(in super::super) struct Outcome {
    status: u16,
    statuscode: u16,
    message: String,
    data: Value,
    headers: Vec<(&'static str, String)>,
    etag: bool,
    unrouted: bool,
    printed: bool,
}

// === impl Outcome ===

impl Outcome {
    pub(super) fn ok(data: Value) -> Self {
        Self {
            status: 200,
            statuscode: 200,
            message: "OK".into(),
            data,
            headers: Vec::new(),
            etag: false,
            unrouted: false,
            printed: false,
        }
    }

    /// 201, which version 2 says of what was made.
    pub(super) fn created(data: Value) -> Self {
        Self { status: 201, statuscode: 201, ..Self::ok(data) }
    }

    pub(super) fn failure(status: u16, statuscode: u16, message: &str) -> Self {
        Self { status, statuscode, message: message.into(), ..Self::ok(json!([])) }
    }

    /// With an etag of its data.
    pub(super) fn tagged(mut self) -> Self {
        self.etag = true;
        self
    }

    /// Refused by the router, whose answers look a little different.
    pub(super) fn unrouted(mut self) -> Self {
        self.unrouted = true;
        self
    }

    /// Sent as it is made, without its length.
    pub(super) fn printed(mut self) -> Self {
        self.printed = true;
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn into_answer(self, version: u8, json: bool) -> Answer {
        let good = self.status < 400;
        let statuscode = if version == 1 && good { 100 } else { self.statuscode };
        // Version 1 says 200 to almost everything, and 401 to who may not.
        let status = match (version, self.status) {
            (1, 401 | 403) => 401,
            (1, _) => 200,
            (_, status) => status,
        };
        let word = if good { "ok" } else { "failure" };
        let (kind, body) = if json {
            let mut meta = json!({ "status": word, "statuscode": statuscode, "message": self.message });
            if version == 1 {
                meta["totalitems"] = "".into();
                meta["itemsperpage"] = "".into();
            }
            (
                "application/json; charset=utf-8",
                json!({ "ocs": { "meta": meta, "data": self.data } }).to_string().replace('/', "\\/"),
            )
        } else {
            let kind = if self.unrouted { "text/xml; charset=UTF-8" } else { "application/xml; charset=utf-8" };
            (kind, xml(version, word, statuscode, &self.message, &self.data))
        };
        let mut answer = Answer::new(status).header("content-type", kind);
        if self.etag {
            let digest: String =
                Sha256::digest(body.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            answer = answer.header("etag", &format!("\"{digest}\""));
        }
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        if self.unrouted || self.printed { answer.chunked(body) } else { answer.body(body) }
    }
}

fn xml(version: u8, word: &str, statuscode: u16, message: &str, data: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<ocs>\n <meta>\n");
    let _ = writeln!(text, "  <status>{word}</status>\n  <statuscode>{statuscode}</statuscode>");
    let _ = writeln!(text, "  <message>{}</message>", dav::escaped(message));
    if version == 1 {
        text.push_str("  <totalitems></totalitems>\n  <itemsperpage></itemsperpage>\n");
    }
    text.push_str(" </meta>\n");
    element(&mut text, 1, "data", data);
    text.push_str("</ocs>\n");
    text
}

fn element(text: &mut String, depth: usize, name: &str, value: &Value) {
    let indent = " ".repeat(depth);
    // An XML name does not begin with a digit; what Nextcloud numbers, it calls `element`.
    let name = if name.starts_with(|first: char| first.is_ascii_digit()) { "element" } else { name };
    let simple = match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(members) if members.is_empty() => None,
        Value::Array(items) => {
            let _ = writeln!(text, "{indent}<{name}>");
            items.iter().for_each(|item| element(text, depth + 1, "element", item));
            let _ = writeln!(text, "{indent}</{name}>");
            return;
        }
        Value::Object(members) => {
            let _ = writeln!(text, "{indent}<{name}>");
            members.iter().for_each(|(key, member)| element(text, depth + 1, key, member));
            let _ = writeln!(text, "{indent}</{name}>");
            return;
        }
        Value::Bool(yes) => Some(if *yes { "1".to_owned() } else { String::new() }),
        Value::Number(number) => Some(number.to_string()),
        Value::String(string) => Some(dav::escaped(string)),
    };
    let _ = match simple {
        Some(simple) => writeln!(text, "{indent}<{name}>{simple}</{name}>"),
        None => writeln!(text, "{indent}<{name}/>"),
    };
}
