//! PROPFIND and PROPPATCH (RFC 4918 §9.1 and §9.2).

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::super::storage::Node;
use super::collections;
use super::place::{Place, Site};
use super::properties::{self, Told};
use super::xml::{DAV, Element, Name, OC};
use super::{DavError, DavResult};

pub(super) async fn propfind(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let deep = call.header("depth").is_none_or(|depth| depth != "0");
    let asked = asked(&call.body().await)?;
    let asked = asked.as_deref();
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return foreign(call, site, place, owner, deep, asked);
    }
    let told = match place {
        Place::Files { path, .. } | Place::Uploads { path, .. } | Place::Trash { path, .. } => {
            let node = call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
            let mut told = vec![tell(call, site, &node, asked)];
            if deep && node.is_folder {
                let children = call.instance.storage().children(path).await;
                told.extend(children.iter().map(|child| tell(call, site, child, asked)));
            }
            told
        }
        Place::Versions { owner, id } => collections::versions(call, site, owner, *id, deep, asked).await?,
        Place::Root | Place::Collection { .. } => collections::tell(call, site, place, deep, asked),
        Place::Restore { .. } | Place::Nothing => return Err(DavError::not_found(&call.path)),
    };
    Ok(answer(&told, site).header("dav", site.capabilities()))
}

/// Another person's tree: its root shows itself, bare, and nothing else.
fn foreign(call: &Call, site: &Site, place: &Place, owner: &str, deep: bool, asked: Option<&[Name]>) -> DavResult {
    let is_root = match place {
        Place::Files { path, .. } | Place::Uploads { path, .. } => path.len() == 2,
        Place::Collection { segments, .. } => segments.last().is_some_and(|last| last == owner),
        _ => false,
    };
    if !is_root || deep || call.instance.accounts().get(owner).is_none() {
        return Err(hidden(place, owner));
    }
    let Place::Files { path, .. } = place else {
        return Err(hidden(place, owner));
    };
    let defaults = properties::defaults();
    let mut told = Told { href: site.href(path, true), found: Vec::new(), missing: Vec::new() };
    for name in asked.unwrap_or(&defaults) {
        if name.is(DAV, "resourcetype") {
            told.found.push((name.clone(), "<d:collection/>".into()));
        } else if asked.is_some() {
            told.missing.push(name.clone());
        }
    }
    Ok(answer(&[told], site).header("dav", site.capabilities()))
}

/// What somebody else's file is: not there.
pub(super) fn hidden(place: &Place, owner: &str) -> DavError {
    let first = match place {
        Place::Files { path, .. } => path.get(2).map_or("", String::as_str),
        _ => "",
    };
    DavError::new(404, "Sabre\\DAV\\Exception\\NotFound", format!("File not found: {first} in '{owner}'"))
}

pub(super) fn missing(path: &[String]) -> DavError {
    DavError::not_found(&format!("/{}", path.get(2..).unwrap_or_default().join("/")))
}

fn answer(told: &[Told], site: &Site) -> Answer {
    super::multistatus(properties::multistatus(told), site).header("vary", "Brief,Prefer")
}

fn tell(call: &Call, site: &Site, node: &Node, asked: Option<&[Name]>) -> Told {
    Told::of(&call.instance, site.href(&node.path, node.is_folder), node, asked)
}

/// The properties asked for; nothing where all that are usual were.
fn asked(body: &[u8]) -> Result<Option<Vec<Name>>, DavError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let root = Element::parse(body).map_err(DavError::bad_request)?;
    Ok(root.child(DAV, "prop").map(|prop| prop.children.iter().map(|child| child.name.clone()).collect()))
}

pub(super) async fn proppatch(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let Place::Files { owner, path } = place else {
        return Err(DavError::forbidden("Permission denied"));
    };
    if *owner != site.uid {
        return Err(hidden(place, owner));
    }
    let mut node = call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
    let root = Element::parse(&call.body().await).map_err(DavError::bad_request)?;
    let mut told = Told { href: site.href(path, node.is_folder), found: Vec::new(), missing: Vec::new() };
    let changes = root.children.iter().filter(|change| change.name.is(DAV, "set") || change.name.is(DAV, "remove"));
    for change in changes {
        let set = change.name.is(DAV, "set");
        for property in change.children.iter().flat_map(|prop| &prop.children) {
            if property.name.is(OC, "favorite") {
                node.record.favorite = set && property.text.trim() != "0";
            } else if property.name.is(DAV, "lastmodified") || property.name.is(DAV, "getlastmodified") {
                node.record.modified = property.text.trim().parse().unwrap_or(node.record.modified);
            }
            // Other properties are taken and forgotten.
            told.found.push((property.name.clone(), String::new()));
        }
    }
    call.instance.storage().set_record(path, &node.record).await?;
    Ok(answer(&[told], site))
}
