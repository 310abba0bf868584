//! The floor plan is checked: who may know whom, which names are refused, how large a file may grow, where layers and passports are made.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/lib.rs`, each with the word for why it stands there. A room knows only those above it.
const ROOMS: &[(&str, &str)] = &[
    ("token", "values"),
    ("metrics", "counted by everybody"),
    ("flight", "work that many want once"),
    ("body", "the one body type"),
    ("oauth", "the identity provider"),
    ("exchange", "what is known of a token, and what it is exchanged for"),
    ("nextcloud", "how Nextcloud reads a path"),
    ("upstream", "where Nextcloud is"),
    ("session", "what Nextcloud keeps for a person"),
    ("error", "why a request is not served"),
    ("service", "the shape of our services"),
    ("middleware", "the passports"),
    ("proxy", "the Nextcloud leg"),
    ("endpoint", "what we answer ourselves"),
    ("mcp", "our own frontend"),
    ("route", "open or protected"),
    ("stack", "all of it in its order"),
    ("server", "listeners"),
    ("config", "settings of everything above"),
    ("telemetry", "logs and spans"),
    ("app", "names the concrete types"),
    ("dev", "stand-ins"),
    ("cli", "the command line"),
];

const REFUSED_NAMES: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "types", "manager", "context", "prelude", "core", "misc"];
const LONGEST_FILE: usize = 400;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), &mut found);
    assert!(found.len() > 50, "the sources were found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// `src/oauth/jwks.rs` is in room `oauth`; `main.rs` and `lib.rs` are in none.
fn room(path: &Path) -> Option<usize> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let name = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
    ROOMS.iter().position(|(room, _)| *room == name)
}

/// The rooms that a line of code names by `crate::…`; comments do not count, for prose may point anywhere.
fn named(line: &str) -> Vec<usize> {
    let code = line.split("//").next().unwrap_or_default();
    let names = code.match_indices("crate::").filter_map(|(at, found)| code.get(at + found.len()..));
    names
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split(',').map(str::trim).collect::<Vec<_>>(),
            None => vec![rest],
        })
        .filter_map(|name| {
            let name = name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
            ROOMS.iter().position(|(room, _)| *room == name)
        })
        .collect()
}

#[test]
fn a_room_knows_only_the_rooms_above_it() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let Some(own) = room(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for other in named(line).into_iter().filter(|other| *other > own) {
                faults.push(format!(
                    "{}:{}: {} must not know {}",
                    path.display(),
                    number + 1,
                    ROOMS[own].0,
                    ROOMS[other].0
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_stand_ins_know_nothing_of_the_product_they_test() {
    let dev = ROOMS.iter().position(|(room, _)| *room == "dev").unwrap();
    for (path, text) in sources().into_iter().filter(|(path, _)| room(path) == Some(dev)) {
        for line in text.lines() {
            assert!(named(line).iter().all(|other| *other == dev), "{}: {line}", path.display());
        }
    }
}

#[test]
fn the_library_lists_its_rooms_in_layer_order() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let listed: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")).map(|name| name.trim_end_matches(';')).collect();
    let rooms: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(listed, rooms);
}

#[test]
fn no_file_is_two_ideas_and_no_name_says_nothing() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= LONGEST_FILE, "{}: over {LONGEST_FILE} lines", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(!REFUSED_NAMES.contains(&name), "{}", path.display());
    }
}

#[test]
fn layers_are_put_together_in_one_file() {
    for (path, text) in sources() {
        let layers = text.lines().filter(|line| line.split("//").next().unwrap_or_default().contains(".layer("));
        // `ServiceBuilder::layer`; telemetry composes tracing's layers, which are another thing.
        if layers.count() > 0 {
            assert!(path.ends_with("src/stack.rs") || path.ends_with("src/telemetry.rs"), "{}", path.display());
        }
    }
}

#[test]
fn each_passport_is_minted_in_one_place() {
    for (passport, file) in [
        ("Untouched {", "middleware/untouched.rs"),
        ("Authenticated {", "authenticate.rs"),
        ("Authorized {", "authorize.rs"),
        ("Exchanged {", "middleware/exchange.rs"),
    ] {
        let mints: Vec<PathBuf> = sources()
            .into_iter()
            .filter(|(_, text)| {
                text.lines().any(|line| {
                    let line = line.trim_start();
                    line.contains(passport)
                        && !line.starts_with("pub struct")
                        && !line.starts_with("impl")
                        && !line.starts_with("//")
                })
            })
            .map(|(path, _)| path)
            .collect();
        assert!(!mints.is_empty() && mints.iter().all(|path| path.ends_with(file)), "{passport} {mints:?}");
    }
}

#[test]
fn no_layer_leaves_notes_in_extensions() {
    // rmcp hands its handlers the head of the HTTP request, and nothing else of ours: the two ends of that hand-over.
    let to_rmcp = ["mcp/frontend.rs", "mcp/handler.rs"];
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| !path.components().any(|part| part.as_os_str() == "dev"))
        .filter(|(path, _)| !to_rmcp.iter().any(|end| path.ends_with(end)))
    {
        assert!(!text.contains(".extensions()") && !text.contains(".extensions_mut()"), "{}", path.display());
    }
}
