//! The decision on paths. The shipped table itself is tested row by row through the proxy.

use super::*;
use crate::nextcloud::dav_body;
use crate::nextcloud::destination::{PublicAddress, PublicAuthority};
use crate::nextcloud::never::Never;
use crate::nextcloud::policy::report::BadHref;
use crate::nextcloud::target::Target;
use crate::token::ScopeSet;

/// A table in which each row needs `<row>.read` and `<row>.write`.
fn policy() -> Policy {
    let mut policy = Policy::default();
    for row in Row::all() {
        for access in [Access::Read, Access::Write] {
            policy.table.set(row, access, ScopeSet::parse(&format!("{}.{}", row.name(), access.as_str())));
        }
    }
    policy.table.set_search("files", ScopeSet::parse("files.read"));
    policy
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

fn needs_of(policy: &Policy, name: &str, path: &str) -> Result<String, Refusal> {
    let target = Target::parse(path).unwrap();
    let method = method(name);
    policy.target(&Route::fold(&method, &target), &method).map(|needs| needs.scopes().to_string())
}

#[test]
fn methods_read_or_write() {
    for (name, path, needs) in [
        ("GET", "/remote.php/dav/files/alice/x", "files.read"),
        ("HEAD", "/remote.php/webdav/x", "files.read"),
        ("OPTIONS", "/remote.php/dav/files/alice", "files.read"),
        ("PROPFIND", "/remote.php/dav/files/alice", "files.read"),
        ("REPORT", "/remote.php/dav/files/alice", "files.read"),
        ("SEARCH", "/remote.php/dav/", "file_search.read"),
        ("COPY", "/remote.php/dav/files/alice/x", "files.read"),
        ("MOVE", "/remote.php/dav/files/alice/x", "files.write"),
        ("PUT", "/remote.php/dav/files/alice/x", "files.write"),
        ("LOCK", "/remote.php/dav/files/alice/x", "files.write"),
        ("POST", "/remote.php/dav/bulk", "bulk.write"),
        ("COPY", "/apps/notes/api/v1/notes", "notes.write"),
        ("GET", "/ocs/v1.php/apps/files_sharing/api/v1/shares", "shares.read"),
        ("GET", "/ocs/v1.php/apps/files_sharing/api/v1/sharees", "sharees.read"),
        ("GET", "/ocs/v1.php/apps/files_sharing/api/v1/sharees_recommended", "sharees.read"),
        ("GET", "/ocs/v1.php/apps/files_sharing/api/v1/shareesx", "shares.read"),
        ("DELETE", "/ocs/v1.php/apps/files_sharing/api/v1/shares/5", "unshare.write"),
        ("POST", "/ocs/v1.php/apps/files_sharing/api/v1/shares", "shares.write"),
        ("POST", "/apps/tables/api/1/import/table/5", "tables_import.write"),
        ("POST", "/apps/tables/api/1/tables/5/rows", "tables.write"),
        ("POST", "/apps/mail/api/messages/5/attachment/2", "mail_to_files.write"),
        ("POST", "/apps/mail/api/messages/5/file", "mail_to_files.write"),
        ("POST", "/apps/mail/api/messages/5/move", "mail.write"),
        ("POST", "/ocs/v2.php/apps/spreed/api/v4/room/abcd/meeting", "talk_calendar.write"),
        ("GET", "/ocs/v2.php/apps/spreed/api/v4/room/abcd/mutual-events", "talk_calendar.read"),
        ("GET", "/ocs/v1.php/apps/spreed/api/v4/dashboard/events", "talk_calendar.read"),
        ("GET", "/ocs/v1.php/apps/spreed/api/v4/room/abcd", "talk.read"),
        ("POST", "/apps/tables/api/1/import-preview/table/5", "tables_import.write"),
        ("POST", "/apps/tables/api/1/importupload/table/5", "tables.write"),
        ("GET", "/apps/mail/api/autoComplete?term=b", "mail_contacts.read"),
        ("GET", "/apps/mail/api/contactIntegration/match/b", "mail_contacts.read"),
        ("PUT", "/index.php/apps/mail/api/contactIntegration/new", "mail_contacts.write"),
        ("GET", "/ocs/v2.php/search/providers", "unified_search.read"),
        ("GET", "/ocs/v2.php/search/providers/files/search", "files.read"),
    ] {
        assert_eq!(needs_of(&policy(), name, path).as_deref(), Ok(needs), "{name} {path}");
    }
}

/// What `[danger]` lets out of the DAV root is judged as what it is.
#[test]
fn an_opened_search_is_one_for_files() {
    let search = method("SEARCH");
    let target = Target::parse("/remote.php/dav/calendars/alice").unwrap();
    let mut policy = policy();
    policy.opened = policy.opened.with(Never::SearchElsewhere);
    let route = Route::fold_with(&search, &target, policy.opened);
    assert_eq!(
        policy.target(&route, &search).map(|needs| needs.scopes().to_string()).as_deref(),
        Ok("file_search.read")
    );
}

#[test]
fn an_unknown_search_provider_is_open_to_nobody() {
    let path = "/ocs/v2.php/search/providers/nope/search";
    assert_eq!(needs_of(&policy(), "GET", path), Err(Refusal::UnknownSearchProvider));
    assert_eq!(needs_of(&Policy::default(), "GET", "/status.php"), Err(Refusal::NotOpened));
}

#[test]
fn the_dav_root_and_principals_are_read_only_and_shallow() {
    for path in ["/remote.php/dav", "/remote.php/dav/principals/users/alice", "/remote.php/caldav/principals/alice"] {
        for name in ["PUT", "POST", "MKCOL", "DELETE", "PROPPATCH", "COPY", "MOVE", "LOCK", "ACL"] {
            assert_eq!(needs_of(&policy(), name, path), Err(Refusal::NotOpened), "{name} {path}");
        }
    }
    let depth = |family, name, depths: &[&'static [u8]]| policy().depth(family, &method(name), depths.iter().copied());
    for family in [Family::DavRoot, Family::Principals] {
        for good in [&[][..], &[&b"0"[..]], &[b"1"]] {
            assert_eq!(depth(family, "PROPFIND", good), Ok(()));
        }
        for bad in [&[&b"infinity"[..]][..], &[b"2"], &[b"1,noroot"], &[b""], &[b"0", b"infinity"], &[b"0", b"0"]] {
            assert_eq!(depth(family, "PROPFIND", bad), Err(Refusal::Depth), "{bad:?}");
        }
        assert_eq!(depth(family, "GET", &[b"infinity"]), Ok(()));
    }
    assert_eq!(depth(Family::Files, "PROPFIND", &[b"infinity"]), Ok(()));
}

fn report(family: Family, body: &str) -> Result<Result<String, Refusal>, BadHref> {
    let authorities = [PublicAuthority::of_url("https://cloud.example").unwrap()].into();
    let ours = PublicAddress { authorities, ..PublicAddress::default() };
    let body = dav_body::read(body.as_bytes()).unwrap();
    let judged = policy().report_body(family, &body, &ours)?;
    Ok(judged.map(|needs| needs.scopes().to_string()))
}

fn multiget(hrefs: &[&str]) -> String {
    let hrefs: String = hrefs.iter().map(|href| format!("<d:href>{href}</d:href>")).collect();
    format!("<d:calendar-multiget xmlns:d=\"DAV:\">{hrefs}</d:calendar-multiget>")
}

#[test]
fn a_report_needs_what_each_of_its_paths_needs() {
    let body = multiget(&[
        "/remote.php/dav/calendars/alice/personal/1.ics",
        "https://cloud.example/remote.php/dav/addressbooks/users/alice/contacts/1.vcf",
        "/remote.php/carddav/addressbooks/alice/contacts/2.vcf",
        "/remote.php/dav/%66iles/alice/x",
        // As nc-py-api writes it.
        "/remote.php/dav/files/alice/für dich/b",
    ]);
    let needs = "addressbooks.read calendars.read files.read";
    assert_eq!(report(Family::Calendars, &body), Ok(Ok(needs.into())));
}

#[test]
fn a_path_that_has_another_reading_is_refused_in_a_report() {
    for href in [
        "",
        "calendars/alice",
        "../x",
        "/remote.php/dav/files/../calendars/alice/",
        "/remote.php/dav//calendars/alice",
        "/remote.php/dav/files/%2e%2e/calendars",
        "/remote.php/dav/files%2falice",
        "/remote.php/dav/files/a%252fb",
        "/remote.php/dav/files/alice;x",
        "/remote.php/dav/files/alice?x",
        "/remote.php/dav/files/alice#x",
        " /remote.php/dav/files/alice",
        "/remote.php/dav/files/alice\n",
        "//evil.example/remote.php/dav/files/alice",
        "https://evil.example/remote.php/dav/files/alice",
        "https://cloud.example@evil.example/remote.php/dav/files/alice",
        "http://cloud.example/remote.php/dav/files/alice",
    ] {
        assert!(matches!(report(Family::Calendars, &multiget(&[href])), Err(BadHref::Path(_))), "{href}");
    }
    for (href, never) in [
        ("/remote.php/dav/comments/deckCard/1", Never::Unlisted),
        ("/ocs/v2.php/core/getapppassword", Never::AppPassword),
        ("/mcp", Never::Unlisted),
    ] {
        assert_eq!(report(Family::Calendars, &multiget(&[href])), Err(BadHref::Never(never)), "{href}");
    }
}

#[test]
fn principals_answer_who_is_who_and_nothing_follows_properties() {
    for root in ["principal-property-search", "principal-search-property-set", "principal-match"] {
        assert_eq!(report(Family::Principals, &format!("<{root}/>")), Ok(Ok(String::new())), "{root}");
        assert_eq!(report(Family::DavRoot, &format!("<{root}/>")), Ok(Err(Refusal::Report)), "{root}");
    }
    for root in ["calendar-multiget", "addressbook-multiget", "sync-collection", "Principal-Match"] {
        assert_eq!(report(Family::Principals, &format!("<{root}/>")), Ok(Err(Refusal::Report)), "{root}");
        assert_eq!(report(Family::Calendars, &format!("<{root}/>")), Ok(Ok(String::new())), "{root}");
    }
    for family in [Family::Principals, Family::Calendars, Family::Files] {
        assert_eq!(report(family, "<d:expand-property/>"), Ok(Err(Refusal::ExpandProperty)));
    }
}

#[test]
fn a_search_is_below_the_files_of_one_person() {
    let search = |scopes: &[&str]| {
        let scopes: String =
            scopes.iter().map(|scope| format!("<d:scope><d:href>{scope}</d:href></d:scope>")).collect();
        let body = format!("<d:searchrequest xmlns:d=\"DAV:\"><d:from>{scopes}</d:from></d:searchrequest>");
        policy().search_body(&dav_body::read(body.as_bytes()).unwrap(), &PublicAddress::default())
    };
    for good in [
        &["/files/alice"][..],
        &["/files/alice/"],
        &["/files/alice/a%20b/c"],
        &["/remote.php/dav/files/alice"],
        &["/files/alice/a", "/files/alice/b"],
    ] {
        assert_eq!(search(good), Ok(Ok(Needs::default())), "{good:?}");
    }
    for refused in [
        &[][..],
        &["/"],
        &["/files"],
        &["/files/"],
        &["/calendars/alice"],
        &["/addressbooks/users/alice"],
        &["/trashbin/alice"],
        &["/files/alice", "/files/bob"],
        &["/files/alice", "/calendars/alice"],
        &["/remote.php/webdav/x"],
    ] {
        assert_eq!(search(refused), Ok(Err(Refusal::SearchScope)), "{refused:?}");
    }
    for ambiguous in ["", "files/alice", "/files/../calendars/alice", "/files/%2e%2e/x", "https://x/files/alice"] {
        assert!(matches!(search(&[ambiguous]), Err(BadHref::Path(_))), "{ambiguous}");
    }
    assert_eq!(search(&["/comments/deckCard"]), Err(BadHref::Never(Never::Unlisted)));
}
