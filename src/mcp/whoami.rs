//! `whoami`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::nextcloud::Ask;
use super::settings::Toolset;
use super::tool::{Call, Hints, Reply, Tool};

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

#[derive(Deserialize)]
struct App {
    id: String,
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
        let user: User = nextcloud.ask(Ask::ocs("/ocs/v2.php/cloud/user")).await?.good("account")?.ocs()?;
        let apps: Vec<App> =
            nextcloud.ask(Ask::ocs("/ocs/v2.php/core/navigation/apps")).await?.good("list of apps")?.ocs()?;
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Output {
            user_id: user.id,
            display_name: said(user.display_name),
            email: said(user.email),
            quota_free: user.quota.and_then(|quota| quota.free.as_i64()).filter(|free| *free >= 0),
            apps: apps.into_iter().map(|app| app.id).collect(),
            scopes: nextcloud.scopes(),
            timezone: said(user.timezone),
        }
        .into())
    }
}
