//! `files_delete`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Done, Kind, not_the_root, stat};
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, below, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Delete.
pub struct FilesDelete;

/// What to delete.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: FilePath,
    /// etag from a read; the call fails if it changed meanwhile
    etag: Option<String>,
}

impl Tool for FilesDelete {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_delete";
    const TITLE: &'static str = "Delete";
    const DESCRIPTION: &'static str = "Move a file or folder to the trash bin.";
    const HINTS: Hints = Hints::changes().idempotent();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, Arguments { path, etag }: Arguments) -> Result<Reply<Done>, Fault> {
        if let Some(fault) = not_the_root(&path) {
            return Err(fault);
        }
        let uid = nextcloud.uid().await?;
        let mut delete = Ask::new("DELETE", below(&files_root(&uid), &path));
        if let Some(etag) = etag {
            delete = delete.only_if(&etag)?;
            // sabre holds `If-Match` against files alone: of a folder no etag would ever do. So we look ourselves first, at both.
            let now = stat(&nextcloud, &uid, &path).await?;
            let kind = now.as_ref().map(|now| now.kind);
            let current = now.and_then(|now| now.etag);
            if current.as_deref().is_some_and(|current| current != super::bare(&etag)) {
                return Err(changed(&path, current.as_deref()));
            }
            if kind == Some(Kind::Folder) {
                delete = Ask::new("DELETE", below(&files_root(&uid), &path));
            }
        }
        let answer = nextcloud.ask(delete).await?;
        match answer.status.as_u16() {
            412 => Err(changed(&path, answer.etag().map(super::bare).as_deref())),
            _ => answer.good(&format!("{path}")).map(|_| Done::plain().into()),
        }
    }
}

fn changed(path: &FilePath, etag: Option<&str>) -> Fault {
    let now = etag.map(|etag| format!("; its etag is {etag} now")).unwrap_or_default();
    Fault::Said(format!("{path} changed meanwhile{now}. Look at it again, then decide."))
}
