//! Calendars, address books and principals: what each method does to a collection, an object, a home.

use super::super::super::answer::Answer;
use super::super::super::clock;
use super::super::call::Call;
use super::super::groupware::{Collection, Key, Kind};
use super::multistatus::Told;
use super::place::Site;
use super::proppatch::{self, Change, changes, is_protected};
use super::transfer::overwrite;
use super::xml::{CAL, CARD, DAV, Element, Name};
use super::{ALLOW, DavError, DavResult, caldav, carddav, conditions, done, dressed, files, pim_properties};

/// A place in the trees of calendars, address books and principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pim {
    Principal {
        owner: String,
    },
    Home {
        owner: String,
        kind: Kind,
    },
    /// `inbox`, `outbox` or `trashbin` of a calendar home.
    Tray {
        owner: String,
        name: String,
    },
    Collection {
        owner: String,
        kind: Kind,
        name: String,
    },
    Object {
        owner: String,
        kind: Kind,
        name: String,
        object: String,
    },
}

// === impl Pim ===

impl Pim {
    pub(super) fn of(names: &[&str]) -> Option<Self> {
        let (kind, owner, rest) = match names {
            ["principals", "users", owner] => return Some(Self::Principal { owner: (*owner).into() }),
            ["calendars", owner, rest @ ..] => (Kind::Calendar, *owner, rest),
            ["addressbooks", "users", owner, rest @ ..] => (Kind::AddressBook, *owner, rest),
            _ => return None,
        };
        let owner = owner.to_owned();
        match (kind, rest) {
            (_, []) => Some(Self::Home { owner, kind }),
            (Kind::Calendar, [name @ ("inbox" | "outbox" | "trashbin")]) => {
                Some(Self::Tray { owner, name: (*name).into() })
            }
            (_, [name]) => Some(Self::Collection { owner, kind, name: (*name).into() }),
            (_, [name, object]) => Some(Self::Object { owner, kind, name: (*name).into(), object: (*object).into() }),
            _ => None,
        }
    }

    pub(super) fn owner(&self) -> &str {
        match self {
            Self::Principal { owner }
            | Self::Home { owner, .. }
            | Self::Tray { owner, .. }
            | Self::Collection { owner, .. }
            | Self::Object { owner, .. } => owner,
        }
    }

    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::Collection { owner, kind, name } | Self::Object { owner, kind, name, .. } => {
                Some((owner.clone(), *kind, name.clone()))
            }
            _ => None,
        }
    }

    pub(super) fn href(&self, site: &Site) -> String {
        let home = |kind: Kind, owner: &'_ str| match kind {
            Kind::Calendar => vec!["calendars".to_owned(), owner.to_owned()],
            Kind::AddressBook => vec!["addressbooks".into(), "users".into(), owner.to_owned()],
        };
        let mut segments = match self {
            Self::Principal { owner } => vec!["principals".into(), "users".into(), owner.clone()],
            Self::Home { owner, kind } | Self::Collection { owner, kind, .. } | Self::Object { owner, kind, .. } => {
                home(*kind, owner)
            }
            Self::Tray { owner, .. } => home(Kind::Calendar, owner),
        };
        match self {
            Self::Collection { name, .. } | Self::Tray { name, .. } => segments.push(name.clone()),
            Self::Object { name, object, .. } => segments.extend([name.clone(), object.clone()]),
            Self::Principal { .. } | Self::Home { .. } => {}
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        site.href_of(&segments, !matches!(self, Self::Object { .. }))
    }

    /// What is there and in it, as far as the person may see it.
    pub(super) fn exists(&self, call: &Call, uid: &str) -> Result<(), DavError> {
        let owner = self.owner();
        let known = call.instance.accounts().get(owner).is_some();
        if !known || (owner != uid && !matches!(self, Self::Principal { .. })) {
            return Err(DavError::no_node(owner));
        }
        let groupware = call.instance.groupware();
        match (self, self.key()) {
            (Self::Object { object, .. }, Some(key)) => {
                groupware.object(&key, object).map(drop).ok_or_else(|| DavError::not_found(object))
            }
            (_, Some(key)) => groupware.read(&key, |_| ()).ok_or_else(|| DavError::no_node(&key.2)),
            _ => Ok(()),
        }
    }

    fn children(&self, call: &Call) -> Vec<Self> {
        let groupware = call.instance.groupware();
        match self {
            Self::Home { owner, kind } => {
                let names = groupware.names(owner, *kind);
                let mut all: Vec<Self> = names
                    .into_iter()
                    .map(|name| Self::Collection { owner: owner.clone(), kind: *kind, name })
                    .collect();
                if *kind == Kind::Calendar {
                    let trays = ["inbox", "outbox", "trashbin"];
                    all.extend(trays.map(|name| Self::Tray { owner: owner.clone(), name: name.into() }));
                }
                all
            }
            Self::Collection { owner, kind, name } => {
                let key = (owner.clone(), *kind, name.clone());
                let objects = groupware.read(&key, |collection| collection.objects.keys().cloned().collect::<Vec<_>>());
                let objects = objects.unwrap_or_default().into_iter();
                let object = |object| Self::Object { owner: owner.clone(), kind: *kind, name: name.clone(), object };
                objects.map(object).collect()
            }
            Self::Principal { .. } | Self::Tray { .. } | Self::Object { .. } => Vec::new(),
        }
    }
}

/// PROPFIND.
pub(super) fn tell(
    call: &Call,
    site: &Site,
    place: &Pim,
    deep: bool,
    asked: Option<&[Name]>,
) -> Result<Vec<Told>, DavError> {
    place.exists(call, &site.uid)?;
    let mut told = vec![pim_properties::tell(call, site, place, asked)];
    if deep {
        told.extend(place.children(call).iter().map(|child| pim_properties::tell(call, site, child, asked)));
    }
    Ok(told)
}

/// MKCALENDAR and extended MKCOL (RFC 5689).
pub(super) fn make(call: &Call, site: &Site, place: &Pim, body: &[u8]) -> DavResult {
    let Pim::Collection { owner, kind, .. } = place else {
        return Err(DavError::forbidden("Permission denied to create collection"));
    };
    if *owner != site.uid {
        return Err(DavError::no_node(owner));
    }
    let root = if body.is_empty() { None } else { Some(Element::parse(body).map_err(DavError::bad_request)?) };
    let changes = root.as_ref().map(changes).unwrap_or_default();
    let is = |space: &str, local: &str| root.as_ref().is_some_and(|root| root.find(space, local).is_some());
    let fits = match kind {
        Kind::Calendar => call.method.as_str() == "MKCALENDAR" || is(CAL, "calendar"),
        Kind::AddressBook => call.method.as_str() == "MKCOL" && is(CARD, "addressbook"),
    };
    if !fits {
        let text = "The resourcetype you specified is not supported here";
        return Err(DavError::new(403, "Sabre\\DAV\\Exception\\InvalidResourceType", text));
    }
    let mut collection = Collection { token: 1, ..Collection::default() };
    if *kind == Kind::Calendar {
        collection.components = vec!["VEVENT".into(), "VTODO".into()];
    }
    for change in changes.iter().filter(|change| !change.property.name.is(DAV, "resourcetype")) {
        set(&mut collection, change);
    }
    let key = place.key().unwrap_or_else(|| (owner.clone(), *kind, String::new()));
    if !call.instance.groupware().add(key, collection) {
        let text = "The resource you tried to create already exists";
        return Err(DavError::new(405, "Sabre\\DAV\\Exception\\MethodNotAllowed", text).with("allow", ALLOW));
    }
    Ok(done(201, site))
}

fn set(collection: &mut Collection, change: &Change<'_>) {
    let name = &change.property.name;
    if name.is(DAV, "displayname") {
        collection.display_name = change.set.then(|| change.property.text.trim().to_owned());
    } else if name.is(CAL, "supported-calendar-component-set") {
        let components = change.property.children.iter().filter_map(|comp| comp.attribute("name"));
        collection.components = components.map(str::to_owned).collect();
    } else {
        let key = (name.space.clone(), name.local.clone());
        if change.set {
            collection.properties.insert(key, change.property.inner());
        } else {
            collection.properties.remove(&key);
        }
    }
}

/// PROPPATCH of a collection.
pub(super) fn patch(call: &Call, site: &Site, place: &Pim, changes: &[Change<'_>]) -> Result<Told, DavError> {
    place.exists(call, &site.uid)?;
    let (Pim::Collection { .. }, Some(key)) = (place, place.key()) else {
        return Ok(proppatch::apply(place.href(site), changes, |_| true));
    };
    let told = proppatch::apply(place.href(site), changes, |change| is_protected(&change.property.name));
    if told.refused.is_empty() {
        call.instance.groupware().change(&key, |collection| {
            changes.iter().for_each(|change| set(collection, change));
            collection.note("");
        });
    }
    Ok(told)
}

pub(super) fn get(call: &Call, site: &Site, place: &Pim) -> DavResult {
    place.exists(call, &site.uid)?;
    let (Pim::Object { object: name, kind, .. }, Some(key)) = (place, place.key()) else {
        return Ok(files::interface(site));
    };
    let object = call.instance.groupware().object(&key, name).ok_or_else(|| DavError::not_found(name))?;
    conditions::check(call, Some(&object.etag))?;
    if call.header("if-none-match").is_some_and(|etags| conditions::names(etags, &object.etag)) {
        return Ok(Answer::new(304)
            .header("content-security-policy", "default-src 'none';")
            .header("etag", &conditions::quoted(&object.etag)));
    }
    let content_type = match kind {
        Kind::Calendar => {
            format!("text/calendar; charset=utf-8; component={}", object.component.to_ascii_lowercase())
        }
        Kind::AddressBook => "text/vcard; charset=utf-8".to_owned(),
    };
    Ok(dressed(Answer::new(200), site)
        .header("content-type", &content_type)
        .header("last-modified", &clock::http_date(object.modified))
        .header("etag", &conditions::quoted(&object.etag))
        .header("oc-etag", &conditions::quoted(&object.etag))
        .header("content-disposition", &files::disposition(name))
        .body(object.data))
}

pub(super) async fn put(call: &mut Call, site: &Site, place: &Pim) -> DavResult {
    let body = call.body().await;
    let (Pim::Object { owner, object: name, kind, .. }, Some(key)) = (place, place.key()) else {
        return Err(DavError::conflict("PUT is not allowed on non-files."));
    };
    if *owner != site.uid {
        return Err(DavError::no_node(owner));
    }
    let groupware = call.instance.groupware();
    let collection = groupware.read(&key, Collection::clone).ok_or_else(|| DavError::no_node(&key.2))?;
    let before = collection.objects.get(name);
    conditions::check(call, before.map(|object| object.etag.as_str()))?;
    if collection.read_only {
        return Err(DavError::forbidden(""));
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    let object = match kind {
        Kind::Calendar => caldav::object(&collection, name, text)?,
        Kind::AddressBook => carddav::object(&collection, name, &text)?,
    };
    let (object, changed) = match kind {
        Kind::Calendar => caldav::schedule(&call.instance, &site.uid, before, object),
        Kind::AddressBook => (object, false),
    };
    let etag = conditions::quoted(&object.etag);
    let status = if before.is_some() { 204 } else { 201 };
    groupware.change(&key, |collection| collection.put(name, object));
    let answer = done(status, site);
    // Of what was changed on the way sabre gives no etag: it would be one of something else than the client has.
    Ok(if changed { answer } else { answer.header("etag", &etag).header("oc-etag", &etag) })
}

pub(super) fn delete(call: &Call, site: &Site, place: &Pim) -> DavResult {
    place.exists(call, &site.uid)?;
    let groupware = call.instance.groupware();
    let Some(key) = place.key() else {
        return Err(DavError::forbidden("Permission denied to delete this"));
    };
    if groupware.read(&key, |collection| collection.read_only) == Some(true) {
        return Err(DavError::forbidden(""));
    }
    if let Pim::Object { object: name, .. } = place {
        let object = groupware.object(&key, name).ok_or_else(|| DavError::not_found(name))?;
        conditions::check(call, Some(&object.etag))?;
        caldav::cancel(&call.instance, &site.uid, &object);
        groupware.change(&key, |collection| collection.take(name));
    } else {
        groupware.remove(&key);
    }
    Ok(done(204, site))
}

/// COPY and MOVE of an object into another collection of the same kind.
pub(super) fn transfer(call: &Call, site: &Site, from: &Pim, to: &Pim) -> DavResult {
    from.exists(call, &site.uid)?;
    let groupware = call.instance.groupware();
    let (Pim::Object { object: name, kind, .. }, Pim::Object { object: new, kind: into, owner, .. }) = (from, to)
    else {
        return Err(DavError::forbidden("Permission denied"));
    };
    let (Some(key), Some(target)) = (from.key(), to.key()) else {
        return Err(DavError::forbidden("Permission denied"));
    };
    let writable = groupware.read(&target, |collection| !collection.read_only);
    if *owner != site.uid || kind != into || writable == Some(false) {
        return Err(DavError::forbidden("Permission denied"));
    }
    writable.ok_or_else(|| DavError::conflict("The destination node is not found"))?;
    let replaced = groupware.object(&target, new).is_some();
    if replaced {
        overwrite(call)?;
    }
    let object = groupware.object(&key, name).ok_or_else(|| DavError::not_found(name))?;
    if call.method.as_str() == "MOVE" {
        groupware.change(&key, |collection| collection.take(name));
    }
    groupware.change(&target, |collection| collection.put(new, object));
    Ok(done(if replaced { 204 } else { 201 }, site))
}
