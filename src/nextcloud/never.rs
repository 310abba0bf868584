//! What no bearer may reach, in any mode, by any method, in any spelling (nextcloud.md §4, checklist rows 37, 38, 54).
//!
//! `NEVER` is the whole list. It is asked before any route is folded, and it reads more generously than Nextcloud does,
//! so that a rewrite in between or a file system that ignores case opens nothing: entry points (`index.php`, `ocs/v2.php`,
//! and `ocsapp`, by which Nextcloud's router knows OCS inside) are taken off in any case, number and order; letters
//! compare without case; a segment counts up to an encoded `;`, `?` or `#`; whatever follows a row is under it.
//!
//! What no family lists is forbidden as well ([`Never::Unlisted`]), so for some rows this page only names the reason. It
//! decides where a listed family surrounds a row (Notes, Talk, Mail, Notifications, Deck), and where a later change of the
//! families would let one in. The rows inside the apps were taken from the apps' own route tables (spreed, mail, notifications,
//! deck, November 2026).
//!
//! An operator can open a reason by name under `[danger]` ([`Opened`]): what a listed family surrounds then needs that family's
//! scopes, everything else a valid token and no more.

use std::fmt;
use std::sync::LazyLock;

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
    /// Administration inside a listed app, and doors that are meant for other servers (Talk's signaling and recording backends).
    AppAdministration,
    /// Mail's accounts: their passwords, OAuth grants, private keys, and the hosts that Nextcloud would send those to.
    MailAccounts,
    /// Registering a device or an URL to which Nextcloud then sends every notification.
    PushRegistration,
    /// Talk's bridges, which carry a conversation to other services, with those services' credentials.
    Bridges,
    /// SEARCH anywhere but on the DAV root, where alone its scope is judged.
    SearchElsewhere,
    /// In no listed family. The OCS header switches the CSRF check of web routes off, so none is open by accident.
    Unlisted,
}

/// Which methods a row closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// All of them (checklist row 54).
    Everybody,
    /// All but GET, HEAD, OPTIONS and the reading methods of DAV.
    Writers,
}
use To::{Everybody, Writers};

type Row = (&'static [&'static str], To, Never);

/// The list. Segments behind the entry points; `*` ends a segment that may go on, `**` stands for any segments, `$` for the end.
const NEVER: &[Row] = &[
    (&["core", "getapppassword*"], Everybody, Never::AppPassword),
    (&["core", "apppassword*"], Everybody, Never::AppPassword),
    (&["settings"], Everybody, Never::Settings),
    (&["apps", "settings"], Everybody, Never::Settings),
    (&["login*"], Everybody, Never::Login),
    (&["logout*"], Everybody, Never::Login),
    (&["apps", "oauth2"], Everybody, Never::CredentialApp),
    (&["apps", "oidc"], Everybody, Never::CredentialApp),
    (&["apps", "user_oidc"], Everybody, Never::CredentialApp),
    (&["apps", "app_api"], Everybody, Never::CredentialApp),
    (&["cloud", "users"], Everybody, Never::Administration),
    (&["cloud", "groups"], Everybody, Never::Administration),
    (&["cloud", "apps"], Everybody, Never::Administration),
    (&["apps", "provisioning_api"], Everybody, Never::Administration),
    (&["apps", "notes", "**", "settings"], Everybody, Never::NotesSettings),
    (&["apps", "notifications", "**", "admin_notifications*"], Everybody, Never::AppAdministration),
    (&["apps", "notifications", "**", "settings", "admin"], Everybody, Never::AppAdministration),
    (&["apps", "notifications", "**", "push*"], Everybody, Never::PushRegistration),
    (&["apps", "notifications", "**", "webpush*"], Everybody, Never::PushRegistration),
    (&["apps", "spreed", "**", "bot", "admin*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "signaling", "backend*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "signaling", "welcome*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "recording", "backend*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "recording", "welcome*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "recording", "**", "store"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "hostedsignalingserver*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "settings", "sip"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "certificate*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "command*"], Everybody, Never::AppAdministration),
    (&["apps", "spreed", "**", "bridge*"], Everybody, Never::Bridges),
    (&["apps", "mail", "api", "settings"], Everybody, Never::AppAdministration),
    (&["apps", "mail", "api", "integration"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "api", "oauth"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "api", "autoconfig"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "api", "smime"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "api", "delegations"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "api", "sieve", "account"], Everybody, Never::MailAccounts),
    (&["apps", "mail", "**", "accounts", "$"], Writers, Never::MailAccounts),
    (&["apps", "mail", "**", "accounts", "*", "$"], Writers, Never::MailAccounts),
    (&["apps", "mail", "**", "accounts", "*", "smime-certificate"], Writers, Never::MailAccounts),
    (&["apps", "deck", "**", "config"], Writers, Never::AppAdministration),
];

/// The rows by the first letter of their first segments: every request is held against them.
static BY_LETTER: LazyLock<[Vec<&Row>; 32]> = LazyLock::new(|| {
    std::array::from_fn(|place| NEVER.iter().filter(|(pattern, ..)| letter(pattern[0]) == place).collect())
});

/// Reasons that this deployment opens all the same (`[danger] allow_never`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened(u32);

// === impl Opened ===

impl Opened {
    /// These reasons and those before.
    #[must_use]
    pub fn with(self, never: Never) -> Self {
        Self(self.0 | 1 << never as u32)
    }

    /// Whether this reason is opened.
    #[must_use]
    pub fn has(self, never: Never) -> bool {
        self.0 & (1 << never as u32) != 0
    }

    /// Each opened reason.
    pub fn iter(self) -> impl Iterator<Item = Never> {
        Never::ALL.iter().copied().filter(move |never| self.has(*never))
    }
}

// === impl Never ===

impl Never {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::AppPassword,
        Self::Settings,
        Self::Login,
        Self::CredentialApp,
        Self::Administration,
        Self::NotesSettings,
        Self::AppAdministration,
        Self::MailAccounts,
        Self::PushRegistration,
        Self::Bridges,
        Self::SearchElsewhere,
        Self::Unlisted,
    ];

    /// The row that closes a decoded path, without its leading slash, to readers or to writers. What is opened closes nothing, and
    /// hides no other row. [`Never::Unlisted`] is not for this function to find.
    pub(super) fn of(path: &str, reads: bool, opened: Opened) -> Option<Self> {
        // Cut once for all rows: most of them end here.
        let (first, rest) = cut(behind_entry_points(path));
        let row = BY_LETTER.get(letter(first))?.iter().find(|(pattern, to, never)| match pattern.split_first() {
            Some((wanted, pattern)) => {
                fits(wanted, first) && (*to == Everybody || !reads) && covers(pattern, rest) && !opened.has(*never)
            }
            None => false,
        });
        row.map(|(_, _, never)| *never)
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
            Self::AppAdministration => "app_administration",
            Self::MailAccounts => "mail_accounts",
            Self::PushRegistration => "push_registration",
            Self::Bridges => "bridges",
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
            Self::AppAdministration => "administration of an app, and doors for other servers, are not for bearers",
            Self::MailAccounts => "the accounts of Mail hold passwords and keys of other services",
            Self::PushRegistration => "it sends every notification to an address of the caller's choice",
            Self::Bridges => "it connects a conversation with other services",
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
        Some((&"$", _)) => path.is_empty(),
        Some((&"*", pattern)) => {
            let (segment, rest) = cut(path);
            !segment.is_empty() && covers(pattern, rest)
        }
        Some((&"**", pattern)) => covers_somewhere(pattern, path),
        Some((wanted, pattern)) => {
            let (segment, rest) = cut(path);
            fits(wanted, segment) && covers(pattern, rest)
        }
    }
}

/// Up to the next `**` the first place will do: what follows any later place follows the first one too. So the cost is that of the path,
/// not of its square, however often a segment comes again.
fn covers_somewhere(pattern: &[&str], mut path: &str) -> bool {
    let next = pattern.iter().position(|part| *part == "**").unwrap_or(pattern.len());
    let (nearer, further) = pattern.split_at(next);
    while !path.is_empty() {
        if covers(nearer, path) {
            let behind = nearer.iter().fold(path, |path, _| cut(path).1);
            return covers(further, behind);
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

/// A place among 32 by the first letter of a segment, in any case.
fn letter(segment: &str) -> usize {
    segment.bytes().next().map_or(0, |letter| usize::from(letter & 0x1f))
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

    fn of(path: &str) -> Option<Never> {
        Never::of(path, false, Opened::default())
    }

    #[test]
    fn each_row_is_closed_by_every_entry_point_in_every_case() {
        for (pattern, _, never) in NEVER.iter().filter(|(pattern, ..)| pattern.last() != Some(&"$")) {
            let path = pattern.join("/").replace("**", "api/v1").replace("/*/", "/5/").replace('*', "");
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
                    assert_eq!(of(&path), Some(*never), "{path}");
                    assert_eq!(of(&path.to_ascii_uppercase()), Some(*never), "{path}");
                }
            }
        }
    }

    #[test]
    fn each_row_begins_with_the_letter_that_it_is_found_by() {
        for (pattern, ..) in NEVER {
            assert!(pattern[0].starts_with(|letter: char| letter.is_ascii_lowercase()), "{pattern:?}");
        }
        let found: usize = BY_LETTER.iter().map(Vec::len).sum();
        assert_eq!(found, NEVER.len());
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
            assert_eq!(of(path), None, "{path}");
        }
        for path in ["core/getapppassword-onetime", "core/apppassword/rotate", "login-flow", "loginX/v2", "logout-all"]
        {
            assert!(of(path).is_some(), "{path}");
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
            assert_eq!(of(path), Some(Never::NotesSettings), "{path}");
        }
    }

    #[test]
    fn letters_outside_ascii_are_compared_without_panic() {
        for path in ["löginx", "core/getapppasswör", "core/\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", "l\u{1F600}"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_segment_that_comes_again_and_again_hides_nothing_and_costs_its_length() {
        for path in [
            "apps/spreed/recording/x/recording/y/store",
            "ocs/v2.php/apps/spreed/api/v1/recording/recording/store",
            "apps/notifications/settings/settings/admin",
        ] {
            assert_eq!(of(path), Some(Never::AppAdministration), "{path}");
        }
        assert_eq!(of("apps/spreed/store/recording"), None);
        // By the square of its length this would be five thousand million comparisons.
        assert_eq!(of(&format!("apps/spreed/{}x", "recording/".repeat(100_000))), None);
    }

    #[test]
    fn some_rows_close_to_writers_alone() {
        for path in
            ["apps/mail/api/accounts", "apps/mail/api/accounts/5", "ocs/v2.php/apps/deck/api/v1.0/config/groupLimit"]
        {
            assert!(of(path).is_some(), "{path}");
            assert_eq!(Never::of(path, true, Opened::default()), None, "{path}");
        }
        for path in ["apps/mail/api/accounts/5/quota", "apps/mail/api/accounts/5/aliases", "apps/deck/api/v1.0/boards"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn an_opened_reason_hides_no_other() {
        let opened = Opened::default().with(Never::Settings);
        assert_eq!(Never::of("settings/user", false, opened), None);
        assert_eq!(Never::of("login", false, opened), Some(Never::Login));
        assert_eq!(opened.iter().collect::<Vec<_>>(), [Never::Settings]);
        for (place, never) in Never::ALL.iter().enumerate() {
            assert_eq!(*never as usize, place, "{}", never.as_str());
        }
    }
}
