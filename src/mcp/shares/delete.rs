//! `share_delete`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SHARES;
use crate::mcp::fault::Fault;
use crate::mcp::files::Done;
use crate::mcp::nextcloud::Ask;
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Stop sharing.
pub struct ShareDelete;

/// Which share.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Share id
    id: String,
}

impl Tool for ShareDelete {
    type Arguments = Arguments;
    type Output = Done;
    const NAME: &'static str = "share_delete";
    const TITLE: &'static str = "Stop sharing";
    const DESCRIPTION: &'static str = "Remove a share.";
    const HINTS: Hints = Hints::changes().idempotent();
    const SCOPES: &'static [&'static str] = &["shares.write"];
    const SET: Toolset = Toolset::Shares;

    async fn call(Call { nextcloud, .. }: Call, Arguments { id }: Arguments) -> Result<Reply<Done>, Fault> {
        let id: u64 =
            id.parse().map_err(|_| Fault::said("id has to be the number of a share. shares_list tells them."))?;
        let answer = nextcloud.ask(Ask::new("DELETE", format!("{SHARES}/{id}")).accept_json()).await?;
        match answer.status.as_u16() {
            404 => Err(Fault::Said(format!(
                "There is no share {id} of this user. shares_list tells those that there are."
            ))),
            _ => answer.good(&format!("share {id}")).map(|_| Done::plain().into()),
        }
    }
}
