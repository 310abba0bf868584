//! REPORT (RFC 3253 §3.6): favourites, the queries of calendars and address books, multiget, and sync-collection.

use super::super::super::answer::Answer;
use super::super::address;
use super::super::call::Call;
use super::super::groupware::{Key, Kind, Object};
use super::super::target::Target;
use super::mounts::{self, Seen};
use super::multistatus::{self, Told};
use super::pim::Pim;
use super::place::{Place, Site};
use super::propfind::{answer, hidden, missing};
use super::xml::{CAL, CARD, DAV, Element, Name, OC};
use super::{DavError, DavResult, caldav, carddav, collections, dressed, pim_properties, properties};

pub(super) async fn report(call: &mut Call, site: &Site, place: &Place) -> DavResult {
    let root = Element::parse(&call.body().await).map_err(DavError::bad_request)?;
    let foreign =
        place.owner().filter(|owner| *owner != site.uid && !matches!(place, Place::Pim(Pim::Principal { .. })));
    if let Some(owner) = foreign {
        return Err(hidden(place, owner));
    }
    let key = match place {
        Place::Pim(place) => {
            place.exists(call, &site.uid)?;
            place.key()
        }
        _ => None,
    };
    match (root.name.space.as_str(), root.name.local.as_str(), place) {
        (OC, "filter-files", Place::Files { path, .. }) => favorites(call, site, path, &root),
        // The hazard: these two look neither at where they are asked nor at where their `href`s lead.
        (CAL, "calendar-multiget", _) | (CARD, "addressbook-multiget", _) => Ok(multiget(call, site, &root)),
        (CAL, "calendar-query", Place::Pim(Pim::Collection { kind: Kind::Calendar, .. })) => {
            let filter = root.child(CAL, "filter").ok_or_else(|| {
                DavError::bad_request("The {urn:ietf:params:xml:ns:caldav}filter element is required for this request")
            })?;
            Ok(query(call, site, place, &root, |object| caldav::matches(object, filter)))
        }
        (CARD, "addressbook-query", Place::Pim(Pim::Collection { kind: Kind::AddressBook, .. })) => {
            let filter = root.child(CARD, "filter");
            Ok(query(call, site, place, &root, |object| filter.is_none_or(|filter| carddav::matches(object, filter))))
        }
        (CAL, "free-busy-query", Place::Pim(Pim::Collection { kind: Kind::Calendar, .. })) => {
            Ok(busy(call, site, key, &root))
        }
        (DAV, "sync-collection", Place::Pim(place)) if key.is_some() => sync(call, site, place, &root),
        (DAV, "principal-property-search", _) => Ok(principals(call, site, &root)),
        _ => Err(unsupported(&root.name)),
    }
}

fn unsupported(name: &Name) -> DavError {
    let text = format!("The {{{}}}{} REPORT is not supported on this url", name.space, name.local);
    DavError::new(415, "Sabre\\DAV\\Exception\\ReportNotSupported", text)
}

fn favorites(call: &Call, site: &Site, path: &[String], root: &Element) -> DavResult {
    call.instance.storage().node(path).ok_or_else(|| missing(path))?;
    let rules = root.child(OC, "filter-rules");
    let favorite =
        rules.and_then(|rules| rules.child(OC, "favorite")).is_some_and(|favorite| favorite.text.trim() == "1");
    if !favorite {
        return Err(DavError::bad_request("Missing filter-rule block in request"));
    }
    let asked = root.asked();
    let nodes = call.instance.storage().descendants(path).into_iter().filter(|node| node.record.favorite);
    let told: Vec<Told> =
        nodes.map(|node| properties::tell(&call.instance, site, &Seen::own(node), Some(&asked))).collect();
    Ok(super::multistatus(multistatus::body(&told, site.family), site))
}

fn multiget(call: &Call, site: &Site, root: &Element) -> Answer {
    let asked = root.asked();
    let hrefs = root.children.iter().filter(|child| child.name.is(DAV, "href")).map(|href| href.text.trim());
    let told: Vec<Told> = hrefs.map(|href| one(call, site, href, root, &asked)).collect();
    answer(&told, site)
}

/// Whatever an `href` leads to, in whatever tree, if the person may read it.
fn one(call: &Call, site: &Site, href: &str, root: &Element, asked: &[Name]) -> Told {
    let gone = || Told::gone(href.to_owned());
    let path = href.parse::<hyper::Uri>().map(|uri| uri.path().to_owned()).unwrap_or_else(|_| href.to_owned());
    let Some(Target::Dav(target)) = address::below(&site.root, &path).map(Target::fold) else {
        return gone();
    };
    let segments = target.of_user(&site.uid).segments;
    match segments.as_deref().map_or(Place::Nothing, Place::of) {
        Place::Pim(place) if place.exists(call, &site.uid).is_ok() => pim(call, site, &place, root, asked),
        Place::Files { owner, path } if owner == site.uid => match mounts::node(&call.instance, &path) {
            Some(seen) => properties::tell(&call.instance, site, &seen, Some(asked)),
            None => gone(),
        },
        place @ (Place::Root | Place::Collection { .. }) if place.owner().is_none_or(|owner| owner == site.uid) => {
            collections::tell(call, site, &place, false, Some(asked)).swap_remove(0)
        }
        _ => gone(),
    }
}

/// An object with its data as the request wants it.
fn pim(call: &Call, site: &Site, place: &Pim, root: &Element, asked: &[Name]) -> Told {
    let object = match (place, place.key()) {
        (Pim::Object { object, kind: Kind::Calendar, .. }, Some(key)) => call.instance.groupware().object(&key, object),
        _ => None,
    };
    Told::of(place.href(site), Some(asked), &[], |name| match &object {
        Some(object) if name.is(CAL, "calendar-data") => Some(caldav::data(object, root)),
        _ => pim_properties::of_place(call, site, place, name),
    })
}

fn query(call: &Call, site: &Site, place: &Place, root: &Element, matches: impl Fn(&Object) -> bool) -> Answer {
    let Place::Pim(Pim::Collection { owner, kind, name }) = place else {
        return answer(&[], site);
    };
    let asked = root.asked();
    let limit = root.find(CARD, "nresults").and_then(|limit| limit.text.trim().parse().ok()).unwrap_or(usize::MAX);
    let key = (owner.clone(), *kind, name.clone());
    let found = call.instance.groupware().read(&key, |collection| {
        let matching = collection.objects.iter().filter(|(_, object)| matches(object));
        matching.map(|(name, _)| name.clone()).take(limit).collect::<Vec<_>>()
    });
    let object = |object| Pim::Object { owner: owner.clone(), kind: *kind, name: name.clone(), object };
    let told: Vec<Told> =
        found.unwrap_or_default().into_iter().map(|found| pim(call, site, &object(found), root, &asked)).collect();
    answer(&told, site)
}

/// RFC 4791 §7.10: not a multistatus but a calendar.
fn busy(call: &Call, site: &Site, key: Option<Key>, root: &Element) -> Answer {
    let objects = key.and_then(|key| {
        call.instance.groupware().read(&key, |found| found.objects.values().cloned().collect::<Vec<_>>())
    });
    dressed(Answer::new(200), site)
        .header("content-type", "text/calendar")
        .body(caldav::busy(&objects.unwrap_or_default(), root))
}

/// RFC 6578: what changed since a token; all there is without one.
fn sync(call: &Call, site: &Site, place: &Pim, root: &Element) -> DavResult {
    let (Pim::Collection { owner, kind, name }, Some(key)) = (place, place.key()) else {
        return Err(unsupported(&root.name));
    };
    let token = root.child(DAV, "sync-token").map(|token| token.text.trim()).unwrap_or_default();
    let since = match token {
        "" => None,
        token => match token.strip_prefix("http://sabre.io/ns/sync/").and_then(|number| number.parse::<u64>().ok()) {
            Some(number) => Some(number),
            None => return Err(invalid_token()),
        },
    };
    let limit = root.find(DAV, "nresults").and_then(|limit| limit.text.trim().parse().ok()).unwrap_or(usize::MAX);
    let asked = root.asked();
    let (names, now, token) = call
        .instance
        .groupware()
        .read(&key, |collection| {
            let names: std::collections::BTreeSet<String> = match since {
                None => collection.objects.keys().cloned().collect(),
                Some(since) => {
                    let changes = collection.changes.iter().filter(|change| change.token > since);
                    changes.map(|change| change.name.clone()).filter(|name| !name.is_empty()).collect()
                }
            };
            (names, collection.token, collection.sync_token())
        })
        .ok_or_else(|| DavError::no_node(name))?;
    if since.is_some_and(|since| since > now) {
        return Err(invalid_token());
    }
    let told: Vec<Told> = names
        .into_iter()
        .take(limit)
        .map(|object| {
            let object = Pim::Object { owner: owner.clone(), kind: *kind, name: name.clone(), object };
            if object.exists(call, &site.uid).is_ok() {
                pim(call, site, &object, root, &asked)
            } else {
                Told::gone(object.href(site))
            }
        })
        .collect();
    Ok(super::multistatus(multistatus::with_token(&told, site.family, &token), site))
}

fn invalid_token() -> DavError {
    DavError::new(403, "Sabre\\DAV\\Exception\\InvalidSyncToken", "Invalid or unknown sync token")
}

/// RFC 3744 §9.4, over names and addresses: how clients find people to invite.
fn principals(call: &Call, site: &Site, root: &Element) -> Answer {
    let asked = root.asked();
    let wanted: Vec<String> =
        root.children.iter().filter_map(|part| part.child(DAV, "match")).map(|text| text.text.to_lowercase()).collect();
    let accounts = call.instance.accounts().all().into_iter().filter(|account| {
        wanted.iter().all(|wanted| {
            account.display_name.to_lowercase().contains(wanted) || account.email.to_lowercase().contains(wanted)
        })
    });
    let told: Vec<Told> = accounts
        .map(|account| pim_properties::tell(call, site, &Pim::Principal { owner: account.uid }, Some(&asked)))
        .collect();
    answer(&told, site)
}
