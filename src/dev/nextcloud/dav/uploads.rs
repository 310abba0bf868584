//! Chunked uploads: a folder of numbered parts that a MOVE of its `.file` makes one file of.

use super::super::call::Call;
use super::super::content::Content;
use super::super::shares::UPDATE;
use super::files::{finish, receive};
use super::mounts;
use super::place::Site;
use super::propfind::missing;
use super::transfer::{occupied, parent};
use super::{DavError, DavResult, done};

pub(super) async fn put(call: &mut Call, site: &Site, path: &[String]) -> DavResult {
    if path.len() != 4 || !call.instance.storage().has_folder(parent(path)) {
        return Err(missing(path));
    }
    let replaced = call.instance.storage().node(path).is_some();
    let content = receive(call).await?;
    call.instance.storage().put(path, content)?;
    Ok(done(if replaced { 204 } else { 201 }, site))
}

/// Puts the parts together in the order of their numbers. Nothing is copied: the file has the pieces of its parts.
pub(super) fn assemble(call: &Call, site: &Site, path: &[String], to: &[String]) -> DavResult {
    let folder = parent(path);
    if path.last().is_none_or(|name| name != ".file") || !call.instance.storage().has_folder(folder) {
        return Err(missing(path));
    }
    let spot = mounts::real(&call.instance, to);
    if !call.instance.storage().has_folder(parent(&spot.path)) {
        return Err(DavError::conflict("The destination node is not found"));
    }
    if !spot.allows(UPDATE) {
        return Err(DavError::forbidden(""));
    }
    let mut chunks = call.instance.storage().children(folder);
    chunks.sort_by_key(|chunk| (chunk.name().parse::<u64>().unwrap_or(u64::MAX), chunk.name().to_owned()));
    let total: u64 = chunks.iter().map(|chunk| chunk.size).sum();
    let announced = call.header("oc-total-length").and_then(|length| length.parse::<u64>().ok());
    if let Some(announced) = announced.filter(|announced| *announced != total) {
        let text = format!("Chunks on server do not sum up to {announced} but to {total} bytes");
        return Err(DavError::bad_request(text));
    }
    let mut content = Content::default();
    for chunk in &chunks {
        content.append(call.instance.storage().content(&chunk.path)?);
    }
    let replaced = occupied(call, &spot.path)?;
    let record = call.instance.storage().put(&spot.path, content)?;
    call.instance.storage().remove(folder)?;
    finish(call, site, &spot.path, record, replaced)
}
