//! A file of the search, as far as one answer holds it. `files_read` is for all of it, and for what is no text.

use super::super::arguments::FilePath;
use super::super::fault::Fault;
use super::super::files::read::{is_text, part};
use super::super::files::text::Reading;
use super::super::files::{Kind, stat};
use super::super::nextcloud::{Nextcloud, below, files_root};
use super::super::text;
use super::Read;

const REST: &str = "files_read with this offset reads on";
const NO_TEXT: &str = "This is no text: files_read shows images, and the user can open the url.";

/// Reads it.
///
/// # Errors
/// [`Fault::Said`] if it is not there; whatever [`Nextcloud::ask`] says.
pub async fn read(nextcloud: &Nextcloud, path: &FilePath) -> Result<Read, Fault> {
    let uid = nextcloud.uid().await?;
    let found = stat(nextcloud, &uid, path).await?.ok_or_else(|| {
        Fault::said("There is no file of this name, or not any more. Search again to find the right one.")
    })?;
    let url = found.url.unwrap_or_else(|| nextcloud.url(&below("/index.php/apps/files/files", path)));
    let mut read = Read { title: path.name().to_owned(), url, rest: REST, ..Read::default() };
    if found.kind == Kind::Folder {
        read.text = "This is a folder: files_list shows what is in it.".to_owned();
        return Ok(read);
    }
    let mime = found.mime.unwrap_or_default();
    let mut etag = found.etag;
    read.text = NO_TEXT.to_owned();
    if is_text(&mime) {
        let target = below(&files_root(&uid), path);
        let (reading, now) = part(nextcloud, target, 0, text::LONGEST, found.size).await?;
        if let Reading::Part(part) = reading {
            (read.text, etag) = (part.text, now.or(etag));
            read.is_cut = part.cut;
        }
    }
    read.metadata =
        vec![("mime", Some(mime.into())), ("etag", etag.map(Into::into)), ("size", Some(found.size.into()))];
    Ok(read)
}
