//! OCS routes of apps, as far as a proxy's tests need them: notifications, activity, user status, provisioning.

use serde_json::json;

use super::super::super::clock;
use super::super::call::Call;
use super::envelope::Outcome;
use super::{sharing, spreed, user_status};

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    match (call.verb(), path) {
        ("GET", "notifications/api/v2/notifications") => {
            Some(Outcome::ok(json!([])).tagged().with("x-nextcloud-user-status", "online"))
        }
        ("GET", "activity/api/v2/activity") => Some(activity(call, uid)),
        ("GET", "activity/api/v2/activity/filters") => Some(Outcome::ok(json!([
            { "id": "all", "name": "All activities", "icon": "", "priority": 0 },
            { "id": "self", "name": "By you", "icon": "", "priority": 1 },
        ]))),
        (_, path) if path.starts_with("user_status/api/v1/") => {
            let rest = path.trim_start_matches("user_status/api/v1/").to_owned();
            user_status::route(call, uid, &rest).await
        }
        (_, path) if path.starts_with("files_sharing/") => {
            let rest = path.trim_start_matches("files_sharing/").to_owned();
            sharing::route(call, uid, &rest).await
        }
        (_, path) if path.starts_with("spreed/") && call.instance.options().has_app("spreed") => {
            let rest = path.trim_start_matches("spreed/").to_owned();
            spreed::route(call, uid, &rest).await
        }
        (_, path) if path.starts_with("provisioning_api/") => {
            let text = "Logged in account must be an administrator or have authorization to edit this setting.";
            Some(Outcome::failure(403, 403, text))
        }
        _ => None,
    }
}

/// One entry: the person's first file.
fn activity(call: &Call, uid: &str) -> Outcome {
    let base = &call.base;
    let name = format!("{uid}.txt");
    let file = json!({ "type": "file", "id": "1", "name": name, "path": name, "link": format!("{base}/f/1") });
    let entry = json!({
        "activity_id": 1,
        "app": "files",
        "type": "file_created",
        "user": uid,
        "subject": format!("You created {name}"),
        "subject_rich": ["You created {file}", { "file": file }],
        "message": "",
        "message_rich": ["", []],
        "object_type": "files",
        "object_id": 1,
        "object_name": format!("/{name}"),
        "objects": { "1": format!("/{name}") },
        "link": format!("{base}/apps/files/?dir=/"),
        "icon": format!("{base}/apps/files/img/add-color.svg"),
        "datetime": "2026-11-21T11:06:33+00:00",
    });
    let link = format!(
        "<{base}/ocs/v2.php/apps/activity/api/v2/activity?since=1&limit=3&sort=desc&format=json>; rel=\"next\""
    );
    Outcome::ok(json!([entry]))
        .with("x-activity-first-known", "1")
        .with("x-activity-last-given", "1")
        .with("link", link)
        .with("etag", clock::hex(16))
}
