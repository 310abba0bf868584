//! `files_read`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rmcp::model::{ContentBlock, Resource};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::text::{self, Reading};
use super::{Kind, Stat, bare, stat};
use crate::mcp::answer::Answer;
use crate::mcp::arguments::FilePath;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud, below, files_root};
use crate::mcp::resources;
use crate::mcp::settings::Toolset;
use crate::mcp::shown::path as shown;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Images that models see, and up to which size one is worth its tokens.
const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];
/// The largest image that is shown, in bytes.
const LARGEST_IMAGE: u64 = 1024 * 1024;

/// Read file.
pub struct FilesRead;

/// What to read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: FilePath,
    /// Start at this character
    offset: Option<u64>,
    /// Part size
    #[serde(default)]
    max_chars: MaxChars,
}

/// What a file says.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub path: String,
    pub mime: String,
    pub etag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How many characters a part has: 1 to 100,000, 20,000 by default.
struct MaxChars(usize);

impl Tool for FilesRead {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "files_read";
    const TITLE: &'static str = "Read file";
    const DESCRIPTION: &'static str = "Text of a file, an image, or a link for other types. Long texts come in parts.";
    const HINTS: Hints = Hints::reads().open_world();
    const SCOPES: &'static [&'static str] = &["files.read"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let Arguments { path, offset, max_chars: MaxChars(count) } = arguments;
        let uid = nextcloud.uid().await?;
        let Some(found) = stat(&nextcloud, &uid, &path).await? else {
            return Err(Fault::Said(format!(
                "There is no file {path}. files_list or files_search finds the right path."
            )));
        };
        if found.kind == Kind::Folder {
            return Err(Fault::Said(format!("{path} is a folder. files_list lists it.")));
        }
        let target = below(&files_root(&uid), &path);
        let mime = found.mime.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        if is_text(&mime) {
            let offset = offset.unwrap_or(0);
            let (reading, etag) = part(&nextcloud, target, offset, count, found.size).await?;
            if let Some(output) = told(reading, &path, &mime, etag, &found)? {
                return Ok(output.into());
            }
        } else if IMAGES.contains(&mime.as_str()) && found.size <= LARGEST_IMAGE {
            let answer = nextcloud.ask(Ask::get(target)).await?.good(&format!("file {path}"))?;
            if answer.bytes.len() as u64 <= LARGEST_IMAGE {
                let etag = answer.etag().map(bare);
                let image = ContentBlock::image(STANDARD.encode(&answer.bytes), mime.clone());
                return Ok(Reply { output: nothing_said(&path, mime, etag, found), content: vec![image] });
            }
        }
        let link =
            Resource::new(resources::uri(&path), shown(path.name())).with_mime_type(mime.clone()).with_size(found.size);
        Ok(Reply { output: nothing_said(&path, mime, None, found), content: vec![ContentBlock::resource_link(link)] })
    }
}

/// Reads a part of a text, no further into the file than it takes; and the entity tag of what was read.
///
/// # Errors
/// [`Fault`].
pub async fn part(
    nextcloud: &Nextcloud,
    target: String,
    offset: u64,
    count: usize,
    size: u64,
) -> Result<(Reading, Option<String>), Fault> {
    let mut ask = Ask::get(target);
    let last = text::last_byte(offset, count, size);
    if let Some(range) = last.and_then(|last| HeaderValue::try_from(format!("bytes=0-{last}")).ok()) {
        // From the first byte: only from there can characters be counted.
        ask = ask.header("range", range);
    }
    let response = nextcloud.stream(ask).await?;
    if !response.status().is_success() {
        Answer::read(response).await?.good("file")?;
        return Err(Fault::said("Nextcloud's answer cannot be read. Try again."));
    }
    let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(bare);
    Ok((text::read(response.into_body(), offset, count, last).await?, etag))
}

/// What a reading means; nothing where the file is no text after all.
fn told(
    reading: Reading,
    path: &FilePath,
    mime: &str,
    etag: Option<String>,
    found: &Stat,
) -> Result<Option<Output>, Fault> {
    match reading {
        Reading::Part(part) => {
            let end = part.offset.saturating_add(part.text.chars().count() as u64);
            Ok(Some(Output {
                path: shown(path.as_str()),
                mime: shown(mime),
                etag: etag.or_else(|| found.etag.clone()).unwrap_or_default(),
                next_offset: part.cut.then_some(end.cast_signed()),
                text: Some(part.text),
                url: found.url.clone(),
            }))
        }
        Reading::NotText => Ok(None),
        Reading::Behind(length) => {
            Err(Fault::Said(format!("The offset is behind the end: {path} has {length} characters.")))
        }
        Reading::TooFar => Err(Fault::Said(format!(
            "{path} is too large to be read as far as that: only its first {} MiB can be read here. The user can open it: {}",
            text::FURTHEST / (1024 * 1024),
            found.url.as_deref().unwrap_or("in Nextcloud"),
        ))),
    }
}

fn nothing_said(path: &FilePath, mime: String, etag: Option<String>, found: Stat) -> Output {
    Output {
        path: shown(path.as_str()),
        mime: shown(&mime),
        etag: etag.or(found.etag).unwrap_or_default(),
        text: None,
        next_offset: None,
        url: found.url,
    }
}

/// Whether files of this media type are text for people or programs. That one is UTF-8 is seen when it is read.
#[must_use]
pub fn is_text(mime: &str) -> bool {
    let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, sub)) = essence.split_once('/') else { return false };
    let sub = sub.strip_prefix("x-").unwrap_or(sub);
    kind == "text"
        || sub.ends_with("+json")
        || sub.ends_with("+xml")
        || sub.ends_with("+yaml")
        || (kind == "application"
            && matches!(
                sub,
                "json"
                    | "ndjson"
                    | "jsonl"
                    | "xml"
                    | "yaml"
                    | "toml"
                    | "javascript"
                    | "ecmascript"
                    | "typescript"
                    | "sql"
                    | "sh"
                    | "shellscript"
                    | "php"
                    | "httpd-php"
                    | "perl"
                    | "python"
                    | "ruby"
                    | "tex"
                    | "latex"
                    | "subrip"
                    | "markdown"
                    | "graphql"
                    | "xml-dtd"
                    | "pem-file"
                    | "mbox"
            ))
        || essence == "message/rfc822"
}

impl Default for MaxChars {
    fn default() -> Self {
        Self(20_000)
    }
}

impl<'de> Deserialize<'de> for MaxChars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match usize::deserialize(deserializer)? {
            count @ 1..=100_000 => Ok(Self(count)),
            _ => Err(D::Error::custom("max_chars has to be 1 to 100000")),
        }
    }
}

impl JsonSchema for MaxChars {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MaxChars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 100_000, "default": 20_000 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_people_and_programs_write() {
        for mime in [
            "text/plain",
            "text/markdown; charset=utf-8",
            "application/json",
            "application/ld+json",
            "image/svg+xml",
            "application/x-yaml",
            "APPLICATION/XML",
            "message/rfc822",
        ] {
            assert!(is_text(mime), "{mime}");
        }
        for mime in [
            "",
            "text",
            "application/pdf",
            "application/zip",
            "image/png",
            "application/octet-stream",
            "audio/x-sh",
            "application/vnd.oasis.opendocument.text",
        ] {
            assert!(!is_text(mime), "{mime}");
        }
    }
}
