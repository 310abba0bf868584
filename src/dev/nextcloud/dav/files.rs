//! GET, HEAD and PUT of files: conditions, ranges, and bodies that stream both ways.

use bytes::Bytes;
use dav_server::fs::DavFile;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use std::io::SeekFrom;

use super::super::super::answer::Answer;
use super::super::super::clock;
use super::super::call::Call;
use super::super::seen::CountedBody;
use super::super::storage::{Node, Record};
use super::place::{Place, Site};
use super::properties::{file_id, media_type};
use super::propfind::{hidden, missing};
use super::{DavError, DavResult, collections, dressed, uploads, zip};

/// At most so much of a file is in a frame.
const BLOCK: usize = 64 * 1024;

pub(super) async fn get(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    let path = match place {
        Place::Files { path, .. } | Place::Uploads { path, .. } | Place::Trash { path, .. } => path,
        Place::Versions { owner, id } => {
            collections::find(call, owner, *id).await.ok_or_else(|| DavError::not_found(&id.to_string()))?;
            return Ok(interface(site));
        }
        Place::Root | Place::Collection { .. } => return Ok(interface(site)),
        Place::Restore { .. } | Place::Nothing => return Err(DavError::not_found(&call.path)),
    };
    let node = call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
    if node.is_folder {
        let zipped = call.header("accept").is_some_and(|accept| accept.contains("application/zip"));
        return if zipped { zip::of_folder(call, &node).await } else { Ok(interface(site)) };
    }
    check_conditions(call, Some(&node.record))?;
    if call.header("if-none-match").is_some_and(|etags| names(etags, &node.record)) {
        return Ok(Answer::new(304)
            .header("content-security-policy", "default-src 'none';")
            .header("etag", &quoted(&node.record)));
    }
    send(call, site, &node).await
}

/// What a browser gets to see of a collection.
fn interface(site: &Site) -> Answer {
    dressed(Answer::new(200), site).header("content-type", "text/html; charset=UTF-8").chunked(
        "This is the WebDAV interface. It can only be accessed by WebDAV clients such as the Nextcloud desktop sync client.",
    )
}

async fn send(call: &Call, site: &Site, node: &Node) -> DavResult {
    let range = call.header("range").and_then(|range| parse_range(range, node.size));
    let (status, start, end) = match range {
        None => (200, 0, node.size),
        Some((start, _)) if start >= node.size => {
            let text = format!("The start offset ({start}) exceeded the size of the entity ({})", node.size);
            return Err(DavError::new(416, "Sabre\\DAV\\Exception\\RequestedRangeNotSatisfiable", text)
                .with("last-modified", clock::http_date(node.record.modified))
                .with("etag", quoted(&node.record)));
        }
        Some((start, end)) => (206, start, end),
    };
    let kind = media_type(node.name());
    let kind = if kind.starts_with("text/") { format!("{kind};charset=UTF-8") } else { kind.to_owned() };
    let mut answer = dressed(Answer::new(status), site)
        .header("content-type", &kind)
        .header("content-length", &(end - start).to_string())
        .header("last-modified", &clock::http_date(node.record.modified))
        .header("etag", &quoted(&node.record))
        .header("oc-etag", &quoted(&node.record))
        .header("content-disposition", &disposition(node.name()));
    if status == 206 {
        answer = answer.header("content-range", &format!("bytes {start}-{}/{}", end - 1, node.size));
    }
    let mut file = call.instance.storage().open(&node.path).await?;
    file.seek(SeekFrom::Start(start)).await?;
    Ok(answer.stream(StreamBody::new(blocks(file, end - start)).boxed_unsync()))
}

/// The next `count` bytes of a file, block by block. A file that shrinks meanwhile breaks the body off.
fn blocks(file: Box<dyn DavFile>, count: u64) -> impl stream::Stream<Item = std::io::Result<Frame<Bytes>>> {
    stream::unfold((file, count), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let size = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        let block = file.read_bytes(size).await.ok().filter(|block| !block.is_empty());
        let Some(block) = block else {
            return Some((Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)), (file, 0)));
        };
        let left = left - block.len() as u64;
        Some((Ok(Frame::data(block)), (file, left)))
    })
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
    let before = call.instance.storage().node(path).await;
    check_conditions(call, before.as_ref().map(|node| &node.record))?;
    if before.as_ref().is_some_and(|node| node.is_folder) {
        return Err(DavError::conflict("PUT is not allowed on non-files."));
    }
    let parent = call.instance.storage().node(path.get(..path.len() - 1).unwrap_or_default()).await;
    if parent.is_none_or(|parent| !parent.is_folder) {
        return Err(DavError::conflict("Files cannot be created in non-existent collections"));
    }
    let incoming = call.instance.storage().incoming(path).await?;
    receive(call, &incoming).await?;
    let mut record = call.instance.storage().put_in_place(&incoming, path).await?;
    let mut answer = super::done(if before.is_some() { 204 } else { 201 }, site);
    if let Some(modified) = call.header("x-oc-mtime").and_then(|time| time.parse().ok()) {
        record.modified = modified;
        call.instance.storage().set_record(path, &record).await?;
        answer = answer.header("x-oc-mtime", "accepted");
    }
    Ok(tagged(answer, &record).header("oc-fileid", &file_id(&call.instance, record.id)))
}

/// Writes the body to a place that nobody sees. An upload that breaks off leaves nothing.
pub(super) async fn receive(call: &mut Call, incoming: &[String]) -> Result<(), DavError> {
    let mut file = call.instance.storage().create(incoming).await?;
    let expected = call.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let read = match call.body.take() {
        Some(body) => pour(body, &mut file).await?,
        None => Ok(0),
    };
    match read {
        Ok(read) if expected.is_none_or(|expected| expected == read) => Ok(()),
        Ok(read) | Err(read) => {
            let _ = call.instance.storage().remove(incoming).await;
            let expected = expected.unwrap_or_default();
            Err(DavError::bad_request(format!(
                "Expected filesize of {expected} bytes but read (from Nextcloud client) and wrote (to Nextcloud storage) {read} bytes."
            )))
        }
    }
}

/// How many bytes there were; as an error where the body broke off.
async fn pour(mut body: CountedBody, file: &mut Box<dyn DavFile>) -> Result<Result<u64, u64>, DavError> {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Ok(Err(read));
        };
        if let Ok(data) = frame.into_data() {
            read += data.len() as u64;
            file.write_bytes(data).await?;
        }
    }
    Ok(Ok(read))
}

/// `If-Match` and `If-None-Match: *` before a change (RFC 9110 §13.1).
pub(super) fn check_conditions(call: &Call, existing: Option<&Record>) -> Result<(), DavError> {
    if let Some(etags) = call.header("if-match") {
        let good = existing.is_some_and(|record| etags.trim() == "*" || names(etags, record));
        if !good {
            let text = "An If-Match header was specified, but none of the specified ETags matched.";
            let error = DavError::precondition("If-Match", text);
            return Err(match existing {
                Some(record) => error.with("etag", quoted(record)),
                None => error,
            });
        }
    }
    let reading = matches!(call.verb(), "GET");
    if let (Some(etags), Some(record), false) = (call.header("if-none-match"), existing, reading)
        && (etags.trim() == "*" || names(etags, record))
    {
        let text = "An If-None-Match header was specified, but the ETag matched (or * was specified).";
        return Err(DavError::precondition("If-None-Match", text));
    }
    Ok(())
}

fn names(etags: &str, record: &Record) -> bool {
    etags.split(',').any(|etag| etag.trim().trim_start_matches("W/") == quoted(record))
}

pub(super) fn quoted(record: &Record) -> String {
    format!("\"{}\"", record.etag)
}

pub(super) fn tagged(answer: Answer, record: &Record) -> Answer {
    answer.header("etag", &quoted(record)).header("oc-etag", &quoted(record))
}

/// RFC 6266: the name twice, for old and new clients.
pub(super) fn disposition(name: &str) -> String {
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
