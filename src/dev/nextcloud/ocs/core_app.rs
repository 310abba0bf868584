//! OCS routes of the server itself: capabilities, navigation, app passwords, search providers.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::login::{By, Visit};
use super::super::options::Generation;
use super::envelope::Outcome;
use super::{installed, search};

/// As recorded from Nextcloud 32.0.1; `{base}` stands for its address.
const CAPABILITIES: &str = include_str!("capabilities.json");
const NAVIGATION: &str = include_str!("navigation.json");
const SEARCH_PROVIDERS: &str = include_str!("search_providers.json");

pub(super) fn capabilities(call: &Call) -> Outcome {
    Outcome::ok(installed::capabilities(call.instance.options(), recorded(call, CAPABILITIES))).tagged()
}

pub(super) fn route(call: &Call, visit: &Visit, uid: &str, path: &str) -> Option<Outcome> {
    let options = call.instance.options();
    match (call.verb(), path) {
        ("GET", "core/navigation/apps") => {
            Some(Outcome::ok(installed::navigation(options, recorded(call, NAVIGATION))).tagged())
        }
        ("GET", "search/providers") => {
            Some(Outcome::ok(installed::providers(options, recorded(call, SEARCH_PROVIDERS))).tagged())
        }
        ("GET", path) if path.starts_with("search/providers/") => {
            let provider = path.trim_start_matches("search/providers/").strip_suffix("/search")?;
            Some(search::answer(call, uid, provider))
        }
        ("GET", "core/getapppassword") => Some(app_password(call, visit, uid)),
        ("DELETE", "core/apppassword") => Some(Outcome::failure(403, 403, "no app password in use")),
        _ => None,
    }
}

/// The hazard: a token of five minutes becomes a password that lasts (with 8.10 no longer).
fn app_password(call: &Call, visit: &Visit, uid: &str) -> Outcome {
    if visit.by == By::Basic || call.instance.options().user_oidc == Generation::V8_10 {
        return Outcome::failure(403, 403, "You cannot request an new apppassword with an apppassword");
    }
    Outcome::ok(json!({ "apppassword": call.instance.accounts().mint_app_password(uid) }))
}

fn recorded(call: &Call, text: &str) -> Value {
    serde_json::from_str(&text.replace("{base}", &call.base)).unwrap_or_default()
}
