//! The trash bin: deleting moves there, restoring moves back.

use super::super::super::clock;
use super::super::call::Call;
use super::super::storage::{Node, joined};
use super::DavError;
use super::propfind::missing;
use super::transfer::parent;

/// Moves a file or folder into the trash, under its name and the time.
pub(super) fn discard(call: &Call, uid: &str, mut node: Node) -> Result<(), DavError> {
    let now = clock::now();
    let trash = [uid.to_owned(), "trash".to_owned()];
    let mut time = now;
    let to = loop {
        let candidate = joined(&trash, &format!("{}.d{time}", node.name()));
        if call.instance.storage().node(&candidate).is_none() {
            break candidate;
        }
        time += 1;
    };
    node.record.origin = Some(node.path.get(2..).unwrap_or_default().join("/"));
    node.record.deleted = Some(time);
    call.instance.storage().set_record(&node.path, &node.record)?;
    call.instance.storage().rename(&node.path, &to)?;
    call.instance.shares().forget(&node.path);
    Ok(())
}

/// Deletes for good: one thing, or all.
pub(super) fn delete(call: &Call, path: &[String]) -> Result<(), DavError> {
    let node = call.instance.storage().node(path).ok_or_else(|| missing(path))?;
    let doomed = if path.len() > 2 { vec![node] } else { call.instance.storage().children(path) };
    for node in doomed {
        call.instance.storage().remove(&node.path)?;
    }
    Ok(())
}

/// Moves back to where it was; to the top where its folder is gone.
pub(super) fn restore(call: &Call, path: &[String]) -> Result<(), DavError> {
    let mut node = call.instance.storage().node(path).ok_or_else(|| missing(path))?;
    let owner = node.path.first().cloned().unwrap_or_default();
    let origin = node.record.origin.take().ok_or_else(|| missing(path))?;
    node.record.deleted = None;
    let home = [owner, "files".to_owned()];
    let mut to: Vec<String> = home.iter().cloned().chain(origin.split('/').map(str::to_owned)).collect();
    if call.instance.storage().node(parent(&to)).is_none() {
        to = joined(&home, to.last().map_or("", String::as_str));
    }
    while call.instance.storage().node(&to).is_some() {
        let name = format!("{} (restored)", to.last().map_or("", String::as_str));
        to = joined(parent(&to), &name);
    }
    call.instance.storage().set_record(path, &node.record)?;
    call.instance.storage().rename(path, &to)?;
    Ok(())
}
