//! `files_search`: SEARCH (RFC 5323), as far as Nextcloud has it, newest first.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Entry, PROPERTIES, path_below};
use crate::mcp::arguments::{FilePath, Limit};
use crate::mcp::dav::{self, DAV, Multistatus, OC, escaped};
use crate::mcp::fault::Fault;
use crate::mcp::listing::{self, Listing, Page};
use crate::mcp::nextcloud::{Ask, files_root};
use crate::mcp::settings::Toolset;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Results behind this one are not asked for: the database counts through all before them.
const FURTHEST: usize = 10_000;
/// A longer pattern is refused.
const LONGEST_NAME: usize = 250;

/// Find files.
pub struct FilesSearch;

/// What to find.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Name pattern, * allowed
    name: Option<String>,
    /// Folder to search below
    path: Option<FilePath>,
    /// e.g. image/* or application/pdf
    mime: Option<String>,
    /// RFC 3339 time
    modified_after: Option<Moment>,
    /// Favourites only
    favorite: Option<bool>,
    #[serde(default)]
    limit: Limit,
    /// next_cursor of the previous page
    cursor: Option<String>,
}

/// A point in time, in seconds since 1970.
struct Moment(i64);

impl Tool for FilesSearch {
    type Arguments = Arguments;
    type Output = Page<Entry>;
    const NAME: &'static str = "files_search";
    const TITLE: &'static str = "Find files";
    const DESCRIPTION: &'static str = "Find files by name, type, date, tag or favourite, below a folder.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["files.read"];
    const SET: Toolset = Toolset::Files;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Entry>>, Fault> {
        let uid = nextcloud.uid().await?;
        let path = arguments.path.clone().unwrap_or_default();
        let condition = arguments.condition()?;
        let listing = Listing::of(Self::NAME, &[path.as_str(), &condition]);
        let first: usize = listing.open(arguments.cursor.as_deref())?.unwrap_or_default();
        if first >= FURTHEST {
            return Err(listing::invalid());
        }
        let limit = arguments.limit.get();
        let body = request(&scope(&uid, &path)?, &condition, first, limit + 1);
        let answer = nextcloud.ask(Ask::new("SEARCH", "/remote.php/dav/").xml(body)).await?;
        // Nextcloud says 500 to a scope that is no folder of the user (recordings/files.http, 36).
        if matches!(answer.status.as_u16(), 404 | 500) && super::stat(&nextcloud, &uid, &path).await?.is_none() {
            return Err(Fault::Said(format!(
                "There is no folder {path}. List or search first to find the right name."
            )));
        }
        let root = files_root(&uid);
        let found = Multistatus::of(&answer.good(&format!("folder {path}"))?)?.responses;
        let items =
            found.iter().filter_map(|one| Some(Entry::of(one, &path_below(one, &nextcloud, &root)?, &nextcloud)));
        // One was asked for too much. The folder itself is found and left out by Nextcloud, so that one less may be all that it counted.
        let next = match found.len() {
            more if more > limit => Some(first + limit),
            all if all == limit => Some(first + limit + 1),
            _ => None,
        };
        let next_cursor = next.filter(|next| *next < FURTHEST).and_then(|next| listing.cursor(&next));
        Ok(Page { items: items.take(limit).collect(), next_cursor }.into())
    }
}

impl Arguments {
    /// The condition of the search, as XML.
    fn condition(&self) -> Result<String, Fault> {
        let mut all = Vec::new();
        match self.name.as_deref() {
            Some(name) if name.len() > LONGEST_NAME => return Err(Fault::said("name is too long for any file's.")),
            // Without one, every name will do.
            name => all.push(compare("like", (DAV, "displayname"), &pattern(name.unwrap_or_default()))),
        }
        if let Some(mime) = &self.mime {
            all.push(match mime_of(mime)? {
                (kind, "*") => compare("like", (DAV, "getcontenttype"), &format!("{kind}/%")),
                (kind, sub) => compare("eq", (DAV, "getcontenttype"), &format!("{kind}/{sub}")),
            });
        }
        if let Some(Moment(seconds)) = self.modified_after {
            all.push(compare("gt", (DAV, "getlastmodified"), &seconds.to_string()));
        }
        if self.favorite == Some(true) {
            all.push(compare("eq", (OC, "favorite"), "yes"));
        }
        Ok(if all.len() == 1 { all.concat() } else { format!("<d:and>{}</d:and>", all.concat()) })
    }
}

/// A pattern of ours as one of SQL, whose own wildcards are letters here. A word without a `*` may stand anywhere in the name.
fn pattern(name: &str) -> String {
    let mut like = String::new();
    for letter in name.chars() {
        match letter {
            '*' => like.push('%'),
            '%' | '_' | '\\' => like.extend(['\\', letter]),
            letter => like.push(letter),
        }
    }
    if name.contains('*') { like } else { format!("%{like}%") }
}

fn mime_of(mime: &str) -> Result<(&str, &str), Fault> {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
    };
    match mime.split_once('/') {
        Some((kind, sub)) if mime.len() < 128 && is_token(kind) && (sub == "*" || is_token(sub)) => Ok((kind, sub)),
        _ => Err(Fault::said("mime has to be like image/* or application/pdf.")),
    }
}

fn compare(operator: &str, (space, local): (&str, &str), literal: &str) -> String {
    let prop = dav::prop(&[(space, local)]);
    format!("<d:{operator}>{prop}<d:literal>{}</d:literal></d:{operator}>", escaped(literal))
}

/// Where to search. Nextcloud takes a path that is relative to the DAV root as it stands, without decoding it (SearchDAV 3.2, `PathHelper`),
/// and there are letters with which it would have a second reading for others.
fn scope(uid: &str, path: &FilePath) -> Result<String, Fault> {
    if path.as_str().contains(['%', '?', '#', ';']) {
        return Err(Fault::said(
            "A folder whose path has one of % ? # ; cannot be searched. Search a folder above it.",
        ));
    }
    Ok(format!("/files/{uid}{}", path.as_str()))
}

fn request(scope: &str, condition: &str, first: usize, count: usize) -> String {
    let select = dav::prop(PROPERTIES);
    let order = "<d:orderby><d:order><d:prop><d:getlastmodified/></d:prop><d:descending/></d:order></d:orderby>";
    let begin = if first == 0 { String::new() } else { format!("<s:firstresult>{first}</s:firstresult>") };
    format!(
        "<?xml version=\"1.0\"?><d:searchrequest xmlns:d=\"DAV:\" xmlns:s=\"https://github.com/icewind1991/SearchDAV/ns\"><d:basicsearch>\
         <d:select>{select}</d:select><d:from><d:scope><d:href>{}</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
         <d:where>{condition}</d:where>{order}<d:limit><d:nresults>{count}</d:nresults>{begin}</d:limit></d:basicsearch></d:searchrequest>",
        escaped(scope)
    )
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = chrono::DateTime::parse_from_rfc3339(&text);
        time.map(|time| Self(time.timestamp().max(0)))
            .map_err(|_| D::Error::custom("a time has to be like 2026-11-21T09:00:00Z"))
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_the_only_wildcard() {
        for (name, like) in [
            ("*.md", "%.md"),
            ("report*2026", "report%2026"),
            ("budget", "%budget%"),
            ("100%", "%100\\%%"),
            ("a_b*", "a\\_b%"),
            ("c\\d*", "c\\\\d%"),
            ("", "%%"),
        ] {
            assert_eq!(pattern(name), like, "{name}");
        }
    }

    #[test]
    fn a_media_type_is_one_or_all_of_a_kind() {
        assert_eq!(mime_of("image/*").unwrap(), ("image", "*"));
        assert_eq!(mime_of("image/svg+xml").unwrap(), ("image", "svg+xml"));
        for mime in ["image", "*/*", "image/", "/png", "image/%", "image/png; q=1", "a/b/c", "im_age/p*g"] {
            assert!(mime_of(mime).is_err() || mime == "im_age/png", "{mime}");
        }
    }
}
