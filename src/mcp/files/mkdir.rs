//! `files_mkdir`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Done, Kind, not_the_root, stat};
use crate::mcp::answer::Answer;
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud, below, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// More folders than these are not created at once.
const MOST: usize = 20;

/// Create folder.
pub struct FilesMkdir;

/// What to create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: FilePath,
}

impl Tool for FilesMkdir {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "files_mkdir";
    const TITLE: &'static str = "Create folder";
    const DESCRIPTION: &'static str = "Create a folder and missing parents.";
    const HINTS: Hints = Hints::adds().idempotent();
    const SCOPES: &'static [&'static str] = &["files.read", "files.write"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, Arguments { path }: Arguments) -> Result<Reply<Done>, Fault> {
        if let Some(fault) = not_the_root(&path) {
            return Err(fault);
        }
        let uid = nextcloud.uid().await?;
        // Up to the first that is there, then down again.
        let mut missing = Vec::new();
        let mut at = path.clone();
        let mut answer = make(&nextcloud, &uid, &at).await?;
        while lacks_its_parent(&answer) && !at.parent().is_root() {
            if missing.len() >= MOST {
                return Err(Fault::Said(format!(
                    "More than {MOST} folders of {path} are missing. Create the upper ones first."
                )));
            }
            let parent = at.parent();
            missing.push(std::mem::replace(&mut at, parent));
            answer = make(&nextcloud, &uid, &at).await?;
        }
        while let Some(next) = missing.pop() {
            is_folder(&nextcloud, &uid, &at, answer).await?;
            answer = make(&nextcloud, &uid, &next).await?;
            at = next;
        }
        Ok(is_folder(&nextcloud, &uid, &at, answer).await?.into())
    }
}

async fn make(nextcloud: &Nextcloud, uid: &str, path: &FilePath) -> Result<Answer, Fault> {
    nextcloud.ask(Ask::new("MKCOL", below(&files_root(uid), path))).await
}

/// 409 of sabre; 404 where Nextcloud looks for the parent first.
fn lacks_its_parent(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 404 | 409)
}

/// Whether there is a folder after an answer to MKCOL: it was created, or was there (405).
async fn is_folder(nextcloud: &Nextcloud, uid: &str, path: &FilePath, answer: Answer) -> Result<Done, Fault> {
    if answer.status.as_u16() != 405 {
        return Ok(Done::by(&answer.good(&format!("folder {path}"))?, nextcloud));
    }
    match stat(nextcloud, uid, path).await? {
        Some(there) if there.kind == Kind::Folder => Ok(Done { ok: true, url: there.url, etag: there.etag }),
        _ => Err(Fault::Said(format!("{path} is a file, so no folder can be there. Choose another name."))),
    }
}
