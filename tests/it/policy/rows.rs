//! Each row of the second table of nextcloud.md §4, and each method on each of them.

use super::{asks_for, ends, passes, told_with, with};
use crate::house::House;

/// An example of each family, what reading and what writing it needs, by nextcloud.md §4. `-`: no scope opens it.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("/ocs/v2.php/cloud/user", "", "-"),
    ("/ocs/v1.php/cloud/capabilities", "", "-"),
    ("/ocs/v2.php/core/navigation/apps", "", "-"),
    ("/index.php/avatar/alice/64", "", "-"),
    ("/remote.php/dav/avatars/alice/64.png", "", "-"),
    ("/apps/theming/image/logo", "", "-"),
    ("/status.php", "", "-"),
    ("/.well-known/caldav", "", "-"),
    ("/.well-known/carddav", "", "-"),
    ("/remote.php/dav/", "", "-"),
    ("/remote.php/dav/principals/users/alice/", "", "-"),
    ("/remote.php/dav/files/alice/x", "files.read", "files.write"),
    ("/remote.php/webdav/x", "files.read", "files.write"),
    ("/remote.php/dav/uploads/alice/1", "files.read", "files.write"),
    ("/remote.php/dav/bulk", "files.read", "files.write"),
    ("/remote.php/dav/trashbin/alice/trash/x", "files.read", "files.write"),
    ("/remote.php/dav/versions/alice/versions/1", "files.read", "files.write"),
    ("/index.php/core/preview.png?file=x", "files.read", "-"),
    ("/remote.php/dav/systemtags/", "files.read", "files.write"),
    ("/remote.php/dav/systemtags-relations/files/1", "files.read", "files.write"),
    ("/remote.php/dav/comments/files/1", "files.read", "files.write"),
    ("/ocs/v2.php/apps/files_sharing/api/v1/shares/5", "files.read shares.read", "files.read shares.write"),
    ("/ocs/v2.php/apps/files_sharing/api/v1/sharees?search=b", "shares.read", "files.read shares.write"),
    ("/remote.php/dav/calendars/alice/personal/", "calendar.read", "calendar.write"),
    ("/remote.php/caldav/calendars/alice/inbox/", "calendar.read", "calendar.write"),
    ("/remote.php/dav/addressbooks/users/alice/contacts/", "contacts.read", "contacts.write"),
    ("/remote.php/carddav/addressbooks/alice/contacts/", "contacts.read", "contacts.write"),
    ("/index.php/apps/notes/api/v1/notes", "notes.read", "notes.write"),
    ("/apps/deck/api/v1.0/boards", "deck.read", "deck.write"),
    ("/ocs/v2.php/apps/deck/api/v1.0/boards", "deck.read", "deck.write"),
    ("/apps/tables/api/1/tables", "tables.read", "tables.write"),
    ("/ocs/v2.php/apps/spreed/api/v4/room", "talk.read", "talk.write"),
    ("/ocs/v2.php/apps/spreed/api/v4/room/abcd/meeting", "calendar.read talk.read", "calendar.write talk.write"),
    ("/apps/mail/api/messages/5/flags", "mail.read", "mail.write"),
    ("/apps/mail/api/autoComplete?term=b", "contacts.read mail.read", "contacts.write mail.write"),
    ("/index.php/apps/mail/api/contactIntegration/new", "contacts.read mail.read", "contacts.write mail.write"),
    ("/ocs/v2.php/apps/activity/api/v2/activity", "activity.read", "-"),
    ("/ocs/v2.php/apps/notifications/api/v2/notifications", "notifications.read", "notifications.write"),
    ("/ocs/v2.php/apps/user_status/api/v1/user_status", "status.read", "status.write"),
    ("/ocs/v2.php/search/providers", "", "-"),
    ("/ocs/v2.php/search/providers/files/search?term=a", "files.read", "-"),
    ("/ocs/v2.php/search/providers/contacts/search?term=a", "contacts.read", "-"),
    ("/ocs/v2.php/search/providers/calendar/search?term=a", "calendar.read", "-"),
    ("/ocs/v2.php/search/providers/tasks/search?term=a", "tasks.read", "-"),
    ("/ocs/v2.php/search/providers/notes/search?term=a", "notes.read", "-"),
    ("/ocs/v2.php/search/providers/talk-message/search?term=a", "talk.read", "-"),
    ("/ocs/v2.php/search/providers/nope/search?term=a", "-", "-"),
];

const ALL: &str = "nc.read files.read files.write shares.read shares.write calendar.read calendar.write tasks.read tasks.write \
                   contacts.read contacts.write notes.read notes.write deck.read deck.write tables.read tables.write talk.read \
                   talk.write mail.read mail.write activity.read notifications.read notifications.write status.read status.write";

/// Nothing else reads; TRACE and CONNECT are no methods here.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "OPTIONS",
    "PROPFIND",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "PROPPATCH",
    "MKCOL",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "MKCALENDAR",
    "ACL",
    "VERSION-CONTROL",
];
const READS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn each_row_opens_with_its_scopes_and_not_without_one_of_them() {
    let house = House::open().await;
    for (path, read, write) in FAMILIES {
        for (method, needs) in [("GET", read), ("PUT", write)] {
            let head = format!("{method} {path}");
            if *needs == "-" {
                ends(&house, ALL, &head, "", 403, "forbidden_route").await;
                continue;
            }
            passes(&house, needs, &head, "").await;
            for missing in needs.split(' ').filter(|scope| !scope.is_empty()) {
                let rest: Vec<&str> = needs.split(' ').filter(|scope| scope != &missing).collect();
                let scopes = format!("openid offline_access {}", rest.join(" "));
                let answer = ends(&house, &scopes, &head, "", 403, "insufficient_scope").await;
                asks_for(&answer, needs, &head);
            }
            // Every other scope together is no substitute.
            let stems: Vec<&str> = needs.split(' ').map(|scope| scope.split('.').next().unwrap()).collect();
            if !needs.is_empty() {
                let others: Vec<&str> =
                    ALL.split(' ').filter(|scope| !stems.contains(&scope.split('.').next().unwrap())).collect();
                ends(&house, &others.join(" "), &head, "", 403, "insufficient_scope").await;
            }
        }
    }
    house.close().await;
}

/// Whatever a token was granted, a request passes if and only if the table says so.
#[tokio::test(flavor = "multi_thread")]
async fn every_method_on_every_family_passes_if_the_table_says_so_and_only_then() {
    let house = House::open().await;
    let all: Vec<&str> = ALL.split(' ').collect();
    let mut random = 0x9e37_79b9_u32;
    let mut sets = vec![String::new(), "files.write shares.write".to_owned()];
    for _ in 0..2 {
        let some = all.iter().filter(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 31 == 0
        });
        sets.push(some.copied().collect::<Vec<_>>().join(" "));
    }
    let tokens: Vec<_> = sets.into_iter().map(|scopes| (house.token_with("alice", &scopes), scopes)).collect();
    for (token, scopes) in tokens {
        let granted: Vec<&str> = scopes.split(' ').collect();
        let has = |needed: &str| {
            let written = needed.replace(".read", ".write");
            needed == "nc.read" || granted.contains(&needed) || granted.contains(&written.as_str())
        };
        for (path, read, write) in FAMILIES {
            for (place, method) in METHODS.iter().enumerate() {
                let mut needs = if place < READS { read } else { write };
                if path.contains("/files_sharing/") && *method == "DELETE" {
                    needs = &"shares.write";
                }
                let expected = *needs != "-" && needs.split(' ').filter(|scope| !scope.is_empty()).all(has);
                let head = format!("{method} {path}");
                let (answer, reached) = told_with(&house, &token, &head, "").await;
                assert_eq!(reached, expected, "{head} with {scopes:?}: {} {}", answer.status, answer.error());
                if !expected {
                    let error = if *needs == "-" { "forbidden_route" } else { "insufficient_scope" };
                    let wanted = if *method == "HEAD" { String::new() } else { error.to_owned() };
                    assert_eq!((answer.status, answer.error()), (403, wanted), "{head} with {scopes:?}");
                }
            }
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn write_includes_read_and_the_challenge_repeats_what_was_granted() {
    let house = House::open().await;
    passes(&house, "files.write", "GET /remote.php/dav/files/alice/alice.txt", "").await;
    let scopes = "openid profile offline_access files.write notes.read unknown.read";
    let answer = ends(&house, scopes, "PUT /apps/notes/api/v1/notes/5", "", 403, "insufficient_scope").await;
    asks_for(&answer, "files.write notes.read notes.write", "notes");
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(house.metric("obo_refusals_total{error=\"insufficient_scope\"}").await, 1.0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dav_root_and_principals_are_shallow_and_read_only() {
    let house = House::open().await;
    for path in ["/remote.php/dav/", "/remote.php/dav/principals/users/alice/"] {
        for depth in ["", "\nDepth: 0", "\nDepth: 1"] {
            passes(&house, "", &format!("PROPFIND {path}{depth}"), "").await;
        }
        for depth in ["infinity", "2", "0\nDepth: infinity", "1,noroot"] {
            ends(&house, ALL, &format!("PROPFIND {path}\nDepth: {depth}"), "", 403, "forbidden_route").await;
        }
        for method in ["PUT", "MKCOL", "PROPPATCH", "COPY", "MOVE"] {
            ends(&house, ALL, &format!("{method} {path}"), "", 403, "forbidden_route").await;
        }
    }
    house.close().await;
}

/// `Destination` on whatever method: COPY reads here and writes there, every other writes at both ends.
#[tokio::test(flavor = "multi_thread")]
async fn copy_and_move_need_the_scopes_of_both_ends() {
    let house = House::open().await;
    let (file, event) = ("/remote.php/dav/files/alice/alice.txt", "/remote.php/dav/calendars/alice/personal/1.ics");
    for (method, from, to, needs) in [
        ("COPY", file, "/remote.php/dav/files/alice/b.txt", "files.write"),
        ("COPY", file, event, "calendar.write files.read"),
        ("COPY", event, file, "calendar.read files.write"),
        ("MOVE", file, event, "calendar.write files.write"),
        ("PUT", "/remote.php/dav/uploads/alice/1/1", event, "calendar.write files.write"),
    ] {
        let head = format!("{method} {from}\nDestination: {to}");
        passes(&house, needs, &head, "").await;
        for missing in needs.split(' ') {
            let rest: Vec<&str> = needs.split(' ').filter(|scope| scope != &missing).collect();
            ends(&house, &rest.join(" "), &head, "", 403, "insufficient_scope").await;
        }
    }
    for to in ["/remote.php/dav/", "/remote.php/dav/principals/users/alice"] {
        ends(&house, ALL, &format!("COPY {file}\nDestination: {to}"), "", 403, "forbidden_route").await;
    }
    house.close().await;
}

/// Rows inside listed apps, each closed with every scope; the reasons stand in `never.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn administration_and_credentials_inside_listed_apps_are_closed_whatever_the_scopes() {
    let house = with("[policy]\nenforcement = \"off\"\n").await;
    for head in [
        "POST /ocs/v2.php/apps/notifications/api/v2/admin_notifications/alice",
        "POST /ocs/v2.php/apps/notifications/api/v2/push",
        "POST /ocs/v2.php/apps/notifications/api/v2/webpush",
        "POST /ocs/v2.php/apps/notifications/api/v2/settings/admin",
        "GET /ocs/v2.php/apps/spreed/api/v1/bot/admin",
        "POST /ocs/v2.php/apps/spreed/api/v3/signaling/backend",
        "GET /ocs/v2.php/apps/spreed/api/v3/signaling/welcome/0",
        "POST /ocs/v2.php/apps/spreed/api/v1/recording/backend",
        "GET /ocs/v2.php/apps/spreed/api/v1/recording/welcome/0",
        "POST /ocs/v2.php/apps/spreed/api/v1/recording/abcd/store",
        "POST /ocs/v2.php/apps/spreed/api/v1/hostedsignalingserver/auth",
        "POST /ocs/v2.php/apps/spreed/api/v1/settings/sip",
        "GET /ocs/v2.php/apps/spreed/api/v1/certificate/expiration",
        "PUT /ocs/v2.php/apps/spreed/api/v1/bridge/abcd",
        "POST /apps/mail/api/settings/provisioning",
        "POST /apps/mail/api/integration/google",
        "POST /apps/mail/api/oauth/state",
        "GET /apps/mail/api/autoconfig/test",
        "POST /apps/mail/api/smime/certificates",
        "POST /apps/mail/api/delegations/1",
        "PUT /apps/mail/api/sieve/account/1",
        "POST /apps/mail/api/accounts",
        "PUT /apps/mail/api/accounts/1",
        "PATCH /index.php/apps/mail/api/accounts/1",
        "POST /ocs/v2.php/apps/deck/api/v1.0/config/groupLimit",
    ] {
        ends(&house, ALL, head, "", 403, "forbidden_route").await;
    }
    for head in ["GET /apps/mail/api/accounts", "GET /ocs/v2.php/apps/deck/api/v1.0/config"] {
        passes(&house, ALL, head, "").await;
    }
    house.close().await;
}

/// A challenge is made of names that the policy knows, whatever stands in the caller's token.
#[tokio::test(flavor = "multi_thread")]
async fn no_scope_of_a_callers_token_breaks_the_challenge() {
    let house = House::open().await;
    for scopes in [
        "files.read\" error=\"x\\",
        "notes.read files.read\",realm=\"x",
        "\u{1}\u{7f}\r\nX-Y:z offline_access",
        "files.read\nnotes.read offline_access openid",
        "ä \u{0} offline_access",
    ] {
        let answer = ends(&house, scopes, "PUT /remote.php/dav/files/alice/x", "", 403, "insufficient_scope").await;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge.matches('"').count(), 8, "{challenge}");
        assert!(!challenge.contains("offline_access") && !challenge.contains("realm"), "{challenge}");
        let known = if scopes.contains("notes.read f") { "files.write notes.read" } else { "files.write" };
        asks_for(&answer, known, scopes);
    }
    house.close().await;
}
