//! `task_create`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::home::{Home, first_choice};
use super::task::TaskItem;
use super::{Kind, new_uid};
use crate::mcp::calendar::id::CalendarId;
use crate::mcp::calendar::{self, NewTask, ObjectId};
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::Nextcloud;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Create task.
pub struct TaskCreate;

/// The task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Task list id
    pub list: Option<String>,
    /// Title
    pub title: String,
    /// RFC 3339 or a date
    pub due: Option<String>,
    /// 1 high to 9 low
    #[schemars(range(min = 0, max = 9))]
    pub priority: Option<i64>,
    /// Text
    pub notes: Option<String>,
}

impl Tool for TaskCreate {
    type Arguments = Arguments;
    type Output = TaskItem;
    const NAME: &'static str = "task_create";
    const TITLE: &'static str = "Create task";
    const DESCRIPTION: &'static str = "Create a task.";
    const HINTS: Hints = Hints::adds();
    const SCOPES: &'static [&'static str] = &["tasks.read", "tasks.write"];
    const SET: Toolset = Toolset::Tasks;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<TaskItem>, Fault> {
        let new = NewTask {
            title: &arguments.title,
            due: arguments.due.as_deref(),
            priority: arguments.priority,
            notes: arguments.notes.as_deref(),
        };
        let uid = new_uid();
        let data = calendar::compose_task(&new, &uid, nextcloud.now().0)?;
        let home = Home::of(&nextcloud).await?;
        let list = match &arguments.list {
            Some(wanted) => CalendarId::parse(wanted)?,
            None => first_choice(home.calendars(&nextcloud, Kind::Tasks).await?, Kind::Tasks, None)?,
        };
        let id = ObjectId::of_uid(list, &uid);
        let etag = home.create(&nextcloud, Kind::Tasks, &id, data.clone()).await?;
        home.written_task(&nextcloud, &id, data, etag).await
    }
}

impl Home {
    /// What was written, as the tools show it. Where Nextcloud changed it on the way, it is read again.
    pub(super) async fn written_task(
        &self,
        nextcloud: &Nextcloud,
        id: &ObjectId,
        data: String,
        etag: Option<String>,
    ) -> Result<Reply<TaskItem>, Fault> {
        let (data, etag) = match etag {
            Some(etag) => (data, etag),
            None => {
                let held = self.read(nextcloud, Kind::Tasks, id, None).await?;
                (held.data, held.etag)
            }
        };
        let task = calendar::tasks(&data)?.into_iter().next();
        let task = task.ok_or_else(|| Fault::said("It was written, but cannot be read back. Look with tasks_find."))?;
        Ok(TaskItem::new(id, Some(etag), task).into())
    }
}
