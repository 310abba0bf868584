//! `note_write`.

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::arguments::FilePath;
use super::super::fault::Fault;
use super::super::hit::HitId;
use super::super::nextcloud::{Ask, Nextcloud};
use super::super::settings::Toolset;
use super::super::shown::shown;
use super::super::tool::{Call, Hints, Reply, Tool};
use super::{NOTES, Note};

/// So often a text is added again to a note that changed meanwhile, each time to what it had become.
const TRIES: usize = 3;
/// A title taken from the first line is no longer, in characters.
const LONGEST_TITLE: usize = 100;

/// Writes a note.
pub struct NoteWrite;

/// What to write.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Note id; absent creates one
    id: Option<String>,
    /// Title
    title: Option<String>,
    /// Markdown
    text: String,
    /// Category
    category: Option<String>,
    /// Add to the end instead of replacing
    append: Option<bool>,
    /// etag from a read; the call fails if it changed meanwhile
    etag: Option<String>,
}

/// The note as it is now.
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Output {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Tool for NoteWrite {
    type Arguments = Arguments;
    type Output = Output;
    const NAME: &'static str = "note_write";
    const TITLE: &'static str = "Write note";
    const DESCRIPTION: &'static str = "Create a note, or replace or extend one.";
    const HINTS: Hints = Hints::changes();
    const SCOPES: &'static [&'static str] = &["notes.read", "notes.write"];
    const SET: Toolset = Toolset::Notes;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Output>, Fault> {
        let id = arguments.id.as_deref().map(super::number).transpose()?;
        if arguments.category.as_deref().is_some_and(|category| !is_category(category)) {
            return Err(Fault::said("category has to be like Home or Home/Garden, and nothing was written."));
        }
        let append = arguments.append == Some(true);
        let note = match id {
            Some(number) if append => extend(&nextcloud, number, &arguments).await?,
            Some(number) => replace(&nextcloud, number, &arguments).await?,
            None if append || arguments.etag.is_some() => {
                return Err(Fault::said("append and etag need the id of a note. Leave both out to create one."));
            }
            None => create(&nextcloud, arguments).await?,
        };
        let url = Some(super::url(&nextcloud, note.id));
        let etag = Some(note.etag).filter(|etag| !etag.is_empty());
        Ok(Output { id: HitId::Note(note.id).to_string(), etag, url }.into())
    }
}

/// A category is a folder below that of the notes, and leads nowhere else.
fn is_category(category: &str) -> bool {
    category.is_empty() || FilePath::parse(category).is_ok_and(|path| path.as_str().strip_prefix('/') == Some(category))
}

async fn create(nextcloud: &Nextcloud, arguments: Arguments) -> Result<Note, Fault> {
    let title = arguments.title.unwrap_or_else(|| title(&arguments.text));
    let mut fields = fields(Some(title), arguments.category.as_deref());
    fields.insert("content".to_owned(), arguments.text.into());
    let ask = Ask::new("POST", NOTES).accept_json().json(&Value::Object(fields));
    super::there(nextcloud.ask(ask).await?)?.good("new note")?.json()
}

async fn replace(nextcloud: &Nextcloud, number: u64, arguments: &Arguments) -> Result<Note, Fault> {
    let etag = arguments.etag.as_deref();
    match put(nextcloud, number, etag, arguments, arguments.text.clone()).await? {
        Written::Done(note) => Ok(note),
        Written::Changed(now) => Err(changed(&now)),
    }
}

/// Reads, and writes only if nobody has written meanwhile.
async fn extend(nextcloud: &Nextcloud, number: u64, arguments: &Arguments) -> Result<Note, Fault> {
    let mut note = super::get(nextcloud, number).await?;
    if arguments.etag.as_deref().is_some_and(|etag| etag.trim_matches('"') != note.etag) {
        return Err(changed(&note));
    }
    for _ in 0..TRIES {
        if note.readonly {
            return Err(Fault::said("The user may only read this note. Tell the user."));
        }
        let between = if note.content.is_empty() || note.content.ends_with('\n') { "" } else { "\n" };
        let content = format!("{}{between}{}", note.content, arguments.text);
        let etag = note.etag.clone();
        match put(nextcloud, number, Some(&etag), arguments, content).await? {
            Written::Done(note) => return Ok(note),
            Written::Changed(now) if arguments.etag.is_some() => return Err(changed(&now)),
            Written::Changed(now) => note = now,
        }
    }
    Err(Fault::said("Somebody is writing this note right now. Try again in a minute."))
}

enum Written {
    Done(Note),
    /// What it is now.
    Changed(Note),
}

async fn put(
    nextcloud: &Nextcloud,
    number: u64,
    etag: Option<&str>,
    arguments: &Arguments,
    content: String,
) -> Result<Written, Fault> {
    let mut fields = fields(arguments.title.clone(), arguments.category.as_deref());
    fields.insert("content".to_owned(), content.into());
    let mut ask = Ask::new("PUT", format!("{NOTES}/{number}")).accept_json().json(&Value::Object(fields));
    if let Some(etag) = etag {
        ask = ask.only_if(etag)?;
    }
    let answer = super::there(nextcloud.ask(ask).await?)?;
    if answer.status == StatusCode::PRECONDITION_FAILED {
        return Ok(Written::Changed(answer.json()?));
    }
    Ok(Written::Done(answer.good(&format!("note notes:{number}"))?.json()?))
}

fn fields(title: Option<String>, category: Option<&str>) -> Map<String, Value> {
    let title = title.map(|title| ("title".to_owned(), Value::from(title)));
    let category = category.map(|category| ("category".to_owned(), Value::from(category)));
    title.into_iter().chain(category).collect()
}

/// The first line that says something, as the app itself takes it.
fn title(content: &str) -> String {
    let mut lines = content.lines().map(|line| line.trim_start_matches(['#', '*', '-', ' ', '\t']));
    shown(lines.find(|line| !line.trim().is_empty()).unwrap_or_default(), LONGEST_TITLE)
}

fn changed(now: &Note) -> Fault {
    let etag: String = now.etag.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    Fault::Said(format!(
        "The note changed meanwhile, and nothing was written. Its etag is now {etag}: fetch notes:{} again, then decide.",
        now.id
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_a_title_is_called_by_its_first_line() {
        for (text, called) in [("\n## Milk\nBread", "Milk"), ("- [ ] eggs", "[ ] eggs"), ("", ""), ("# \n\n", "")] {
            assert_eq!(title(text), called, "{text}");
        }
    }
}
