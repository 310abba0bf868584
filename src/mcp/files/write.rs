//! `files_write`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Done, Kind, not_the_root, stat};
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud, below, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Write file.
pub struct FilesWrite;

/// What to write.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: FilePath,
    /// New content
    text: String,
    /// etag from a read; the call fails if it changed meanwhile
    etag: Option<String>,
}

impl Tool for FilesWrite {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_write";
    const TITLE: &'static str = "Write file";
    const DESCRIPTION: &'static str =
        "Create a text file, or replace one when its etag is given. The old content stays in the version history.";
    const HINTS: Hints = Hints::changes().idempotent();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Done>, Fault> {
        let Arguments { path, text, etag } = arguments;
        if let Some(fault) = not_the_root(&path) {
            return Err(fault);
        }
        let uid = nextcloud.uid().await?;
        let put = Ask::new("PUT", below(&files_root(&uid), &path)).body("text/plain; charset=utf-8", text);
        let put = match &etag {
            Some(etag) => put.only_if(etag)?,
            None => put.only_new(),
        };
        let answer = nextcloud.ask(put).await?;
        match answer.status.as_u16() {
            412 => Err(conflict(&nextcloud, &uid, &path, etag.is_some()).await?),
            // 409 of sabre; 404 where Nextcloud looks for the folder first.
            404 | 409 => {
                Err(Fault::Said(format!("There is no folder {}. Create it first (files_mkdir).", path.parent())))
            }
            _ => Ok(Done::by(&answer.good(&format!("file {path}"))?, &nextcloud).into()),
        }
    }
}

/// Why the condition of a write did not hold, with what is there now.
async fn conflict(nextcloud: &Nextcloud, uid: &str, path: &FilePath, replacing: bool) -> Result<Fault, Fault> {
    Ok(Fault::Said(match stat(nextcloud, uid, path).await? {
        Some(now) if now.kind == Kind::Folder => format!("{path} is a folder. Choose another name."),
        Some(now) => {
            let etag = now.etag.unwrap_or_default();
            if replacing {
                format!("{path} changed meanwhile; its etag is {etag} now. Read it again, then decide what to write.")
            } else {
                format!(
                    "{path} exists; its etag is {etag}. To replace it, read it first and pass its etag, or choose another name."
                )
            }
        }
        None => format!("There is no {path} any more. To create it, leave etag out."),
    }))
}
