//! The MCP frontend, put together once for all cores.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::config::{Config, ModeSettings};
use crate::mcp::audit::Audit;
use crate::mcp::edge::Edge;
use crate::mcp::elicitation::Elicitation;
use crate::mcp::elicitation::seal::Seal;
use crate::mcp::frontend::{self, Frontend, LARGEST_MESSAGE, Protocol};
use crate::mcp::handler::Handler;
use crate::mcp::limits::Limits;
use crate::mcp::nextcloud::House;
use crate::mcp::tool::Registered;
use crate::mcp::toolbox::Toolbox;
use crate::metrics::Metrics;
use crate::middleware::authorize::ReadingBudget;
use crate::middleware::authorize::scopes::ScopeJudge;
use crate::token::Clock;

/// What all cores share of it.
#[derive(Clone)]
pub(super) struct Mcp {
    pub(super) edge: Arc<Edge>,
    pub(super) frontend: Arc<Frontend>,
}

/// What stands in for ours, or beside it, in tests.
#[derive(Default)]
pub(super) struct Instead {
    /// More tools.
    pub(super) tools: Vec<Registered>,
    /// Another handler.
    pub(super) protocol: Option<Protocol>,
}

impl Mcp {
    /// The frontend, if there is one: not where it is switched off, and not where a caller's own token is what Nextcloud gets (product.md §3).
    pub(super) fn new(config: &Config, judge: &Arc<ScopeJudge>, clock: &Clock, metrics: &Metrics, instead: Instead) -> Option<Self> {
        let settings = &config.mcp;
        if !settings.enabled || matches!(config.mode, ModeSettings::MultiAudience) {
            return None;
        }
        let mount = Arc::new(config.nextcloud.mount.clone());
        let path = format!("{}/mcp", mount.public().as_str());
        let url = url::Url::parse(&config.public_url).ok()?;
        let tools = Arc::new(Toolbox::new(&settings.sets).and(instead.tools));
        let audit = Audit::new(metrics.tool_calls(tools.iter().map(|tool| tool.name)).ok()?);
        let protocol = instead.protocol.unwrap_or_else(|| {
            let rate = NonZeroU32::new(settings.calls_per_minute).unwrap_or(NonZeroU32::MIN);
            let limits = Limits::new(rate, settings.calls_at_once);
            let seal = Seal::new(settings.state_key.as_ref());
            let elicitation = Arc::new(Elicitation::new(settings.confirm, seal, clock.clone()));
            frontend::protocol(Handler::new(tools.clone(), limits, elicitation, audit.clone(), settings.tool_timeout))
        });
        Some(Self {
            edge: Arc::new(Edge::new(&url, path.clone(), &settings.hosts, &settings.origins)),
            frontend: Arc::new(Frontend {
                path,
                protocol,
                tools,
                audit,
                bodies: ReadingBudget::new(config.nextcloud.idle_timeout).up_to(LARGEST_MESSAGE),
                house: Arc::new(House::new(&config.public_url, mount, judge.clone())?),
            }),
        })
    }
}
