//! The person is asked before something leaves the house (MCP, "Elicitation").
//!
//! A courtesy, and no authorization: the answer comes through the client or from a page of ours, and a token that lacks a scope, or a switch of the
//! policy that forbids it, is checked as for any other call, before and after.
//!
//! ```text
//! 2026-07-28   the call is answered by a form and a sealed state; the client calls again with both (seal.rs, used.rs)
//! 2025-11-25   the call is answered by the URL of a page of ours; the client calls again when the person has been there
//! ```
//!
//! An answer is good for one call, to the letter (binding.rs), in its time, once. What does not fit is asked again or refused, and never done.

pub mod binding;
pub mod question;
pub mod seal;
pub mod used;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ElicitRequest, ElicitRequestParams, ElicitationSchema, InputRequest,
    InputRequiredResult, InputResponses, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use self::question::Question;
use self::seal::{NotOpened, Seal, Ticket};
use self::used::Used;
use super::fault::Fault;
use super::settings::Confirm;
use crate::token::{Clock, Digest, Identity};

/// An answer has to be back within this time.
pub const ANSWER_WITHIN: Duration = Duration::from_mins(5);

/// The name of our one question among the requests of an answer.
const QUESTION: &str = "confirm";

/// What all calls share.
pub struct Elicitation {
    confirm: Confirm,
    clock: Clock,
    seal: Seal,
    used: Used,
}

/// How a client can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a form in the answer (2026-07-28).
    Form,
    /// Not at all.
    None,
}

/// What one call has for its question: how to ask, and the answer if the client brought one.
pub struct Asking {
    shared: Arc<Elicitation>,
    way: Way,
    call: Digest,
    state: Option<String>,
    responses: Option<InputResponses>,
}

/// What the person said.
enum Said {
    Yes,
    No,
}

impl Elicitation {
    /// Asks as the operator wants it, with states sealed by this key.
    #[must_use]
    pub fn new(confirm: Confirm, seal: Seal, clock: Clock) -> Self {
        Self { confirm, clock, seal, used: Used::default() }
    }

    /// What a call has for its question.
    #[must_use]
    pub fn of(
        self: &Arc<Self>,
        identity: &Identity,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Asking {
        let arguments = request.arguments.clone().unwrap_or_default();
        Asking {
            shared: self.clone(),
            way: way(context),
            call: binding::of_call(identity, &request.name, &arguments),
            state: request.request_state.clone(),
            responses: request.input_responses.clone(),
        }
    }
}

/// A mode that the client did not declare is never used. In the modern era each request declares, in the other only the first one.
fn way(context: &RequestContext<RoleServer>) -> Way {
    let is_modern = context.meta.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    match context.meta.client_capabilities() {
        Some(capabilities) if is_modern && shows_forms(&capabilities) => Way::Form,
        _ => Way::None,
    }
}

/// An empty capability means forms ("Capabilities").
fn shows_forms(capabilities: &ClientCapabilities) -> bool {
    capabilities.elicitation.as_ref().is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

impl Asking {
    /// Nothing happens before the person has said yes to this, where the person can be asked.
    ///
    /// # Errors
    /// The question, for the client to ask; [`Fault::Declined`]; [`Fault::Said`] if there is no way to ask and the operator wants it.
    pub fn confirm(&self, question: &Question) -> Result<(), Fault> {
        match (self.shared.confirm, self.way) {
            (Confirm::Never, _) | (Confirm::WhenPossible, Way::None) => Ok(()),
            (Confirm::WhenPossible | Confirm::Always, Way::Form) => self.by_form(question),
            (Confirm::Always, Way::None) => Err(Fault::said(
                "The operator of this server wants the user to confirm this, and this client cannot ask (it does not declare MCP elicitation). \
                 Do not try again; tell the user to do it in Nextcloud or through another client.",
            )),
        }
    }

    fn by_form(&self, question: &Question) -> Result<(), Fault> {
        let Some(state) = &self.state else { return Err(self.form(question)) };
        let now = self.shared.clock.now();
        match self.shared.seal.open(state, self.purpose(question), now) {
            Ok(ticket) => match self.said() {
                None => Err(self.form(question)),
                // A refusal uses the ticket up as well.
                Some(said) => match (self.shared.used.first(ticket.number, now.after(ANSWER_WITHIN), now), said) {
                    (true, Said::Yes) => Ok(()),
                    (_, Said::No) => Err(Fault::Declined),
                    (false, Said::Yes) => Err(self.form(question)),
                },
            },
            Err(NotOpened::Expired) => Err(self.form(question)),
            Err(NotOpened::Foreign) => Err(Fault::said(
                "requestState does not belong to this call with these arguments. Nothing was done. Call the tool again without it; the user is asked again.",
            )),
        }
    }

    fn form(&self, question: &Question) -> Fault {
        let ticket = Ticket::new(self.shared.clock.now().after(ANSWER_WITHIN));
        let request = ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: question.text(),
            // Yes and no are the actions; there is nothing to fill in.
            requested_schema: ElicitationSchema::new(BTreeMap::new()),
        });
        let requests = BTreeMap::from([(QUESTION.to_owned(), InputRequest::Elicitation(request))]);
        let state = self.shared.seal.ticket(&ticket, self.purpose(question));
        Fault::Ask(Box::new(InputRequiredResult::new(Some(requests), Some(state))))
    }

    fn purpose(&self, question: &Question) -> Digest {
        binding::of_question(self.call, question.digest())
    }

    /// What the client brought back; nothing if it is no answer to our question.
    fn said(&self) -> Option<Said> {
        match self.responses.as_ref()?.get(QUESTION)?.get("action").and_then(Value::as_str)? {
            "accept" => Some(Said::Yes),
            "decline" | "cancel" => Some(Said::No),
            _ => None,
        }
    }
}
