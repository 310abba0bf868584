//! Why the policy refuses what no scope could open.

use std::fmt;

/// The caller is told 403 `forbidden_route` and this reason: there is no scope to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The table has no row for this family and access.
    NotOpened,
    /// The search provider is in no row of the table.
    UnknownSearchProvider,
    /// `Depth: infinity` (or none that is known) on the DAV root or on principals.
    Depth,
    /// A report on the DAV root, or one on principals that is about more than who is who.
    Report,
    /// `expand-property`.
    ExpandProperty,
    /// The scope of a SEARCH is not the folder of one person's files.
    SearchScope,
    /// A request of our own for tasks is about something else.
    NotTasks,
    /// Public links and what else leaves by a share are switched off.
    PublicLinks,
    /// Invitations are switched off.
    Invitations,
    /// Messages are switched off.
    Messages,
}

// === impl Refusal ===

impl Refusal {
    /// Whether it is by a switch against egress, which no mode of enforcement softens.
    #[must_use]
    pub fn is_egress(self) -> bool {
        matches!(self, Self::PublicLinks | Self::Invitations | Self::Messages)
    }

    /// A sentence for the caller and the log.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotOpened => "the policy of this server opens it for no scope",
            Self::UnknownSearchProvider => "the search provider is in no listed family",
            Self::Depth => "here a Depth of 0 or 1 is allowed only",
            Self::Report => "this report is not allowed here",
            Self::ExpandProperty => "expand-property follows paths that are not in the request",
            Self::SearchScope => "a SEARCH is allowed below the files of one person only",
            Self::NotTasks => "a tool for tasks keeps to tasks",
            Self::PublicLinks => "public links and other ways out by a share are switched off on this server",
            Self::Invitations => "invitations are switched off on this server",
            Self::Messages => "sending messages is switched off on this server",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
