//! The shipped table, what a deployment changes of it, and every fault of both.

use super::super::reader::Faults;
use super::*;
use crate::nextcloud::family::Family;

fn resolved(toml: &str) -> Result<Policy, String> {
    let root: Dict = Figment::from(Toml::string(toml)).extract().unwrap();
    let faults = Faults::default();
    let mut root = Section::root(root, &faults);
    let mut danger = root.section("danger");
    let policy = resolve(&mut root.section("policy"), &mut danger);
    root.finish();
    if faults.is_empty() { Ok(policy) } else { Err(faults.to_string()) }
}

fn needs(policy: &Policy, row: &str, access: Access) -> Option<String> {
    policy.table.needs(Row::named(row).unwrap(), access).map(|needs| needs.scopes().to_string())
}

#[test]
fn the_shipped_table_is_good_and_complete() {
    let policy = resolved("").unwrap();
    for row in Row::all() {
        let open = [Access::Read, Access::Write].into_iter().any(|access| policy.table.needs(row, access).is_some());
        assert!(open, "{} has no row", row.name());
    }
    assert_eq!(policy.enforcement, Enforcement::Enforce);
    assert_eq!(policy.egress, Egress::default());
    assert_eq!(policy.opened, Opened::default());
    assert_eq!(policy.table.implicit(), &ScopeSet::parse("nc.read"));
    assert_eq!(needs(&policy, "shares", Access::Write).as_deref(), Some("files.read shares.write"));
    assert_eq!(needs(&policy, "status", Access::Write), None);
}

#[test]
fn tasks_open_no_calendar() {
    let policy = resolved("").unwrap();
    // The row of our own tools' requests, which are held to tasks.
    assert_eq!(needs(&policy, "tasks", Access::Write).as_deref(), Some("tasks.write"));
    for row in Row::all().filter(|row| *row != Row::Tasks) {
        for access in [Access::Read, Access::Write] {
            let needs = policy.table.needs(row, access).unwrap_or_default();
            assert!(!needs.scopes().iter().any(|scope| scope.starts_with("tasks.")), "{}", row.name());
        }
    }
    assert!(policy.table.knows("tasks.read"), "the search provider");
}

#[test]
fn a_deployment_changes_rows_one_by_one() {
    let policy = resolved(
        "[policy]\nenforcement = \"audit\"\nimplicit_scopes = []\n\
         [policy.families.talk]\n[policy.families.notes]\nread = \"a b\"\n[policy.families.user]\nread = []\n\
         [policy.search]\nforms = [\"forms.read\"]\n[policy.egress]\nmessages = false\n\
         [danger]\nallow_never = [\"settings\", \"unlisted\"]\n",
    )
    .unwrap();
    assert_eq!(policy.enforcement, Enforcement::Audit);
    assert!(policy.table.implicit().is_empty());
    assert_eq!(needs(&policy, "talk", Access::Read), None);
    assert_eq!(needs(&policy, "notes", Access::Read).as_deref(), Some("a b"));
    assert_eq!(needs(&policy, "notes", Access::Write), None);
    assert_eq!(needs(&policy, "user", Access::Read).as_deref(), Some(""));
    assert_eq!(needs(&policy, "deck", Access::Read).as_deref(), Some("deck.read"));
    assert!(policy.table.search("forms").is_some() && policy.table.search("files").is_some());
    assert!(!policy.egress.messages && policy.egress.public_links);
    assert_eq!(policy.opened.iter().collect::<Vec<_>>(), [Never::Settings, Never::Unlisted]);
}

#[test]
fn a_file_replaces_the_table_and_lines_change_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[families.files]\nread = \"x.read\"\n[families.notes]\nread = \"n.read\"\n").unwrap();
    let policy =
        resolved(&format!("[policy]\nfile = {:?}\n[policy.families.notes]\nread = \"m.read\"\n", file.path())).unwrap();
    assert_eq!(needs(&policy, "files", Access::Read).as_deref(), Some("x.read"));
    assert_eq!(needs(&policy, "notes", Access::Read).as_deref(), Some("m.read"));
    assert_eq!(needs(&policy, Family::Deck.as_str(), Access::Read), None);
    assert_eq!(policy.table.search("files"), None);
}

#[test]
fn every_fault_of_a_policy_is_found() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[families.nofamily]\nread = \"x\"\n[families.files]\nexecute = \"x\"\n[more]\n")
        .unwrap();
    let faults = resolved(&format!(
        "[policy]\nfile = {:?}\nenforcement = \"maybe\"\nmispelt = 1\nimplicit_scopes = [\"a\\\"b\"]\n\
         [policy.families.ours]\nread = \"x\"\n[policy.families.deck]\nread = [\"\u{e4}\"]\n\
         [policy.search]\nx = [\"a\\\\b\"]\n[policy.egress]\nmessages = \"no\"\n[danger]\nallow_never = [\"everything\"]\nother = 1\n",
        file.path()
    ))
    .unwrap_err();
    for fault in [
        "policy.enforcement: ",
        "policy.mispelt: there is no such setting",
        "policy.implicit_scopes: ",
        "policy.file.families.nofamily: is no family",
        "policy.file.families.files.execute: there is no such setting",
        "policy.file.more: there is no such setting",
        "policy.families.ours: is no family",
        "policy.families.deck.read: ",
        "policy.search.x: ",
        "policy.egress.messages: ",
        "danger.allow_never: ",
        "danger.other: there is no such setting",
    ] {
        assert!(faults.contains(fault), "{fault} is not in\n{faults}");
    }
    assert!(resolved("[policy]\nfile = \"/does/not/exist\"\n").unwrap_err().contains("policy.file: "));
}

/// Challenges repeat what a row needs.
#[test]
fn no_row_needs_offline_access() {
    for toml in [
        "[policy.families.talk]\nread = [\"talk.read\", \"offline_access\"]\n",
        "[policy]\nimplicit_scopes = [\"offline_access\"]\n",
        "[policy.search]\nforms = \"offline_access\"\n",
    ] {
        assert!(resolved(toml).is_err_and(|faults| faults.contains("is no scope of a route")), "{toml}");
    }
}
