//! What a token was granted, held against what a request needs: `x.write` includes `x.read`, and some scopes every valid token has.

use super::needs::Needs;
use super::table::Table;
use crate::token::ScopeSet;

/// The scopes of a token as the policy reads them.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'g> {
    scopes: &'g ScopeSet,
    prefix: &'g str,
    table: &'g Table,
}

// === impl Granted ===

impl<'g> Granted<'g> {
    /// Reads scopes whose names the provider puts `prefix` before, or does not (Entra leaves it out of the token).
    #[must_use]
    pub fn new(scopes: &'g ScopeSet, prefix: &'g str, table: &'g Table) -> Self {
        Self { scopes, prefix, table }
    }

    /// Whether everything that is needed was granted.
    #[must_use]
    pub fn covers(&self, needs: &Needs) -> bool {
        needs.scopes().iter().all(|needed| self.has(needed))
    }

    fn has(&self, needed: &str) -> bool {
        let stem = needed.strip_suffix(".read");
        let covers = |own: &str| own == needed || (stem.is_some() && own.strip_suffix(".write") == stem);
        self.table.implicit().iter().any(covers) || self.names().any(covers)
    }

    fn names(&self) -> impl Iterator<Item = &'g str> + '_ {
        self.scopes.iter().map(|own| own.strip_prefix(self.prefix).unwrap_or(own))
    }

    /// What a caller should ask for to be let in: what it has and this policy knows, and what it needs (facts/mcp.md: right for clients
    /// that add to what they have, and for those that do not). By the provider's names. Never `offline_access`.
    #[must_use]
    pub fn with(&self, needs: &Needs) -> ScopeSet {
        self.names()
            .filter(|own| self.table.knows(own))
            .chain(needs.scopes().iter())
            .map(|scope| format!("{}{scope}", self.prefix))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::default();
        table.set_implicit(ScopeSet::parse("nc.read"));
        for scope in ["files.read", "files.write", "offline.read"] {
            table.set_search(scope, ScopeSet::parse(scope));
        }
        table
    }

    fn covers(granted: &str, needed: &str) -> bool {
        let (table, granted) = (table(), ScopeSet::parse(granted));
        Granted::new(&granted, "api://x/", &table).covers(&Needs::of(ScopeSet::parse(needed)))
    }

    #[test]
    fn write_includes_read_and_nothing_else_includes_anything() {
        for (granted, needed) in [
            ("files.read", "files.read"),
            ("files.write", "files.read"),
            ("files.write", "files.write"),
            ("api://x/files.write", "files.read"),
            ("a files.read b.write", "files.read b.read"),
            ("", "nc.read"),
            ("", ""),
        ] {
            assert!(covers(granted, needed), "{granted} for {needed}");
        }
        for (granted, needed) in [
            ("", "files.read"),
            ("files.read", "files.write"),
            ("files", "files.read"),
            ("files.writes", "files.read"),
            ("xfiles.write", "files.read"),
            ("api://y/files.read", "files.read"),
            ("Files.read", "files.read"),
            ("files.read", "files.read notes.read"),
            (".write", "files.read"),
            ("", "nc.write"),
        ] {
            assert!(!covers(granted, needed), "{granted} for {needed}");
        }
    }

    #[test]
    fn a_challenge_repeats_what_is_known_and_never_offline_access() {
        let (table, granted) = (table(), ScopeSet::parse("openid offline_access files.read api://x/files.write"));
        let asked = |prefix| Granted::new(&granted, prefix, &table).with(&Needs::of(ScopeSet::parse("notes.read")));
        assert_eq!(asked("api://x/"), ScopeSet::parse("api://x/files.read api://x/files.write api://x/notes.read"));
        assert_eq!(asked(""), ScopeSet::parse("files.read notes.read"));
    }
}
