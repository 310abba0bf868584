//! `files_restore`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Done, trash_root};
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, below};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Restore from trash.
pub struct FilesRestore;

/// What to restore.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// path from files_list with trash=true
    path: FilePath,
}

impl Tool for FilesRestore {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_restore";
    const TITLE: &'static str = "Restore from trash";
    const DESCRIPTION: &'static str = "Put a trashed entry back at its old place.";
    const HINTS: Hints = Hints::adds().idempotent();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, Arguments { path }: Arguments) -> Result<Reply<Done>, Fault> {
        let unknown = || {
            Fault::Said(format!(
                "There is no {path} in the trash bin. files_list with trash=true tells the paths there."
            ))
        };
        if path.is_root() || !path.parent().is_root() {
            return Err(unknown());
        }
        let uid = nextcloud.uid().await?;
        // Where it goes back to is Nextcloud's to know; the destination only says that it does. Nothing is ever there, so nothing is
        // overwritten: a name that is taken becomes another one.
        let restore =
            Ask::new("MOVE", below(&trash_root(&uid, "trash"), &path)).to(below(&trash_root(&uid, "restore"), &path));
        let answer = nextcloud.ask(restore).await?;
        if answer.status.as_u16() == 404 {
            return Err(unknown());
        }
        answer.good(&format!("{path}")).map(|_| Done::plain().into())
    }
}
