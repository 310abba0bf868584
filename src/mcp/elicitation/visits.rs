//! Questions that are answered on a page of ours (2025-11-25, "URL Mode"), and what we remember of a client's capabilities for it: nothing. A
//! client that declares the mode when it begins gets a sealed `Mcp-Session-Id` to bring along, which says so and for whom. It is no session: nothing
//! is kept for it, it grants nothing, and an unknown one only means that the client cannot be asked.

use rmcp::ErrorData;
use rmcp::model::{ErrorCode, InitializeRequestParams, ProtocolVersion};
use serde_json::json;

use super::binding;
use super::pending::Pending;
use super::question::Question;
use super::seal::Seal;
use crate::oauth::login::Logins;
use crate::token::{Clock, Digest, Identity};

/// `URLElicitationRequiredError` (2025-11-25, "Error Handling").
const URL_REQUIRED: i32 = -32_042;

/// What stands in an id; beside it a random number, for ids have to be unique.
const DECLARED: &str = "elicitation.url";

/// The pages, as calls see them.
pub struct Visits {
    /// The questions that wait.
    pub pending: Pending,
    /// Signs people in; for the question of this id.
    pub logins: Logins<String>,
    /// What stands before an id in the URL of its page.
    pub base: String,
}

/// The id for a client that declares the mode, if it does and its era has it.
#[must_use]
pub fn declare(
    seal: &Seal,
    identity: &Identity,
    request: &InitializeRequestParams,
    negotiated: &ProtocolVersion,
) -> Option<String> {
    let declares = request.capabilities.elicitation.as_ref().is_some_and(|modes| modes.url.is_some());
    (declares && *negotiated >= ProtocolVersion::V_2025_11_25).then(|| {
        let payload = format!("{DECLARED} {:032x}", rand::random::<u128>());
        seal.close(payload.as_bytes(), binding::of_client(identity))
    })
}

/// Whether this id says that this caller's client declared the mode.
#[must_use]
pub fn declared(seal: &Seal, identity: &Identity, id: &str) -> bool {
    seal.is_ours(id, binding::of_client(identity))
}

impl Visits {
    /// Whether this person can sign in at a page of ours.
    #[must_use]
    pub fn possible(&self, identity: &Identity) -> bool {
        self.logins.possible(identity.principal.issuer())
    }

    /// The URL of the page about this call, and its id. `None`: there is no room.
    #[must_use]
    pub fn url(
        &self,
        purpose: Digest,
        identity: &Identity,
        question: &Question,
        clock: &Clock,
    ) -> Option<(String, String)> {
        let id = self.pending.ask(purpose, identity, question, clock.now())?;
        Some((format!("{}{id}", self.base), id))
    }
}

/// The error that sends a person to a page.
#[must_use]
pub fn required(url: &str, id: &str, question: &Question) -> ErrorData {
    let elicitation = json!({ "mode": "url", "elicitationId": id, "url": url, "message": question.text() });
    ErrorData::new(
        ErrorCode(URL_REQUIRED),
        "The user has to confirm this on a page of this server. Call again with the same arguments afterwards, within five minutes.",
        Some(json!({ "elicitations": [elicitation] })),
    )
}

/// The same for a client that knows nothing of it.
#[must_use]
pub fn in_words(url: &str) -> String {
    format!(
        "The user has to confirm this first. Ask the user to open {url} , to sign in there and to answer. Then call again with the same arguments, within \
         five minutes."
    )
}
