//! Chunked uploads: a folder of numbered parts that a MOVE of its `.file` makes one file of.

use super::super::call::Call;
use super::files::{receive, tagged};
use super::place::Site;
use super::properties::file_id;
use super::propfind::missing;
use super::transfer::{make_way, parent};
use super::{DavError, DavResult, done};

pub(super) async fn put(call: &mut Call, site: &Site, path: &[String]) -> DavResult {
    if path.len() != 4 || call.instance.storage().node(parent(path)).await.is_none_or(|parent| !parent.is_folder) {
        return Err(missing(path));
    }
    let replaced = call.instance.storage().node(path).await.is_some();
    receive(call, path).await?;
    Ok(done(if replaced { 204 } else { 201 }, site))
}

pub(super) async fn assemble(call: &Call, site: &Site, path: &[String], to: &[String]) -> DavResult {
    let folder = parent(path);
    if path.last().is_none_or(|name| name != ".file") || call.instance.storage().node(folder).await.is_none() {
        return Err(missing(path));
    }
    if call.instance.storage().node(parent(to)).await.is_none_or(|parent| !parent.is_folder) {
        return Err(DavError::conflict("The destination node is not found"));
    }
    let mut chunks = call.instance.storage().children(folder).await;
    chunks.sort_by_key(|chunk| (chunk.name().parse::<u64>().unwrap_or(u64::MAX), chunk.name().to_owned()));
    let total: u64 = chunks.iter().map(|chunk| chunk.size).sum();
    let announced = call.header("oc-total-length").and_then(|length| length.parse::<u64>().ok());
    if let Some(announced) = announced.filter(|announced| *announced != total) {
        let text = format!("Chunks on server do not sum up to {announced} but to {total} bytes");
        return Err(DavError::bad_request(text));
    }
    let replaced = make_way(call, to).await?;
    let incoming = call.instance.storage().incoming(to).await?;
    let mut file = call.instance.storage().create(&incoming).await?;
    for chunk in &chunks {
        file.write_bytes(call.instance.storage().read(&chunk.path).await?).await?;
    }
    let record = call.instance.storage().put_in_place(&incoming, to).await?;
    call.instance.storage().remove(folder).await?;
    let answer = done(if replaced { 204 } else { 201 }, site);
    Ok(tagged(answer, &record).header("oc-fileid", &file_id(&call.instance, record.id)))
}
