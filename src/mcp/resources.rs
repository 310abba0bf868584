//! Files as resources: `nextcloud://files/{+path}`. There is no list of them, for nobody wants a model to be shown a whole tree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, ResourceContents, ResourceTemplate};

use super::arguments::FilePath;
use super::fault::{self, Fault};
use super::files::read::is_text;
use super::files::{Kind, stat};
use super::frontend::Slot;
use super::nextcloud::{Ask, Nextcloud, below, files_root, segment};
use crate::error::Error;

/// What every URI of ours begins with.
const FILES: &str = "nextcloud://files/";
/// The largest file that is read as a whole, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Why a resource was not read.
#[derive(Debug)]
pub enum NotRead {
    /// There is none by this URI.
    NotThere,
    /// Whatever else, as for a tool.
    Fault(Fault),
}

impl NotRead {
    /// As an error of JSON-RPC. What a client mends by another token it is told by HTTP.
    #[must_use]
    pub fn told(self, uri: &str, refusal: &Slot<Error>) -> ErrorData {
        let words = match self {
            Self::NotThere => {
                let data = serde_json::json!({ "uri": uri });
                return ErrorData::resource_not_found("There is no such file.", Some(data));
            }
            Self::Fault(Fault::Said(words) | Fault::TooMany(words)) => words,
            Self::Fault(Fault::Refused(error)) => {
                let words = fault::in_words(&error);
                if fault::is_the_clients(&error) {
                    refusal.set(error);
                }
                words
            }
            Self::Fault(Fault::TooLate | Fault::Cancelled) => "This took too long. Try again later.".to_owned(),
            // Nobody is asked before a file is read.
            Self::Fault(Fault::Ask(_) | Fault::Visit(_) | Fault::Declined) => "The file was not read.".to_owned(),
        };
        ErrorData::internal_error(words, None)
    }
}

impl From<Fault> for NotRead {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The one template.
#[must_use]
pub fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{FILES}{{+path}}"), "file")
        .with_title("File")
        .with_description("A file of the user's, by its path from the root")
}

/// The URI of a file.
#[must_use]
pub fn uri(path: &FilePath) -> String {
    let segments: Vec<String> = path.segments().map(segment).collect();
    format!("{FILES}{}", segments.join("/"))
}

/// Reads a file by its URI: text as text, anything else in base64.
///
/// # Errors
/// [`NotRead`].
pub async fn read(nextcloud: &Nextcloud, uri: &str) -> Result<ReadResourceResult, NotRead> {
    let path = path_of(uri).ok_or(NotRead::NotThere)?;
    let uid = nextcloud.uid().await?;
    let Some(found) = stat(nextcloud, &uid, &path).await?.filter(|found| found.kind == Kind::File) else {
        return Err(NotRead::NotThere);
    };
    let too_large = || {
        let url = found.url.as_deref().unwrap_or("in Nextcloud");
        Fault::Said(format!(
            "The file is larger than 1 MiB. files_read reads a text in parts; the user can open it: {url}"
        ))
    };
    if found.size > LARGEST {
        return Err(too_large().into());
    }
    let answer = nextcloud.ask(Ask::get(below(&files_root(&uid), &path))).await?;
    if answer.status.as_u16() == 404 {
        return Err(NotRead::NotThere);
    }
    let answer = answer.good("file")?;
    if answer.bytes.len() as u64 > LARGEST {
        return Err(too_large().into());
    }
    let mime = found.mime.as_deref().unwrap_or("application/octet-stream");
    let contents = match std::str::from_utf8(&answer.bytes) {
        Ok(text) if is_text(mime) => ResourceContents::text(text, uri),
        _ => ResourceContents::blob(STANDARD.encode(&answer.bytes), uri),
    };
    Ok(ReadResourceResult::new(vec![contents.with_mime_type(mime)]))
}

/// The path in a URI, decoded once. A slash that was encoded is refused and not read as one: it is no part of any name, and would be the way
/// around every rule about segments.
fn path_of(uri: &str) -> Option<FilePath> {
    let encoded = uri.strip_prefix(FILES)?;
    if encoded.to_ascii_lowercase().contains("%2f") {
        return None;
    }
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = encoded.as_bytes();
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    if !escapes.into_iter().all(|(at, _)| digit(bytes.get(at + 1)) && digit(bytes.get(at + 2))) {
        return None;
    }
    let path = percent_decode_str(encoded).decode_utf8().ok()?;
    FilePath::parse(&path).ok().filter(|path| !path.is_root())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FilePath {
        FilePath::parse(text).unwrap()
    }

    #[test]
    fn a_uri_and_a_path_are_one() {
        for text in ["/a.md", "/Documents/ümläut & + #.txt", "/a b/100%.md", "/C#/x?y=1"] {
            assert_eq!(path_of(&uri(&path(text))), Some(path(text)), "{text}");
        }
        assert_eq!(uri(&path("/a b/ü.md")), "nextcloud://files/a%20b/%C3%BC.md");
        // As `{+path}` is expanded: reserved characters stay, and a path may begin with a slash.
        assert_eq!(path_of("nextcloud://files//C#/a.md"), Some(path("/C#/a.md")));
    }

    #[test]
    fn no_uri_leads_out_of_the_users_files() {
        for uri in [
            "nextcloud://files/",
            "nextcloud://files/../calendars/x",
            "nextcloud://files/a/%2e%2e/%2e%2e/b",
            "nextcloud://files/a%2f..%2fb",
            "nextcloud://files/a%2Fb",
            "nextcloud://files/a%5c..%5cb",
            "nextcloud://files/a%00",
            "nextcloud://files/a%zz",
            "nextcloud://files/a%",
            "nextcloud://files/%ff",
            "nextcloud://files/a//b",
            "nextcloud://other/a",
            "nextcloud://files",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(path_of(uri), None, "{uri}");
        }
        assert_eq!(path_of("nextcloud://files/%252e%252e"), Some(path("/%2e%2e")), "decoded once, it is a name");
    }
}
