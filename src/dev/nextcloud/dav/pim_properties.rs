//! The properties of calendars, address books, their objects, and principals.

use super::super::super::clock;
use super::super::call::Call;
use super::super::groupware::{Collection, Kind, Object};
use super::multistatus::Told;
use super::pim::Pim;
use super::place::Site;
use super::properties;
use super::xml::{APPLE, CAL, CARD, CS, DAV, Name, OC, escaped};

const READ: [&str; 3] = ["d:read", "d:read-acl", "d:read-current-user-privilege-set"];
const WRITE: [&str; 7] =
    ["d:write", "d:write-properties", "d:write-content", "d:unlock", "d:bind", "d:unbind", "d:write-acl"];

/// What a place says when it is asked for `names`.
pub(super) fn tell(call: &Call, site: &Site, place: &Pim, asked: Option<&[Name]>) -> Told {
    let usual = match place {
        // The one book that an app makes up tells more than others.
        Pim::Collection { name, .. } if name.starts_with("z-app-generated") => app_generated(),
        Pim::Object { .. } => properties::defaults(),
        _ => vec![Name::new(DAV, "resourcetype")],
    };
    Told::of(place.href(site), asked, &usual, |name| of_place(call, site, place, name))
}

fn app_generated() -> Vec<Name> {
    [
        (DAV, "getlastmodified"),
        (DAV, "resourcetype"),
        ("", "principaluri"),
        (DAV, "displayname"),
        (OC, "read-only"),
        (CS, "getctag"),
    ]
    .map(|(space, local)| Name::new(space, local))
    .into()
}

/// A property, as XML, if the place has it.
pub(super) fn of_place(call: &Call, site: &Site, place: &Pim, name: &Name) -> Option<String> {
    let owner = place.owner();
    match (name.space.as_str(), name.local.as_str()) {
        (DAV, "current-user-principal") => return Some(site.principal(&site.uid)),
        (DAV, "owner") => return Some(site.principal(owner)),
        (DAV, "current-user-privilege-set") => return Some(privileges(call, place)),
        (DAV, "principal-collection-set") => {
            return Some(format!("<d:href>{}</d:href>", site.href_of(&["principals"], true)));
        }
        _ => {}
    }
    match (place, place.key()) {
        (Pim::Principal { .. }, _) => of_principal(call, site, owner, name),
        (Pim::Home { .. }, _) => name.is(DAV, "resourcetype").then(|| "<d:collection/>".to_owned()),
        (Pim::Tray { name: tray, .. }, _) => of_tray(site, owner, tray, name),
        (Pim::Object { object, kind, .. }, Some(key)) => {
            let object = call.instance.groupware().object(&key, object)?;
            of_object(&object, *kind, name)
        }
        (Pim::Collection { kind, .. }, Some(key)) => {
            let groupware = call.instance.groupware();
            groupware.read(&key, |collection| of_collection(collection, owner, *kind, name)).flatten()
        }
        (Pim::Object { .. } | Pim::Collection { .. }, None) => None,
    }
}

fn of_principal(call: &Call, site: &Site, owner: &str, name: &Name) -> Option<String> {
    let account = call.instance.accounts().get(owner)?;
    let href = |segments: &[&str]| format!("<d:href>{}</d:href>", site.href_of(segments, true));
    let mine = owner == site.uid;
    match (name.space.as_str(), name.local.as_str()) {
        (DAV, "resourcetype") => Some("<d:collection/><d:principal/>".into()),
        (DAV, "displayname") => Some(escaped(&account.display_name)),
        (DAV, "principal-URL") => Some(site.principal(owner)),
        (DAV, "group-membership" | "group-member-set" | "alternate-URI-set") => Some(String::new()),
        (CAL, "calendar-home-set") => Some(href(&["calendars", owner])),
        (CAL, "schedule-inbox-URL") if mine => Some(href(&["calendars", owner, "inbox"])),
        (CAL, "schedule-outbox-URL") if mine => Some(href(&["calendars", owner, "outbox"])),
        (CAL, "schedule-default-calendar-URL") if mine => Some(href(&["calendars", owner, "personal"])),
        (CAL, "calendar-user-type") => Some("INDIVIDUAL".into()),
        (CAL, "calendar-user-address-set") => Some(format!(
            "<d:href>mailto:{}</d:href>{}",
            escaped(&account.email),
            href(&["principals", "users", owner])
        )),
        (CARD, "addressbook-home-set") => Some(href(&["addressbooks", "users", owner])),
        ("http://sabredav.org/ns", "email-address") | (CS, "email-address") => Some(escaped(&account.email)),
        _ => None,
    }
}

fn of_tray(site: &Site, owner: &str, tray: &str, name: &Name) -> Option<String> {
    match (name.space.as_str(), name.local.as_str(), tray) {
        (DAV, "resourcetype", "trashbin") => {
            Some("<d:collection/><x2:trash-bin xmlns:x2=\"http://nextcloud.com/ns\"/>".into())
        }
        (DAV, "resourcetype", tray) => Some(format!("<d:collection/><cal:schedule-{tray}/>")),
        (CAL, "schedule-default-calendar-URL", "inbox") => {
            Some(format!("<d:href>{}</d:href>", site.href_of(&["calendars", owner, "personal"], true)))
        }
        _ => None,
    }
}

fn of_collection(collection: &Collection, owner: &str, kind: Kind, name: &Name) -> Option<String> {
    let reports: &[&str] = match kind {
        Kind::Calendar => &["cal:calendar-multiget", "cal:calendar-query", "cal:free-busy-query", "d:sync-collection"],
        Kind::AddressBook => &["card:addressbook-multiget", "card:addressbook-query", "d:sync-collection"],
    };
    let calendar = kind == Kind::Calendar;
    match (name.space.as_str(), name.local.as_str()) {
        (DAV, "resourcetype") if calendar => Some("<d:collection/><cal:calendar/>".into()),
        (DAV, "resourcetype") => Some("<d:collection/><card:addressbook/>".into()),
        (DAV, "displayname") => collection.display_name.as_deref().map(escaped),
        (DAV, "sync-token") | (CS, "getctag") => Some(collection.sync_token()),
        (DAV, "supported-report-set") => Some(
            reports
                .iter()
                .map(|report| format!("<d:supported-report><d:report><{report}/></d:report></d:supported-report>"))
                .collect(),
        ),
        (DAV, "getlastmodified") if collection.read_only => Some(clock::http_date(collection.token.max(1))),
        ("", "principaluri") => Some(format!("principals/users/{}", escaped(owner))),
        (OC, "read-only") if collection.read_only => Some("1".into()),
        (CAL, "supported-calendar-component-set") if calendar => {
            let components = collection.components.iter();
            Some(components.map(|name| format!("<cal:comp name=\"{}\"/>", escaped(name))).collect())
        }
        (CAL, "supported-calendar-data") if calendar => {
            Some("<cal:calendar-data content-type=\"text/calendar\" version=\"2.0\"/>".into())
        }
        (CARD, "supported-address-data") if !calendar => {
            Some("<card:address-data-type content-type=\"text/vcard\" version=\"3.0\"/>".into())
        }
        (space, local) => {
            let set = collection.properties.get(&(space.to_owned(), local.to_owned())).cloned();
            let color = if collection.read_only { "#E9D859" } else { "#00679e" };
            set.or_else(|| (calendar && name.is(APPLE, "calendar-color")).then(|| color.to_owned()))
        }
    }
}

pub(super) fn of_object(object: &Object, kind: Kind, name: &Name) -> Option<String> {
    match (name.space.as_str(), name.local.as_str()) {
        (DAV, "resourcetype") => Some(String::new()),
        (DAV, "getetag") => Some(format!("&quot;{}&quot;", object.etag)),
        (DAV, "getlastmodified") => Some(clock::http_date(object.modified)),
        (DAV, "getcontentlength") => Some(object.data.len().to_string()),
        (DAV, "getcontenttype") => Some(match kind {
            Kind::Calendar => {
                format!("text/calendar; charset=utf-8; component={}", object.component.to_ascii_lowercase())
            }
            Kind::AddressBook => "text/vcard; charset=utf-8".into(),
        }),
        // Each tree's objects know only their own data; whoever asks for it by the other tree's report gets it as well.
        (CAL, "calendar-data") if kind == Kind::Calendar => Some(text(&object.data)),
        (CARD, "address-data") if kind == Kind::AddressBook => Some(text(&object.data)),
        _ => None,
    }
}

/// Text of several lines: XML would lose the carriage returns.
pub(super) fn text(data: &str) -> String {
    escaped(data).replace('\r', "&#13;")
}

fn privileges(call: &Call, place: &Pim) -> String {
    let read_only = place.key().and_then(|key| call.instance.groupware().read(&key, |found| found.read_only));
    let (before, after): (&[&str], &[&str]) = match place {
        Pim::Tray { name, .. } if name == "inbox" => (
            &[
                "cal:schedule-deliver",
                "cal:schedule-deliver-invite",
                "cal:schedule-deliver-reply",
                "cal:schedule-query-freebusy",
                "d:unbind",
                "d:write-properties",
            ],
            &[],
        ),
        Pim::Tray { name, .. } if name == "outbox" => (
            &[
                "cal:schedule-send",
                "cal:schedule-send-invite",
                "cal:schedule-send-reply",
                "cal:schedule-send-freebusy",
                "cal:schedule-post-vevent",
            ],
            &[],
        ),
        Pim::Tray { .. } => (&["d:all"], &WRITE),
        Pim::Collection { kind: Kind::Calendar, .. } if read_only == Some(true) => {
            (&["d:write-properties"], &["cal:read-free-busy"])
        }
        Pim::Collection { kind: Kind::Calendar, .. } => (&WRITE, &["cal:read-free-busy"]),
        _ if read_only == Some(true) => (&[], &[]),
        _ => (&WRITE, &[]),
    };
    let all = before.iter().chain(&READ).chain(after);
    all.map(|privilege| format!("<d:privilege><{privilege}/></d:privilege>")).collect()
}
