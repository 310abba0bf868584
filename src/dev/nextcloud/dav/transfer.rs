//! MKCOL, DELETE, COPY and MOVE.

use hyper::Uri;

use super::super::address;
use super::super::call::Call;
use super::super::shares::{CREATE, DELETE};
use super::super::target::Target;
use super::files::tagged;
use super::place::{Place, Site};
use super::properties::file_id;
use super::propfind::{hidden, missing};
use super::{ALLOW, DavError, DavResult, conditions, done, mounts, pim, trashbin, uploads, versions};

pub(super) async fn mkcol(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let body = call.body().await;
    let (path, numbered) = match place {
        Place::Files { owner, path } if *owner == site.uid => (path, true),
        Place::Uploads { owner, path } if *owner == site.uid => (path, false),
        Place::Pim(place) => return pim::make(call, site, place, &body),
        _ => return Err(DavError::forbidden("Permission denied to create directory")),
    };
    if !body.is_empty() && !call.header("content-type").is_some_and(|kind| kind.contains("/xml")) {
        let text = "The request body for the MKCOL request must have an xml Content-Type";
        return Err(DavError::new(415, "Sabre\\DAV\\Exception\\UnsupportedMediaType", text));
    }
    let spot = mounts::real(&call.instance, path);
    if call.instance.storage().node(&spot.path).is_some() {
        return Err(DavError::new(
            405,
            "Sabre\\DAV\\Exception\\MethodNotAllowed",
            "The resource you tried to create already exists",
        )
        .with("allow", ALLOW));
    }
    if !call.instance.storage().has_folder(parent(&spot.path)) {
        return Err(DavError::conflict("Parent node does not exist"));
    }
    if !spot.allows(CREATE) {
        return Err(DavError::forbidden(""));
    }
    let record = call.instance.storage().make_folder(&spot.path)?;
    let answer = done(201, site);
    Ok(if numbered { answer.header("oc-fileid", &file_id(&call.instance, record.id)) } else { answer })
}

pub(super) fn delete(call: &Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    match place {
        Place::Files { path, .. } if path.len() > 2 => {
            let spot = mounts::real(&call.instance, path);
            let node = call.instance.storage().node(&spot.path).ok_or_else(|| missing(path))?;
            conditions::check(call, Some(&node.record.etag))?;
            match &spot.share {
                // Deleting what was shared only takes it out of one's own files.
                Some(share) if spot.is_mount => drop(call.instance.shares().remove(share.id)),
                _ if !spot.allows(DELETE) => return Err(DavError::forbidden("")),
                _ => trashbin::discard(call, &site.uid, node)?,
            }
        }
        Place::Uploads { path, .. } if path.len() > 2 => {
            call.instance.storage().remove(path).map_err(|_| missing(path))?;
        }
        Place::Trash { path, .. } => trashbin::delete(call, path)?,
        Place::Pim(place) => return pim::delete(call, site, place),
        _ => return Err(DavError::forbidden("Permission denied to delete this")),
    }
    Ok(done(204, site))
}

pub(super) fn copy_or_move(call: &Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    let destination = destination(call, site)?;
    let moving = call.method.as_str() == "MOVE";
    match (place, &destination) {
        (Place::Files { path, .. }, Place::Files { owner, path: to }) if *owner == site.uid => {
            between_files(call, site, path, to)
        }
        (_, Place::Files { owner, path: to }) if *owner != site.uid => {
            let name = to.last().map_or("", String::as_str);
            Err(DavError::forbidden(format!("Permission denied to create file (filename {name})")))
        }
        (Place::Uploads { path, .. }, Place::Files { path: to, .. }) if moving => {
            uploads::assemble(call, site, path, to)
        }
        (Place::Trash { path, .. }, Place::Restore { owner }) if *owner == site.uid && moving => {
            trashbin::restore(call, path)?;
            Ok(done(201, site))
        }
        (Place::Versions { owner, id, time: Some(time) }, Place::RestoreVersion { owner: to })
            if owner == to && moving =>
        {
            versions::restore(call, site, owner, *id, *time)
        }
        (Place::Pim(from), Place::Pim(to)) => pim::transfer(call, site, from, to),
        (_, Place::Nothing) => Err(DavError::conflict("The destination node is not found")),
        _ => Err(DavError::forbidden("Permission denied")),
    }
}

fn between_files(call: &Call, site: &Site, path: &[String], to: &[String]) -> DavResult {
    let (from, spot) = (mounts::real(&call.instance, path), mounts::real(&call.instance, to));
    let node = call.instance.storage().node(&from.path).ok_or_else(|| missing(path))?;
    conditions::check(call, Some(&node.record.etag))?;
    if path.len() < 3 || to.len() < 3 {
        return Err(DavError::forbidden("Permission denied"));
    }
    if path == to {
        return Err(DavError::forbidden("Source and destination uri are identical."));
    }
    if spot.path.starts_with(&from.path) {
        return Err(DavError::conflict("The destination may not be part of the same subtree as the source path."));
    }
    if !call.instance.storage().has_folder(parent(&spot.path)) {
        return Err(DavError::conflict("The destination node is not found"));
    }
    let moving = call.method.as_str() == "MOVE";
    if !spot.allows(CREATE) || spot.is_mount || (moving && !from.is_mount && !from.allows(DELETE)) {
        return Err(DavError::forbidden(""));
    }
    let replaced = way(call, &spot.path)?;
    let status = if replaced { 204 } else { 201 };
    if !moving {
        let shallow = call.header("depth") == Some("0");
        call.instance.storage().copy(&from.path, &spot.path, shallow)?;
        let node = call.instance.storage().node(&spot.path).ok_or_else(|| missing(to))?;
        return Ok(done(status, site).header("oc-fileid", &file_id(&call.instance, node.record.id)));
    }
    match &from.share {
        // What was shared gets another name, for its receiver alone.
        Some(share) if from.is_mount && to.len() == 3 => {
            let name = to.last().cloned().unwrap_or_default();
            call.instance.shares().change(share.id, |share| share.target = name);
        }
        Some(_) if from.is_mount => return Err(DavError::forbidden("")),
        _ => {
            call.instance.storage().rename(&from.path, &spot.path)?;
            call.instance.shares().moved(&from.path, &spot.path);
        }
    }
    let node = mounts::node(&call.instance, to).ok_or_else(|| missing(to))?.node;
    Ok(tagged(done(status, site), &node.record).header("oc-fileid", &file_id(&call.instance, node.record.id)))
}

/// Whether something stands at the destination, which `Overwrite` has to allow.
pub(super) fn occupied(call: &Call, to: &[String]) -> Result<bool, DavError> {
    if call.instance.storage().node(to).is_none() {
        return Ok(false);
    }
    overwrite(call).map(|()| true)
}

/// `Overwrite: F` keeps what is there (RFC 4918 §10.6).
pub(super) fn overwrite(call: &Call) -> Result<(), DavError> {
    match call.header("overwrite").unwrap_or("T") {
        "T" | "t" => Ok(()),
        "F" | "f" => {
            let text = "The destination node already exists, and the overwrite header is set to false";
            Err(DavError::precondition("Overwrite", text))
        }
        _ => Err(DavError::bad_request("The HTTP Overwrite header should be either T or F")),
    }
}

/// Removes what stands at the destination, if `Overwrite` allows it. Whether something stood there.
fn way(call: &Call, to: &[String]) -> Result<bool, DavError> {
    let occupied = occupied(call, to)?;
    if occupied {
        call.instance.storage().remove(to)?;
    }
    Ok(occupied)
}

/// Where `Destination` points: a path, or a URL of which only the path counts.
fn destination(call: &Call, site: &Site) -> Result<Place, DavError> {
    let value =
        call.header("destination").ok_or_else(|| DavError::bad_request("The destination header was not supplied"))?;
    let path = value.parse::<Uri>().map(|uri| uri.path().to_owned());
    let path = path.map_err(|_| DavError::bad_request("The destination header is malformed"))?;
    let folded = address::below(&site.root, &path).map(Target::fold);
    let Some(Target::Dav(target)) = folded else {
        let text = format!("Requested uri ({path}) is out of base uri ({}/)", site.base);
        return Err(DavError::forbidden(text));
    };
    let target = target.of_user(&site.uid);
    Ok(target.segments.as_deref().map_or(Place::Nothing, Place::of))
}

pub(super) fn parent(path: &[String]) -> &[String] {
    path.split_last().map_or(path, |(_, parent)| parent)
}
