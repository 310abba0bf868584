//! Collections that are not files: the root, principals, calendars and address books (each with the little that shows whose
//! it is), and the versions of a file.

use super::super::super::clock;
use super::super::call::Call;
use super::super::storage::Node;
use super::DavError;
use super::place::{Place, Site};
use super::properties::{self, Told};
use super::xml::{DAV, Name, escaped};

/// What is said about a collection, and about the collections in it if `deep`.
pub(super) fn tell(call: &Call, site: &Site, place: &Place, deep: bool, asked: Option<&[Name]>) -> Vec<Told> {
    let segments: Vec<&str> = match place {
        Place::Collection { segments, .. } => segments.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let mut told = vec![one(call, site, &segments, asked)];
    if deep {
        for child in children(&segments, &site.uid) {
            let below: Vec<&str> = segments.iter().copied().chain([child]).collect();
            told.push(one(call, site, &below, asked));
        }
    }
    told
}

fn children<'a>(segments: &[&str], uid: &'a str) -> Vec<&'a str> {
    match segments {
        [] => vec!["principals", "calendars", "addressbooks", "files", "uploads", "trashbin", "versions"],
        ["calendars", _] => vec!["personal", "inbox", "outbox"],
        ["addressbooks", "users", _] => vec!["contacts"],
        ["addressbooks" | "principals"] => vec!["users"],
        ["calendars" | "files" | "uploads" | "trashbin" | "versions"] | ["principals" | "addressbooks", "users"] => {
            vec![uid]
        }
        _ => Vec::new(),
    }
}

fn one(call: &Call, site: &Site, segments: &[&str], asked: Option<&[Name]>) -> Told {
    let uid = &site.uid;
    let defaults = properties::defaults();
    let mut told = Told { href: site.href_of(segments, true), found: Vec::new(), missing: Vec::new() };
    for name in asked.unwrap_or(&defaults) {
        let value = match (name.space.as_str(), name.local.as_str()) {
            (DAV, "resourcetype") => Some(kind(segments)),
            (DAV, "displayname") => match segments {
                ["calendars", _, "personal"] => Some("Personal".to_owned()),
                ["addressbooks", "users", _, "contacts"] => Some("Contacts".to_owned()),
                ["principals", "users", _] => {
                    call.instance.accounts().get(&site.uid).map(|account| escaped(&account.display_name))
                }
                _ => None,
            },
            (DAV, "owner") if segments.len() > 1 => Some(site.principal(uid)),
            (DAV, "current-user-principal") => Some(site.principal(uid)),
            _ => None,
        };
        match value {
            Some(value) => told.found.push((name.clone(), value)),
            None if asked.is_some() => told.missing.push(name.clone()),
            None => {}
        }
    }
    told
}

fn kind(segments: &[&str]) -> String {
    let special = match segments {
        ["calendars", _, "personal"] => "<cal:calendar xmlns:cal=\"urn:ietf:params:xml:ns:caldav\"/>",
        ["addressbooks", "users", _, "contacts"] => "<card:addressbook xmlns:card=\"urn:ietf:params:xml:ns:carddav\"/>",
        ["principals", "users", _] => "<d:principal/>",
        _ => "",
    };
    format!("<d:collection/>{special}")
}

/// The earlier versions of a file: one for each time it was overwritten.
pub(super) async fn versions(
    call: &Call,
    site: &Site,
    owner: &str,
    id: u64,
    deep: bool,
    asked: Option<&[Name]>,
) -> Result<Vec<Told>, DavError> {
    let node = find(call, owner, id).await.ok_or_else(|| DavError::not_found(&id.to_string()))?;
    let id = id.to_string();
    let folder = ["versions", owner, "versions", id.as_str()];
    let mut told = vec![one(call, site, &folder, asked)];
    for (time, size) in node.record.versions.iter().filter(|_| deep) {
        let time_name = time.to_string();
        let href = site.href_of(&["versions", owner, "versions", &id, &time_name], false);
        let mut version = Told { href, found: Vec::new(), missing: Vec::new() };
        let defaults = properties::defaults();
        for name in asked.unwrap_or(&defaults) {
            let value = match (name.space.as_str(), name.local.as_str()) {
                (DAV, "getlastmodified") => Some(clock::http_date(*time)),
                (DAV, "getcontentlength") => Some(size.to_string()),
                (DAV, "resourcetype") => Some(String::new()),
                (DAV, "getetag") => Some(time_name.clone()),
                (DAV, "getcontenttype") => Some(properties::media_type(node.name()).to_owned()),
                _ => None,
            };
            match value {
                Some(value) => version.found.push((name.clone(), value)),
                None if asked.is_some() => version.missing.push(name.clone()),
                None => {}
            }
        }
        told.push(version);
    }
    Ok(told)
}

/// The file of a number.
pub(super) async fn find(call: &Call, owner: &str, id: u64) -> Option<Node> {
    let home = [owner.to_owned(), "files".to_owned()];
    call.instance.storage().descendants(&home).await.into_iter().find(|node| node.record.id == id)
}
