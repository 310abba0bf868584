//! The table: row × access → scopes. Its default is shipped in `config/policy.toml`; what has no entry is closed.

use std::collections::{BTreeMap, BTreeSet};

use super::Access;
use super::needs::Needs;
use crate::nextcloud::family::Family;
use crate::token::ScopeSet;

/// A row: a family, or the part of one that needs something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A family.
    Family(Family),
    /// Of the shares: to whom one could share.
    Sharees,
    /// Of the shares: taking one away.
    Unshare,
    /// Of the shares: creating or changing one so that others may write. Needed beside the family's own.
    WritableShare,
    /// Of Tables: importing a file of the caller's.
    TablesImport,
    /// Of Talk: meetings, which are events in the caller's calendars.
    TalkCalendar,
    /// Of Mail: putting an attachment among the caller's files.
    MailToFiles,
    /// Of Mail: attaching one of the caller's files. Needed beside the family's own.
    MailFromFiles,
    /// Of Mail: the caller's address books.
    MailContacts,
    /// Of the calendars: tasks, by the requests of our own tools alone. In the place of the family's own.
    Tasks,
}

/// The parts of families, with their names in the table.
const PARTS: &[(&str, Row)] = &[
    ("sharees", Row::Sharees),
    ("unshare", Row::Unshare),
    ("writable_share", Row::WritableShare),
    ("tables_import", Row::TablesImport),
    ("talk_calendar", Row::TalkCalendar),
    ("mail_to_files", Row::MailToFiles),
    ("mail_from_files", Row::MailFromFiles),
    ("mail_contacts", Row::MailContacts),
    ("tasks", Row::Tasks),
];

/// Which scopes open what.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<[Option<Needs>; 2]>,
    search: BTreeMap<String, Needs>,
    implicit: ScopeSet,
    known: BTreeSet<String>,
}

impl Default for Table {
    /// Everything is closed.
    fn default() -> Self {
        Self {
            rows: vec![[None, None]; Family::ALLOWABLE.len() + PARTS.len()],
            search: BTreeMap::new(),
            implicit: ScopeSet::default(),
            known: BTreeSet::new(),
        }
    }
}

// === impl Row ===

impl Row {
    /// The row of this name: a family's own name, or that of a part.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let part = PARTS.iter().find(|(own, _)| *own == name).map(|(_, row)| *row);
        part.or_else(|| Self::families().find(|row| row.name() == name))
    }

    /// Every row that a table can have.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::families().chain(PARTS.iter().map(|(_, row)| *row))
    }

    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Family(family) => family.as_str(),
            part => PARTS.iter().find(|(_, row)| *row == part).map_or("", |(name, _)| name),
        }
    }

    fn families() -> impl Iterator<Item = Self> {
        Family::ALLOWABLE.iter().copied().filter(|family| *family != Family::Ours).map(Self::Family)
    }

    fn place(self) -> Option<usize> {
        match self {
            Self::Family(family) => family.place(),
            part => PARTS.iter().position(|(_, row)| *row == part).map(|place| Family::ALLOWABLE.len() + place),
        }
    }
}

// === impl Table ===

impl Table {
    /// What this row needs; nothing if it is closed.
    #[must_use]
    pub fn needs(&self, row: Row, access: Access) -> Option<Needs> {
        self.rows.get(row.place()?)?.get(access as usize)?.clone()
    }

    /// What a provider of the unified search needs; nothing if it is not in the table.
    #[must_use]
    pub fn search(&self, provider: &str) -> Option<Needs> {
        self.search.get(provider).cloned()
    }

    /// The scopes that every valid token has.
    #[must_use]
    pub fn implicit(&self) -> &ScopeSet {
        &self.implicit
    }

    /// Whether this scope means anything here.
    #[must_use]
    pub fn knows(&self, scope: &str) -> bool {
        self.known.contains(scope)
    }

    /// Opens a row; no scopes at all: for every valid token.
    pub fn set(&mut self, row: Row, access: Access, scopes: ScopeSet) {
        self.learn(&scopes);
        if let Some(cell) =
            row.place().and_then(|place| self.rows.get_mut(place)).and_then(|row| row.get_mut(access as usize))
        {
            *cell = Some(Needs::of(scopes));
        }
    }

    /// Closes a row.
    pub fn close(&mut self, row: Row) {
        if let Some(cells) = row.place().and_then(|place| self.rows.get_mut(place)) {
            *cells = [None, None];
        }
    }

    /// Opens a provider of the unified search.
    pub fn set_search(&mut self, provider: &str, scopes: ScopeSet) {
        self.learn(&scopes);
        self.search.insert(provider.to_owned(), Needs::of(scopes));
    }

    /// Sets the scopes that every valid token has.
    pub fn set_implicit(&mut self, scopes: ScopeSet) {
        self.implicit = scopes;
    }

    fn learn(&mut self, scopes: &ScopeSet) {
        self.known.extend(scopes.iter().map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_and_a_place_of_its_own() {
        let mut places = BTreeSet::new();
        for row in Row::all() {
            assert_eq!(Row::named(row.name()), Some(row), "{}", row.name());
            assert!(places.insert(row.place().unwrap()), "{}", row.name());
        }
        assert_eq!(Row::named("ours"), None);
        assert_eq!(Row::named("forbidden"), None);
    }

    #[test]
    fn what_has_no_entry_is_closed() {
        let mut table = Table::default();
        for row in Row::all() {
            assert_eq!(table.needs(row, Access::Read), None);
        }
        let notes = Row::Family(Family::Notes);
        table.set(notes, Access::Read, ScopeSet::parse("notes.read"));
        assert_eq!(table.needs(notes, Access::Read), Some(Needs::of(ScopeSet::parse("notes.read"))));
        assert_eq!(table.needs(notes, Access::Write), None);
        assert!(table.knows("notes.read") && !table.knows("notes.write"));
        table.close(notes);
        assert_eq!(table.needs(notes, Access::Read), None);
    }
}
