//! `share_create`.

use chrono::NaiveDate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::{PERMISSIONS, SHARES, Share, Told};
use crate::mcp::arguments::FilePath;
use crate::mcp::elicitation::question::Question;
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::Ask;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// A longer note, id or address is refused.
const LONGEST: usize = 1_000;

/// Share.
pub struct ShareCreate;

/// What to share with whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: FilePath,
    /// Recipient kind
    kind: Kind,
    /// User id, group id or address; not for link
    with: Option<String>,
    /// Default read
    permissions: Option<Vec<Permission>>,
    /// Last day
    expires: Option<Day>,
    /// Message to the recipient
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    User,
    Group,
    Email,
    Link,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Permission {
    Read,
    Update,
    Create,
    Delete,
    Share,
}

/// A day.
struct Day(NaiveDate);

impl Tool for ShareCreate {
    type Arguments = Arguments;
    type Output = Share;
    const NAME: &'static str = "share_create";
    const TITLE: &'static str = "Share";
    const DESCRIPTION: &'static str = "Share a path with a user, a group, an e-mail address or by public link.";
    const HINTS: Hints = Hints::adds().open_world();
    // The route policy wants both, and files.write where others are let write; that it says itself, before anything is shared.
    const SCOPES: &'static [&'static str] = &["shares.write", "files.read"];
    const SET: Toolset = Toolset::Shares;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<Share>, Fault> {
        let body = arguments.body()?;
        call.confirm(&arguments.question())?;
        let (nextcloud, path) = (call.nextcloud, arguments.path.to_string());
        let answer = nextcloud.ask(Ask::new("POST", SHARES).accept_json().json(&body)).await?;
        if !answer.status.is_success() {
            // Nextcloud's words name what is wrong of ours: no such path, no such account, links switched off.
            return Err(match answer.ocs_message() {
                Some(message) => Fault::Said(format!("Nextcloud did not share {path}: {message}.")),
                None => answer.good(&path).err().unwrap_or_else(|| Fault::said("Nextcloud did not share it.")),
            });
        }
        let told: Told = answer.ocs()?;
        let share = told.share(&nextcloud, false);
        share.map(Into::into).ok_or_else(|| Fault::Said(format!("{path} was shared; shares_list tells how.")))
    }
}

impl Arguments {
    fn question(&self) -> Question {
        let names: Vec<&str> = self.asked().iter().map(|permission| permission.name()).collect();
        let (words, kind) = match self.kind {
            Kind::User => ("Share this with a user?", "User"),
            Kind::Group => ("Share this with a group?", "Group"),
            Kind::Email => ("Share this by e-mail, for whoever has the mail?", "Address"),
            Kind::Link => ("Share this by a public link, for whoever has the link?", "With"),
        };
        Question::new(words)
            .with("Path", self.path.as_str())
            .with_some(kind, self.with.as_deref())
            .with("Permissions", &names.join(", "))
            .with_some("Until", self.expires.as_ref().map(Day::text).as_deref())
            .with_some("Message", self.note.as_deref())
    }

    fn asked(&self) -> &[Permission] {
        self.permissions.as_deref().filter(|asked| !asked.is_empty()).unwrap_or(&[Permission::Read])
    }

    fn body(&self) -> Result<serde_json::Value, Fault> {
        let with = self.with.as_deref().map(str::trim).filter(|with| !with.is_empty());
        match (self.kind, with) {
            (Kind::Link, Some(_)) => return Err(Fault::said("A link is for nobody by name: leave with out.")),
            (Kind::Link, None) | (_, Some(_)) => {}
            (_, None) => {
                return Err(Fault::said("with is missing: the id of the user or group, or the e-mail address."));
            }
        }
        for text in [with, self.note.as_deref()].into_iter().flatten() {
            if text.len() > LONGEST || text.chars().any(|letter| letter.is_control() && letter != '\n') {
                return Err(Fault::said("with or note is too long, or has control characters."));
            }
        }
        let mut body = json!({
            "path": self.path.to_string(),
            "shareType": self.kind.share_type(),
            // Always said: what Nextcloud does without is to give all.
            "permissions": self.asked().iter().fold(0, |bits, permission| bits | permission.bit()),
        });
        if let Some(with) = with {
            body["shareWith"] = with.into();
        }
        if let Some(day) = &self.expires {
            body["expireDate"] = day.text().into();
        }
        if let Some(note) = &self.note {
            body["note"] = note.as_str().into();
        }
        Ok(body)
    }
}

impl Kind {
    fn share_type(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Group => 1,
            Self::Link => 3,
            Self::Email => 4,
        }
    }
}

impl Permission {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Update => "update",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Share => "share",
        }
    }

    fn bit(self) -> u32 {
        PERMISSIONS.iter().find(|(_, name)| *name == self.name()).map_or(0, |(bit, _)| *bit)
    }
}

impl Day {
    fn text(&self) -> String {
        self.0.format("%Y-%m-%d").to_string()
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10)
            .map(Self)
            .ok_or_else(|| D::Error::custom("expires has to be a day like 2026-12-31"))
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}
