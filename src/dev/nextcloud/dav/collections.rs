//! Collections that only show that they are there: the root, and what stands above people's own trees.

use super::super::call::Call;
use super::multistatus::Told;
use super::place::{Place, Site};
use super::properties;
use super::xml::{DAV, Name};

/// What is said about a collection, and about the collections in it if `deep`.
pub(super) fn tell(call: &Call, site: &Site, place: &Place, deep: bool, asked: Option<&[Name]>) -> Vec<Told> {
    let segments: Vec<&str> = match place {
        Place::Collection { segments, .. } => segments.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let mut told = vec![one(call, site, &segments, asked)];
    if deep {
        for child in children(&segments, &site.uid) {
            let below: Vec<&str> = segments.iter().copied().chain([child]).collect();
            told.push(one(call, site, &below, asked));
        }
    }
    told
}

fn children<'a>(segments: &[&str], uid: &'a str) -> Vec<&'a str> {
    match segments {
        // The hazard: comments are not only those of files.
        ["comments"] => vec!["files", "deckCard"],
        [] => vec![
            "principals",
            "calendars",
            "addressbooks",
            "files",
            "uploads",
            "trashbin",
            "versions",
            "comments",
            "systemtags",
        ],
        ["addressbooks" | "principals"] => vec!["users"],
        ["calendars" | "files" | "uploads" | "trashbin" | "versions"] | ["principals" | "addressbooks", "users"] => {
            vec![uid]
        }
        _ => Vec::new(),
    }
}

pub(super) fn one(call: &Call, site: &Site, segments: &[&str], asked: Option<&[Name]>) -> Told {
    let href = site.href_of(segments, true);
    Told::of(href, asked, &properties::defaults(), |name| match (name.space.as_str(), name.local.as_str()) {
        (DAV, "resourcetype") if matches!(segments, ["principals", "users", _]) => {
            Some("<d:collection/><d:principal/>".into())
        }
        (DAV, "resourcetype") => Some("<d:collection/>".into()),
        (DAV, "owner") if segments.len() > 1 => Some(site.principal(&site.uid)),
        (DAV, "current-user-principal") => {
            call.instance.accounts().get(&site.uid).map(|account| site.principal(&account.uid))
        }
        _ => None,
    })
}
