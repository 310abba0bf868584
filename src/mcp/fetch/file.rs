//! A file of the search, as far as one answer holds it. `files_read` is for all of it, and for what is no text.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use super::super::arguments::FilePath;
use super::super::dav::{self, DAV, Multistatus, OC, Response};
use super::super::fault::Fault;
use super::super::nextcloud::{Ask, Nextcloud, below, files_root};
use super::super::text;
use super::Read;

/// UTF-8 has four bytes for a character at most; what is behind them would be cut anyway, but for the one that says so.
const FIRST_BYTES: usize = 4 * (text::LONGEST + 1);
const REST: &str = "files_read with this offset reads on";
const PROPERTIES: &[(&str, &str)] =
    &[(DAV, "resourcetype"), (DAV, "getcontenttype"), (DAV, "getetag"), (OC, "fileid"), (OC, "size")];

/// Reads it.
///
/// # Errors
/// [`Fault::Said`] if it is not there; whatever [`Nextcloud::ask`] says.
pub async fn read(nextcloud: &Nextcloud, path: &FilePath) -> Result<Read, Fault> {
    let target = below(&files_root(&nextcloud.uid().await?), path);
    let ask = Ask::new("PROPFIND", target.as_str()).depth("0").xml(dav::propfind(PROPERTIES));
    let found = Multistatus::of(&nextcloud.ask(ask).await?.good("file of this name")?)?;
    let found = found.responses.first().ok_or_else(|| Fault::said("There is no file of this name."))?;
    let media = found.text(DAV, "getcontenttype").unwrap_or_default().to_owned();
    let mut read =
        Read { title: path.name().to_owned(), url: url(nextcloud, found, path), rest: REST, ..Read::default() };
    if found.is_a(DAV, "collection") {
        read.text = "This is a folder: files_list shows what is in it.".to_owned();
        return Ok(read);
    }
    let etag = found.text(DAV, "getetag").map(|etag| etag.trim_matches('"').into());
    let size = found.text(OC, "size").and_then(|size| size.parse::<u64>().ok()).map(Value::from);
    read.metadata = vec![("mime", Some(media.as_str().into())), ("etag", etag), ("size", size)];
    if !is_text(&media) {
        read.text = "This is no text: files_read shows images, and the user can open the url.".to_owned();
        return Ok(read);
    }
    let range =
        HeaderValue::try_from(format!("bytes=0-{}", FIRST_BYTES - 1)).unwrap_or(HeaderValue::from_static("bytes=0-"));
    // An empty file has no range to give (RFC 9110 §15.5.17).
    let answer = nextcloud.ask(Ask::get(target).header("range", range)).await?;
    let bytes = if answer.status.as_u16() == 416 { Bytes::new() } else { answer.good("file of this name")?.bytes };
    let first = bytes.get(..FIRST_BYTES.min(bytes.len())).unwrap_or_default();
    read.text = String::from_utf8_lossy(first).into_owned();
    Ok(read)
}

fn url(nextcloud: &Nextcloud, found: &Response, path: &FilePath) -> String {
    match found.text(OC, "fileid").and_then(|id| id.parse::<u64>().ok()) {
        Some(id) => nextcloud.url(&format!("/index.php/f/{id}")),
        None => nextcloud.url(&below("/index.php/apps/files/files", path)),
    }
}

/// Media types whose bytes are for reading.
fn is_text(media: &str) -> bool {
    const TEXTS: &[&str] = &[
        "application/json",
        "application/xml",
        "application/javascript",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/sql",
        "application/x-sh",
        "application/x-php",
        "application/x-perl",
    ];
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media.starts_with("text/") || media.ends_with("+json") || media.ends_with("+xml") || TEXTS.contains(&media.as_str())
}
