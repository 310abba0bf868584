//! One canonical form for all aliases of a path (nextcloud.md §3; checklist rows 2, 5, 40).
//!
//! Decided on the decoded form, by exact segments in exact case, as Nextcloud's own router does (`/OCS/v2.php` is 404
//! there). A near miss is therefore not let through by luck: what no line below names is [`Never::Unlisted`].
//!
//! Aliases that become one:
//!
//! | form | the same as |
//! |---|---|
//! | `/index.php/x` | `/x`, for web routes only: `/index.php/ocs/…` and `/index.php/remote.php/…` are no routes |
//! | `/ocs/v1.php/…` | `/ocs/v2.php/…` |
//! | `/ocs/v2.php/apps/<app>/api/…` | `/apps/<app>/api/…` |
//! | `/remote.php/webdav/…`, `/remote.php/files/…` | `/remote.php/dav/files/<the caller>/…` |
//! | `/remote.php/caldav/calendars/…`, `/remote.php/calendar/calendars/…` | `/remote.php/dav/calendars/…` |
//! | `/remote.php/carddav/addressbooks/<uid>`, `/remote.php/contacts/addressbooks/<uid>` | `/remote.php/dav/addressbooks/users/<uid>` |
//! | `/remote.php/{caldav,carddav,…}/principals/<uid>` | `/remote.php/dav/principals/users/<uid>` |

use http::Method;

use super::family::Family;
use super::never::{Never, Opened, cut};
use super::policy::Access;
use super::target::Target;

/// What a target is about. Two targets that Nextcloud serves alike fold to equal routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route<'t> {
    family: Family,
    owner: Option<Owner<'t>>,
    item: &'t str,
}

/// Whose thing it is, by the path. Whether the path tells the truth is Nextcloud's to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner<'t> {
    /// The path names nobody and means the caller (`/remote.php/webdav/…`).
    Caller,
    /// The path names a Nextcloud uid, decoded.
    Named(&'t str),
}

// === impl Route ===

impl<'t> Route<'t> {
    /// Folds a target. The method counts only where the same path is two things: SEARCH on the DAV root searches files.
    #[must_use]
    pub fn fold(method: &Method, target: &'t Target<'_>) -> Self {
        Self::fold_with(method, target, Opened::default())
    }

    /// The same, where this deployment opens some of the never-list: an opened row is no longer a reason of its own.
    #[must_use]
    pub fn fold_with(method: &Method, target: &'t Target<'_>, opened: Opened) -> Self {
        let path = target.trimmed();
        let reads = Access::of(method) == Access::Read;
        if let Some(never) = Never::of(path, reads, opened) {
            return Self::forbidden(never);
        }
        let folded = Self::fold_listed(method, path);
        match folded.family {
            // What an opened row covers is in no family: its own reason is told, by which it is known to be open.
            Family::Forbidden(Never::Unlisted) => {
                Never::of(path, reads, Opened::default()).map_or(folded, Self::forbidden)
            }
            _ => folded,
        }
    }

    fn fold_listed(method: &Method, path: &'t str) -> Self {
        let folded = match cut(path) {
            ("remote.php", rest) => dav(rest),
            ("ocs", rest) => ocs(rest),
            ("index.php", rest) => web(rest),
            ("status.php", "") => Self::of(Family::Status),
            // Exact names (checklist row 2): Nextcloud answers others, such as `webfinger`, by its web routes.
            (".well-known", "caldav" | "carddav") => Self::of(Family::WellKnownDav),
            (".well-known", rest) if cut(rest).0 == "oauth-protected-resource" => Self::item(Family::Ours, path),
            ("mcp", _) | ("user", "page") => Self::item(Family::Ours, path),
            ("oauth", rest) if !rest.is_empty() => Self::item(Family::Ours, path),
            _ => web(path),
        };
        folded.searching(method, path)
    }

    /// The family: what scopes and metrics go by.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Whose thing it is, where the family has owners and the path goes as deep as that.
    #[must_use]
    pub fn owner(&self) -> Option<Owner<'t>> {
        self.owner
    }

    /// What is left of the decoded path behind family and owner, without slashes at its ends: `seq/a.txt` of
    /// `/remote.php/dav/files/alice/seq/a.txt`, `api/v1/notes/5` of Notes, all of the path where it is ours.
    #[must_use]
    pub fn path_in_family(&self) -> &'t str {
        self.item
    }

    /// The provider's id of a unified search; `None` for the list of providers and for other families.
    #[must_use]
    pub fn search_provider(&self) -> Option<&'t str> {
        (self.family == Family::UnifiedSearch && !self.item.is_empty()).then_some(self.item)
    }

    /// Why no bearer may go there.
    #[must_use]
    pub fn never(&self) -> Option<Never> {
        match self.family {
            Family::Forbidden(never) => Some(never),
            _ => None,
        }
    }

    fn of(family: Family) -> Self {
        Self::item(family, "")
    }

    fn item(family: Family, item: &'t str) -> Self {
        Self { family, owner: None, item }
    }

    /// `<uid>/<item>`; nobody's if the path ends before the uid.
    fn owned(family: Family, path: &'t str) -> Self {
        let (uid, item) = cut(path);
        Self { family, owner: (!uid.is_empty()).then_some(Owner::Named(uid)), item }
    }

    fn callers(family: Family, item: &'t str) -> Self {
        Self { family, owner: Some(Owner::Caller), item }
    }

    fn forbidden(never: Never) -> Self {
        Self::of(Family::Forbidden(never))
    }

    fn unlisted() -> Self {
        Self::forbidden(Never::Unlisted)
    }

    /// SEARCH is judged by the scope in its body, and that only where it is sent to `/remote.php/dav` itself.
    fn searching(self, method: &Method, path: &str) -> Self {
        match self.family {
            _ if method.as_str() != "SEARCH" => self,
            Family::Forbidden(_) => self,
            Family::DavRoot if path == "remote.php/dav" => Self::of(Family::FileSearch),
            _ => Self::forbidden(Never::SearchElsewhere),
        }
    }
}

/// `/remote.php/<service>/…` (Nextcloud's `resolveService`; `direct` and what apps register are unlisted).
fn dav(path: &str) -> Route<'_> {
    match cut(path) {
        ("dav", rest) => dav_tree(rest),
        ("webdav" | "files", rest) => Route::callers(Family::Files, rest),
        ("caldav" | "calendar", rest) => legacy(Family::Calendars, "calendars", rest),
        ("carddav" | "contacts", rest) => legacy(Family::Addressbooks, "addressbooks", rest),
        _ => Route::unlisted(),
    }
}

/// The tree under `/remote.php/dav`.
fn dav_tree(path: &str) -> Route<'_> {
    match cut(path) {
        ("", _) => Route::of(Family::DavRoot),
        ("principals", rest) => match cut(rest) {
            ("users", rest) => Route::owned(Family::Principals, rest),
            _ => Route::item(Family::Principals, rest),
        },
        ("avatars", rest) => Route::owned(Family::Avatar, rest),
        ("files", rest) => Route::owned(Family::Files, rest),
        ("uploads", rest) => Route::owned(Family::Uploads, rest),
        ("trashbin", rest) => Route::owned(Family::Trashbin, rest),
        ("versions", rest) => Route::owned(Family::Versions, rest),
        ("bulk", "") => Route::of(Family::Bulk),
        ("systemtags" | "systemtags-relations" | "systemtags-assigned" | "systemtags-current", _) => {
            Route::item(Family::SystemTags, path)
        }
        ("comments", rest) => match cut(rest) {
            ("files", rest) => Route::item(Family::CommentsFiles, rest),
            _ => Route::unlisted(),
        },
        ("calendars", rest) => Route::owned(Family::Calendars, rest),
        ("addressbooks", rest) => match cut(rest) {
            ("users", rest) => Route::owned(Family::Addressbooks, rest),
            ("" | "system", _) => Route::item(Family::Addressbooks, rest),
            _ => Route::unlisted(),
        },
        _ => Route::unlisted(),
    }
}

/// The older trees of calendars and contacts, which know users only. Deliberately, their root counts as the collection that they
/// are there for and not as the DAV root: that asks for the narrower scope.
fn legacy<'t>(family: Family, collection: &str, path: &'t str) -> Route<'t> {
    match cut(path) {
        ("", _) => Route::of(family),
        ("principals", rest) => Route::owned(Family::Principals, rest),
        (first, rest) if first == collection => Route::owned(family, rest),
        _ => Route::unlisted(),
    }
}

/// `/ocs/v1.php/…` and `/ocs/v2.php/…`.
fn ocs(path: &str) -> Route<'_> {
    let ("v1.php" | "v2.php", path) = cut(path) else {
        return Route::unlisted();
    };
    match path {
        "cloud/user" => return Route::of(Family::User),
        "cloud/capabilities" => return Route::of(Family::Capabilities),
        "core/navigation/apps" => return Route::of(Family::Navigation),
        "search/providers" => return Route::of(Family::UnifiedSearch),
        _ => {}
    }
    if let Some(rest) = path.strip_prefix("search/providers/") {
        return match cut(rest) {
            (provider, "search") => Route::item(Family::UnifiedSearch, provider),
            _ => Route::unlisted(),
        };
    }
    let ("apps", path) = cut(path) else {
        return Route::unlisted();
    };
    let (app, rest) = cut(path);
    match app_api(app) {
        Some(family) => Route::item(family, rest),
        None if app == "files_sharing" => Route::item(Family::Shares, rest),
        None => Route::unlisted(),
    }
}

/// Web routes, `index.php` taken off: a few pictures, and the API of each listed app.
fn web(path: &str) -> Route<'_> {
    let (app, rest) = match cut(path) {
        ("core", "preview" | "preview.png") => return Route::of(Family::Previews),
        ("avatar", rest) if rest.contains('/') => return Route::owned(Family::Avatar, rest),
        ("apps", rest) => cut(rest),
        _ => return Route::unlisted(),
    };
    match (app, cut(rest).0) {
        ("theming", "image" | "theme" | "img" | "icon" | "favicon" | "manifest") => Route::item(Family::Theming, rest),
        ("files_versions" | "files_trashbin", "preview") if rest == "preview" => Route::of(Family::Previews),
        ("files", "api") if rest.starts_with("api/v1/thumbnail/") => Route::of(Family::Previews),
        (_, "api") => app_api(app).map_or_else(Route::unlisted, |family| Route::item(family, rest)),
        _ => Route::unlisted(),
    }
}

/// The apps whose APIs are listed.
fn app_api(app: &str) -> Option<Family> {
    Some(match app {
        "notes" => Family::Notes,
        "deck" => Family::Deck,
        "tables" => Family::Tables,
        "spreed" => Family::Talk,
        "mail" => Family::Mail,
        "activity" => Family::Activity,
        "notifications" => Family::Notifications,
        "user_status" => Family::UserStatus,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
