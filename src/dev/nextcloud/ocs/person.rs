//! OCS routes of a person's account, with the one write that a bearer should never reach.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::instance::Instance;
use super::envelope::Outcome;

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    match (call.verb(), path.strip_prefix("cloud/users")) {
        ("GET", None) => Some(person(&call.instance, uid)),
        ("GET" | "POST", Some("")) => {
            Some(Outcome::failure(403, 403, "Logged in account must be at least a sub admin"))
        }
        ("GET", Some(other)) if other.strip_prefix('/') == Some(uid) => Some(person(&call.instance, uid)),
        ("PUT", Some(other)) if other.strip_prefix('/') == Some(uid) => Some(change(call, uid).await),
        ("GET" | "PUT", Some(other)) if other.starts_with('/') => Some(Outcome::failure(404, 998, "")),
        _ => None,
    }
}

/// The hazard: a bearer counts as a confirmation by password.
async fn change(call: &mut Call, uid: &str) -> Outcome {
    let fields = call.fields().await;
    let value = fields["value"].as_str().unwrap_or_default().to_owned();
    match fields["key"].as_str() {
        Some("email") => call.instance.accounts().change(uid, |account| account.email = value),
        Some("displayname" | "display") => call.instance.accounts().change(uid, |account| account.display_name = value),
        _ => return Outcome::failure(400, 113, ""),
    }
    Outcome::ok(json!([]))
}

fn person(instance: &Instance, uid: &str) -> Outcome {
    let Some(account) = instance.accounts().get(uid) else {
        return Outcome::failure(404, 998, "");
    };
    let home = [uid.to_owned(), "files".to_owned()];
    let used = instance.storage().node(&home).map_or(0, |node| node.size);
    let mut data = json!({
        "enabled": true,
        "id": uid,
        "firstLoginTimestamp": account.first_login,
        "lastLoginTimestamp": account.last_login,
        "lastLogin": account.last_login * 1000,
        "backend": "user_oidc",
        "subadmin": [],
        "quota": { "free": -3, "used": used, "total": -3, "relative": 0, "quota": -3 },
        "manager": "",
        "avatarScope": "v2-federated",
        "email": account.email,
        "emailScope": "v2-federated",
        "additional_mail": [],
        "additional_mailScope": [],
        "displayname": account.display_name,
        "display-name": account.display_name,
        "displaynameScope": "v2-federated",
    });
    for empty in [
        "phone",
        "address",
        "website",
        "twitter",
        "bluesky",
        "fediverse",
        "organisation",
        "role",
        "headline",
        "biography",
    ] {
        data[empty] = "".into();
        data[format!("{empty}Scope")] = "v2-local".into();
    }
    let rest = json!({
        "profile_enabled": "1",
        "profile_enabledScope": "v2-local",
        "pronouns": "",
        "pronounsScope": "v2-federated",
        "groups": [],
        "language": "en",
        "locale": "",
        "timezone": "",
        "notify_email": null,
        "backendCapabilities": { "setDisplayName": false, "setPassword": false },
    });
    if let (Value::Object(data), Value::Object(rest)) = (&mut data, rest) {
        data.extend(rest);
    }
    Outcome::ok(data)
}
