//! GET, HEAD and PUT of files: conditions, ranges, and bodies that stream both ways.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::super::super::answer::Answer;
use super::super::super::clock;
use super::super::call::Call;
use super::super::content::Content;
use super::super::shares::UPDATE;
use super::super::storage::{Node, Record};
use super::conditions::{self, quoted};
use super::place::{Place, Site};
use super::properties::{file_id, media_type};
use super::propfind::{hidden, missing};
use super::{DavError, DavResult, dressed, mounts, uploads, versions, zip};

pub(super) fn get(call: &Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    let path = match place {
        Place::Files { path, .. } | Place::Uploads { path, .. } | Place::Trash { path, .. } => path,
        Place::Versions { owner, id, time } => return versions::get(call, site, owner, *id, *time),
        Place::Root | Place::Collection { .. } => return Ok(interface(site)),
        Place::Restore { .. } | Place::RestoreVersion { .. } | Place::Bulk | Place::Nothing | Place::Pim(_) => {
            return Err(DavError::not_found(&call.path));
        }
    };
    let spot = mounts::real(&call.instance, path);
    let node = call.instance.storage().node(&spot.path).ok_or_else(|| missing(path))?;
    if node.is_folder {
        let zipped = call.header("accept").is_some_and(|accept| accept.contains("application/zip"));
        return if zipped { zip::of_folder(call, &node) } else { Ok(interface(site)) };
    }
    conditions::check(call, Some(&node.record.etag))?;
    if call.header("if-none-match").is_some_and(|etags| conditions::names(etags, &node.record.etag)) {
        return Ok(Answer::new(304)
            .header("content-security-policy", "default-src 'none';")
            .header("etag", &quoted(&node.record.etag)));
    }
    let content = call.instance.storage().content(&spot.path)?;
    send(call, site, &node, &content)
}

/// What a browser gets to see of a collection.
pub(super) fn interface(site: &Site) -> Answer {
    dressed(Answer::new(200), site).header("content-type", "text/html; charset=UTF-8").chunked(
        "This is the WebDAV interface. It can only be accessed by WebDAV clients such as the Nextcloud desktop sync client.",
    )
}

/// A file's content, whole or the part that `Range` asks for.
pub(super) fn send(call: &Call, site: &Site, node: &Node, content: &Content) -> DavResult {
    let size = content.len();
    let range = call.header("range").and_then(|range| parse_range(range, size));
    let (status, start, end) = match range {
        None => (200, 0, size),
        Some((start, _)) if start >= size => {
            let text = format!("The start offset ({start}) exceeded the size of the entity ({size})");
            return Err(DavError::new(416, "Sabre\\DAV\\Exception\\RequestedRangeNotSatisfiable", text)
                .with("last-modified", clock::http_date(node.record.modified))
                .with("etag", quoted(&node.record.etag)));
        }
        Some((start, end)) => (206, start, end),
    };
    let kind = media_type(node.name());
    let kind = if kind.starts_with("text/") { format!("{kind};charset=UTF-8") } else { kind.to_owned() };
    let mut answer = dressed(Answer::new(status), site)
        .header("content-type", &kind)
        .header("content-length", &(end - start).to_string())
        .header("last-modified", &clock::http_date(node.record.modified))
        .header("etag", &quoted(&node.record.etag))
        .header("oc-etag", &quoted(&node.record.etag))
        .header("content-disposition", &disposition(node.name()));
    if let Some(checksum) = &node.record.checksum {
        answer = answer.header("oc-checksum", checksum);
    }
    if status == 206 {
        answer = answer.header("content-range", &format!("bytes {start}-{}/{size}", end - 1));
    }
    let blocks = content.blocks(start, end).map(|block: Bytes| Ok(Frame::data(block)));
    Ok(answer.stream(StreamBody::new(stream::iter(blocks)).boxed_unsync()))
}

pub(super) async fn put(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let path = match place {
        Place::Uploads { owner, path } if *owner == site.uid => {
            return uploads::put(call, site, path).await;
        }
        Place::Files { owner, path } if *owner == site.uid => path,
        Place::Files { path, .. } => {
            let name = path.last().map_or("", String::as_str);
            return Err(DavError::forbidden(format!("Permission denied to create file (filename {name})")));
        }
        _ => return Err(DavError::forbidden("Permission denied to create file")),
    };
    if call.header("content-range").is_some() {
        return Err(DavError::bad_request("Content-Range on PUT requests are forbidden."));
    }
    let spot = mounts::real(&call.instance, path);
    let before = call.instance.storage().node(&spot.path);
    conditions::check(call, before.as_ref().map(|node| node.record.etag.as_str()))?;
    if before.as_ref().is_some_and(|node| node.is_folder) {
        return Err(DavError::conflict("PUT is not allowed on non-files."));
    }
    if !call.instance.storage().has_folder(super::transfer::parent(&spot.path)) {
        return Err(DavError::conflict("Files cannot be created in non-existent collections"));
    }
    if !spot.allows(UPDATE) {
        return Err(DavError::forbidden(""));
    }
    let content = receive(call).await?;
    let record = call.instance.storage().put(&spot.path, content)?;
    finish(call, site, &spot.path, record, before.is_some())
}

/// Takes over what the client says of a file that was just written, and tells the rest.
pub(super) fn finish(call: &Call, site: &Site, path: &[String], mut record: Record, replaced: bool) -> DavResult {
    let mut answer = super::done(if replaced { 204 } else { 201 }, site);
    if let Some(modified) = call.header("x-oc-mtime").and_then(|time| time.parse().ok()) {
        record.modified = modified;
        answer = answer.header("x-oc-mtime", "accepted");
    }
    if let Some(created) = call.header("x-oc-ctime").and_then(|time| time.parse().ok()) {
        record.created = created;
        answer = answer.header("x-oc-ctime", "accepted");
    }
    record.checksum = call.header("oc-checksum").map(str::to_owned);
    if let Some(checksum) = &record.checksum {
        answer = answer.header("oc-checksum", checksum);
    }
    call.instance.storage().set_record(path, &record)?;
    Ok(tagged(answer, &record).header("oc-fileid", &file_id(&call.instance, record.id)))
}

/// The whole body. An upload that breaks off leaves nothing.
pub(super) async fn receive(call: &mut Call) -> Result<Content, DavError> {
    let expected = call.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let mut content = Content::default();
    let mut whole = true;
    if let Some(mut body) = call.body.take() {
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => content.push(data),
                // Trailers.
                Ok(Err(_)) => {}
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
    }
    let read = content.len();
    if whole && expected.is_none_or(|expected| expected == read) {
        return Ok(content);
    }
    let expected = expected.unwrap_or_default();
    Err(DavError::bad_request(format!(
        "Expected filesize of {expected} bytes but read (from Nextcloud client) and wrote (to Nextcloud storage) {read} bytes."
    )))
}

pub(super) fn tagged(answer: Answer, record: &Record) -> Answer {
    answer.header("etag", &quoted(&record.etag)).header("oc-etag", &quoted(&record.etag))
}

/// RFC 6266: the name twice, for old and new clients.
pub(in super::super) fn disposition(name: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    let encoded = encoded.replace("%2E", ".").replace("%2D", "-").replace("%5F", "_");
    let plain: String =
        name.chars().map(|letter| if letter.is_ascii() && !"\"\\".contains(letter) { letter } else { '_' }).collect();
    format!("attachment; filename*=UTF-8''{encoded}; filename=\"{plain}\"")
}

/// One range (RFC 9110 §14.1.2); several, or nonsense, are taken as none. The end is exclusive and within the file.
fn parse_range(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) => (first <= last).then(|| (first, (last + 1).min(size))),
        (Some(first), None) if last.is_empty() => Some((first, size)),
        (None, Some(count)) if first.is_empty() => Some((size.saturating_sub(count), size)),
        _ => None,
    }
}
