//! What stays closed beside it.

use super::{folds, forbidden};
use crate::nextcloud::family::Family;
use crate::nextcloud::never::Never;
use crate::nextcloud::target::Target;

#[test]
fn pictures_are_the_only_web_routes_beside_the_apis() {
    for entry in ["", "/index.php"] {
        folds(&format!("{entry}/core/preview"), Family::Previews, None, "");
        folds(&format!("{entry}/core/preview.png"), Family::Previews, None, "");
        folds(&format!("{entry}/apps/files_versions/preview"), Family::Previews, None, "");
        folds(&format!("{entry}/apps/files_trashbin/preview"), Family::Previews, None, "");
        folds(&format!("{entry}/apps/files/api/v1/thumbnail/64/64/a.png"), Family::Previews, None, "");
        folds(&format!("{entry}/avatar/alice/64"), Family::Avatar, Some("alice"), "64");
        folds(&format!("{entry}/avatar/alice/64/dark"), Family::Avatar, Some("alice"), "64/dark");
        folds(&format!("{entry}/apps/theming/image/logo"), Family::Theming, None, "image/logo");
        for page in [
            "/apps/files/api/v1/stats",
            "/apps/files",
            "/apps/files_sharing/api/v1/shares",
            "/apps/theming/ajax/updateStylesheet",
            "/avatar",
            "/avatar/tmp",
            "/core/preview/x",
            "/core/search",
            "/apps/files_versions/preview/x",
            "/apps/dashboard",
            "/s/token",
            "/f/5",
            "/x",
            "/",
        ] {
            forbidden(&format!("{entry}{page}"), Never::Unlisted);
        }
    }
}

#[test]
fn entry_points_nest_nowhere() {
    for path in [
        "/index.php/ocs/v2.php/cloud/user",
        "/index.php/remote.php/dav/files/alice",
        "/index.php/index.php/apps/notes/api/v1/notes",
        "/index.php/status.php",
        "/ocsapp/cloud/user",
        "/index.php/ocsapp/cloud/user",
        "/ocs/v3.php/cloud/user",
        "/ocs/cloud/user",
        "/ocs/v2.php/index.php/cloud/user",
        "/ocs/v2.php/ocs/v2.php/cloud/user",
        "/index.php/.well-known/caldav",
        "/index.php/mcp",
        "/status.php/x",
        "/public.php/webdav",
        "/public.php/dav/files/t",
        "/remote.php/direct/t",
        "/remote.php",
        "/remote.php/mail",
        "/remote.php/dav/public-calendars/t",
        "/remote.php/dav/provisioning",
        "/remote.php/dav/comments",
        "/remote.php/dav/comments/deckCard/1",
        "/remote.php/dav/bulk/x",
        "/remote.php/dav/addressbooks/groups/x",
        "/remote.php/dav/systemtagsx",
    ] {
        forbidden(path, Never::Unlisted);
    }
}

#[test]
fn case_matters_in_what_is_let_through() {
    for path in [
        "/Remote.php/dav/files/alice",
        "/remote.PHP/dav/files/alice",
        "/remote.php/DAV/files/alice",
        "/remote.php/dav/Files/alice",
        "/remote.php/WebDAV/a",
        "/OCS/v2.php/cloud/user",
        "/ocs/V2.php/cloud/user",
        "/ocs/v2.php/Cloud/user",
        "/index.php/Apps/notes/api/v1/notes",
        "/apps/Notes/api/v1/notes",
        "/Status.php",
        "/MCP",
    ] {
        forbidden(path, Never::Unlisted);
    }
}

#[test]
fn an_encoded_letter_cannot_hide_an_app_password() {
    for path in [
        "/ocs/v2.php/core/%67etapppassword",
        "/%6Fcs/v2.php/core/getapppassword",
        "/ocs/v2.php/c%6fre/GetAppPassword",
        "/ocs/v2.php/core/getapppassword%3Bx",
        "/ocs/v2.php/core%3Bx/getapppassword",
        "/ocs/v2.php/core/getapppassword%3Fx",
        "/ocs/v2.php/core/getapppassword%23x",
        "/index.php/ocsapp/core/getapppassword",
        "/ocsapp/core/apppassword/rotate",
    ] {
        forbidden(path, Never::AppPassword);
    }
    for path in ["/ocs/v2%2Ephp/core/getapppassword", "/ocs/v2.php/core/%2567etapppassword"] {
        assert!(Target::parse(path).is_err(), "{path}");
    }
}

#[test]
fn the_settings_of_notes_stay_closed_inside_an_open_family() {
    for path in [
        "/index.php/apps/notes/api/v1/settings",
        "/apps/notes/api/v1/settings/",
        "/apps/notes/api/v0.2/Settings",
        "/apps/notes/api/v1/%73ettings",
        "/ocs/v2.php/apps/notes/api/v1/settings",
        "/apps/notes/settings",
        "/apps/notes/api/v1/settings%3Bx",
        "/apps/notes/api/v1/settings%3Fx=y",
    ] {
        forbidden(path, Never::NotesSettings);
    }
    folds("/apps/notes/api/v1/notes", Family::Notes, None, "api/v1/notes");
    folds("/remote.php/dav/files/alice/apps/notes/settings", Family::Files, Some("alice"), "apps/notes/settings");
}

#[test]
fn each_route_of_the_facts_is_closed_for_its_reason() {
    for (paths, never) in [
        (
            &[
                "/ocs/v2.php/core/getapppassword",
                "/ocs/v2.php/core/getapppassword-onetime",
                "/ocs/v2.php/core/apppassword",
                "/ocs/v2.php/core/apppassword/rotate",
            ][..],
            Never::AppPassword,
        ),
        (&["/settings/user", "/settings", "/ocs/v2.php/settings/api/x", "/apps/settings/x"], Never::Settings),
        (&["/login", "/login/v2", "/loginflow", "/logout", "/logout/x"], Never::Login),
        (
            &[
                "/apps/oauth2/api/v1/token",
                "/apps/oidc/token",
                "/apps/user_oidc/code",
                "/apps/app_api/apps/list",
                "/ocs/v1.php/apps/oauth2/x",
                "/ocs/v1.php/apps/oidc/x",
                "/ocs/v2.php/apps/user_oidc/api/v1/x",
                "/ocs/v2.php/apps/app_api/api/v1/x",
            ],
            Never::CredentialApp,
        ),
        (
            &[
                "/ocs/v2.php/cloud/users",
                "/ocs/v1.php/cloud/users/alice",
                "/ocs/v2.php/cloud/groups",
                "/ocs/v2.php/cloud/groups/x/users",
                "/ocs/v2.php/cloud/apps",
                "/ocs/v2.php/cloud/apps/x",
                "/ocs/v2.php/apps/provisioning_api/api/v1/config",
                "/apps/provisioning_api/x",
            ],
            Never::Administration,
        ),
    ] {
        for path in paths {
            forbidden(path, never);
            forbidden(&path.to_ascii_uppercase(), never);
            forbidden(&format!("{path}/"), never);
            forbidden(&format!("/index.php{path}"), never);
        }
    }
}
