//! The request lines of every recording (Nextcloud 32.0.1, `ocs.http` to `sessions-*.http`), each once, and the family that
//! it must fold to; and what `never-*.http` showed to be dangerous.

use http::Method;

use crate::nextcloud::family::Family;
use crate::nextcloud::never::Never;
use crate::nextcloud::route::Route;
use crate::nextcloud::target::{Ambiguous, Target};

fn fold(method: &str, target: &str) -> Result<Family, Ambiguous> {
    let target = Target::parse(target)?;
    Ok(Route::fold(&Method::from_bytes(method.as_bytes()).unwrap(), &target).family())
}

#[rustfmt::skip]
const RECORDED: &[(&str, &str, Family)] = &[
    // calendar.http
    ("PROPFIND", "/remote.php/dav/calendars/alice/", Family::Calendars),
    ("MKCALENDAR", "/remote.php/dav/calendars/alice/seq/", Family::Calendars),
    ("PUT", "/remote.php/dav/calendars/alice/seq/ev-1.ics", Family::Calendars),
    ("PUT", "/remote.php/dav/calendars/alice/seq/td-1.ics", Family::Calendars),
    ("PUT", "/remote.php/dav/calendars/alice/seq/bad.ics", Family::Calendars),
    ("GET", "/remote.php/dav/calendars/alice/seq/ev-1.ics", Family::Calendars),
    ("REPORT", "/remote.php/dav/calendars/alice/seq/", Family::Calendars),
    ("DELETE", "/remote.php/dav/calendars/alice/seq/ev-1.ics", Family::Calendars),
    ("PROPFIND", "/remote.php/dav/principals/users/alice/", Family::Principals),
    ("DELETE", "/remote.php/dav/calendars/alice/seq/", Family::Calendars),
    // contacts.http
    ("PROPFIND", "/remote.php/dav/addressbooks/users/alice/", Family::Addressbooks),
    ("PUT", "/remote.php/dav/addressbooks/users/alice/contacts/ct-1.vcf", Family::Addressbooks),
    ("REPORT", "/remote.php/dav/addressbooks/users/alice/contacts/", Family::Addressbooks),
    ("GET", "/remote.php/dav/addressbooks/users/alice/contacts/ct-1.vcf", Family::Addressbooks),
    ("DELETE", "/remote.php/dav/addressbooks/users/alice/contacts/ct-1.vcf", Family::Addressbooks),
    // deck.http
    ("POST", "/index.php/apps/deck/api/v1.0/boards", Family::Deck),
    ("GET", "/index.php/apps/deck/api/v1.0/boards", Family::Deck),
    ("DELETE", "/index.php/apps/deck/api/v1.0/boards/1", Family::Deck),
    // files.http
    ("PROPFIND", "/remote.php/dav/files/alice/", Family::Files),
    ("MKCOL", "/remote.php/dav/files/alice/seq", Family::Files),
    ("MKCOL", "/remote.php/dav/files/alice/no/parent", Family::Files),
    ("PUT", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    ("PUT", "/remote.php/dav/files/alice/seq/%C3%BCml%C3%A4ut%20%26%20%2B%20%23.txt", Family::Files),
    ("GET", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    ("HEAD", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    ("GET", "/remote.php/dav/files/alice/seq/none.txt", Family::Files),
    ("PROPFIND", "/remote.php/dav/files/alice/seq", Family::Files),
    ("PROPPATCH", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    ("REPORT", "/remote.php/dav/files/alice/", Family::Files),
    ("SEARCH", "/remote.php/dav/", Family::FileSearch),
    ("COPY", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    ("MOVE", "/remote.php/dav/files/alice/seq/b.txt", Family::Files),
    ("MOVE", "/remote.php/dav/files/alice/seq/c.txt", Family::Files),
    ("GET", "/index.php/core/preview?fileId=218&x=64&y=64", Family::Previews),
    ("GET", "/remote.php/dav/versions/alice/versions/218", Family::Versions),
    ("PROPFIND", "/remote.php/dav/versions/alice/versions/218", Family::Versions),
    ("DELETE", "/remote.php/dav/files/alice/seq/c.txt", Family::Files),
    ("PROPFIND", "/remote.php/dav/trashbin/alice/trash", Family::Trashbin),
    ("MOVE", "/remote.php/dav/trashbin/alice/trash/c.txt.d1795260263", Family::Trashbin),
    ("MKCOL", "/remote.php/dav/uploads/alice/up-1", Family::Uploads),
    ("PUT", "/remote.php/dav/uploads/alice/up-1/1", Family::Uploads),
    ("PUT", "/remote.php/dav/uploads/alice/up-1/2", Family::Uploads),
    ("MOVE", "/remote.php/dav/uploads/alice/up-1/.file", Family::Uploads),
    ("GET", "/remote.php/dav/files/alice/seq/big.bin", Family::Files),
    ("GET", "/remote.php/dav/files/alice/seq/", Family::Files),
    ("PROPFIND", "/remote.php/webdav/seq", Family::Files),
    ("OPTIONS", "/remote.php/dav/files/alice/", Family::Files),
    ("LOCK", "/remote.php/dav/files/alice/seq/a.txt", Family::Files),
    // notes.http
    ("GET", "/index.php/apps/notes/api/v1/settings", Family::Forbidden(Never::NotesSettings)),
    ("POST", "/index.php/apps/notes/api/v1/notes", Family::Notes),
    ("GET", "/index.php/apps/notes/api/v1/notes?exclude=content", Family::Notes),
    ("GET", "/index.php/apps/notes/api/v1/notes/249", Family::Notes),
    ("PUT", "/index.php/apps/notes/api/v1/notes/249", Family::Notes),
    ("GET", "/index.php/apps/notes/api/v1/notes/999999", Family::Notes),
    ("GET", "/index.php/apps/notes/api/v1/notes", Family::Notes),
    ("DELETE", "/index.php/apps/notes/api/v1/notes/249", Family::Notes),
    // ocs.http
    ("GET", "/status.php", Family::Status),
    ("GET", "/ocs/v2.php/cloud/user?format=json", Family::User),
    ("GET", "/ocs/v1.php/cloud/user", Family::User),
    ("GET", "/ocs/v2.php/cloud/capabilities?format=json", Family::Capabilities),
    ("GET", "/ocs/v2.php/core/navigation/apps?format=json", Family::Navigation),
    ("GET", "/ocs/v2.php/apps/notifications/api/v2/notifications?format=json", Family::Notifications),
    ("GET", "/ocs/v2.php/apps/activity/api/v2/activity?format=json&limit=3", Family::Activity),
    ("GET", "/ocs/v2.php/apps/user_status/api/v1/user_status?format=json", Family::UserStatus),
    ("PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/status?format=json", Family::UserStatus),
    ("GET", "/ocs/v2.php/search/providers?format=json", Family::UnifiedSearch),
    ("GET", "/ocs/v2.php/nothing/here?format=json", Family::Forbidden(Never::Unlisted)),
    ("GET", "/ocs/v2.php/cloud/users?format=json", Family::Forbidden(Never::Administration)),
    ("GET", "/ocs/v2.php/cloud/users/bob?format=json", Family::Forbidden(Never::Administration)),
    // search.http
    ("GET", "/ocs/v2.php/search/providers/files/search?format=json&term=a.txt&limit=5", Family::UnifiedSearch),
    ("GET", "/ocs/v2.php/search/providers/nope/search?format=json&term=a", Family::UnifiedSearch),
    // sessions-user_oidc-7.3.2.http
    ("GET", "/index.php/apps/files/", Family::Forbidden(Never::Unlisted)),
    ("GET", "/index.php/logout", Family::Forbidden(Never::Login)),
    // shares.http
    ("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json", Family::Shares),
    ("GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json&path=/seq/a.txt", Family::Shares),
    ("GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json&shared_with_me=true", Family::Shares),
    ("GET", "/ocs/v2.php/apps/files_sharing/api/v1/sharees?format=json&search=bo&itemType=file", Family::Shares),
    ("GET", "/remote.php/dav/files/bob/a.txt", Family::Files),
    ("DELETE", "/ocs/v2.php/apps/files_sharing/api/v1/shares/2?format=json", Family::Shares),
    ("DELETE", "/ocs/v2.php/apps/files_sharing/api/v1/shares/1?format=json", Family::Shares),
];

/// `never-user_oidc-7.3.2.http`, entries 0 to 23.
#[rustfmt::skip]
const DANGEROUS: &[(&str, &str, Result<Never, Ambiguous>)] = &[
    ("GET", "/ocs/v2.php/core/getapppassword?format=json", Ok(Never::AppPassword)),
    ("GET", "/ocs/v1.php/core/getapppassword", Ok(Never::AppPassword)),
    ("GET", "/ocs/v2.php/core/getapppassword-onetime?format=json", Ok(Never::AppPassword)),
    ("POST", "/index.php/settings/personal/authtokens", Ok(Never::Settings)),
    ("POST", "/settings/personal/authtokens", Ok(Never::Settings)),
    ("GET", "/index.php/settings/user", Ok(Never::Settings)),
    ("POST", "/index.php/login/v2", Ok(Never::Login)),
    ("GET", "/index.php/login/flow", Ok(Never::Login)),
    ("GET", "/index.php/logout", Ok(Never::Login)),
    ("DELETE", "/ocs/v2.php/core/apppassword", Ok(Never::AppPassword)),
    ("PUT", "/ocs/v2.php/cloud/users/alice", Ok(Never::Administration)),
    ("POST", "/ocs/v2.php/cloud/users", Ok(Never::Administration)),
    ("POST", "/ocs/v2.php/apps/provisioning_api/api/v1/config/apps/core/x", Ok(Never::Administration)),
    ("GET", "/index.php/apps/oauth2/authorize", Ok(Never::CredentialApp)),
    ("GET", "/index.php/apps/app_api/apps/list", Ok(Never::CredentialApp)),
    ("GET", "/index.php/apps/user_oidc/login/1", Ok(Never::CredentialApp)),
    ("GET", "/remote.php/dav/files/../calendars/alice/", Err(Ambiguous::DotSegment)),
    ("GET", "/remote.php//dav/files/alice/", Err(Ambiguous::EmptySegment)),
    ("GET", "/ocs/v2.php/core/..%2fcore/getapppassword", Err(Ambiguous::EncodedSlash)),
    ("GET", "/OCS/v2.php/core/getapppassword", Ok(Never::AppPassword)),
    ("GET", "/ocs/v2.php/core/getapppassword/", Ok(Never::AppPassword)),
    ("GET", "/ocs/v2.php//core/getapppassword", Err(Ambiguous::EmptySegment)),
    ("GET", "/ocs/v2.php/core/%67etapppassword", Ok(Never::AppPassword)),
    ("GET", "/index.php/ocs/v2.php/core/getapppassword", Ok(Never::AppPassword)),
];

#[test]
fn each_recorded_request_folds_to_its_family() {
    for (method, target, family) in RECORDED {
        assert_eq!(fold(method, target), Ok(*family), "{method} {target}");
    }
}

#[test]
fn each_recorded_danger_is_closed_to_every_method() {
    for (recorded, target, expected) in DANGEROUS {
        for method in [
            recorded, "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT", "SEARCH", "get",
        ] {
            assert_eq!(fold(method, target), expected.map(Family::Forbidden), "{method} {target}");
        }
    }
}
