//! POST `/remote.php/dav/bulk`: many small files in one `multipart/related` body.
//!
//! Deliberately, `X-File-MD5` has to be there and is not compared: MD5 is in none of our libraries.

use bytes::{Buf, Bytes};
use serde_json::{Map, Value, json};

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::mounts::Seen;
use super::place::Site;
use super::properties::file_id;
use super::{DavError, DavResult, dressed};

pub(super) async fn post(call: &mut Call, site: &Site) -> DavResult {
    let kind = call.header("content-type").unwrap_or_default();
    let boundary = match kind.split_once(';') {
        Some((kind, parameter)) if kind.trim() == "multipart/related" => {
            parameter.trim().strip_prefix("boundary=").map(|boundary| boundary.trim_matches('"').to_owned())
        }
        _ => return Err(DavError::bad_request("Content-Type must be multipart/related")),
    };
    let boundary = boundary.ok_or_else(|| DavError::bad_request("Boundary is invalid"))?;
    let mut rest = call.body().await;
    let (between, last) = (format!("--{boundary}\r\n"), format!("--{boundary}--"));
    let mut written = Map::new();
    let mut status = 200;
    while !rest.starts_with(last.as_bytes()) {
        let Some((headers, content)) = part(&mut rest, between.as_bytes()) else {
            status = 400;
            break;
        };
        let path = headers.iter().find(|(name, _)| name == "x-file-path").map(|(_, path)| path.clone());
        let path = path.unwrap_or_default();
        let modified = headers.iter().find(|(name, _)| name == "x-oc-mtime" || name == "x-file-mtime");
        let modified = modified.and_then(|(_, time)| time.parse::<u64>().ok());
        written.insert(path.clone(), write(call, site, &path, content, modified));
    }
    Ok(dressed(Answer::new(status), site)
        .header("content-type", "text/html; charset=UTF-8")
        .body(Value::Object(written).to_string()))
}

type Headers = Vec<(String, String)>;

/// The next part: its headers, and as many bytes as they say.
fn part(rest: &mut Bytes, between: &[u8]) -> Option<(Headers, Bytes)> {
    rest.starts_with(between).then(|| rest.advance(between.len()))?;
    let end = rest.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = rest.split_to(end + 4);
    let lines = std::str::from_utf8(&head).ok()?.lines().filter_map(|line| line.split_once(':'));
    let headers: Headers =
        lines.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
    let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    value("x-file-md5")?;
    let length: usize = value("content-length")?.parse().ok()?;
    let content = (rest.len() >= length + 2).then(|| rest.split_to(length))?;
    rest.advance(2);
    Some((headers, content))
}

fn write(call: &Call, site: &Site, path: &str, content: Bytes, modified: Option<u64>) -> Value {
    let below = path.split('/').filter(|segment| !segment.is_empty());
    let stored: Vec<String> = [site.uid.as_str(), "files"].into_iter().chain(below).map(str::to_owned).collect();
    let storage = call.instance.storage();
    let Ok(mut record) = storage.write(&stored, content) else {
        return json!({ "error": true, "message": format!("Could not write {path}") });
    };
    record.modified = modified.unwrap_or(record.modified);
    let seen = storage.set_record(&stored, &record).ok().and_then(|()| storage.node(&stored)).map(Seen::own);
    json!({
        "error": false,
        "etag": record.etag,
        "fileid": file_id(&call.instance, record.id),
        "permissions": seen.map(|seen| seen.letters()),
    })
}
