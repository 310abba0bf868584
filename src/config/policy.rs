//! `[policy]` and `[danger]`: which scopes open what, and what an operator opens against our advice.

use std::path::Path;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use figment::value::Dict;

use super::reader::{self, Section};
use crate::nextcloud::never::{Never, Opened};
use crate::nextcloud::policy::{Access, Egress, Enforcement, Policy, Row, Table};
use crate::token::ScopeSet;

/// The default table.
const SHIPPED: &str = include_str!("../../config/policy.toml");

/// The scopes that every valid token has by default.
const IMPLICIT: &str = "nc.read";

pub(super) fn resolve(section: &mut Section, danger: &mut Section) -> Policy {
    let enforcement = section.optional("enforcement", enforcement).unwrap_or_default();
    let mut table = Table::default();
    let document = match section.optional("file", toml) {
        Some(own) => own,
        None => Figment::from(Toml::string(SHIPPED)).extract().unwrap_or_default(),
    };
    let mut document = section.document("file", document);
    rows(&mut document, &mut table);
    document.finish();
    rows(section, &mut table);
    let implicit = match section.has("implicit_scopes") {
        true => section.list("implicit_scopes", scope).into_iter().collect(),
        false => ScopeSet::parse(IMPLICIT),
    };
    table.set_implicit(implicit);
    let egress = egress(&mut section.section("egress"));
    section.finish();
    let opened = danger.list("allow_never", never).into_iter().fold(Opened::default(), Opened::with);
    danger.finish();
    Policy { table, enforcement, egress, opened }
}

/// `[families.<row>]` and `[search]`. A row replaces the one before.
fn rows(section: &mut Section, table: &mut Table) {
    let mut families = section.section("families");
    for name in families.keys() {
        let Some(row) = Row::named(&name) else {
            families.fault(&name, "is no family of routes");
            let _ = families.section(&name);
            continue;
        };
        let mut cells = families.section(&name);
        table.close(row);
        for access in [Access::Read, Access::Write] {
            if cells.has(access.as_str()) {
                let scopes: ScopeSet = cells.list(access.as_str(), scope).into_iter().collect();
                table.set(row, access, scopes);
            }
        }
        cells.finish();
    }
    families.finish();
    let mut search = section.section("search");
    for provider in search.keys() {
        let scopes: ScopeSet = search.list(&provider, scope).into_iter().collect();
        table.set_search(&provider, scopes);
    }
}

fn egress(section: &mut Section) -> Egress {
    let egress = Egress {
        public_links: section.flag("public_links", true),
        invitations: section.flag("invitations", true),
        messages: section.flag("messages", true),
    };
    section.finish();
    egress
}

fn enforcement(text: &str) -> Result<Enforcement, String> {
    match text {
        "enforce" => Ok(Enforcement::Enforce),
        "audit" => Ok(Enforcement::Audit),
        "off" => Ok(Enforcement::Off),
        other => Err(format!("{other:?} is none of enforce, audit, off")),
    }
}

fn toml(path: &str) -> Result<Dict, String> {
    if !Path::new(path).is_file() {
        return Err(format!("{path}: there is no such file"));
    }
    Figment::from(Toml::file_exact(path)).extract().map_err(|error| format!("{path}: {error}"))
}

/// A scope token (RFC 6749 §3.3).
pub(super) fn scope(text: &str) -> Result<String, String> {
    let good = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if text.is_empty() || !text.bytes().all(good) {
        return Err("is no scope".to_owned());
    }
    // Challenges name what is needed, and this is never asked for on a caller's behalf (facts/mcp.md).
    if text == "offline_access" {
        return Err("is no scope of a route".to_owned());
    }
    reader::text(text)
}

fn never(text: &str) -> Result<Never, String> {
    Never::ALL.iter().copied().find(|never| never.as_str() == text).ok_or_else(|| {
        let names: Vec<_> = Never::ALL.iter().map(|never| never.as_str()).collect();
        format!("is none of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
