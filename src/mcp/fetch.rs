//! `fetch`: what a search found, as text. Each kind is read where it lies, with the scope of its app.

pub mod board;
pub mod conversation;
pub mod file;
pub mod object;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::hit::HitId;
use super::nextcloud::Nextcloud;
use super::settings::Toolset;
use super::shown::shown;
use super::tool::{Call, Hints, Reply, Tool};
use super::{notes, text, time};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// Reads a hit.
pub struct Fetch;

/// Which.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// id from search
    id: String,
}

/// The text of a hit.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub id: String,
    pub title: String,
    pub text: String,
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "of_metadata")]
    pub metadata: Option<Map<String, Value>>,
}

fn of_metadata(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// What it is called.
    pub title: String,
    /// Its text, however long.
    pub text: String,
    /// Where people open it.
    pub url: String,
    /// What else is known: names without values are left out.
    pub metadata: Vec<(&'static str, Option<Value>)>,
    /// How to read on where the text is cut.
    pub rest: &'static str,
    /// Whether it is cut already, where an answer's text ends.
    pub is_cut: bool,
}

impl Tool for Fetch {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "fetch";
    const TITLE: &'static str = "Read a search hit";
    const DESCRIPTION: &'static str = "The text of one search result.";
    const HINTS: Hints = Hints::reads().open_world();
    const SCOPES: &'static [&'static str] = &["nc.read"];
    const SET: Toolset = Toolset::Base;

    async fn call(Call { nextcloud, .. }: Call, Arguments { id }: Arguments) -> Result<Reply<Output>, Fault> {
        let hit = HitId::parse(&id).ok_or_else(|| {
            Fault::said("This is no id of a search result. Pass it on as search or a list gave it, e.g. notes:12.")
        })?;
        if let Some(set) = set_of(&hit).filter(|set| !nextcloud.offers(*set)) {
            return Err(Fault::Said(format!("The operator of this server does not offer {}.", set.as_str())));
        }
        let read = match &hit {
            HitId::File(path) => file::read(&nextcloud, path).await?,
            HitId::Note(number) => note(&nextcloud, *number).await?,
            HitId::Event(object) => object::event(&nextcloud, object).await?,
            HitId::Task(object) => object::task(&nextcloud, object).await?,
            HitId::Contact { book, uid } => object::contact(&nextcloud, book, uid).await?,
            HitId::Conversation(token) => conversation::whole(&nextcloud, token).await?,
            HitId::Message { conversation, id } => conversation::message(&nextcloud, conversation, *id).await?,
            HitId::Board(board) => board::whole(&nextcloud, *board).await?,
            HitId::Card { board, card } => board::card(&nextcloud, *board, *card).await?,
            HitId::Link(target) => link(&nextcloud, target),
        };
        Ok(read.answer(id).into())
    }
}

/// The tools that a hit comes with.
fn set_of(hit: &HitId) -> Option<Toolset> {
    match hit {
        HitId::File(_) => Some(Toolset::Files),
        HitId::Note(_) => Some(Toolset::Notes),
        HitId::Event(_) => Some(Toolset::Calendar),
        HitId::Task(_) => Some(Toolset::Tasks),
        HitId::Contact { .. } => Some(Toolset::Contacts),
        HitId::Conversation(_) | HitId::Message { .. } => Some(Toolset::Talk),
        HitId::Board(_) | HitId::Card { .. } | HitId::Link(_) => None,
    }
}

/// A whole note. Its text is given as it is, for it may be written back.
async fn note(nextcloud: &Nextcloud, number: u64) -> Result<Read, Fault> {
    let note = notes::get(nextcloud, number).await?;
    let named = |text: &str| Some(shown(text, LONGEST_TITLE)).filter(|text| !text.is_empty()).map(Value::from);
    let metadata = vec![
        ("etag", named(&note.etag)),
        ("category", named(&note.category)),
        ("modified", time::rfc3339(note.modified).map(Value::from)),
        ("path", named(&note.path)),
        ("readonly", note.readonly.then_some(Value::Bool(true))),
    ];
    let rest = "files_read with metadata.path and this offset reads on; do not replace the note by a part of it";
    Ok(Read {
        title: note.title,
        text: note.content,
        url: notes::url(nextcloud, number),
        metadata,
        rest,
        is_cut: false,
    })
}

/// What only people can open. Nothing is read.
fn link(nextcloud: &Nextcloud, target: &str) -> Read {
    Read {
        title: "Not readable here".to_owned(),
        text: "This server cannot read this. Give the user the url: it opens in a browser.".to_owned(),
        url: nextcloud.url(nextcloud.inside(target)),
        ..Read::default()
    }
}

impl Read {
    fn answer(self, id: String) -> Output {
        let (text, cut) = text::cut(&self.text, text::LONGEST);
        let cut = cut.or(self.is_cut.then_some(text::LONGEST));
        let cut = cut.map(|offset| [("next_offset", Some(json!(offset))), ("hint", Some(json!(self.rest)))]);
        let metadata = self.metadata.into_iter().chain(cut.into_iter().flatten());
        let metadata: Map<String, Value> =
            metadata.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let title = shown(&self.title, LONGEST_TITLE);
        Output {
            title: if title.is_empty() { id.clone() } else { title },
            id,
            text: text.to_owned(),
            url: self.url,
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
        }
    }
}
