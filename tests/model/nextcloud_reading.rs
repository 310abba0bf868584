//! How a target may be read. Written from nextcloud.md and its recordings, not from `src/nextcloud`: whole strings against
//! globs here, segments against `match` there, so that one slip is not made twice.
//!
//! Nextcloud itself decodes once, collapses `//`, resolves `..`, takes its script's name off and matches with case. Others
//! (a rewrite rule, a servlet container, a file system, IIS) do more, and in other orders: each habit is one bit.

/// A reader's habits beyond Nextcloud's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader(u8);

impl Reader {
    /// Nextcloud 32 behind nginx.
    pub const NEXTCLOUD: Self = Self(0);

    const DECODES_TWICE: u8 = 1;
    const RESOLVES_FIRST: u8 = 1 << 1;
    const CUTS_PARAMETERS: u8 = 1 << 2;
    const CUTS_DECODED_QUERY: u8 = 1 << 3;
    const IGNORES_CASE: u8 = 1 << 4;
    const TURNS_BACKSLASHES: u8 = 1 << 5;
    const ENDS_AT_NUL: u8 = 1 << 6;
    const TAKES_OVERLONG: u8 = 1 << 7;

    /// Every combination of habits.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    fn has(self, habit: u8) -> bool {
        self.0 & habit != 0
    }
}

/// What a reader takes a target for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A route that no bearer may reach.
    Never,
    /// A listed family, by its label.
    Family(&'static str),
    /// Nothing that is listed.
    Nothing,
}

/// Routes of nextcloud.md §4, first table. `*` is any text within a segment, `**` any text, nothing included.
const NEVER: &[&str] = &[
    "/ocsapp/core/getapppassword*/**",
    "/ocsapp/core/apppassword*/**",
    "/settings/**",
    "/ocsapp/settings/**",
    "/login*/**",
    "/logout/**",
    "/apps/oauth2/**",
    "/apps/oidc/**",
    "/apps/user_oidc/**",
    "/apps/app_api/**",
    "/ocsapp/apps/oauth2/**",
    "/ocsapp/apps/oidc/**",
    "/ocsapp/apps/user_oidc/**",
    "/ocsapp/apps/app_api/**",
    "/ocsapp/cloud/users/**",
    "/ocsapp/cloud/groups/**",
    "/ocsapp/cloud/apps/**",
    "/ocsapp/apps/provisioning_api/**",
    "/apps/notes/settings/**",
    "/apps/notes/**/settings/**",
    "/ocsapp/apps/notes/settings/**",
    "/ocsapp/apps/notes/**/settings/**",
];

/// What is closed inside listed apps, by the apps' own route tables: app, and what is behind it at any depth.
const INSIDE: &[(&str, &str)] = &[
    ("notifications", "admin_notifications*/**"),
    ("notifications", "settings/admin/**"),
    ("notifications", "push*/**"),
    ("notifications", "webpush*/**"),
    ("spreed", "bot/admin*/**"),
    ("spreed", "signaling/backend*/**"),
    ("spreed", "signaling/welcome*/**"),
    ("spreed", "recording/backend*/**"),
    ("spreed", "recording/welcome*/**"),
    ("spreed", "recording/store/**"),
    ("spreed", "recording/**/store/**"),
    ("spreed", "hostedsignalingserver*/**"),
    ("spreed", "settings/sip/**"),
    ("spreed", "certificate*/**"),
    ("spreed", "command*/**"),
    ("spreed", "bridge*/**"),
];

/// The same, where it is the app's `api` and nothing deeper.
const INSIDE_API: &[(&str, &str)] = &[
    ("mail", "settings/**"),
    ("mail", "integration/**"),
    ("mail", "oauth/**"),
    ("mail", "autoconfig/**"),
    ("mail", "smime/**"),
    ("mail", "delegations/**"),
    ("mail", "sieve/account/**"),
];

/// The same, closed to whoever writes.
const INSIDE_TO_WRITERS: &[(&str, &str)] = &[
    ("mail", "accounts/"),
    ("mail", "accounts/*?/"),
    ("mail", "accounts/*?/smime-certificate/**"),
    ("deck", "config/**"),
];

/// Whether this is closed inside an app.
fn inside_an_app(method: &str, routed: &str) -> bool {
    let reads = matches!(method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT" | "SEARCH");
    let closed = |rows: &[(&str, &str)], middles: &[&str]| {
        rows.iter().filter(|(app, _)| routed.contains(app)).any(|(app, tail)| {
            ["/apps/", "/ocsapp/apps/"].iter().any(|entry| {
                middles.iter().any(|middle| fits(format!("{entry}{app}{middle}{tail}").as_bytes(), routed.as_bytes()))
            })
        })
    };
    closed(INSIDE, &["/", "/**/"])
        || closed(INSIDE_API, &["/api/"])
        || !reads && closed(INSIDE_TO_WRITERS, &["/", "/**/"])
}

/// Families of nextcloud.md §4, second table. All end in `/`, as the path does that is held against them.
const FAMILIES: &[(&str, &str)] = &[
    ("/mcp/**", "ours"),
    ("/oauth/*?/**", "ours"),
    ("/user/page/", "ours"),
    ("/.well-known/oauth-protected-resource/**", "ours"),
    ("/status.php/", "status"),
    ("/.well-known/caldav/", "well_known_dav"),
    ("/.well-known/carddav/", "well_known_dav"),
    ("/ocsapp/cloud/user/", "user"),
    ("/ocsapp/cloud/capabilities/", "capabilities"),
    ("/ocsapp/core/navigation/apps/", "navigation"),
    ("/ocsapp/search/providers/", "unified_search"),
    ("/ocsapp/search/providers/*/search/", "unified_search"),
    ("/ocsapp/apps/files_sharing/**", "shares"),
    ("/avatar/*/*?/**", "avatar"),
    ("/remote.php/dav/avatars/**", "avatar"),
    ("/apps/theming/image/**", "theming"),
    ("/apps/theming/theme/**", "theming"),
    ("/apps/theming/img/**", "theming"),
    ("/apps/theming/icon/**", "theming"),
    ("/apps/theming/favicon/**", "theming"),
    ("/apps/theming/manifest/**", "theming"),
    ("/core/preview/", "previews"),
    ("/core/preview.png/", "previews"),
    ("/apps/files_versions/preview/", "previews"),
    ("/apps/files_trashbin/preview/", "previews"),
    ("/apps/files/api/v1/thumbnail/*?/**", "previews"),
    ("/remote.php/dav/", "dav_root"),
    ("/remote.php/dav/principals/**", "principals"),
    ("/remote.php/caldav/principals/**", "principals"),
    ("/remote.php/calendar/principals/**", "principals"),
    ("/remote.php/carddav/principals/**", "principals"),
    ("/remote.php/contacts/principals/**", "principals"),
    ("/remote.php/dav/files/**", "files"),
    ("/remote.php/webdav/**", "files"),
    ("/remote.php/files/**", "files"),
    ("/remote.php/dav/uploads/**", "uploads"),
    ("/remote.php/dav/bulk/", "bulk"),
    ("/remote.php/dav/trashbin/**", "trashbin"),
    ("/remote.php/dav/versions/**", "versions"),
    ("/remote.php/dav/systemtags/**", "system_tags"),
    ("/remote.php/dav/systemtags-relations/**", "system_tags"),
    ("/remote.php/dav/systemtags-assigned/**", "system_tags"),
    ("/remote.php/dav/systemtags-current/**", "system_tags"),
    ("/remote.php/dav/comments/files/**", "comments_files"),
    ("/remote.php/dav/calendars/**", "calendars"),
    ("/remote.php/caldav/calendars/**", "calendars"),
    ("/remote.php/calendar/calendars/**", "calendars"),
    ("/remote.php/caldav/", "calendars"),
    ("/remote.php/calendar/", "calendars"),
    ("/remote.php/dav/addressbooks/", "addressbooks"),
    ("/remote.php/dav/addressbooks/users/**", "addressbooks"),
    ("/remote.php/dav/addressbooks/system/**", "addressbooks"),
    ("/remote.php/carddav/addressbooks/**", "addressbooks"),
    ("/remote.php/contacts/addressbooks/**", "addressbooks"),
    ("/remote.php/carddav/", "addressbooks"),
    ("/remote.php/contacts/", "addressbooks"),
    ("/apps/notes/api/**", "notes"),
    ("/apps/deck/api/**", "deck"),
    ("/apps/tables/api/**", "tables"),
    ("/apps/spreed/api/**", "talk"),
    ("/apps/mail/api/**", "mail"),
    ("/apps/activity/api/**", "activity"),
    ("/apps/notifications/api/**", "notifications"),
    ("/apps/user_status/api/**", "user_status"),
    ("/ocsapp/apps/notes/**", "notes"),
    ("/ocsapp/apps/deck/**", "deck"),
    ("/ocsapp/apps/tables/**", "tables"),
    ("/ocsapp/apps/spreed/**", "talk"),
    ("/ocsapp/apps/mail/**", "mail"),
    ("/ocsapp/apps/activity/**", "activity"),
    ("/ocsapp/apps/notifications/**", "notifications"),
    ("/ocsapp/apps/user_status/**", "user_status"),
];

/// Reads a target as `reader` would.
pub fn read(method: &str, target: &str, reader: Reader) -> Reading {
    let path = reader.path(target);
    let routed = routed(&path);
    if NEVER.iter().any(|glob| fits(glob.as_bytes(), routed.as_bytes())) || inside_an_app(method, &routed) {
        return Reading::Never;
    }
    // What only a proxy of ours, or an entry point by another name, would know is not listed.
    if routed.starts_with("/ocsapp/") && !path.starts_with("/ocs/") {
        return Reading::Nothing;
    }
    let inside = path != routed && path.starts_with("/index.php/");
    let listed = FAMILIES.iter().find(|(glob, _)| fits(glob.as_bytes(), routed.as_bytes()));
    match listed {
        Some((glob, _)) if inside && !["/apps/", "/core/", "/avatar/"].iter().any(|web| glob.starts_with(web)) => {
            Reading::Nothing
        }
        Some((_, "dav_root")) if method == "SEARCH" => Reading::Family("file_search"),
        Some(_) if method == "SEARCH" => Reading::Nothing,
        Some((_, family)) => Reading::Family(family),
        None => Reading::Nothing,
    }
}

/// Takes `index.php` off, as Nextcloud's `getRawPathInfo` does, and calls OCS by the name that its router has for it.
fn routed(path: &str) -> String {
    let mut path = path.to_owned();
    if let Some(info) = path.strip_prefix("/index.php/") {
        path = format!("/{info}");
    }
    for script in ["/ocs/v1.php/", "/ocs/v2.php/"] {
        if let Some(info) = path.strip_prefix(script) {
            return format!("/ocsapp/{info}");
        }
    }
    path
}

impl Reader {
    /// The path that it arrives at, with one slash at either end.
    fn path(self, target: &str) -> String {
        let raw = target.split(['?', '#']).next().unwrap_or_default();
        let mut path = raw.as_bytes().to_vec();
        if self.has(Self::CUTS_PARAMETERS) {
            path = without_parameters(&path);
        }
        if self.has(Self::RESOLVES_FIRST) {
            path = resolved(&path);
        }
        path = self.decoded(&path);
        if self.has(Self::DECODES_TWICE) {
            path = self.decoded(&path);
        }
        if self.has(Self::ENDS_AT_NUL) {
            path = until(&path, |byte| byte == 0);
        }
        if self.has(Self::CUTS_DECODED_QUERY) {
            path = until(&path, |byte| byte == b'?' || byte == b'#');
        }
        if self.has(Self::TURNS_BACKSLASHES) {
            path.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
        }
        if self.has(Self::CUTS_PARAMETERS) {
            path = without_parameters(&path);
        }
        path = resolved(&path);
        if self.has(Self::IGNORES_CASE) {
            path.make_ascii_lowercase();
        }
        String::from_utf8_lossy(&path).into_owned()
    }

    fn decoded(self, path: &[u8]) -> Vec<u8> {
        let text: Vec<char> = path.iter().map(|&byte| char::from(byte)).collect();
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let escape = (text[at] == '%').then(|| text.get(at + 1..at + 3)).flatten();
            let value = escape.and_then(|digits| Some(digits[0].to_digit(16)? * 16 + digits[1].to_digit(16)?));
            decoded.push(value.unwrap_or(u32::from(text[at])) as u8);
            at += if value.is_some() { 3 } else { 1 };
        }
        if self.has(Self::TAKES_OVERLONG) { from_overlong(&decoded) } else { decoded }
    }
}

/// Two bytes that should have been one: `C0 AF` for `/`.
fn from_overlong(bytes: &[u8]) -> Vec<u8> {
    let mut short = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [lead @ (0xc0 | 0xc1), tail @ 0x80..=0xbf, ..] => {
                short.push((lead & 1) << 6 | tail & 0x3f);
                at += 2;
            }
            _ => {
                short.push(bytes[at]);
                at += 1;
            }
        }
    }
    short
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let outside = |byte: &u8| {
        inside = match byte {
            b';' => true,
            b'/' => false,
            _ => inside,
        };
        !inside
    };
    path.iter()
        .copied()
        .filter({
            let mut outside = outside;
            move |byte| outside(byte)
        })
        .collect()
}

fn until(path: &[u8], ends: impl Fn(u8) -> bool) -> Vec<u8> {
    path.iter().copied().take_while(|&byte| !ends(byte)).collect()
}

fn resolved(path: &[u8]) -> Vec<u8> {
    let mut stack: Vec<&[u8]> = Vec::new();
    for segment in path.split(|&byte| byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(stack.pop()),
            name => stack.push(name),
        }
    }
    let mut whole = vec![b'/'];
    for segment in stack {
        whole.extend_from_slice(segment);
        whole.push(b'/');
    }
    whole
}

/// `*` is any text without `/`, `**` any text; `*?` is a segment that is not empty. A glob that ends in `/**` fits its
/// own folder.
fn fits(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => {
            let rest = rest.strip_prefix(b"/").filter(|_| text.is_empty()).unwrap_or(rest);
            (0..=text.len()).any(|end| fits(rest, &text[end..]))
        }
        [b'*', b'?', rest @ ..] => text.first().is_some_and(|&byte| byte != b'/') && fits_within(rest, text),
        [b'*', rest @ ..] => fits_within(rest, text),
        [byte, rest @ ..] => text.first() == Some(byte) && fits(rest, &text[1..]),
    }
}

fn fits_within(rest: &[u8], text: &[u8]) -> bool {
    let segment = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
    (0..=segment).any(|end| fits(rest, &text[end..]))
}
