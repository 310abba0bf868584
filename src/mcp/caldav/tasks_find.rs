//! `tasks_find`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::home::Home;
use super::query::{all_tasks, open_tasks};
use super::task::TaskItem;
use super::{Kind, has_words};
use crate::mcp::arguments::Limit;
use crate::mcp::calendar;
use crate::mcp::calendar::when::When;
use crate::mcp::fault::Fault;
use crate::mcp::keyset::{ordered, page};
use crate::mcp::listing::{Listing, Page};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Find tasks.
pub struct TasksFind;

/// Which.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Task list id
    pub list: Option<String>,
    #[serde(default)]
    #[expect(missing_docs, reason = "its type says it")]
    pub status: Status,
    /// RFC 3339
    #[schemars(extend("format" = "date-time"))]
    pub due_before: Option<String>,
    /// Words
    pub query: Option<String>,
    #[serde(default)]
    #[expect(missing_docs, reason = "its type says it")]
    pub limit: Limit,
    /// next_cursor of the previous page
    pub cursor: Option<String>,
}

// Of which status. (A doc comment would be in every conversation.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub enum Status {
    #[default]
    Open,
    Done,
    All,
}

impl Tool for TasksFind {
    type Arguments = Arguments;
    type Output = Page<TaskItem>;
    const NAME: &'static str = "tasks_find";
    const TITLE: &'static str = "Find tasks";
    const DESCRIPTION: &'static str = "Tasks by list, status, due date or words.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["tasks.read"];
    const SET: Toolset = Toolset::Tasks;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<TaskItem>>, Fault> {
        let Arguments { list, status, due_before, query, limit, cursor } = arguments;
        let before = due_before.as_deref().map(|before| When::parse("due_before", before, None)).transpose()?;
        let before = before.map(|before| before.seconds());
        let home = Home::of(&nextcloud).await?;
        let mut all = Vec::new();
        for id in home.chosen(&nextcloud, Kind::Tasks, list.as_deref()).await? {
            let asked = if status == Status::Open { open_tasks() } else { all_tasks(None) };
            for found in home.find(&nextcloud, Kind::Tasks, &id, asked).await? {
                for task in calendar::tasks(&found.data).unwrap_or_default() {
                    let of_status = match status {
                        Status::Open => !task.done,
                        Status::Done => task.done,
                        Status::All => true,
                    };
                    let in_time = before.is_none_or(|before| task.due_seconds.is_some_and(|due| due < before));
                    let texts = [task.title.as_str(), task.notes.as_deref().unwrap_or_default()];
                    if !of_status || !in_time || !has_words(query.as_deref(), &texts) {
                        continue;
                    }
                    let due = ordered(task.due_seconds.unwrap_or(i64::MAX));
                    let item = TaskItem::new(&found.id, found.etag.clone(), task);
                    all.push(((due, item.id.clone()), item));
                }
            }
        }
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let own = format!("{status:?}");
        let listing = Listing::of(Self::NAME, &[&said(&list), &own, &said(&due_before), &said(&query)]);
        let page = page(all, limit, cursor.as_deref(), &listing)?;
        Ok(page.into())
    }
}
