//! Earlier versions of a file: one for each time it was overwritten. Each can be read, and moved back to be the present one.

use super::super::super::answer::Answer;
use super::super::super::clock;
use super::super::call::Call;
use super::super::storage::{Node, Version};
use super::multistatus::Told;
use super::place::Site;
use super::xml::{DAV, Name};
use super::{DavError, DavResult, collections, done, files, properties};

pub(super) fn tell(
    call: &Call,
    site: &Site,
    owner: &str,
    id: u64,
    time: Option<u64>,
    deep: bool,
    asked: Option<&[Name]>,
) -> Result<Vec<Told>, DavError> {
    let node = find(call, owner, id)?;
    if let Some(time) = time {
        return Ok(vec![one(site, owner, &node, &version(&node, time)?, asked)]);
    }
    let number = id.to_string();
    let mut told = vec![collections::one(call, site, &["versions", owner, "versions", &number], asked)];
    told.extend(node.record.versions.iter().filter(|_| deep).map(|version| one(site, owner, &node, version, asked)));
    Ok(told)
}

fn one(site: &Site, owner: &str, node: &Node, version: &Version, asked: Option<&[Name]>) -> Told {
    let (id, time) = (node.record.id.to_string(), version.time.to_string());
    let href = site.href_of(&["versions", owner, "versions", &id, &time], false);
    Told::of(href, asked, &properties::defaults(), |name| match (name.space.as_str(), name.local.as_str()) {
        (DAV, "getlastmodified") => Some(clock::http_date(version.time)),
        (DAV, "getcontentlength") => Some(version.content.len().to_string()),
        (DAV, "resourcetype") => Some(String::new()),
        (DAV, "getetag") => Some(time.clone()),
        (DAV, "getcontenttype") => Some(properties::media_type(node.name()).to_owned()),
        _ => None,
    })
}

pub(super) fn get(call: &Call, site: &Site, owner: &str, id: u64, time: Option<u64>) -> DavResult {
    let mut node = find(call, owner, id)?;
    let Some(time) = time else {
        return Ok(files::interface(site));
    };
    let version = version(&node, time)?;
    node.record.modified = version.time;
    node.record.etag = version.time.to_string();
    files::send(call, site, &node, &version.content).map(|answer: Answer| answer.without("oc-etag"))
}

/// MOVE to `…/restore/target`: the version becomes the present file, and what was present a version.
pub(super) fn restore(call: &Call, site: &Site, owner: &str, id: u64, time: u64) -> DavResult {
    let node = find(call, owner, id)?;
    let version = version(&node, time)?;
    call.instance.storage().put(&node.path, version.content)?;
    Ok(done(201, site))
}

fn version(node: &Node, time: u64) -> Result<Version, DavError> {
    let found = node.record.versions.iter().find(|version| version.time == time);
    found.cloned().ok_or_else(|| DavError::not_found(&time.to_string()))
}

fn find(call: &Call, owner: &str, id: u64) -> Result<Node, DavError> {
    let home = [owner.to_owned(), "files".to_owned()];
    let node = call.instance.storage().find(&home, id).filter(|node| !node.is_folder);
    node.ok_or_else(|| DavError::not_found(&id.to_string()))
}
