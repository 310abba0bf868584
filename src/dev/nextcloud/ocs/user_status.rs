//! OCS routes of the user status: one's own, everybody's, and the ready-made ones.

use serde_json::{Value, json};

use super::super::accounts::Account;
use super::super::call::Call;
use super::envelope::Outcome;

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    match (call.verb(), path) {
        ("GET", "user_status") => Some(own(call, uid)),
        ("PUT", "user_status/status") => {
            let fields = call.fields().await;
            let status = fields["statusType"].as_str().unwrap_or("online").to_owned();
            call.instance.accounts().change(uid, |account| account.status = Some(status));
            Some(own(call, uid))
        }
        ("PUT", "user_status/message/custom") => {
            let fields = call.fields().await;
            let text = |name: &str| fields[name].as_str().map(str::to_owned);
            call.instance.accounts().change(uid, |account| {
                account.status.get_or_insert_with(|| "online".into());
                account.status_message = text("message");
                account.status_icon = text("statusIcon");
            });
            Some(own(call, uid))
        }
        ("DELETE", "user_status/message") => {
            call.instance.accounts().change(uid, |account| {
                account.status_message = None;
                account.status_icon = None;
            });
            Some(Outcome::ok(json!([])))
        }
        ("GET", "predefined_statuses") => Some(Outcome::ok(json!([
            { "id": "meeting", "icon": "📅", "message": "In a meeting", "clearAt": { "type": "period", "time": 3600 } },
            { "id": "vacationing", "icon": "🌴", "message": "Vacationing", "clearAt": null },
        ]))),
        ("GET", "statuses") => {
            let all = call.instance.accounts().all();
            Some(Outcome::ok(all.iter().filter(|account| account.status.is_some()).map(public).collect()))
        }
        ("GET", other) => {
            let account = other.strip_prefix("statuses/").and_then(|other| call.instance.accounts().get(other))?;
            Some(match account.status {
                Some(_) => Outcome::ok(public(&account)),
                None => Outcome::failure(404, 404, "No status for the requested user"),
            })
        }
        _ => None,
    }
}

fn own(call: &Call, uid: &str) -> Outcome {
    let account = call.instance.accounts().get(uid).filter(|account| account.status.is_some());
    let Some(account) = account else {
        return Outcome::failure(404, 404, "No status for the current user");
    };
    let mut told = public(&account);
    told["messageId"] = Value::Null;
    told["messageIsPredefined"] = false.into();
    told["statusIsUserDefined"] = true.into();
    Outcome::ok(told)
}

fn public(account: &Account) -> Value {
    json!({
        "userId": account.uid,
        "message": account.status_message,
        "icon": account.status_icon,
        "clearAt": null,
        "status": account.status,
    })
}
