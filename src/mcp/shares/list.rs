//! `shares_list`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{SHARES, Share, Told};
use crate::mcp::arguments::{FilePath, Limit};
use crate::mcp::fault::Fault;
use crate::mcp::listing::{Listing, Page};
use crate::mcp::nextcloud::{Ask, segment};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// List shares.
pub struct SharesList;

/// Which shares.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    path: Option<FilePath>,
    /// Shares others gave to me
    received: Option<bool>,
    #[serde(default)]
    limit: Limit,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

impl Tool for SharesList {
    type Arguments = Arguments;
    type Output = Page<Share>;
    const NAME: &'static str = "shares_list";
    const TITLE: &'static str = "List shares";
    const DESCRIPTION: &'static str = "Shares of a path, all own shares, or those received.";
    const HINTS: Hints = Hints::reads();
    // Links open files to whoever has them, so the route policy wants both.
    const SCOPES: &'static [&'static str] = &["shares.read", "files.read"];
    const SET: Toolset = Toolset::Shares;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Share>>, Fault> {
        let received = arguments.received == Some(true);
        let path = arguments.path.as_ref().map(FilePath::to_string);
        if received && path.is_some() {
            return Err(Fault::said(
                "Either the shares of a path, or those received: leave one of path and received out.",
            ));
        }
        let listing = Listing::of(Self::NAME, &[path.as_deref().unwrap_or(""), if received { "received" } else { "" }]);
        let after: u64 = listing.open(arguments.cursor.as_deref())?.unwrap_or_default();
        let target = match (&path, received) {
            (Some(path), _) => format!("{SHARES}?path={}", segment(path)),
            (None, true) => format!("{SHARES}?shared_with_me=true"),
            (None, false) => SHARES.to_owned(),
        };
        let what = path.map_or_else(|| "list of shares".to_owned(), |path| format!("file or folder {path}"));
        let told: Vec<Told> = nextcloud.ask(Ask::ocs(target)).await?.good(&what)?.ocs()?;
        let mut told: Vec<(u64, Told)> = told.into_iter().filter_map(|share| Some((share.id.get()?, share))).collect();
        told.sort_by_key(|(id, _)| *id);
        let mut rest = told.into_iter().filter(|(id, _)| *id > after);
        let page: Vec<(u64, Told)> = rest.by_ref().take(arguments.limit.get()).collect();
        let next_cursor = rest.next().and_then(|_| page.last()).and_then(|(id, _)| listing.cursor(id));
        let items = page.into_iter().filter_map(|(_, share)| share.share(&nextcloud, received)).collect();
        Ok(Page { items, next_cursor }.into())
    }
}
