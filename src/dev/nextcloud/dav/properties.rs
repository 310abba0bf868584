//! The properties of files and folders.

use super::super::super::clock;
use super::super::instance::Instance;
use super::super::storage::Node;
use super::mounts::{self, Seen};
use super::multistatus::Told;
use super::place::Site;
use super::xml::{DAV, NC, Name, OC, escaped};

/// What a PROPFIND without a body tells (sabre's default properties).
pub(super) fn defaults() -> Vec<Name> {
    [
        "getlastmodified",
        "getcontentlength",
        "resourcetype",
        "quota-used-bytes",
        "quota-available-bytes",
        "getetag",
        "getcontenttype",
    ]
    .into_iter()
    .map(|local| Name { space: DAV.into(), local: local.into() })
    .collect()
}

/// The media type of a name.
pub(in super::super) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("txt") => "text/plain",
        Some("md") => "text/markdown",
        Some("html" | "htm") => "text/html",
        Some("csv") => "text/csv",
        Some("bin") => "application/x-bin",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

/// `OC-FileId`: the number with eight digits, then the instance.
pub(super) fn file_id(instance: &Instance, id: u64) -> String {
    format!("{id:08}{}", instance.id())
}

/// What a file or folder says when it is asked for `names`.
pub(super) fn tell(instance: &Instance, site: &Site, seen: &Seen, asked: Option<&[Name]>) -> Told {
    let href = site.href(&seen.node.path, seen.node.is_folder);
    Told::of(href, asked, &defaults(), |name| of_node(instance, seen, name))
}

/// A property of a file or folder, as XML, if it has it.
pub(super) fn of_node(instance: &Instance, seen: &Seen, name: &Name) -> Option<String> {
    let node = &seen.node;
    // The roots of other trees than the files have no number, and nothing else of a file.
    let is_root = node.path.len() == 2 && node.path.get(1).is_some_and(|kind| kind != "files");
    if is_root && name.space != DAV {
        return None;
    }
    let live = match name.space.as_str() {
        DAV => of_dav(instance, node, &name.local),
        OC => of_oc(instance, seen, &name.local),
        NC => of_nc(instance, seen, &name.local),
        _ => None,
    };
    live.or_else(|| node.record.dead.get(&(name.space.clone(), name.local.clone())).cloned())
}

fn of_dav(instance: &Instance, node: &Node, local: &str) -> Option<String> {
    let file = !node.is_folder;
    match local {
        "resourcetype" => Some(if node.is_folder { "<d:collection/>".into() } else { String::new() }),
        "getlastmodified" => Some(clock::http_date(node.record.modified)),
        "getetag" => Some(format!("&quot;{}&quot;", node.record.etag)),
        "getcontenttype" => file.then(|| media_type(node.name()).to_owned()),
        "getcontentlength" => file.then(|| node.size.to_string()),
        "displayname" => Some(escaped(display_name(node))),
        "quota-used-bytes" => node.is_folder.then(|| node.size.to_string()),
        "quota-available-bytes" => node.is_folder.then(|| "-3".to_owned()),
        "current-user-principal" => {
            let owner = node.path.first().filter(|owner| instance.accounts().get(owner).is_some())?;
            Some(format!(
                "<d:href>{}/remote.php/dav/principals/users/{}/</d:href>",
                instance.options().root(),
                escaped(owner)
            ))
        }
        _ => None,
    }
}

fn of_oc(instance: &Instance, seen: &Seen, local: &str) -> Option<String> {
    let node = &seen.node;
    let owner = seen.owner();
    match local {
        "fileid" => Some(node.record.id.to_string()),
        "id" => Some(file_id(instance, node.record.id)),
        "permissions" => Some(seen.letters()),
        "size" => Some(node.size.to_string()),
        "favorite" => Some(u8::from(node.record.favorite).to_string()),
        "owner-id" => Some(escaped(owner)),
        "owner-display-name" => instance.accounts().get(owner).map(|account| escaped(&account.display_name)),
        "comments-unread" => Some("0".into()),
        "checksums" => node.record.checksum.as_ref().map(|sum| format!("<oc:checksum>{}</oc:checksum>", escaped(sum))),
        "tags" => Some(String::new()),
        "share-types" => {
            let kinds = instance.shares().kinds(&mounts::real(instance, &node.path).path);
            Some(kinds.iter().map(|kind| format!("<oc:share-type>{kind}</oc:share-type>")).collect())
        }
        _ => None,
    }
}

fn of_nc(instance: &Instance, seen: &Seen, local: &str) -> Option<String> {
    let record = &seen.node.record;
    match local {
        "has-preview" => {
            let kind = media_type(seen.node.name());
            Some((!seen.node.is_folder && (kind.starts_with("text/") || kind.starts_with("image/"))).to_string())
        }
        "share-attributes" => Some("[]".into()),
        "mount-type" => Some(if seen.is_mount(instance) { "shared".into() } else { String::new() }),
        "creation_time" | "upload_time" => (!seen.node.is_folder).then(|| record.created.to_string()),
        "trashbin-filename" => {
            record.origin.as_deref().map(|origin| escaped(origin.rsplit('/').next().unwrap_or(origin)))
        }
        "trashbin-original-location" => record.origin.as_deref().map(escaped),
        "trashbin-deletion-time" => record.deleted.map(|deleted| deleted.to_string()),
        _ => None,
    }
}

fn display_name(node: &Node) -> &str {
    if node.path.len() <= 2 { node.path.first().map_or("", String::as_str) } else { node.name() }
}
