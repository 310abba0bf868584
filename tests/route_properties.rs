//! No two readings: whatever is let through means to Nextcloud, and to whatever stands in front of it, what it means to us.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]

mod model;

use http::Method;
use model::agreement::one_reading;
use obo_proxy::nextcloud::destination::Destination;
use obo_proxy::nextcloud::route::Route;
use obo_proxy::nextcloud::target::Target;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Words of Nextcloud's paths, and ways to say them wrongly.
const PIECES: &[&str] = &[
    // entry points and trees
    "index.php",
    "remote.php",
    "ocs",
    "v1.php",
    "v2.php",
    "ocsapp",
    "status.php",
    "public.php",
    "dav",
    "webdav",
    "files",
    "caldav",
    "calendar",
    "carddav",
    "contacts",
    "calendars",
    "addressbooks",
    "principals",
    "users",
    "uploads",
    "trashbin",
    "versions",
    "bulk",
    "comments",
    "systemtags",
    "avatars",
    "direct",
    // routes
    "core",
    "getapppassword",
    "getapppassword-onetime",
    "apppassword",
    "cloud",
    "user",
    "groups",
    "capabilities",
    "navigation",
    "search",
    "providers",
    "preview",
    "settings",
    "login",
    "logout",
    "apps",
    "api",
    "v1",
    "notes",
    "deck",
    "spreed",
    "oauth2",
    "user_oidc",
    "app_api",
    "provisioning_api",
    "files_sharing",
    "notifications",
    "mail",
    "accounts",
    "admin_notifications",
    "push",
    "bot",
    "admin",
    "signaling",
    "backend",
    "theming",
    "image",
    "avatar",
    "alice",
    "a.txt",
    "mcp",
    "oauth",
    "callback",
    "page",
    ".well-known",
    "oauth-protected-resource",
    "personal",
    "authtokens",
    // nasty
    "",
    ".",
    "..",
    "...",
    "%2e",
    "%2e%2e",
    "..;",
    "..%3B",
    ";",
    "%3B",
    "%3Bx",
    ";x",
    "%2f",
    "%2F..",
    "%5c",
    "\\",
    "%00",
    "%0a",
    "%25",
    "%252e",
    "%252f",
    "%2567",
    "%67etapppassword",
    "%c0%af",
    "%c0%ae%c0%ae",
    "%c3%a4",
    "ä",
    "%",
    "%zz",
    "%3F",
    "%23",
    "#",
    "?",
    "+",
    "%20",
    "%7f",
    "Settings",
    "LOGIN",
    "Index.PHP",
    "OCS",
    "DAV",
    "settings%3Bx",
    "settings%3F",
    "Notes",
    "%73ettings",
    "getapppassword%23",
];

/// Whole paths to start from: allowed ones and forbidden ones.
const PATHS: &[&str] = &[
    "/remote.php/dav/files/alice/seq/a.txt",
    "/remote.php/webdav/seq",
    "/remote.php/files/a",
    "/remote.php/dav/",
    "/remote.php/dav/calendars/alice/seq/ev-1.ics",
    "/remote.php/caldav/calendars/alice/",
    "/remote.php/dav/addressbooks/users/alice/contacts/ct-1.vcf",
    "/remote.php/dav/principals/users/alice/",
    "/remote.php/dav/comments/files/5",
    "/remote.php/dav/uploads/alice/up-1/.file",
    "/ocs/v2.php/cloud/user",
    "/ocs/v1.php/cloud/capabilities",
    "/ocs/v2.php/apps/files_sharing/api/v1/shares",
    "/ocs/v2.php/search/providers/files/search",
    "/index.php/apps/notes/api/v1/notes/249",
    "/apps/deck/api/v1.0/boards",
    "/index.php/core/preview",
    "/avatar/alice/64",
    "/apps/theming/image/logo",
    "/status.php",
    "/.well-known/caldav",
    "/mcp",
    "/user/page",
    "/.well-known/oauth-protected-resource/mcp",
    "/ocs/v2.php/core/getapppassword",
    "/ocs/v2.php/core/apppassword/rotate",
    "/index.php/settings/personal/authtokens",
    "/index.php/login/v2",
    "/logout",
    "/apps/oauth2/authorize",
    "/ocs/v2.php/cloud/users/alice",
    "/index.php/apps/notes/api/v1/settings",
    "/apps/notes/api/v1/settings",
    "/ocs/v2.php/apps/notes/api/v1/settings",
    "/ocs/v2.php/apps/provisioning_api/api/v1/config/apps/core/x",
    "/index.php/ocsapp/core/getapppassword",
];

fn method() -> impl Strategy<Value = &'static str> {
    select(&["GET", "GET", "HEAD", "PUT", "POST", "PROPFIND", "REPORT", "SEARCH", "MOVE"][..])
}

/// Pieces, with slashes or without between them.
fn pieced() -> impl Strategy<Value = String> {
    prop::collection::vec((select(PIECES), prop::bool::weighted(0.85)), 1..9).prop_map(|pieces| {
        let mut target = String::from("/");
        for (piece, slash) in pieces {
            target.push_str(piece);
            target.push_str(if slash { "/" } else { "" });
        }
        target
    })
}

/// A known path with pieces put in, or a letter's case turned, or letters encoded.
fn bent() -> impl Strategy<Value = String> {
    (select(PATHS), prop::collection::vec((any::<prop::sample::Index>(), select(PIECES), 0..4u8), 0..3)).prop_map(
        |(path, bends)| {
            let mut target = path.to_owned();
            for (place, piece, how) in bends {
                let mut borders: Vec<usize> = target.char_indices().map(|(at, _)| at).collect();
                borders.push(target.len());
                let at = *place.get(&borders);
                match (how, target[at..].chars().next()) {
                    (0, _) => target.insert_str(at, piece),
                    (1, Some(letter)) if letter.is_ascii() => {
                        target.replace_range(at..=at, &format!("%{:02x}", letter as u8))
                    }
                    (2, Some(letter)) if letter.is_ascii_lowercase() => {
                        target.replace_range(at..=at, &letter.to_ascii_uppercase().to_string())
                    }
                    _ => target.insert_str(at, &format!("/{piece}/")),
                }
            }
            target
        },
    )
}

/// What some reader takes for a slash, or for nothing, or for a way up.
#[rustfmt::skip]
const JOINTS: &[&str] = &[
    "//", "/./", "%2f", "%5c", "\\", ";/", ";x/", "%3B/", "%3F/", "%23/", "%252f", "%c0%af", "%00/", "/%2e/", "/x/../", "/x/..;/", "/x/..%3B/",
    "/x/..%3Bx/", "/x/%2e%2e/", "/x/%252e%252e/", "/x/%c0%ae%c0%ae/", "/%3Bx/", "/x%2f../", "/x%5c..%5c", "/x/..\\",
];

/// What some reader does not see at the end of a path.
const TAILS: &[&str] = &["/", ";x", "%3Bx", "%3F", "%3Fx", "%23x", "%00", "%00x", "%2f", "%5c", "?x", "/x", "x"];

/// Ways up, as some reader sees them.
const UPWARDS: &[&str] = &[
    "..",
    "..;",
    "..;x",
    "..%3B",
    "%2e%2e",
    ".%2e",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "x%2f..%2f..",
    "x%5c..%5c..",
    "..\\..\\x",
];

/// A known path whose slashes are joints here and there, and perhaps a tail.
fn jointed() -> impl Strategy<Value = String> {
    (
        select(PATHS),
        prop::collection::vec(prop::option::weighted(0.25, select(JOINTS)), 8),
        prop::option::weighted(0.3, select(TAILS)),
    )
        .prop_map(|(path, joints, tail)| {
            let mut target = String::new();
            for (at, segment) in path.split('/').enumerate() {
                let joint = joints.get(at.wrapping_sub(2)).copied().flatten();
                target.push_str(if at == 0 { "" } else { joint.unwrap_or("/") });
                target.push_str(segment);
            }
            target + tail.unwrap_or_default()
        })
}

/// From one known path up and over into another.
fn crossing() -> impl Strategy<Value = String> {
    (select(PATHS), prop::collection::vec(select(UPWARDS), 1..3), select(PATHS), 1..4usize, 1..7usize).prop_map(
        |(from, upwards, to, deep, stays)| {
            let head: Vec<&str> = from.trim_end_matches('/').split('/').take(stays + 1).collect();
            let tail: Vec<&str> = to.split('/').skip(deep).collect();
            format!("{}/{}/{}", head.join("/"), upwards.join("/"), tail.join("/"))
        },
    )
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![pieced(), bent(), jointed(), crossing()]
}

/// Unreserved characters of RFC 3986 §2.3, but for the dot, which may not be encoded.
fn may_be_encoded(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '~')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_has_one_reading(method in method(), target in target()) {
        one_reading(method, &target);
    }

    #[test]
    fn encoding_letters_changes_no_route(
        method in method(),
        path in select(PATHS),
        chosen in subsequence((0..64).collect::<Vec<usize>>(), 0..=64),
    ) {
        let encoded: String = path
            .char_indices()
            .map(|(at, letter)| match chosen.contains(&at) && may_be_encoded(letter) {
                true if at % 2 == 0 => format!("%{:02x}", letter as u8),
                true => format!("%{:02X}", letter as u8),
                false => letter.to_string(),
            })
            .collect();
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let (plain, encoded) = (Target::parse(path).unwrap(), Target::parse(&encoded).unwrap());
        prop_assert_eq!(Route::fold(&verb, &plain), Route::fold(&verb, &encoded));
    }

    #[test]
    fn a_destination_is_read_as_a_target_is(target in target()) {
        let verb = Method::from_bytes(b"MOVE").unwrap();
        let (destination, target) = (Destination::parse(target.as_bytes(), &[]), Target::parse(&target));
        if let Ok(destination) = destination {
            let target = target.unwrap();
            prop_assert_eq!(destination.path(), target.path());
            prop_assert_eq!(destination.route(&verb), Route::fold(&verb, &target));
        } else {
            prop_assert!(target.is_err() || target.unwrap().query().is_some());
        }
    }

    #[test]
    fn parsing_never_panics(target in ".{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        one_reading("GET", &target);
        one_reading("SEARCH", &format!("/{target}"));
        let _ = Target::parse(&target).map(|target| (target.has_access_token(), target.parameters().count()));
        let _ = Destination::parse(&bytes, &[]);
    }
}

#[test]
fn the_paths_that_start_each_test_have_one_reading() {
    for path in PATHS {
        for method in ["GET", "SEARCH", "PROPFIND"] {
            one_reading(method, path);
        }
    }
}
