//! The properties of files and folders, and the multistatus that tells them.

use super::super::super::clock;
use super::super::instance::Instance;
use super::super::storage::Node;
use super::xml::{DAV, NC, Name, OC, escaped};

const HEAD: &str = "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\" \
xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\">";

/// One `response` of a multistatus.
pub(super) struct Told {
    pub href: String,
    /// Properties with their value in XML.
    pub found: Vec<(Name, String)>,
    pub missing: Vec<Name>,
}

/// The whole body.
pub(super) fn multistatus(all: &[Told]) -> String {
    let responses: String = all.iter().map(Told::render).collect();
    format!("{HEAD}{responses}</d:multistatus>\n")
}

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
pub(super) fn media_type(name: &str) -> &'static str {
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

/// A property of a file or folder, as XML, if it has it.
pub(super) fn of_node(instance: &Instance, node: &Node, name: &Name) -> Option<String> {
    match name.space.as_str() {
        DAV => of_dav(instance, node, &name.local),
        OC => of_oc(instance, node, &name.local),
        NC => of_nc(node, &name.local),
        _ => None,
    }
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

fn of_oc(instance: &Instance, node: &Node, local: &str) -> Option<String> {
    let owner = node.path.first().map(String::as_str).unwrap_or_default();
    match local {
        "fileid" => Some(node.record.id.to_string()),
        "id" => Some(file_id(instance, node.record.id)),
        "permissions" => Some(permissions(node).to_owned()),
        "size" => Some(node.size.to_string()),
        "favorite" => Some(u8::from(node.record.favorite).to_string()),
        "owner-id" => Some(escaped(owner)),
        "owner-display-name" => instance.accounts().get(owner).map(|account| escaped(&account.display_name)),
        "comments-unread" => Some("0".into()),
        "tags" | "share-types" => Some(String::new()),
        _ => None,
    }
}

fn of_nc(node: &Node, local: &str) -> Option<String> {
    match local {
        "has-preview" => {
            let kind = media_type(node.name());
            Some((!node.is_folder && (kind.starts_with("text/") || kind.starts_with("image/"))).to_string())
        }
        "share-attributes" => Some("[]".into()),
        "mount-type" => Some(String::new()),
        "trashbin-filename" => {
            node.record.origin.as_deref().map(|origin| escaped(origin.rsplit('/').next().unwrap_or(origin)))
        }
        "trashbin-original-location" => node.record.origin.as_deref().map(escaped),
        "trashbin-deletion-time" => node.record.deleted.map(|deleted| deleted.to_string()),
        _ => None,
    }
}

fn permissions(node: &Node) -> &'static str {
    match (node.is_folder, node.path.len()) {
        (true, ..=2) => "GDNVCK",
        (true, _) => "RGDNVCK",
        (false, _) => "RGDNVW",
    }
}

fn display_name(node: &Node) -> &str {
    if node.path.len() <= 2 { node.path.first().map_or("", String::as_str) } else { node.name() }
}

// === impl Told ===

impl Told {
    /// What a file or folder says when it is asked for `names`. Without names asked for, what is missing is not told.
    pub(super) fn of(instance: &Instance, href: String, node: &Node, asked: Option<&[Name]>) -> Self {
        let defaults = defaults();
        let mut told = Self { href, found: Vec::new(), missing: Vec::new() };
        for name in asked.unwrap_or(&defaults) {
            match of_node(instance, node, name) {
                Some(value) => told.found.push((name.clone(), value)),
                None if asked.is_some() => told.missing.push(name.clone()),
                None => {}
            }
        }
        told
    }

    fn render(&self) -> String {
        let found: String = self.found.iter().map(|(name, value)| written(name, value)).collect();
        let missing: String = self.missing.iter().map(|name| written(name, "")).collect();
        let mut parts = String::new();
        if !found.is_empty() || missing.is_empty() {
            parts.push_str(&propstat(&found, "200 OK"));
        }
        if !missing.is_empty() {
            parts.push_str(&propstat(&missing, "404 Not Found"));
        }
        format!("<d:response><d:href>{}</d:href>{parts}</d:response>", escaped(&self.href))
    }
}

fn propstat(properties: &str, status: &str) -> String {
    let properties =
        if properties.is_empty() { "<d:prop/>".to_owned() } else { format!("<d:prop>{properties}</d:prop>") };
    format!("<d:propstat>{properties}<d:status>HTTP/1.1 {status}</d:status></d:propstat>")
}

fn written(name: &Name, value: &str) -> String {
    let (tag, declared) = name.tag();
    if value.is_empty() { format!("<{tag}{declared}/>") } else { format!("<{tag}{declared}>{value}</{tag}>") }
}
