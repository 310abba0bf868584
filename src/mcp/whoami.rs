//! `whoami`. Its apps are those that somebody can do something with here, by the names that `search` takes: the operator offers their tools, and
//! this Nextcloud has them for this user. Files, calendars, tasks and contacts are Nextcloud's own, whatever app shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::nextcloud::{Ask, Nextcloud};
use super::search::App;
use super::settings::Toolset;
use super::shown::shown;
use super::tool::{Call, Hints, Reply, Tool};

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// Who am I.
pub struct Whoami;

/// None.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {}

/// The signed-in user.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_free: Option<i64>,
    pub apps: Vec<String>,
    pub scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default, rename = "display-name")]
    display_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    quota: Option<Quota>,
    #[serde(default)]
    timezone: Option<String>,
}

#[derive(Deserialize)]
struct Quota {
    #[serde(default)]
    free: serde_json::Value,
}

/// An entry of the navigation.
#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    id: String,
    /// The app, where the entry is not called like it; older versions do not say it.
    #[serde(default)]
    app: String,
}

#[derive(Deserialize)]
struct Told {
    capabilities: Capabilities,
}

#[derive(Deserialize)]
struct Capabilities {
    core: Core,
}

#[derive(Deserialize)]
struct Core {
    #[serde(default)]
    user: Option<Preferences>,
}

#[derive(Deserialize)]
struct Preferences {
    #[serde(default)]
    timezone: Option<String>,
}

impl Tool for Whoami {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "whoami";
    const TITLE: &'static str = "Who am I";
    const DESCRIPTION: &'static str = "The signed-in user, quota, usable apps and granted scopes.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["nc.read"];
    const SET: Toolset = Toolset::Base;

    async fn call(Call { nextcloud, .. }: Call, Arguments {}: Arguments) -> Result<Reply<Output>, Fault> {
        let (user, shown) = tokio::try_join!(
            nextcloud.ask(Ask::ocs("/ocs/v2.php/cloud/user")),
            nextcloud.ask(Ask::ocs("/ocs/v2.php/core/navigation/apps")),
        )?;
        let (user, shown): (User, Vec<Shown>) = (user.good("account")?.ocs()?, shown.good("list of apps")?.ocs()?);
        let timezone = match said(user.timezone) {
            Some(timezone) => Some(timezone),
            None => default_timezone(&nextcloud).await,
        };
        let is_there = |app: &App| {
            app.id().is_none_or(|id| shown.iter().any(|shown| shown.id == id || shown.app == id))
                && app.set().is_none_or(|set| nextcloud.offers(set))
        };
        Ok(Output {
            user_id: user.id,
            display_name: said(user.display_name),
            email: said(user.email),
            quota_free: user.quota.and_then(|quota| quota.free.as_i64()).filter(|free| *free >= 0),
            apps: App::ALL.into_iter().filter(is_there).map(|app| app.as_str().to_owned()).collect(),
            scopes: nextcloud.scopes(),
            timezone,
        }
        .into())
    }
}

fn said(text: Option<String>) -> Option<String> {
    text.map(|text| shown(&text, LONGEST_NAME)).filter(|text| !text.is_empty())
}

/// That of whoever has set none. Not everybody is told, and an answer without it is one.
async fn default_timezone(nextcloud: &Nextcloud) -> Option<String> {
    let answer =
        nextcloud.ask(Ask::ocs("/ocs/v2.php/cloud/capabilities")).await.ok()?.good("list of capabilities").ok()?;
    said(answer.ocs::<Told>().ok()?.capabilities.core.user?.timezone)
}
