//! `task_update`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Kind;
use super::home::Home;
use super::task::TaskItem;
use crate::mcp::calendar::{self, ObjectId, TaskChanges};
use crate::mcp::fault::Fault;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Change task.
pub struct TaskUpdate;

/// Which, and what of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Task id
    pub id: String,
    /// etag from a read; the call fails if it changed meanwhile
    pub etag: Option<String>,
    /// Completed or not
    pub done: Option<bool>,
    /// Title
    pub title: Option<String>,
    /// RFC 3339 or a date
    pub due: Option<String>,
    /// 1 high to 9 low
    #[schemars(range(min = 0, max = 9))]
    pub priority: Option<i64>,
    /// Text
    pub notes: Option<String>,
}

impl Tool for TaskUpdate {
    type Arguments = Arguments;
    type Output = TaskItem;
    const NAME: &'static str = "task_update";
    const TITLE: &'static str = "Change task";
    const DESCRIPTION: &'static str = "Change or complete a task.";
    const HINTS: Hints = Hints::changes().idempotent();
    const SCOPES: &'static [&'static str] = &["tasks.read", "tasks.write"];
    const SET: Toolset = Toolset::Tasks;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<TaskItem>, Fault> {
        let id = ObjectId::parse(&arguments.id)?;
        let home = Home::of(&nextcloud).await?;
        let held = home.read(&nextcloud, Kind::Tasks, &id, arguments.etag.as_deref()).await?;
        let changes = TaskChanges {
            done: arguments.done,
            title: arguments.title.as_deref(),
            due: arguments.due.as_deref(),
            priority: arguments.priority,
            notes: arguments.notes.as_deref(),
        };
        match calendar::change_task(held.data.as_bytes(), &changes, nextcloud.now().0)? {
            Some(data) => {
                let etag = home.replace(&nextcloud, Kind::Tasks, &id, &held, data.clone()).await?;
                home.written_task(&nextcloud, &id, data, etag).await
            }
            None => home.written_task(&nextcloud, &id, held.data, Some(held.etag)).await,
        }
    }
}
