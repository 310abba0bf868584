//! The audit line: one for each call of a tool, whatever came of it. Who, through what, which tool, on what, with what result. Never what was
//! written, found or asked for, and no token.

use std::time::Instant;

use rmcp::model::JsonObject;

use super::fault::Fault;
use super::shown::shown;
use crate::error::Error;
use crate::metrics::{Label as _, ToolCalls, ToolOutcome};
use crate::middleware::respond;
use crate::token::Identity;

/// The arguments that name what a tool is for: ids and paths. Whatever else it is called with is content.
const TARGETS: &[&str] = &["path", "from", "to", "id", "calendar", "list", "conversation"];

/// Reading a resource stands in the lines like a tool of this name.
pub const READ: &str = "resources/read";

/// Everything that others chose is cut at so many characters.
const LONGEST: usize = 200;

/// Writes lines, and counts. Cloning shares the counters.
#[derive(Debug, Clone)]
pub struct Audit {
    calls: ToolCalls,
}

/// A call that is not over. Where nobody ends it, because its client went away, it was cancelled.
#[derive(Debug)]
pub struct Line {
    audit: Audit,
    tool: &'static str,
    issuer: String,
    subject: String,
    client: String,
    target: String,
    began: Instant,
    is_over: bool,
}

impl Audit {
    /// Counts these calls.
    #[must_use]
    pub fn new(calls: ToolCalls) -> Self {
        Self { calls }
    }

    /// Begins the line of reading a resource.
    #[must_use]
    pub fn begin_reading(&self, identity: &Identity, uri: &str) -> Line {
        let arguments = JsonObject::from_iter([("path".to_owned(), uri.into())]);
        self.begin(identity, READ, Some(&arguments))
    }

    /// Begins the line of a call.
    #[must_use]
    pub fn begin(&self, identity: &Identity, tool: &'static str, arguments: Option<&JsonObject>) -> Line {
        Line {
            audit: self.clone(),
            tool,
            issuer: identity.principal.issuer().to_string(),
            subject: shown(identity.principal.subject(), LONGEST),
            client: shown(identity.client.as_deref().unwrap_or_default(), LONGEST),
            target: target(arguments),
            began: Instant::now(),
            is_over: false,
        }
    }
}

impl Line {
    /// It is over.
    pub fn end(mut self, outcome: ToolOutcome) {
        self.write(outcome, "");
    }

    /// It failed.
    pub fn failed(self, fault: &Fault) {
        match fault {
            Fault::Said(_) => self.end(ToolOutcome::Failed),
            Fault::Ask(_) | Fault::Visit(_) => self.end(ToolOutcome::Asked),
            Fault::Declined => self.end(ToolOutcome::Declined),
            Fault::Cancelled => self.end(ToolOutcome::Cancelled),
            Fault::TooLate => self.end(ToolOutcome::Timeout),
            Fault::TooMany(_) => self.end(ToolOutcome::Rate),
            Fault::Refused(error) => self.refused(error),
        }
    }

    /// It was refused by our own layers.
    pub fn refused(mut self, error: &Error) {
        self.write(ToolOutcome::Refused, respond::code(error));
    }

    fn write(&mut self, outcome: ToolOutcome, error: &'static str) {
        self.is_over = true;
        self.audit.calls.count(self.tool, outcome);
        tracing::info!(
            target: "audit",
            issuer = self.issuer,
            sub = self.subject,
            client = self.client,
            tool = self.tool,
            target = self.target,
            outcome = outcome.name(),
            error,
            ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "tool called"
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_over {
            self.write(ToolOutcome::Cancelled, "");
        }
    }
}

/// Ids and paths, on one line that nothing in them can end.
fn target(arguments: Option<&JsonObject>) -> String {
    let named = TARGETS.iter().filter_map(|name| Some((name, arguments?.get(*name)?.as_str()?)));
    let all = named.map(|(name, value)| format!("{name}={}", value.escape_debug())).collect::<Vec<_>>().join(" ");
    shown(&all, LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(arguments: &serde_json::Value) -> String {
        target(arguments.as_object())
    }

    #[test]
    fn a_target_is_an_id_or_a_path_and_never_content() {
        let content = [
            "text",
            "title",
            "query",
            "name",
            "note",
            "notes",
            "description",
            "location",
            "with",
            "category",
            "cursor",
        ];
        for name in content {
            assert_eq!(of(&json!({ name: "canary" })), "", "{name}");
        }
        assert_eq!(of(&json!({ "from": "/a", "to": "/b", "text": "canary" })), "from=/a to=/b");
        assert_eq!(of(&json!({ "path": 1, "id": ["x"], "list": "tasks" })), "list=tasks");
        assert_eq!(target(None), "");
    }

    #[test]
    fn a_target_stays_on_its_line_and_ends_somewhere() {
        assert_eq!(of(&json!({ "path": "/a\n\"INFO audit\u{202e}\u{1b}" })), r#"path=/a\n\"INFO audit\u{202e}\u{1b}"#);
        assert_eq!(of(&json!({ "path": "x".repeat(1_000) })).chars().count(), LONGEST + 1);
    }
}
