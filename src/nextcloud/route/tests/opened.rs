//! What is let through, and as what.

use http::Method;

use super::{fold, fold_as, folds, forbidden};
use crate::nextcloud::family::Family;
use crate::nextcloud::never::Never;
use crate::nextcloud::route::Route;
use crate::nextcloud::target::Target;

#[test]
fn files_have_three_paths_and_one_route() {
    folds("/remote.php/dav/files/alice/seq/a.txt", Family::Files, Some("alice"), "seq/a.txt");
    folds("/remote.php/webdav/seq/a.txt", Family::Files, Some("(caller)"), "seq/a.txt");
    folds("/remote.php/files/seq/a.txt", Family::Files, Some("(caller)"), "seq/a.txt");
    folds("/remote.php/webdav", Family::Files, Some("(caller)"), "");
    folds("/remote.php/dav/files/alice", Family::Files, Some("alice"), "");
    folds("/remote.php/dav/files", Family::Files, None, "");
}

#[test]
fn the_dav_tree_folds_by_its_first_segment() {
    folds("/remote.php/dav", Family::DavRoot, None, "");
    folds("/remote.php/dav/principals/users/alice", Family::Principals, Some("alice"), "");
    folds("/remote.php/dav/principals/groups/staff", Family::Principals, None, "groups/staff");
    folds("/remote.php/dav/principals", Family::Principals, None, "");
    folds("/remote.php/dav/uploads/alice/up-1/.file", Family::Uploads, Some("alice"), "up-1/.file");
    folds("/remote.php/dav/bulk", Family::Bulk, None, "");
    folds("/remote.php/dav/trashbin/alice/trash/c.txt.d1", Family::Trashbin, Some("alice"), "trash/c.txt.d1");
    folds("/remote.php/dav/versions/alice/versions/218", Family::Versions, Some("alice"), "versions/218");
    folds("/remote.php/dav/systemtags/1", Family::SystemTags, None, "systemtags/1");
    folds("/remote.php/dav/systemtags-relations/files/5", Family::SystemTags, None, "systemtags-relations/files/5");
    folds("/remote.php/dav/comments/files/5", Family::CommentsFiles, None, "5");
    folds("/remote.php/dav/avatars/alice/96.png", Family::Avatar, Some("alice"), "96.png");
    folds("/remote.php/dav/calendars/alice/inbox", Family::Calendars, Some("alice"), "inbox");
    folds(
        "/remote.php/dav/addressbooks/users/alice/contacts/a.vcf",
        Family::Addressbooks,
        Some("alice"),
        "contacts/a.vcf",
    );
    folds("/remote.php/dav/addressbooks/system/system/system", Family::Addressbooks, None, "system/system/system");
}

#[test]
fn the_older_calendar_and_contact_trees_fold_into_the_new_one() {
    for service in ["caldav", "calendar"] {
        folds(
            &format!("/remote.php/{service}/calendars/alice/seq/a.ics"),
            Family::Calendars,
            Some("alice"),
            "seq/a.ics",
        );
        folds(&format!("/remote.php/{service}"), Family::Calendars, None, "");
        folds(&format!("/remote.php/{service}/principals/alice"), Family::Principals, Some("alice"), "");
        forbidden(&format!("/remote.php/{service}/addressbooks/alice"), Never::Unlisted);
    }
    for service in ["carddav", "contacts"] {
        folds(
            &format!("/remote.php/{service}/addressbooks/alice/b/a.vcf"),
            Family::Addressbooks,
            Some("alice"),
            "b/a.vcf",
        );
        folds(&format!("/remote.php/{service}"), Family::Addressbooks, None, "");
        forbidden(&format!("/remote.php/{service}/calendars/alice"), Never::Unlisted);
    }
}

#[test]
fn both_versions_of_ocs_are_one() {
    for version in ["v1.php", "v2.php"] {
        let ocs = |path: &str| format!("/ocs/{version}/{path}");
        folds(&ocs("cloud/user"), Family::User, None, "");
        folds(&ocs("cloud/capabilities"), Family::Capabilities, None, "");
        folds(&ocs("core/navigation/apps"), Family::Navigation, None, "");
        folds(&ocs("apps/files_sharing/api/v1/shares/1"), Family::Shares, None, "api/v1/shares/1");
        folds(&ocs("apps/spreed/api/v4/room"), Family::Talk, None, "api/v4/room");
        folds(&ocs("search/providers"), Family::UnifiedSearch, None, "");
        folds(&ocs("search/providers/files/search"), Family::UnifiedSearch, None, "files");
    }
}

#[test]
fn a_search_names_its_provider() {
    let provider = |path: &str| {
        let target = Target::parse(path).unwrap();
        Route::fold(&Method::GET, &target).search_provider().map(str::to_owned)
    };
    assert_eq!(provider("/ocs/v2.php/search/providers/talk-message/search?term=a").as_deref(), Some("talk-message"));
    assert_eq!(provider("/ocs/v2.php/search/providers/%66iles/search").as_deref(), Some("files"));
    assert_eq!(provider("/ocs/v2.php/search/providers"), None);
    assert_eq!(provider("/ocs/v2.php/cloud/user"), None);
    assert_eq!(provider("/remote.php/dav/files/alice/a"), None);
    forbidden("/ocs/v2.php/search/providers/files", Never::Unlisted);
    forbidden("/ocs/v2.php/search/providers/files/search/x", Never::Unlisted);
}

#[test]
fn the_api_of_an_app_is_one_with_its_ocs_twin() {
    for (app, family) in [
        ("notes", Family::Notes),
        ("deck", Family::Deck),
        ("tables", Family::Tables),
        ("spreed", Family::Talk),
        ("mail", Family::Mail),
        ("activity", Family::Activity),
        ("notifications", Family::Notifications),
        ("user_status", Family::UserStatus),
    ] {
        for entry in ["/apps", "/index.php/apps", "/ocs/v1.php/apps", "/ocs/v2.php/apps"] {
            folds(&format!("{entry}/{app}/api/v1/x/5"), family, None, "api/v1/x/5");
        }
        for page in ["", "/x", "/apis/v1", "/API/v1"] {
            forbidden(&format!("/apps/{app}{page}"), Never::Unlisted);
            forbidden(&format!("/index.php/apps/{app}{page}"), Never::Unlisted);
        }
    }
    folds("/ocs/v2.php/apps/mail/message/send", Family::Mail, None, "message/send");
}

#[test]
fn search_is_for_the_dav_root() {
    assert_eq!(fold_as("SEARCH", "/remote.php/dav/").0, Family::FileSearch);
    assert_eq!(fold_as("SEARCH", "/remote.php/dav").0, Family::FileSearch);
    assert_eq!(fold_as("search", "/remote.php/dav/").0, Family::DavRoot);
    for path in [
        "/remote.php/dav/files/alice/",
        "/remote.php/webdav/",
        "/remote.php/caldav/",
        "/remote.php/dav/calendars/alice",
        "/ocs/v2.php/cloud/user",
        "/mcp",
    ] {
        assert_eq!(fold_as("SEARCH", path).0, Family::Forbidden(Never::SearchElsewhere), "{path}");
    }
}

#[test]
fn our_own_pages_are_ours() {
    for path in [
        "/mcp",
        "/mcp/x",
        "/oauth/callback",
        "/user/page",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        folds(path, Family::Ours, None, &path[1..]);
    }
    folds("/%6dcp", Family::Ours, None, "mcp");
    for path in [
        "/mcpx",
        "/oauth",
        "/oauthx/y",
        "/user",
        "/user/page/x",
        "/user/pages",
        "/.well-known/oauth-protected-resourcex",
        "/.well-known",
        "/.well-known/webfinger",
    ] {
        forbidden(path, Never::Unlisted);
    }
    folds("/.well-known/caldav", Family::WellKnownDav, None, "");
    folds("/.well-known/carddav", Family::WellKnownDav, None, "");
    folds("/status.php", Family::Status, None, "");
}

#[test]
fn a_query_changes_no_route() {
    for path in
        ["/ocs/v2.php/cloud/user", "/ocs/v2.php/core/getapppassword", "/status.php", "/remote.php/dav/files/alice/a"]
    {
        for query in ["?", "?x=/status.php", "?/../", "?_method=GET", "?a?b"] {
            assert_eq!(fold(&format!("{path}{query}")), fold(path));
        }
    }
}

#[test]
fn names_of_users_and_files_are_decoded() {
    folds("/remote.php/dav/files/al%69ce/%C3%A4%20b%3Bc%25.txt", Family::Files, Some("alice"), "ä b;c%.txt");
    folds("/remote.php/dav/calendars/a%40b.example/x", Family::Calendars, Some("a@b.example"), "x");
}
