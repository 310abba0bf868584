//! What is measured of the MCP frontend.

use std::collections::HashMap;

use prometheus::{IntCounter, IntCounterVec, Opts};

use super::{Label, Metrics};

label! {
    /// How a call of a tool ended.
    ToolOutcome {
        /// It did what was asked.
        Ok = "ok",
        /// It did not, and said so.
        Failed = "failed",
        /// Our own layers refused the call or a request of it.
        Refused = "refused",
        /// The person has to be asked first.
        Asked = "asked",
        /// The person was asked, and did not want it.
        Declined = "declined",
        /// It took too long.
        Timeout = "timeout",
        /// There were too many.
        Rate = "rate",
        /// The client went away before it was answered.
        Cancelled = "cancelled",
    }
}

/// Calls by tool and outcome. Cloning shares the counters.
#[derive(Debug, Clone)]
pub struct ToolCalls {
    children: HashMap<&'static str, Vec<IntCounter>>,
}

impl ToolCalls {
    /// Counts a call; a name that is no tool of ours is not counted, for it is a caller's.
    pub fn count(&self, tool: &str, outcome: ToolOutcome) {
        if let Some(child) = self.children.get(tool).and_then(|children| children.get(outcome.index())) {
            child.inc();
        }
    }
}

impl Metrics {
    /// Registers the calls of these tools.
    ///
    /// # Errors
    /// If it is done twice.
    pub fn tool_calls(&self, tools: impl Iterator<Item = &'static str>) -> prometheus::Result<ToolCalls> {
        let family =
            IntCounterVec::new(Opts::new("obo_mcp_calls_total", "Calls of tools at /mcp"), &["tool", "outcome"])?;
        self.registry.register(Box::new(family.clone()))?;
        let of =
            |tool| ToolOutcome::ALL.iter().map(|outcome| family.with_label_values(&[tool, outcome.name()])).collect();
        Ok(ToolCalls { children: tools.map(|tool| (tool, of(tool))).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_tools_of_ours_and_nothing_else() {
        let metrics = Metrics::new(&[], &[]).unwrap();
        let calls = metrics.tool_calls(["whoami", "fetch"].into_iter()).unwrap();
        calls.count("fetch", ToolOutcome::Asked);
        calls.count("invented", ToolOutcome::Ok);
        let text = metrics.render().unwrap();
        assert!(text.contains(r#"obo_mcp_calls_total{outcome="asked",tool="fetch"} 1"#), "{text}");
        assert!(text.contains(r#"obo_mcp_calls_total{outcome="ok",tool="whoami"} 0"#), "{text}");
        assert!(!text.contains("invented"));
    }
}
