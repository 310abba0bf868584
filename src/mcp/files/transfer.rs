//! `files_move` and `files_copy`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Done, not_the_root};
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud, below, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Move or rename.
pub struct FilesMove;

/// Copy.
pub struct FilesCopy;

/// From where to where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    from: FilePath,
    to: FilePath,
}

impl Tool for FilesMove {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_move";
    const TITLE: &'static str = "Move or rename";
    const DESCRIPTION: &'static str = "Move or rename a file or folder. Never overwrites.";
    const HINTS: Hints = Hints::changes();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Done>, Fault> {
        transfer(&nextcloud, "MOVE", &arguments).await
    }
}

impl Tool for FilesCopy {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_copy";
    const TITLE: &'static str = "Copy";
    const DESCRIPTION: &'static str = "Copy a file or folder. Never overwrites.";
    const HINTS: Hints = Hints::adds();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Done>, Fault> {
        transfer(&nextcloud, "COPY", &arguments).await
    }
}

async fn transfer(
    nextcloud: &Nextcloud,
    method: &str,
    Arguments { from, to }: &Arguments,
) -> Result<Reply<Done>, Fault> {
    if let Some(fault) = not_the_root(from).or_else(|| not_the_root(to)) {
        return Err(fault);
    }
    if from == to {
        return Err(Fault::Said(format!("from and to are the same: {from}.")));
    }
    if to.as_str().strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
        return Err(Fault::Said(format!("{to} is inside {from}, so it cannot go there.")));
    }
    let root = files_root(&nextcloud.uid().await?);
    let answer = nextcloud.ask(Ask::new(method, below(&root, from)).to(below(&root, to))).await?;
    match answer.status.as_u16() {
        412 => Err(Fault::Said(format!(
            "There is already something at {to}. Choose another name; to put it into a folder, write the whole new path, such as {to}/{}.",
            from.name()
        ))),
        409 => Err(Fault::Said(format!("There is no folder {}. Create it first (files_mkdir).", to.parent()))),
        _ => Ok(Done::by(&answer.good(&format!("{from}"))?, nextcloud).into()),
    }
}
