//! PROPFIND (RFC 4918 §9.1).

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::multistatus::{self, Told};
use super::place::{Place, Site};
use super::xml::{DAV, Element, Name};
use super::{DavError, DavResult, collections, mounts, pim, properties, versions};

pub(super) async fn propfind(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let deep = call.header("depth").is_none_or(|depth| depth != "0");
    // For files Nextcloud switches it on; elsewhere it counts as one.
    let endless = call.header("depth").is_some_and(|depth| depth.eq_ignore_ascii_case("infinity"));
    let asked = asked(&call.body().await)?;
    let asked = asked.as_deref();
    if let Place::Pim(place) = place {
        let told = pim::tell(call, site, place, deep, asked);
        // What a PROPFIND puts into its head is there even if it fails.
        let told = told.map_err(|error| error.with("vary", "Brief,Prefer").with("dav", site.family.capabilities()));
        return Ok(answer(&told?, site).header("dav", &site.family.capabilities()));
    }
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return foreign(call, site, place, owner, deep, asked);
    }
    let told = match place {
        Place::Files { path, .. } | Place::Uploads { path, .. } | Place::Trash { path, .. } => {
            let seen = mounts::node(&call.instance, path).ok_or_else(|| missing(path))?;
            let mut told = vec![properties::tell(&call.instance, site, &seen, asked)];
            if deep && seen.node.is_folder {
                let mut children = mounts::children(&call.instance, path);
                let mut next = 0;
                while endless && let Some(child) = children.get(next) {
                    let below = if child.node.is_folder {
                        mounts::children(&call.instance, &child.node.path)
                    } else {
                        Vec::new()
                    };
                    children.extend(below);
                    next += 1;
                }
                told.extend(children.iter().map(|child| properties::tell(&call.instance, site, child, asked)));
            }
            told
        }
        Place::Versions { owner, id, time } => versions::tell(call, site, owner, *id, *time, deep, asked)?,
        Place::Root | Place::Collection { .. } => collections::tell(call, site, place, deep, asked),
        Place::Restore { .. } | Place::RestoreVersion { .. } | Place::Bulk | Place::Nothing | Place::Pim(_) => {
            return Err(DavError::not_found(&call.path));
        }
    };
    Ok(answer(&told, site).header("dav", &site.family.capabilities()))
}

/// Another person's tree: its root shows itself, bare, and nothing else.
fn foreign(call: &Call, site: &Site, place: &Place, owner: &str, deep: bool, asked: Option<&[Name]>) -> DavResult {
    if deep || call.instance.accounts().get(owner).is_none() {
        return Err(hidden(place, owner));
    }
    let Place::Files { path, .. } = place else {
        return Err(hidden(place, owner));
    };
    if path.len() != 2 {
        return Err(hidden(place, owner));
    }
    let told = Told::of(site.href(path, true), asked, &properties::defaults(), |name| {
        name.is(DAV, "resourcetype").then(|| "<d:collection/>".to_owned())
    });
    Ok(answer(&[told], site).header("dav", &site.family.capabilities()))
}

/// What somebody else's file is: not there.
pub(super) fn hidden(place: &Place, owner: &str) -> DavError {
    let first = match place {
        Place::Files { path, .. } => path.get(2).map_or("", String::as_str),
        Place::Pim(_) => return DavError::no_node(owner),
        _ => "",
    };
    DavError::new(404, "Sabre\\DAV\\Exception\\NotFound", format!("File not found: {first} in '{owner}'"))
}

pub(super) fn missing(path: &[String]) -> DavError {
    DavError::not_found(&format!("/{}", path.get(2..).unwrap_or_default().join("/")))
}

pub(super) fn answer(told: &[Told], site: &Site) -> Answer {
    super::multistatus(multistatus::body(told, site.family), site).header("vary", "Brief,Prefer")
}

/// The properties asked for; nothing where all that are usual were.
fn asked(body: &[u8]) -> Result<Option<Vec<Name>>, DavError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let root = Element::parse(body).map_err(DavError::bad_request)?;
    Ok(root.child(DAV, "prop").map(|_| root.asked()))
}
