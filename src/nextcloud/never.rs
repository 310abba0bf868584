//! What no bearer may reach, in any mode, by any method, in any spelling (nextcloud.md §4, checklist rows 37, 38, 54).
//!
//! `NEVER` is the whole list. It is asked before any route is folded, and it reads more generously than Nextcloud does,
//! so that a rewrite in between or a file system that ignores case opens nothing: entry points (`index.php`, `ocs/v2.php`,
//! and `ocsapp`, by which Nextcloud's router knows OCS inside) are taken off in any case, number and order; letters
//! compare without case; a segment counts up to an encoded `;`, `?` or `#`; whatever follows a row is under it.
//!
//! What no family lists is forbidden as well ([`Never::Unlisted`]), so for most rows this page only names the reason. It
//! decides where a listed family surrounds a row (Notes), and where a later change of the families would let one in.

use std::fmt;

/// Why a route is closed to bearers. The caller is told 403 `forbidden_route`, the log names the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Never {
    /// A five-minute token would become a permanent app password.
    AppPassword,
    /// Account and administration pages; they make app passwords too.
    Settings,
    /// Login flows and sessions. Logging out is ours to do.
    Login,
    /// Apps that issue or accept other credentials.
    CredentialApp,
    /// Users, groups and apps: with `user_oidc` a bearer counts as a password confirmation.
    Administration,
    /// `notesPath: "/"` with `fileSuffix: ".txt"` turns the notes API into a reader of files.
    NotesSettings,
    /// SEARCH anywhere but on the DAV root, where alone its scope is judged.
    SearchElsewhere,
    /// In no listed family. The OCS header switches the CSRF check of web routes off, so none is open by accident.
    Unlisted,
}

/// The list. Segments behind the entry points; `*` ends a segment that may go on, `**` stands for any segments.
const NEVER: &[(&[&str], Never)] = &[
    (&["core", "getapppassword*"], Never::AppPassword),
    (&["core", "apppassword*"], Never::AppPassword),
    (&["settings"], Never::Settings),
    (&["apps", "settings"], Never::Settings),
    (&["login*"], Never::Login),
    (&["logout*"], Never::Login),
    (&["apps", "oauth2"], Never::CredentialApp),
    (&["apps", "oidc"], Never::CredentialApp),
    (&["apps", "user_oidc"], Never::CredentialApp),
    (&["apps", "app_api"], Never::CredentialApp),
    (&["cloud", "users"], Never::Administration),
    (&["cloud", "groups"], Never::Administration),
    (&["cloud", "apps"], Never::Administration),
    (&["apps", "provisioning_api"], Never::Administration),
    (&["apps", "notes", "**", "settings"], Never::NotesSettings),
];

// === impl Never ===

impl Never {
    /// Whether a decoded path, without its leading slash, is on the list. [`Never::Unlisted`] is not for this function
    /// to find.
    pub(super) fn of(path: &str) -> Option<Self> {
        // Cut once for all rows: most of them end here.
        let (first, rest) = cut(behind_entry_points(path));
        let row = NEVER.iter().find(|(pattern, _)| match pattern.split_first() {
            Some((wanted, pattern)) => fits(wanted, first) && covers(pattern, rest),
            None => false,
        });
        row.map(|&(_, never)| never)
    }

    /// A stable name for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppPassword => "app_password",
            Self::Settings => "settings",
            Self::Login => "login",
            Self::CredentialApp => "credential_app",
            Self::Administration => "administration",
            Self::NotesSettings => "notes_settings",
            Self::SearchElsewhere => "search_elsewhere",
            Self::Unlisted => "unlisted",
        }
    }

    /// A sentence for the log.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::AppPassword => "it turns a short-lived token into a permanent app password",
            Self::Settings => "account and administration settings are not for bearers",
            Self::Login => "login flows and sessions are not for bearers",
            Self::CredentialApp => "the app issues or accepts other credentials",
            Self::Administration => "administration is not for bearers, who count as having confirmed a password",
            Self::NotesSettings => "the settings of Notes can turn its API into a reader of all files",
            Self::SearchElsewhere => "SEARCH is judged on the DAV root only",
            Self::Unlisted => "the route is in no listed API family",
        }
    }
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

fn behind_entry_points(mut path: &str) -> &str {
    loop {
        let (first, rest) = cut(path);
        path = match first {
            _ if fits("index.php", first) || fits("ocsapp", first) => rest,
            _ if fits("ocs", first) => cut(rest).1,
            _ => return path,
        };
    }
}

fn covers(pattern: &[&str], path: &str) -> bool {
    match pattern.split_first() {
        None => true,
        Some((&"**", pattern)) => covers_somewhere(pattern, path),
        Some((wanted, pattern)) => {
            let (segment, rest) = cut(path);
            fits(wanted, segment) && covers(pattern, rest)
        }
    }
}

fn covers_somewhere(pattern: &[&str], mut path: &str) -> bool {
    while !path.is_empty() {
        if covers(pattern, path) {
            return true;
        }
        path = cut(path).1;
    }
    false
}

/// The first segment, and what follows it.
pub(super) fn cut(path: &str) -> (&str, &str) {
    // By bytes: segments are short, and a search made for long texts takes three times as long.
    match path.bytes().position(|byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (path, ""),
    }
}

/// Without case, and up to where a reader who decodes first would end the segment.
fn fits(wanted: &str, segment: &str) -> bool {
    let name = wanted.strip_suffix('*').unwrap_or(wanted);
    let Some((head, tail)) = segment.split_at_checked(name.len()) else {
        return false;
    };
    let ends = tail.is_empty() || tail.starts_with([';', '?', '#']);
    head.eq_ignore_ascii_case(name) && (ends || name.len() < wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_closed_by_every_entry_point_in_every_case() {
        for (pattern, never) in NEVER {
            let path = pattern.join("/").replace("**", "api/v1").replace('*', "");
            for entry in [
                "",
                "index.php/",
                "ocs/v1.php/",
                "ocs/v2.php/",
                "index.php/ocsapp/",
                "ocsapp/",
                "index.php/ocs/v2.php/",
                "INDEX.php/Ocs/V2.PHP/",
            ] {
                for tail in ["", "/", "/x/y", ";x", ";x/y", "?x", "#x"] {
                    let path = format!("{entry}{path}{tail}");
                    assert_eq!(Never::of(&path), Some(*never), "{path}");
                    assert_eq!(Never::of(&path.to_ascii_uppercase()), Some(*never), "{path}");
                }
            }
        }
    }

    #[test]
    fn a_row_ends_on_a_segment_border_unless_it_is_starred() {
        for path in [
            "settingsx",
            "apps/oauth2x",
            "cloud/user",
            "cloud/usersx",
            "apps/notesx/settings",
            "apps/notes/api/v1/settingsx",
            "xlogin",
            "core",
            "apps",
            "",
        ] {
            assert_eq!(Never::of(path), None, "{path}");
        }
        for path in ["core/getapppassword-onetime", "core/apppassword/rotate", "login-flow", "loginX/v2", "logout-all"]
        {
            assert!(Never::of(path).is_some(), "{path}");
        }
    }

    #[test]
    fn the_settings_of_notes_are_closed_at_any_depth_and_version() {
        for path in [
            "apps/notes/settings",
            "apps/notes/api/v1/settings",
            "apps/notes/api/v0.2/settings/x",
            "ocs/v2.php/apps/notes/api/v9/a/b/Settings",
        ] {
            assert_eq!(Never::of(path), Some(Never::NotesSettings), "{path}");
        }
    }

    #[test]
    fn letters_outside_ascii_are_compared_without_panic() {
        for path in ["löginx", "core/getapppasswör", "core/\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", "l\u{1F600}"]
        {
            assert_eq!(Never::of(path), None, "{path}");
        }
    }
}
