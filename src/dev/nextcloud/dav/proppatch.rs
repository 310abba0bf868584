//! PROPPATCH (RFC 4918 §9.2): live properties that can be set, dead ones that are kept, and protected ones that fail all.

use super::super::call::Call;
use super::super::storage::Record;
use super::multistatus::Told;
use super::place::{Place, Site};
use super::propfind::{answer, hidden, missing};
use super::xml::{DAV, Element, Name, OC};
use super::{DavError, DavResult, mounts, pim};

/// One change: a property to be set to some XML, or to be removed.
pub(super) struct Change<'a> {
    pub property: &'a Element,
    pub set: bool,
}

/// All changes of a PROPPATCH, MKCOL or MKCALENDAR, in their order.
pub(super) fn changes(root: &Element) -> Vec<Change<'_>> {
    let blocks = root.children.iter().filter(|block| block.name.is(DAV, "set") || block.name.is(DAV, "remove"));
    let each = blocks.flat_map(|block| {
        let set = block.name.is(DAV, "set");
        let properties = block.children.iter().flat_map(|prop| &prop.children);
        properties.map(move |property| Change { property, set })
    });
    each.collect()
}

pub(super) async fn proppatch(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    if let Some(owner) = place.owner().filter(|owner| *owner != site.uid) {
        return Err(hidden(place, owner));
    }
    let root = Element::parse(&call.body().await).map_err(DavError::bad_request)?;
    let path = match place {
        Place::Files { path, .. } => path,
        Place::Pim(place) => {
            let told = pim::patch(call, site, place, &changes(&root))?;
            return Ok(answer(&[told], site));
        }
        _ => return Err(DavError::forbidden("Permission denied")),
    };
    let spot = mounts::real(&call.instance, path);
    let mut node = call.instance.storage().node(&spot.path).ok_or_else(|| missing(path))?;
    let told = apply(site.href(path, node.is_folder), &changes(&root), |change| {
        is_protected(&change.property.name) || !set(&mut node.record, change)
    });
    if told.refused.is_empty() {
        call.instance.storage().set_record(&spot.path, &node.record)?;
    }
    Ok(answer(&[told], site))
}

/// All changes or none: where one is refused (`refuses` says so), the others failed with it.
pub(super) fn apply(href: String, changes: &[Change<'_>], mut refuses: impl FnMut(&Change<'_>) -> bool) -> Told {
    let mut told = Told::at(href);
    for change in changes {
        let name = change.property.name.clone();
        if refuses(change) { told.refused.push((name, 403)) } else { told.found.push((name, String::new())) }
    }
    if !told.refused.is_empty() {
        let failed = std::mem::take(&mut told.found);
        told.refused.extend(failed.into_iter().map(|(name, _)| (name, 424)));
    }
    told
}

/// Whether the property could be changed.
fn set(record: &mut Record, change: &Change<'_>) -> bool {
    let property = change.property;
    if property.name.is(OC, "favorite") {
        record.favorite = change.set && property.text.trim() != "0";
    } else if property.name.is(DAV, "lastmodified") || property.name.is(DAV, "getlastmodified") {
        let seconds = property.text.trim().parse().ok();
        let time = seconds.or_else(|| {
            let time = httpdate::parse_http_date(property.text.trim()).ok()?;
            time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
        });
        let Some(time) = time else { return false };
        record.modified = time;
    } else {
        let key = (property.name.space.clone(), property.name.local.clone());
        if change.set {
            record.dead.insert(key, property.inner());
        } else {
            record.dead.remove(&key);
        }
    }
    true
}

/// sabre's protected properties, and those that Nextcloud computes.
pub(super) fn is_protected(name: &Name) -> bool {
    const OF_DAV: [&str; 18] = [
        "getcontentlength",
        "getetag",
        "lockdiscovery",
        "supportedlock",
        "quota-available-bytes",
        "quota-used-bytes",
        "supported-privilege-set",
        "current-user-privilege-set",
        "acl",
        "acl-restrictions",
        "inherited-acl-set",
        "principal-collection-set",
        "supported-method-set",
        "supported-report-set",
        "sync-token",
        "current-user-principal",
        "resourcetype",
        "owner",
    ];
    const OF_OC: [&str; 8] =
        ["id", "fileid", "permissions", "size", "downloadURL", "owner-id", "owner-display-name", "checksums"];
    (name.space == DAV && OF_DAV.contains(&name.local.as_str()))
        || (name.space == OC && OF_OC.contains(&name.local.as_str()))
}
