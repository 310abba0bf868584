//! `files_list`.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entry, Kind, PROPERTIES, TRASH_PROPERTIES, path_below, trash_root};
use crate::mcp::arguments::{FilePath, Limit};
use crate::mcp::dav::{self, Multistatus, NC, Response};
use crate::mcp::fault::Fault;
use crate::mcp::listing::{self, Listing, Page};
use crate::mcp::nextcloud::{Ask, Nextcloud, below, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// List folder.
pub struct FilesList;

/// What to list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Folder path, default /
    path: Option<FilePath>,
    /// List the trash bin instead
    trash: Option<bool>,
    #[serde(default)]
    limit: Limit,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

/// The order of a list: a key of its own for each entry, so that a page begins behind the last one whatever came or went meanwhile.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Folders first, then by name as people read it, then by name.
    Named(Reverse<Kind>, String, String),
    /// The newest first, then by name.
    Trashed(Reverse<u64>, String),
}

impl Tool for FilesList {
    type Arguments = Arguments;
    type Output = Page<Entry>;
    const NAME: &'static str = "files_list";
    const TITLE: &'static str = "List folder";
    const DESCRIPTION: &'static str = "Entries of a folder, or of the trash bin.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["files.read"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Entry>>, Fault> {
        let path = arguments.path.unwrap_or_default();
        let trash = arguments.trash == Some(true);
        if trash && !path.is_root() {
            return Err(Fault::said("The trash bin is one list: leave path out."));
        }
        let listing = Listing::of(Self::NAME, &[path.as_str(), if trash { "trash" } else { "" }]);
        let after: Option<String> = listing.open(arguments.cursor.as_deref())?;
        let after = after.map(|position| Key::read(&position, trash).ok_or_else(listing::invalid)).transpose()?;
        let mut entries = if trash { trashed(&nextcloud).await? } else { folder(&nextcloud, &path).await? };
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut rest = entries.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
        let page: Vec<(Key, Entry)> = rest.by_ref().take(arguments.limit.get()).collect();
        let next_cursor = rest.next().and_then(|_| page.last()).and_then(|(key, _)| listing.cursor(&key.write()));
        Ok(Page { items: page.into_iter().map(|(_, entry)| entry).collect(), next_cursor }.into())
    }
}

async fn folder(nextcloud: &Nextcloud, path: &FilePath) -> Result<Vec<(Key, Entry)>, Fault> {
    let root = files_root(&nextcloud.uid().await?);
    let what = if path.is_root() { "root folder of the user".to_owned() } else { format!("folder {path}") };
    let found = entries(nextcloud, below(&root, path), &what, PROPERTIES).await?;
    let own = |response: &Response| path_below(response, nextcloud, &root);
    if found.first().is_some_and(|first| own(first).as_deref() == Some(path.as_str()) && Kind::of(first) == Kind::File)
    {
        return Err(Fault::Said(format!("{path} is a file, not a folder. files_read reads it.")));
    }
    let inside = found.iter().filter_map(|response| Some((own(response)?, response)));
    let inside = inside.filter(|(at, _)| at != path.as_str());
    Ok(inside
        .map(|(at, response)| {
            let name = at.rsplit('/').next().unwrap_or_default();
            let key = Key::Named(Reverse(Kind::of(response)), name.to_lowercase(), name.to_owned());
            (key, Entry::of(response, &at, nextcloud))
        })
        .collect())
}

/// What was deleted. Its path is its name there, which is what `files_restore` wants; its time is that of its deletion.
async fn trashed(nextcloud: &Nextcloud) -> Result<Vec<(Key, Entry)>, Fault> {
    let root = trash_root(&nextcloud.uid().await?, "trash");
    let found = entries(nextcloud, root.clone(), "trash bin", TRASH_PROPERTIES).await?;
    let inside = found.iter().filter_map(|response| Some((path_below(response, nextcloud, &root)?, response)));
    let inside = inside.filter(|(at, _)| !at.is_empty());
    Ok(inside
        .map(|(at, response)| {
            let name = at.trim_start_matches('/');
            let deleted = response.text(NC, "trashbin-deletion-time").and_then(|time| time.parse::<u64>().ok());
            let time = deleted.and_then(|seconds| chrono::DateTime::from_timestamp(seconds.cast_signed(), 0));
            let mut entry = Entry::of(response, name, nextcloud);
            entry.modified = time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            (Key::Trashed(Reverse(deleted.unwrap_or(0)), name.to_owned()), entry)
        })
        .collect())
}

async fn entries(
    nextcloud: &Nextcloud,
    target: String,
    what: &str,
    properties: &[(&str, &str)],
) -> Result<Vec<Response>, Fault> {
    let ask = Ask::new("PROPFIND", target).depth("1").xml(dav::propfind(properties));
    Ok(Multistatus::of(&nextcloud.ask(ask).await?.good(what)?)?.responses)
}

impl Key {
    fn write(&self) -> String {
        match self {
            Self::Named(Reverse(Kind::Folder), _, name) => format!("d{name}"),
            Self::Named(Reverse(Kind::File), _, name) => format!("f{name}"),
            Self::Trashed(time, name) => format!("{}/{name}", time.0),
        }
    }

    fn read(position: &str, trash: bool) -> Option<Self> {
        if trash {
            let (time, name) = position.split_once('/')?;
            return Some(Self::Trashed(Reverse(time.parse().ok()?), name.to_owned()));
        }
        let named = |kind, name: &str| Self::Named(Reverse(kind), name.to_lowercase(), name.to_owned());
        match position.strip_prefix('d') {
            Some(name) => Some(named(Kind::Folder, name)),
            None => Some(named(Kind::File, position.strip_prefix('f')?)),
        }
    }
}
