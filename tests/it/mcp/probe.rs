//! A tool of the tests: it shares a file by link, after a question. Twice, under two names, of which one asks for no scope beforehand.

use obo_proxy::mcp::elicitation::question::Question;
use obo_proxy::mcp::fault::Fault;
use obo_proxy::mcp::nextcloud::Ask;
use obo_proxy::mcp::settings::Toolset;
use obo_proxy::mcp::tool::{Call, Hints, Registered, Reply, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Needs `shares.write` before it begins.
pub const SHARE: &str = "probe_share";
/// The same, and finds out later what it needs.
pub const LATE: &str = "probe_share_late";
/// What is asked.
pub const WORDS: &str = "Share this with everybody who has the link?";

struct Probe<const LATE: bool>;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    id: String,
}

#[derive(Deserialize)]
struct Share {
    id: String,
}

impl<const IS_LATE: bool> Tool for Probe<IS_LATE> {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = if IS_LATE { LATE } else { SHARE };
    const TITLE: &'static str = "Share";
    const DESCRIPTION: &'static str = "Shares.";
    const HINTS: Hints = Hints::adds();
    const SCOPES: &'static [&'static str] = if IS_LATE { &[] } else { &["shares.write"] };
    const SET: Toolset = Toolset::Base;

    async fn call(call: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let question = Question::new(WORDS).with("Path", &arguments.path).with_some("Note", arguments.note.as_deref());
        call.confirm(&question)?;
        let body = serde_json::json!({ "path": arguments.path, "shareType": 3 });
        let ask = Ask::new("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares").accept_json().json(&body);
        let share: Share = call.nextcloud.ask(ask).await?.good("share")?.ocs()?;
        Ok(Output { id: share.id }.into())
    }
}

/// Both.
pub fn tools() -> Vec<Registered> {
    vec![Registered::of::<Probe<false>>(), Registered::of::<Probe<true>>()]
}
