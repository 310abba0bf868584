//! The paths in the body of a REPORT or a SEARCH: each goes through the same decision as a target (law 7, checklist row 55).

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use super::{Access, Needs, Policy, Refusal};
use crate::nextcloud::dav_body::DavBody;
use crate::nextcloud::destination::{BadDestination, Destination, PublicAddress};
use crate::nextcloud::family::Family;
use crate::nextcloud::never::Never;
use crate::nextcloud::route::{Owner, Route};

/// Why a path in a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHref {
    /// It is no absolute path on this Nextcloud, or has more than one reading.
    Path(BadDestination),
    /// It is on the never-list.
    Never(Never),
}

impl Policy {
    /// What the paths of a REPORT need, and whether the report is allowed on this family at all.
    ///
    /// # Errors
    /// [`BadHref`] of the first one that is refused; a [`Refusal`] comes after everything that no mode of enforcement softens.
    pub fn report_body(
        &self,
        family: Family,
        body: &DavBody,
        ours: &PublicAddress,
    ) -> Result<Result<Needs, Refusal>, BadHref> {
        let mut needs = self.report(family, &body.root).map(|()| Needs::default());
        for href in &body.hrefs {
            let found = self.href(href, ours)?;
            needs = needs.and_then(|needs| found.map(|found| needs.and(&found)));
        }
        Ok(needs)
    }

    fn href(&self, href: &str, ours: &PublicAddress) -> Result<Result<Needs, Refusal>, BadHref> {
        let text = spaced(href);
        let path = Destination::parse(text.as_bytes(), ours).map_err(BadHref::Path)?;
        let route = path.route_with(&Method::GET, self.opened);
        self.open(&route)?;
        Ok(self.path(&route, Access::Read))
    }

    /// Whether the scope of a SEARCH is the files of one person. Its path is relative to the DAV root (`/files/<uid>/…`), or absolute.
    ///
    /// Whether that person is the caller is left to Nextcloud: the uid does not stand in the token (with `--unique-uid=1` it is a
    /// hash). That is enough, because the search runs in the file tree of the person that Nextcloud authenticated, in which other
    /// people's folders are not: 500 "Search is only supported on directories" (recordings/files.http, entry 36).
    ///
    /// # Errors
    /// As [`Policy::report_body`].
    pub fn search_body(&self, body: &DavBody, ours: &PublicAddress) -> Result<Result<Needs, Refusal>, BadHref> {
        let mut whose: Option<String> = None;
        let mut one_persons = !body.hrefs.is_empty();
        for href in &body.hrefs {
            let rooted = rooted(href, ours).map_err(BadHref::Path)?;
            let path = Destination::parse(rooted.as_bytes(), &PublicAddress::default()).map_err(BadHref::Path)?;
            let route = path.route_with(&Method::GET, self.opened);
            self.open(&route)?;
            match (route.family(), route.owner()) {
                (Family::Files, Some(Owner::Named(uid))) if whose.as_deref().is_none_or(|own| own == uid) => {
                    whose = Some(uid.to_owned());
                }
                _ => one_persons = false,
            }
        }
        Ok(if one_persons { Ok(Needs::default()) } else { Err(Refusal::SearchScope) })
    }

    fn open(&self, route: &Route<'_>) -> Result<(), BadHref> {
        match route.never() {
            Some(never) if !self.opened.has(never) => Err(BadHref::Never(never)),
            _ if route.family() == Family::Ours => Err(BadHref::Never(Never::Unlisted)),
            _ => Ok(()),
        }
    }
}

/// The scope of a SEARCH as a path from Nextcloud's root. One that is relative to the DAV root knows nothing of our mount.
fn rooted(href: &str, ours: &PublicAddress) -> Result<String, BadDestination> {
    let text = spaced(href);
    let text = text.as_bytes();
    match Destination::parse(text, ours) {
        Ok(absolute) if absolute.path().starts_with("/remote.php/") => Ok(absolute.path().to_owned()),
        _ => {
            let unmounted = PublicAddress { authorities: ours.authorities.clone(), mount: Arc::default() };
            Destination::parse(text, &unmounted).map(|path| format!("/remote.php/dav{}", path.path()))
        }
    }
}

/// A target cannot have a raw space, an `href` can, and clients write one; sabre decodes once and takes both spellings for the same.
fn spaced(href: &str) -> Cow<'_, str> {
    if href.contains(' ') { href.replace(' ', "%20").into() } else { href.into() }
}
