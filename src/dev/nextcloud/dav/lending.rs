//! POST on a calendar or an address book: shared with a person, or published to everybody with its link.

use super::super::super::clock;
use super::super::call::Call;
use super::pim::Pim;
use super::place::Site;
use super::xml::{CS, DAV, Element, OC};
use super::{DavError, DavResult, done};

pub(super) async fn post(call: &mut Call, site: &Site, place: &Pim) -> DavResult {
    let root = Element::parse(&call.body().await).map_err(DavError::bad_request)?;
    place.exists(call, &site.uid)?;
    let (Pim::Collection { .. }, Some(key)) = (place, place.key()) else {
        return Err(DavError::forbidden(""));
    };
    let groupware = call.instance.groupware();
    match (root.name.space.as_str(), root.name.local.as_str()) {
        (OC | CS, "share") => {
            for change in &root.children {
                let space = root.name.space.as_str();
                let href = change.child(DAV, "href").map(|href| href.text.trim()).unwrap_or_default();
                let Some(person) = href.strip_prefix("principal:principals/users/") else {
                    return Err(DavError::bad_request("Only principals can be shared with"));
                };
                if call.instance.accounts().get(person).is_none() || person == site.uid {
                    continue;
                }
                let read_only = change.child(space, "read-write").is_none();
                groupware.lend(&key, person, change.name.is(space, "set").then_some(read_only));
            }
            Ok(done(200, site))
        }
        // The hazard: whoever may write a calendar may show it to the world.
        (CS, "publish-calendar") => {
            let link = format!("{}/remote.php/dav/public-calendars/{}", call.base, clock::alphanumeric(16));
            let property = (CS.to_owned(), "publish-url".to_owned());
            groupware.change(&key, |collection| {
                collection.properties.insert(property, format!("<d:href>{link}</d:href>"));
            });
            Ok(done(202, site))
        }
        (CS, "unpublish-calendar") => {
            let property = (CS.to_owned(), "publish-url".to_owned());
            groupware.change(&key, |collection| collection.properties.remove(&property));
            Ok(done(200, site))
        }
        _ => Err(DavError::new(501, "Sabre\\DAV\\Exception\\NotImplemented", "This POST is not known")),
    }
}
