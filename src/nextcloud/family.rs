//! The families of routes: what policy gives scopes to, and what metrics count.

use super::never::Never;

/// Declares the families once, with the label of each.
macro_rules! families {
    ($($(#[$doc:meta])+ $name:ident = $label:literal,)+) => {
        /// What a request is about, whatever alias and spelling it came by (nextcloud.md §4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Family {
            $($(#[$doc])+ $name,)+
            /// No bearer may reach it: 403 `forbidden_route`.
            Forbidden(Never),
        }

        impl Family {
            /// Each family that can be allowed, [`Family::Ours`] among them.
            pub const ALLOWABLE: &'static [Self] = &[$(Self::$name,)+];

            /// Its place in [`Family::ALLOWABLE`].
            #[must_use]
            pub fn place(self) -> Option<usize> {
                Self::ALLOWABLE.iter().position(|own| *own == self)
            }

            /// A stable name for metrics, spans and the audit log.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                    Self::Forbidden(_) => "forbidden",
                }
            }
        }
    };
}

families! {
    /// obo-proxy's own pages: `/mcp` and below, `/oauth/…`, `/user/page`, `/.well-known/oauth-protected-resource…`.
    Ours = "ours",

    // --- what every valid token may read ---
    /// `/status.php`.
    Status = "status",
    /// `/.well-known/caldav`, `/.well-known/carddav`: redirects to the DAV root.
    WellKnownDav = "well_known_dav",
    /// `/ocs/*/cloud/user`: who am I.
    User = "user",
    /// `/ocs/*/cloud/capabilities`.
    Capabilities = "capabilities",
    /// `/ocs/*/core/navigation/apps`.
    Navigation = "navigation",
    /// `/avatar/<uid>/<size>` and `/dav/avatars/<uid>/…`.
    Avatar = "avatar",
    /// Images and style sheets of `/apps/theming`.
    Theming = "theming",
    /// `/remote.php/dav` itself, for every method but SEARCH.
    DavRoot = "dav_root",
    /// `/dav/principals/…`.
    Principals = "principals",

    // --- files ---
    /// `/dav/files/<uid>/…`.
    Files = "files",
    /// SEARCH on `/remote.php/dav`: the body names the folder below which it searches.
    FileSearch = "file_search",
    /// `/dav/uploads/<uid>/…`: parts of a chunked upload.
    Uploads = "uploads",
    /// `/dav/bulk`: several small files in one request.
    Bulk = "bulk",
    /// `/dav/trashbin/<uid>/…`.
    Trashbin = "trashbin",
    /// `/dav/versions/<uid>/…`.
    Versions = "versions",
    /// Small pictures of files, of their versions and of deleted ones.
    Previews = "previews",
    /// `/dav/systemtags`, `-relations`, `-assigned`, `-current`.
    SystemTags = "system_tags",
    /// `/dav/comments/files/…`. The other kinds of comments (Deck's) are unlisted.
    CommentsFiles = "comments_files",
    /// `/ocs/*/apps/files_sharing/…`.
    Shares = "shares",

    // --- groupware ---
    /// `/dav/calendars/<uid>/…`, scheduling boxes included.
    Calendars = "calendars",
    /// `/dav/addressbooks/users/<uid>/…` and `/dav/addressbooks/system/…`.
    Addressbooks = "addressbooks",

    // --- apps: `/apps/<app>/api/…` and `/ocs/*/apps/<app>/…` ---
    /// Notes, but for its settings.
    Notes = "notes",
    /// Deck.
    Deck = "deck",
    /// Tables.
    Tables = "tables",
    /// Talk, whose app is called `spreed`.
    Talk = "talk",
    /// Mail.
    Mail = "mail",
    /// Activity.
    Activity = "activity",
    /// Notifications.
    Notifications = "notifications",
    /// The user's status (online, away), app `user_status`.
    UserStatus = "user_status",
    /// `/ocs/*/search/providers` and `/ocs/*/search/providers/<id>/search`.
    UnifiedSearch = "unified_search",
}

impl Family {
    /// Whether sabre serves it: below `/remote.php`.
    #[must_use]
    pub fn is_dav(self) -> bool {
        matches!(
            self,
            Self::DavRoot
                | Self::Principals
                | Self::Files
                | Self::FileSearch
                | Self::Uploads
                | Self::Bulk
                | Self::Trashbin
                | Self::Versions
                | Self::SystemTags
                | Self::CommentsFiles
                | Self::Calendars
                | Self::Addressbooks
                // `/avatar/…` is not, `/remote.php/dav/avatars` is.
                | Self::Avatar
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_family_has_a_label_of_its_own() {
        let mut labels: HashSet<_> = Family::ALLOWABLE.iter().map(|family| family.as_str()).collect();
        labels.insert(Family::Forbidden(Never::Unlisted).as_str());
        assert_eq!(labels.len(), Family::ALLOWABLE.len() + 1);
    }
}
