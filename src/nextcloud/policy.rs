//! Least privilege: which scopes a request needs (nextcloud.md §4). Nextcloud itself enforces no scope anywhere.
//!
//! ```text
//! Route × method ── table.rs ── needs ──┐
//! body (REPORT, SEARCH, shares) ────────┤   middleware/authorize.rs holds them against what the token was granted
//! Destination ──────────────────────────┘
//! route × method × body ── egress.rs      switched off for everybody, whatever the token was granted
//! our own tools for tasks ── tasks.rs     held to tasks, and opened by tasks.* where calendar.* would be needed
//! ```
//!
//! Knowledge without I/O: this decides, `middleware/authorize.rs` acts on it.

pub mod egress;
pub mod granted;
pub mod mail;
pub mod needs;
pub mod refusal;
pub mod report;
pub mod shares;
pub mod table;
pub mod tasks;

use http::Method;

use super::family::Family;
use super::never::{Never, Opened};
use super::route::Route;
pub use egress::Egress;
pub use needs::Needs;
pub use refusal::Refusal;
pub use table::{Row, Table};

/// What a request does with what its path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// GET, HEAD, OPTIONS, PROPFIND, REPORT, SEARCH: safe methods.
    Read,
    /// Every other method.
    Write,
}

/// What is done with the decision about scopes. The never-list, law 7 and the switches against egress hold in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// A request without the scopes is refused.
    #[default]
    Enforce,
    /// It passes; it is logged and counted.
    Audit,
    /// Nothing is decided.
    Off,
}

/// The route policy of this deployment.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which scopes open what.
    pub table: Table,
    /// What is done with the decision.
    pub enforcement: Enforcement,
    /// What may leave the house.
    pub egress: Egress,
    /// What of the never-list is opened.
    pub opened: Opened,
}

/// Of the principals, these reports tell who is who. A multiget there gave a contact's telephone number (nextcloud.md §4).
const PRINCIPAL_REPORTS: &[&str] = &["principal-property-search", "principal-search-property-set", "principal-match"];

// === impl Access ===

impl Access {
    /// What this method does.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        match method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT" | "SEARCH" => Self::Read,
            _ => Self::Write,
        }
    }

    /// `read` or `write`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

// === impl Policy ===

impl Policy {
    /// What the target of a request needs, by its path alone. COPY reads where it is sent to and writes at its `Destination`, but only
    /// in the DAV tree: elsewhere it is a method like any other.
    ///
    /// # Errors
    /// [`Refusal`], if no scope opens it.
    pub fn target(&self, route: &Route<'_>, method: &Method) -> Result<Needs, Refusal> {
        let access = match method.as_str() {
            "COPY" if route.family().is_dav() => Access::Read,
            _ => Access::of(method),
        };
        if matches!(route.family(), Family::DavRoot | Family::Principals)
            && !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT")
        {
            return Err(Refusal::NotOpened);
        }
        self.needs(route, access, method)
    }

    /// What an `href` or a `Destination` needs: a path beside the target.
    ///
    /// # Errors
    /// [`Refusal`], if no scope opens it.
    pub fn path(&self, route: &Route<'_>, access: Access) -> Result<Needs, Refusal> {
        let method = if access == Access::Read { Method::GET } else { Method::PUT };
        self.needs(route, access, &method)
    }

    fn needs(&self, route: &Route<'_>, access: Access, method: &Method) -> Result<Needs, Refusal> {
        let row = match (route.family(), access) {
            // A SEARCH that was let out of the DAV root is one for files all the same.
            (Family::Forbidden(Never::SearchElsewhere), _) => Row::Family(Family::FileSearch),
            // Only an opened one comes this far: it is in no family, so there is no scope for it.
            (Family::Forbidden(_), _) => return Ok(Needs::default()),
            (Family::UnifiedSearch, Access::Read) => {
                return match route.search_provider() {
                    Some(provider) => self.table.search(provider).ok_or(Refusal::UnknownSearchProvider),
                    None => self.table.needs(Row::Family(Family::UnifiedSearch), access).ok_or(Refusal::NotOpened),
                };
            }
            (Family::Shares, Access::Read) if shares::is_lookup(route.path_in_family()) => Row::Sharees,
            (Family::Shares, Access::Write) if method == Method::DELETE => Row::Unshare,
            (Family::Tables, Access::Write) if is_tables_import(route.path_in_family()) => Row::TablesImport,
            (Family::Talk, _) if is_talk_calendar(route.path_in_family()) => Row::TalkCalendar,
            (Family::Mail, Access::Write) if mail::is_to_files(route.path_in_family()) => Row::MailToFiles,
            (Family::Mail, _) if mail::is_contacts(route.path_in_family()) => Row::MailContacts,
            (family, _) => Row::Family(family),
        };
        self.table.needs(row, access).ok_or(Refusal::NotOpened)
    }

    /// Holds what the head of a request says against the rules of the DAV root and of principals: they are shallow (nextcloud.md §4).
    /// `depths` are the values of `Depth`; without one sabre goes by 1.
    ///
    /// # Errors
    /// [`Refusal::Depth`].
    pub fn depth<'d>(
        &self,
        family: Family,
        method: &Method,
        mut depths: impl Iterator<Item = &'d [u8]>,
    ) -> Result<(), Refusal> {
        if method.as_str() != "PROPFIND" || !matches!(family, Family::DavRoot | Family::Principals) {
            return Ok(());
        }
        match (depths.next(), depths.next()) {
            (None | Some(b"0" | b"1"), None) => Ok(()),
            _ => Err(Refusal::Depth),
        }
    }

    /// Holds the root element of a REPORT against the family of its target.
    ///
    /// # Errors
    /// [`Refusal::Report`] on the DAV root, and on principals for what asks for more than who is who;
    /// [`Refusal::ExpandProperty`] everywhere: it follows `href`s that stand in properties and not in the request.
    pub fn report(&self, family: Family, root: &str) -> Result<(), Refusal> {
        match family {
            _ if root.eq_ignore_ascii_case("expand-property") => Err(Refusal::ExpandProperty),
            Family::DavRoot => Err(Refusal::Report),
            Family::Principals if !PRINCIPAL_REPORTS.contains(&root) => Err(Refusal::Report),
            _ => Ok(()),
        }
    }
}

/// `POST room/<token>/meeting` puts an event into a calendar and invites to it; the others read what stands in the calendars.
fn is_talk_calendar(item: &str) -> bool {
    item.ends_with("dashboard/events") || item.split('/').any(|part| matches!(part, "meeting" | "mutual-events"))
}

/// Importing a file that lies in Nextcloud, or looking what an import would give; one that is uploaded is the caller's already.
fn is_tables_import(item: &str) -> bool {
    item.split('/').any(|part| part.starts_with("import") && !part.starts_with("importupload"))
}

#[cfg(test)]
mod tests;
