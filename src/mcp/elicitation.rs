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
pub mod pending;
pub mod question;
pub mod seal;
pub mod used;
pub mod visits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ElicitRequest, ElicitRequestParams, ElicitationSchema,
    InitializeRequestParams, InputRequest, InputRequiredResult, InputResponses, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use self::question::Question;
use self::seal::{NotOpened, Seal, Ticket};
use self::used::Used;
use self::visits::Visits;
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
    visits: Option<Arc<Visits>>,
}

/// How a client can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a form in the answer (2026-07-28).
    Form,
    /// By the URL of a page of ours (2025-11-25).
    Url,
    /// Not by itself, but there is a page whose URL a person can be told.
    Link,
    /// Not at all.
    None,
}

/// What one call has for its question: how to ask, and the answer if the client brought one.
pub struct Asking {
    shared: Arc<Elicitation>,
    identity: Identity,
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
    /// Asks as the operator wants it, with states sealed by this key, and on pages, where there are any.
    #[must_use]
    pub fn new(confirm: Confirm, seal: Seal, clock: Clock, visits: Option<Arc<Visits>>) -> Self {
        Self { confirm, clock, seal, used: Used::default(), visits }
    }

    /// What a client that begins is to bring along as `Mcp-Session-Id`, if it can be sent to pages and there are any.
    #[must_use]
    pub fn declare(
        &self,
        identity: &Identity,
        request: &InitializeRequestParams,
        negotiated: &ProtocolVersion,
    ) -> Option<String> {
        self.visits.as_ref()?;
        visits::declare(&self.seal, identity, request, negotiated)
    }

    /// What a call has for its question.
    #[must_use]
    pub fn of(
        self: &Arc<Self>,
        identity: &Identity,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        session: Option<&str>,
    ) -> Asking {
        let arguments = request.arguments.clone().unwrap_or_default();
        Asking {
            shared: self.clone(),
            identity: identity.clone(),
            way: self.way(identity, context, session),
            call: binding::of_call(identity, &request.name, &arguments),
            state: request.request_state.clone(),
            responses: request.input_responses.clone(),
        }
    }

    /// A mode that the client did not declare is never used. In the modern era each request declares, in the other only the first one, and what it
    /// declared comes along sealed.
    fn way(&self, identity: &Identity, context: &RequestContext<RoleServer>, session: Option<&str>) -> Way {
        let is_modern = context.meta.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let declares_forms = || context.meta.client_capabilities().is_some_and(|declared| shows_forms(&declared));
        let has_page = self.visits.as_ref().is_some_and(|visits| visits.possible(identity));
        // 2026-07-28 has no such ids, and says to ignore them.
        let declared_urls = || session.is_some_and(|id| visits::declared(&self.seal, identity, id));
        match (is_modern, has_page) {
            (true, _) if declares_forms() => Way::Form,
            (false, true) if declared_urls() => Way::Url,
            (_, true) => Way::Link,
            (_, false) => Way::None,
        }
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
            (Confirm::Never, _) | (Confirm::WhenPossible, Way::None | Way::Link) => Ok(()),
            (Confirm::WhenPossible | Confirm::Always, Way::Form) => self.by_form(question),
            (Confirm::WhenPossible | Confirm::Always, Way::Url) => {
                self.by_page(question, |url, id| Fault::Visit(Box::new(visits::required(url, id, question))))
            }
            (Confirm::Always, Way::Link) => self.by_page(question, |url, _| Fault::Said(visits::in_words(url))),
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

    fn by_page(&self, question: &Question, ask: impl FnOnce(&str, &str) -> Fault) -> Result<(), Fault> {
        let full = || Fault::said("Too many questions wait for their users. Try again in some minutes.");
        let (shared, purpose) = (&self.shared, self.purpose(question));
        let visits = shared.visits.as_ref().ok_or_else(full)?;
        match visits.pending.take(purpose, shared.clock.now()) {
            Some(true) => Ok(()),
            Some(false) => Err(Fault::Declined),
            None => {
                let (url, id) = visits.url(purpose, &self.identity, question, &shared.clock).ok_or_else(full)?;
                Err(ask(&url, &id))
            }
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
