//! The MCP frontend, put together once for all cores.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, ModeSettings};
use crate::flight::Control;
use crate::mcp::audit::{Audit, READ};
use crate::mcp::confirm::{LARGEST_ANSWER, Pages};
use crate::mcp::edge::Edge;
use crate::mcp::elicitation::Elicitation;
use crate::mcp::elicitation::pending::Pending;
use crate::mcp::elicitation::seal::Seal;
use crate::mcp::elicitation::visits::Visits;
use crate::mcp::frontend::{self, Frontend, LARGEST_MESSAGE, Protocol};
use crate::mcp::handler::Handler;
use crate::mcp::large::LargeMessages;
use crate::mcp::limits::Limits;
use crate::mcp::nextcloud::House;
use crate::mcp::tool::Registered;
use crate::mcp::toolbox::Toolbox;
use crate::metrics::Metrics;
use crate::middleware::authorize::ReadingBudget;
use crate::middleware::authorize::scopes::ScopeJudge;
use crate::oauth::browser::Cookies;
use crate::oauth::login::Logins;
use crate::oauth::{ChallengeScopes, Issuers};
use crate::token::Clock;

/// A person's answer has to be there within this time, once it has begun.
const ANSWER_BODY: Duration = Duration::from_secs(10);

/// What all cores share of it.
#[derive(Clone)]
pub(super) struct Mcp {
    pub(super) edge: Arc<Edge>,
    pub(super) frontend: Arc<Frontend>,
    pub(super) pages: Option<Arc<Pages>>,
    /// What a client without a token is told to ask for.
    pub(super) challenge: ChallengeScopes,
}

/// What stands in for ours, or beside it, in tests.
#[derive(Default)]
pub struct Instead {
    /// More tools.
    pub tools: Vec<Registered>,
    /// Another handler.
    pub protocol: Option<Protocol>,
}

/// What the whole house has and the frontend uses.
pub(super) struct Shared<'a> {
    pub(super) judge: &'a Arc<ScopeJudge>,
    pub(super) issuers: &'a Issuers,
    pub(super) control: &'a Control,
    pub(super) clock: &'a Clock,
    pub(super) metrics: &'a Metrics,
}

impl Mcp {
    /// The frontend, if there is one: not where it is switched off, and not where a caller's own token is what Nextcloud gets (product.md §3).
    pub(super) fn new(config: &Config, instead: Instead, shared: &Shared<'_>) -> Option<Self> {
        let settings = &config.mcp;
        if !settings.enabled || matches!(config.mode, ModeSettings::MultiAudience) {
            return None;
        }
        let mount = Arc::new(config.nextcloud.mount.clone());
        let path = format!("{}/mcp", mount.public().as_str());
        let url = url::Url::parse(&config.public_url).ok()?;
        let tools = Arc::new(Toolbox::new(&settings.sets).and(instead.tools));
        let audit = Audit::new(shared.metrics.tool_calls(tools.iter().map(|tool| tool.name).chain([READ])).ok()?);
        let pages =
            settings.confirm_url.then(|| Arc::new(pages(&config.public_url, &url, mount.public().as_str(), shared)));
        let protocol = instead.protocol.unwrap_or_else(|| {
            let rate = NonZeroU32::new(settings.calls_per_minute).unwrap_or(NonZeroU32::MIN);
            let limits = Limits::new(rate, settings.calls_at_once);
            let visits = pages.as_ref().map(|pages| pages.visits.clone());
            let seal = Seal::new(settings.state_key.as_ref());
            let elicitation = Arc::new(Elicitation::new(settings.confirm, seal, shared.clock.clone(), visits));
            frontend::protocol(Handler::new(tools.clone(), limits, elicitation, audit.clone(), settings.tool_timeout))
        });
        let challenge = match &settings.challenge {
            Some(scopes) => ChallengeScopes::Exactly(scopes.clone()),
            None => ChallengeScopes::Known(settings.scopes_from_the_start(), shared.issuers.clone()),
        };
        Some(Self {
            challenge,
            edge: Arc::new(Edge::new(&url, path.clone(), &settings.hosts, &settings.origins)),
            frontend: Arc::new(Frontend {
                path,
                protocol,
                tools,
                audit,
                bodies: ReadingBudget::new(config.nextcloud.idle_timeout).up_to(LARGEST_MESSAGE),
                large: LargeMessages::default(),
                house: Arc::new(House::new(
                    &config.public_url,
                    mount,
                    shared.judge.clone(),
                    shared.clock.clone(),
                    settings.sets.clone(),
                )?),
            }),
            pages,
        })
    }
}

fn pages(public_url: &str, url: &url::Url, root: &str, shared: &Shared<'_>) -> Pages {
    let redirect_uri = format!("{public_url}/oauth/callback");
    let visits = Visits {
        pending: Pending::default(),
        logins: Logins::new(shared.issuers.clone(), shared.control.clone(), shared.clock.clone(), redirect_uri),
        base: format!("{public_url}/mcp/confirm/"),
    };
    Pages {
        path: format!("{root}/mcp/confirm/"),
        callback: format!("{root}/oauth/callback"),
        origin: url.origin().ascii_serialization(),
        cookies: Cookies::for_url(public_url),
        visits: Arc::new(visits),
        bodies: ReadingBudget::new(ANSWER_BODY).up_to(LARGEST_ANSWER),
        clock: shared.clock.clone(),
    }
}
