//! Files in memory: a tree by path, with what Nextcloud knows of a file beside its bytes (its number, etag, favourite mark,
//! origin in the trash, earlier versions, properties that clients made up).

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;

use super::super::clock;
use super::content::Content;

/// A path in the store: `[uid, "files", "Documents", "Plan.md"]`, decoded.
pub(super) type Path = [String];

/// Nothing is at a path, or no folder is above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotThere;

/// What Nextcloud knows of a file beside its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub id: u64,
    /// Of a file; a folder's is made of what is in it.
    pub etag: String,
    /// Seconds since 1970.
    pub modified: u64,
    pub created: u64,
    pub favorite: bool,
    /// As the client sent it: `SHA1:…`.
    pub checksum: Option<String>,
    /// In the trash: where it was, below the user's files.
    pub origin: Option<String>,
    /// In the trash: when it was deleted.
    pub deleted: Option<u64>,
    /// Earlier versions, oldest first.
    pub versions: Vec<Version>,
    /// Dead properties by namespace and name, with their XML.
    pub dead: BTreeMap<(String, String), String>,
}

/// What a file held before it was overwritten.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// Seconds since 1970; its name.
    pub time: u64,
    pub content: Content,
}

/// A file or a folder.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub path: Vec<String>,
    pub is_folder: bool,
    /// Of a folder: of all that is in it.
    pub size: u64,
    pub record: Record,
}

#[derive(Default)]
pub(super) struct Storage(Mutex<Tree>);

#[derive(Default)]
struct Tree {
    entries: BTreeMap<Vec<String>, Entry>,
    last_id: u64,
}

#[derive(Clone)]
struct Entry {
    is_folder: bool,
    content: Content,
    record: Record,
}

// === impl Node ===

impl Node {
    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

// === impl Storage ===

impl Storage {
    /// What is at a path, if anything.
    pub(super) fn node(&self, path: &Path) -> Option<Node> {
        self.0.lock().node(path)
    }

    /// Whether a folder is at a path.
    pub(super) fn has_folder(&self, path: &Path) -> bool {
        self.0.lock().entries.get(path).is_some_and(|entry| entry.is_folder)
    }

    /// What is in a folder, by name.
    pub(super) fn children(&self, folder: &Path) -> Vec<Node> {
        let tree = self.0.lock();
        let below = tree.below(folder).filter(|(path, _)| path.len() == folder.len() + 1);
        below.filter_map(|(path, _)| tree.node(path)).collect()
    }

    /// Everything below a folder, each folder before what is in it.
    pub(super) fn descendants(&self, folder: &Path) -> Vec<Node> {
        let tree = self.0.lock();
        tree.below(folder).filter_map(|(path, _)| tree.node(path)).collect()
    }

    /// The file or folder of a number below a folder.
    pub(super) fn find(&self, folder: &Path, id: u64) -> Option<Node> {
        let tree = self.0.lock();
        let (path, _) = tree.below(folder).find(|(_, entry)| entry.record.id == id)?;
        tree.node(path)
    }

    /// What a file holds.
    pub(super) fn content(&self, path: &Path) -> Result<Content, NotThere> {
        let tree = self.0.lock();
        let entry = tree.entries.get(path).filter(|entry| !entry.is_folder);
        entry.map(|entry| entry.content.clone()).ok_or(NotThere)
    }

    /// The content of a small file in one.
    pub(super) fn read(&self, path: &Path) -> Result<Bytes, NotThere> {
        self.content(path).map(|content| content.whole())
    }

    /// Makes a folder; what is there already stays.
    pub(super) fn make_folder(&self, path: &Path) -> Result<Record, NotThere> {
        let mut tree = self.0.lock();
        tree.check_parent(path)?;
        let record = tree.new_record();
        let folder = Entry { is_folder: true, content: Content::default(), record };
        Ok(tree.entries.entry(path.to_vec()).or_insert(folder).record.clone())
    }

    /// Puts content at a path at once. What was there becomes a version.
    pub(super) fn put(&self, path: &Path, content: Content) -> Result<Record, NotThere> {
        let mut tree = self.0.lock();
        tree.check_parent(path)?;
        let fresh = tree.new_record();
        let record = match tree.entries.get(path) {
            Some(before) if before.is_folder => return Err(NotThere),
            Some(before) => {
                let mut record = before.record.clone();
                record.versions.retain(|version| version.time != record.modified);
                record.versions.push(Version { time: record.modified, content: before.content.clone() });
                Record { etag: fresh.etag, modified: fresh.modified, checksum: None, ..record }
            }
            None => fresh,
        };
        tree.entries.insert(path.to_vec(), Entry { is_folder: false, content, record: record.clone() });
        Ok(record)
    }

    /// Writes a small file.
    pub(super) fn write(&self, path: &Path, content: impl Into<Bytes>) -> Result<Record, NotThere> {
        self.put(path, Content::from(content.into()))
    }

    /// Removes a file, or a folder with all that is in it.
    pub(super) fn remove(&self, path: &Path) -> Result<(), NotThere> {
        let taken = self.0.lock().take(path);
        if taken.is_empty() { Err(NotThere) } else { Ok(()) }
    }

    /// Moves; what was there must have been removed.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), NotThere> {
        let mut tree = self.0.lock();
        tree.check_parent(to)?;
        let taken = tree.take(from);
        for (path, entry) in taken.iter().cloned() {
            tree.entries.insert(rebased(&path, from, to), entry);
        }
        if taken.is_empty() { Err(NotThere) } else { Ok(()) }
    }

    /// Copies, with numbers and etags of their own; a folder without what is in it where `shallow`.
    pub(super) fn copy(&self, from: &Path, to: &Path, shallow: bool) -> Result<(), NotThere> {
        let mut tree = self.0.lock();
        tree.check_parent(to)?;
        let mut copied: Vec<_> = tree.entries.get_key_value(from).into_iter().chain(tree.below(from)).collect();
        if shallow {
            copied.truncate(1);
        }
        let copied: Vec<_> = copied.into_iter().map(|(path, entry)| (rebased(path, from, to), entry.clone())).collect();
        let found = !copied.is_empty();
        for (path, mut entry) in copied {
            let fresh = tree.new_record();
            entry.record = Record { id: fresh.id, etag: fresh.etag, versions: Vec::new(), ..entry.record };
            tree.entries.insert(path, entry);
        }
        if found { Ok(()) } else { Err(NotThere) }
    }

    pub(super) fn set_record(&self, path: &Path, record: &Record) -> Result<(), NotThere> {
        let mut tree = self.0.lock();
        let entry = tree.entries.get_mut(path).ok_or(NotThere)?;
        entry.record = record.clone();
        Ok(())
    }

    /// A new person's folders, and a few files that say whose they are.
    pub(super) fn seed(&self, uid: &str) {
        let at =
            |path: &str| -> Vec<String> { std::iter::once(uid).chain(path.split('/')).map(str::to_owned).collect() };
        let _ = self.make_folder(&[uid.to_owned()]);
        for folder in ["files", "trash", "uploads", "files/Documents", "files/Notes"] {
            let _ = self.make_folder(&at(folder));
        }
        let owner = format!("This file belongs to {uid}.\n");
        for (path, content) in [
            ("files/Readme.md", format!("# Files of {uid}\n\n{owner}")),
            (&format!("files/{uid}.txt"), owner.clone()),
            ("files/Documents/Plan.md", format!("# Plan of {uid}\n\n- read\n- write\n\n{owner}")),
            ("files/Notes/Welcome.md", format!("A note of {uid}.\n")),
        ] {
            let _ = self.write(&at(path), content);
        }
    }
}

// === impl Tree ===

impl Tree {
    fn node(&self, path: &Path) -> Option<Node> {
        let entry = self.entries.get(path)?;
        let mut record = entry.record.clone();
        let mut size = entry.content.len();
        if entry.is_folder {
            let mut parts = format!("{} {}", record.id, record.modified);
            for (below, inner) in self.below(path) {
                size += inner.content.len();
                parts = format!("{parts} {} {}", below.join("/"), inner.record.etag);
                record.modified = record.modified.max(inner.record.modified);
            }
            record.etag = short_digest(&parts);
        }
        Some(Node { path: path.to_vec(), is_folder: entry.is_folder, size, record })
    }

    fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (&'a Vec<String>, &'a Entry)> {
        let from = folder.to_vec();
        self.entries
            .range(from..)
            .take_while(move |(path, _)| path.starts_with(folder))
            .filter(move |(path, _)| *path != folder)
    }

    fn check_parent(&self, path: &Path) -> Result<(), NotThere> {
        match path.split_last() {
            None => Err(NotThere),
            Some((_, [])) => Ok(()),
            Some((_, parent)) => {
                self.entries.get(parent).is_some_and(|entry| entry.is_folder).then_some(()).ok_or(NotThere)
            }
        }
    }

    fn take(&mut self, path: &Path) -> Vec<(Vec<String>, Entry)> {
        let mut keys: Vec<Vec<String>> = self.below(path).map(|(path, _)| path.clone()).collect();
        keys.push(path.to_vec());
        keys.into_iter().filter_map(|key| self.entries.remove_entry(&key)).collect()
    }

    fn new_record(&mut self) -> Record {
        self.last_id += 1;
        let now = clock::now();
        Record { id: self.last_id, etag: clock::hex(16), modified: now, created: now, ..Record::default() }
    }
}

pub(super) fn joined(folder: &Path, name: &str) -> Vec<String> {
    folder.iter().cloned().chain([name.to_owned()]).collect()
}

/// A path below `from`, as it is below `to`.
pub(super) fn rebased(path: &Path, from: &Path, to: &Path) -> Vec<String> {
    to.iter().chain(path.iter().skip(from.len())).cloned().collect()
}

/// Thirteen digits, as Nextcloud's folder etags.
fn short_digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().take(7).map(|byte| format!("{byte:02x}")).collect::<String>()[..13].to_owned()
}
