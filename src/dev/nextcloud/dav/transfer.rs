//! MKCOL, DELETE, COPY and MOVE.

use hyper::Uri;

use super::super::address;
use super::super::call::Call;
use super::super::storage::Node;
use super::super::target::Target;
use super::files::{check_conditions, tagged};
use super::place::{Place, Site};
use super::properties::file_id;
use super::propfind::{hidden, missing};
use super::{ALLOW, DavError, DavResult, done, trashbin, uploads};

pub(super) async fn mkcol(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let (path, numbered) = match place {
        Place::Files { owner, path } if *owner == site.uid => (path, true),
        Place::Uploads { owner, path } if *owner == site.uid => (path, false),
        _ => return Err(DavError::forbidden("Permission denied to create directory")),
    };
    if call.instance.storage().node(path).await.is_some() {
        return Err(DavError::new(
            405,
            "Sabre\\DAV\\Exception\\MethodNotAllowed",
            "The resource you tried to create already exists",
        )
        .with("allow", ALLOW));
    }
    if call.instance.storage().node(parent(path)).await.is_none_or(|parent| !parent.is_folder) {
        return Err(DavError::conflict("Parent node does not exist"));
    }
    let record = call.instance.storage().make_folder(path).await?;
    let answer = done(201, site);
    Ok(if numbered { answer.header("oc-fileid", &file_id(&call.instance, record.id)) } else { answer })
}

pub(super) async fn delete(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    match place {
        Place::Files { path, .. } if path.len() > 2 => {
            let node = call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
            check_conditions(call, Some(&node.record))?;
            trashbin::discard(call, node).await?;
        }
        Place::Uploads { path, .. } if path.len() > 2 => {
            call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
            call.instance.storage().remove(path).await?;
        }
        Place::Trash { path, .. } => trashbin::delete(call, path).await?,
        _ => return Err(DavError::forbidden("Permission denied to delete this")),
    }
    Ok(done(204, site))
}

pub(super) async fn copy_or_move(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    let destination = destination(call, site)?;
    match (place, &destination) {
        (Place::Files { path, .. }, Place::Files { owner, path: to }) if *owner == site.uid => {
            between_files(call, site, path, to).await
        }
        (_, Place::Files { owner, path: to }) if *owner != site.uid => {
            let name = to.last().map_or("", String::as_str);
            Err(DavError::forbidden(format!("Permission denied to create file (filename {name})")))
        }
        (Place::Uploads { path, .. }, Place::Files { path: to, .. }) if call.method.as_str() == "MOVE" => {
            uploads::assemble(call, site, path, to).await
        }
        (Place::Trash { path, .. }, Place::Restore { owner })
            if *owner == site.uid && call.method.as_str() == "MOVE" =>
        {
            trashbin::restore(call, path).await?;
            Ok(done(201, site))
        }
        (_, Place::Nothing) => Err(DavError::conflict("The destination node is not found")),
        _ => Err(DavError::forbidden("Permission denied")),
    }
}

async fn between_files(call: &Call, site: &Site, path: &[String], to: &[String]) -> DavResult {
    let node = call.instance.storage().node(path).await.ok_or_else(|| missing(path))?;
    check_conditions(call, Some(&node.record))?;
    if path.len() < 3 || to.len() < 3 {
        return Err(DavError::forbidden("Permission denied"));
    }
    if path == to {
        return Err(DavError::forbidden("Source and destination uri are identical."));
    }
    if to.starts_with(path) {
        return Err(DavError::conflict("The destination may not be part of the same subtree as the source path."));
    }
    if call.instance.storage().node(parent(to)).await.is_none_or(|parent| !parent.is_folder) {
        return Err(DavError::conflict("The destination node is not found"));
    }
    let replaced = make_way(call, to).await?;
    let status = if replaced { 204 } else { 201 };
    if call.method.as_str() == "COPY" {
        call.instance.storage().copy(path, to).await?;
        return Ok(done(status, site).header("oc-fileid", &file_id(&call.instance, moved(call, to).await?.record.id)));
    }
    call.instance.storage().rename(path, to).await?;
    let node = moved(call, to).await?;
    Ok(tagged(done(status, site), &node.record).header("oc-fileid", &file_id(&call.instance, node.record.id)))
}

async fn moved(call: &Call, to: &[String]) -> Result<Node, DavError> {
    call.instance.storage().node(to).await.ok_or_else(|| missing(to))
}

/// Removes what stands at the destination, if `Overwrite` allows it. Whether something stood there.
pub(super) async fn make_way(call: &Call, to: &[String]) -> Result<bool, DavError> {
    if call.instance.storage().node(to).await.is_none() {
        return Ok(false);
    }
    match call.header("overwrite").unwrap_or("T") {
        "T" | "t" => {
            call.instance.storage().remove(to).await?;
            Ok(true)
        }
        "F" | "f" => {
            let text = "The destination node already exists, and the overwrite header is set to false";
            Err(DavError::precondition("Overwrite", text))
        }
        _ => Err(DavError::bad_request("The HTTP Overwrite header should be either T or F")),
    }
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
