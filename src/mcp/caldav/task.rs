//! A task as the tools show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::LONGEST_LINE;
use crate::mcp::calendar::{ObjectId, Task};
use crate::mcp::shown::shown;

// A task. (A doc comment would be in every conversation.)
#[derive(Debug, Serialize, JsonSchema)]
pub struct TaskItem {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

// === impl TaskItem ===

impl TaskItem {
    /// The task of the object `id`.
    pub fn new(id: &ObjectId, etag: Option<String>, task: Task) -> Self {
        Self {
            id: id.with_instance(None).to_string(),
            list: Some(id.calendar().to_string()),
            title: shown(&task.title, LONGEST_LINE),
            due: task.due,
            status: if task.done { "done" } else { "open" }.to_owned(),
            priority: task.priority,
            etag,
        }
    }
}
