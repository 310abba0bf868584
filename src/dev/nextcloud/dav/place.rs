//! What a path in the DAV tree names, and how it is written back into an `href`.

use super::multistatus::Family;
use super::pim::Pim;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What sabre leaves as it is in a path.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~').remove(b'(').remove(b')');

/// Who asks, and by which endpoint.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// What every `href` begins with.
    pub base: String,
    /// The web root in it.
    pub root: String,
    /// An old endpoint, whose root is the user's files.
    pub legacy: bool,
    pub uid: String,
    pub family: Family,
}

/// A place in the tree. `path` is in the store: `[owner, "files", …]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Files {
        owner: String,
        path: Vec<String>,
    },
    Uploads {
        owner: String,
        path: Vec<String>,
    },
    /// `…/trash` and what is in it.
    Trash {
        owner: String,
        path: Vec<String>,
    },
    /// `…/restore/<name>`: where things are moved to be restored.
    Restore {
        owner: String,
    },
    /// `…/versions/<file id>`, or one of them by its time.
    Versions {
        owner: String,
        id: u64,
        time: Option<u64>,
    },
    /// `…/restore/target`: where a version is moved to be the present one.
    RestoreVersion {
        owner: String,
    },
    /// Where many small files are sent at once.
    Bulk,
    /// Calendars, address books, principals.
    Pim(Pim),
    /// Collections that only show that they are there.
    Collection {
        owner: Option<String>,
        segments: Vec<String>,
    },
    Nothing,
}

// === impl Place ===

impl Place {
    pub(super) fn of(segments: &[String]) -> Self {
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        let stored = |owner: &str, kind: &str, rest: &[&str]| -> Vec<String> {
            [owner, kind].iter().chain(rest).map(|segment| (*segment).to_owned()).collect()
        };
        let collection =
            |owner: Option<&str>| Self::Collection { owner: owner.map(str::to_owned), segments: segments.to_vec() };
        match names.as_slice() {
            [] => Self::Root,
            ["files", owner, rest @ ..] => Self::Files { owner: (*owner).into(), path: stored(owner, "files", rest) },
            ["uploads", owner, rest @ ..] => {
                Self::Uploads { owner: (*owner).into(), path: stored(owner, "uploads", rest) }
            }
            ["trashbin", owner, "trash", rest @ ..] => {
                Self::Trash { owner: (*owner).into(), path: stored(owner, "trash", rest) }
            }
            ["trashbin", owner, "restore", ..] => Self::Restore { owner: (*owner).into() },
            ["versions", owner, "versions", id] => match id.parse() {
                Ok(id) => Self::Versions { owner: (*owner).into(), id, time: None },
                Err(_) => Self::Nothing,
            },
            ["versions", owner, "versions", id, time] => match (id.parse(), time.parse()) {
                (Ok(id), Ok(time)) => Self::Versions { owner: (*owner).into(), id, time: Some(time) },
                _ => Self::Nothing,
            },
            ["versions", owner, "restore", ..] => Self::RestoreVersion { owner: (*owner).into() },
            ["bulk"] => Self::Bulk,
            [
                "files" | "uploads" | "trashbin" | "versions" | "calendars" | "addressbooks" | "principals"
                | "systemtags" | "comments",
            ]
            | ["comments", "files" | "deckCard"] => collection(None),
            ["principals" | "addressbooks", "users" | "groups" | "system"] => collection(None),
            ["trashbin" | "versions", owner] => collection(Some(owner)),
            _ => Pim::of(&names).map_or(Self::Nothing, Self::Pim),
        }
    }

    /// Whose it is, where it is anybody's.
    pub(super) fn owner(&self) -> Option<&str> {
        match self {
            Self::Files { owner, .. }
            | Self::Uploads { owner, .. }
            | Self::Trash { owner, .. }
            | Self::Restore { owner }
            | Self::RestoreVersion { owner }
            | Self::Versions { owner, .. } => Some(owner),
            Self::Collection { owner, .. } => owner.as_deref(),
            Self::Pim(pim) => Some(pim.owner()),
            Self::Root | Self::Bulk | Self::Nothing => None,
        }
    }
}

// === impl Site ===

impl Site {
    /// An `href` element of a person.
    pub(super) fn principal(&self, uid: &str) -> String {
        format!("<d:href>{}/remote.php/dav/principals/users/{}/</d:href>", self.root, encoded(uid))
    }

    /// The `href` of something in the store.
    pub(super) fn href(&self, path: &[String], is_folder: bool) -> String {
        let kind = match path.get(1).map(String::as_str) {
            Some("trash") => "trashbin",
            Some(kind) => kind,
            None => "files",
        };
        let owner = path.first().map(String::as_str).unwrap_or_default();
        let mut segments: Vec<&str> = if self.legacy { Vec::new() } else { vec![kind, owner] };
        if kind == "trashbin" {
            segments.push("trash");
        }
        segments.extend(path.iter().skip(2).map(String::as_str));
        self.href_of(&segments, is_folder)
    }

    pub(super) fn href_of(&self, segments: &[&str], is_folder: bool) -> String {
        let encoded: String = segments.iter().map(|segment| format!("/{}", encoded(segment))).collect();
        format!("{}{encoded}{}", self.base, if is_folder { "/" } else { "" })
    }
}

/// With lower-case digits, as sabre writes them.
pub(super) fn encoded(segment: &str) -> String {
    let mut text = String::new();
    for part in utf8_percent_encode(segment, KEPT) {
        if part.starts_with('%') { text.push_str(&part.to_ascii_lowercase()) } else { text.push_str(part) }
    }
    text
}
