//! One tool: what a client is told of it, and what it does.

use std::future::Future;
use std::pin::Pin;

use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::elicitation::Asking;
use super::elicitation::question::Question;
use super::fault::Fault;
use super::nextcloud::Nextcloud;
use super::schema;
use super::settings::Toolset;
use super::shown::shown;

/// So much is said of arguments that cannot be read, in characters.
const LONGEST_ERROR: usize = 300;

/// A tool of ours. Its arguments and its answer are types, and its schemas come from them.
pub trait Tool: 'static {
    /// What it is called with.
    type Arguments: DeserializeOwned + JsonSchema + Send;
    /// What it answers.
    type Output: Serialize + JsonSchema + Send;
    /// Its name, by which it is called.
    const NAME: &'static str;
    /// Its name for people.
    const TITLE: &'static str;
    /// What it does, for models. Short: every word of it is in every conversation.
    const DESCRIPTION: &'static str;
    /// What it may do to the world.
    const HINTS: Hints;
    /// All scopes that it needs, before it begins.
    const SCOPES: &'static [&'static str];
    /// With which others it comes.
    const SET: Toolset;

    /// Does it.
    fn call(call: Call, arguments: Self::Arguments) -> impl Future<Output = Result<Reply<Self::Output>, Fault>> + Send;
}

/// What a tool has beside its arguments.
pub struct Call {
    /// Nextcloud, in the caller's name.
    pub nextcloud: Nextcloud,
    pub(super) asking: Asking,
}

impl Call {
    /// The person says yes to this first, where the person can be asked. To be called before anything leaves the house, with what decides where it
    /// goes. It stands in for no check: whatever is done afterwards is authorized like any other request.
    ///
    /// # Errors
    /// As [`Asking::confirm`]; the tool hands it on.
    pub fn confirm(&self, question: &Question) -> Result<(), Fault> {
        self.asking.confirm(question)
    }
}

/// An answer, and content beside it that is no JSON.
#[derive(Debug)]
pub struct Reply<T> {
    /// The answer.
    pub output: T,
    /// Images and links.
    pub content: Vec<ContentBlock>,
}

/// MCP's `ToolAnnotations`: honest, and still hints only.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    read_only: bool,
    destructive: Option<bool>,
    idempotent: Option<bool>,
    open_world: bool,
}

/// A tool without its types.
pub struct Registered {
    /// Its name.
    pub name: &'static str,
    /// What clients are told.
    pub definition: rmcp::model::Tool,
    /// The scopes that it needs.
    pub scopes: &'static [&'static str],
    /// With which others it comes.
    pub set: Toolset,
    invoke: fn(Call, Map<String, Value>) -> Invocation,
}

/// A call under way.
pub type Invocation = Pin<Box<dyn Future<Output = Result<CallToolResponse, Fault>> + Send>>;

impl<T> From<T> for Reply<T> {
    fn from(output: T) -> Self {
        Self { output, content: Vec::new() }
    }
}

impl Hints {
    /// Changes nothing.
    #[must_use]
    pub const fn reads() -> Self {
        Self { read_only: true, destructive: None, idempotent: None, open_world: false }
    }

    /// Adds something.
    #[must_use]
    pub const fn adds() -> Self {
        Self { read_only: false, destructive: Some(false), idempotent: Some(false), open_world: false }
    }

    /// Changes or removes something.
    #[must_use]
    pub const fn changes() -> Self {
        Self { read_only: false, destructive: Some(true), idempotent: Some(false), open_world: false }
    }

    /// Once more is once.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = Some(true);
        self
    }

    /// Reads what others wrote, or reaches others.
    #[must_use]
    pub const fn open_world(mut self) -> Self {
        self.open_world = true;
        self
    }

    fn annotations(self) -> ToolAnnotations {
        let mut annotations = ToolAnnotations::new().read_only(self.read_only).open_world(self.open_world);
        annotations.destructive_hint = self.destructive;
        annotations.idempotent_hint = self.idempotent;
        annotations
    }
}

impl Registered {
    /// Takes a tool's types off.
    #[must_use]
    pub fn of<T: Tool>() -> Self {
        let definition = rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, schema::of_arguments::<T::Arguments>())
            .with_title(T::TITLE)
            .with_raw_output_schema(schema::of_answer::<T::Output>())
            .with_annotations(T::HINTS.annotations());
        Self {
            name: T::NAME,
            definition,
            scopes: T::SCOPES,
            set: T::SET,
            invoke: |call, arguments| Box::pin(invoke::<T>(call, arguments)),
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.definition.annotations.as_ref().is_some_and(|annotations| annotations.read_only_hint == Some(true))
    }

    /// Calls it.
    pub fn call(&self, call: Call, arguments: Map<String, Value>) -> Invocation {
        (self.invoke)(call, arguments)
    }
}

async fn invoke<T: Tool>(call: Call, arguments: Map<String, Value>) -> Result<CallToolResponse, Fault> {
    let arguments = serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        // It repeats what the caller wrote, however long that is.
        let error = shown(&error.to_string(), LONGEST_ERROR);
        Fault::Said(format!("{}: {error}. See the tool's input schema.", T::NAME))
    })?;
    let reply = T::call(call, arguments).await?;
    let output = serde_json::to_value(&reply.output)
        .map_err(|error| Fault::Said(format!("The answer cannot be written ({error}). Tell the user.")))?;
    let mut result = CallToolResult::structured(output);
    // Some clients read the text alone, others the structured content: the text holds all of it, and comes first.
    result.content.extend(reply.content);
    Ok(result.into())
}
