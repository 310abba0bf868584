//! Files in memory: dav-server's `MemFs` holds the tree and the bytes; what Nextcloud adds to a file (its number, etag,
//! favourite mark, origin in the trash) is kept beside the bytes as a dead property.
//!
//! Everything here lives in memory: an upload is written as it comes, a download is read in blocks, but the whole of a file
//! is held.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use dav_server::davpath::DavPath;
use dav_server::fs::{DavDirEntry, DavFile, DavFileSystem, DavProp, FsError, FsResult, OpenOptions, ReadDirMeta};
use dav_server::memfs::MemFs;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::super::clock;

/// A path in the store: `[uid, "files", "Documents", "Plan.md"]`, decoded.
pub(super) type Path = [String];

/// What Nextcloud knows of a file beside its bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub id: u64,
    /// Of a file; a folder's is made of what is in it.
    pub etag: String,
    /// Seconds since 1970.
    pub modified: u64,
    pub favorite: bool,
    /// In the trash: where it was, below the user's files.
    pub origin: Option<String>,
    /// In the trash: when it was deleted.
    pub deleted: Option<u64>,
    /// Earlier versions: time and size.
    pub versions: Vec<(u64, u64)>,
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

pub(super) struct Storage {
    fs: Box<MemFs>,
    next_id: AtomicU64,
}

impl Default for Storage {
    fn default() -> Self {
        Self { fs: MemFs::new(), next_id: AtomicU64::new(1) }
    }
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
    pub(super) fn node<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Option<Node>> {
        async move {
            // MemFs takes a name below a file for the file itself.
            for length in 1..path.len() {
                let above = self.fs.metadata(&dav_path(path.get(..length)?)).await.ok()?;
                above.is_dir().then_some(())?;
            }
            let meta = self.fs.metadata(&dav_path(path)).await.ok()?;
            let mut record = self.record(path).await;
            let mut size = meta.len();
            if meta.is_dir() {
                let mut parts = format!("{} {}", record.id, record.modified);
                size = 0;
                for child in self.children(path).await {
                    size += child.size;
                    parts = format!("{parts} {} {}", child.name(), child.record.etag);
                    record.modified = record.modified.max(child.record.modified);
                }
                record.etag = short_digest(&parts);
            }
            Some(Node { path: path.to_vec(), is_folder: meta.is_dir(), size, record })
        }
        .boxed()
    }

    /// What is in a folder, by name.
    pub(super) async fn children(&self, folder: &Path) -> Vec<Node> {
        let Ok(mut entries) = self.fs.read_dir(&dav_path(folder), ReadDirMeta::None).await else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while let Some(entry) = entries.next().await {
            names.extend(entry.ok().and_then(|entry: Box<dyn DavDirEntry>| String::from_utf8(entry.name()).ok()));
        }
        names.sort();
        let mut children = Vec::new();
        for name in names {
            children.extend(self.node(&joined(folder, &name)).await);
        }
        children
    }

    /// Everything below a folder.
    pub(super) fn descendants<'a>(&'a self, folder: &'a Path) -> BoxFuture<'a, Vec<Node>> {
        async move {
            let mut all = Vec::new();
            for child in self.children(folder).await {
                let below = if child.is_folder { self.descendants(&child.path).await } else { Vec::new() };
                all.push(child);
                all.extend(below);
            }
            all
        }
        .boxed()
    }

    pub(super) async fn make_folder(&self, path: &Path) -> FsResult<Record> {
        self.fs.create_dir(&dav_path(path)).await?;
        let record = self.new_record();
        self.set_record(path, &record).await?;
        Ok(record)
    }

    /// Writes a small file whole.
    pub(super) async fn write(&self, path: &Path, content: impl Into<Bytes>) -> FsResult<Record> {
        let incoming = self.incoming(path).await?;
        let mut file = self.create(&incoming).await?;
        file.write_bytes(content.into()).await?;
        self.put_in_place(&incoming, path).await
    }

    /// The content of a small file.
    pub(super) async fn read(&self, path: &Path) -> FsResult<Bytes> {
        let mut file = self.open(path).await?;
        let size = file.metadata().await?.len();
        file.read_bytes(usize::try_from(size).unwrap_or(usize::MAX)).await
    }

    pub(super) async fn open(&self, path: &Path) -> FsResult<Box<dyn DavFile>> {
        self.fs.open(&dav_path(path), OpenOptions { read: true, ..OpenOptions::default() }).await
    }

    /// A place for an upload that may break off: nobody sees it before [`Storage::put_in_place`].
    pub(super) async fn incoming(&self, path: &Path) -> FsResult<Vec<String>> {
        let uid = path.first().cloned().unwrap_or_default();
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        Ok(vec![uid, "incoming".into(), format!("{number}.part")])
    }

    pub(super) async fn create(&self, path: &Path) -> FsResult<Box<dyn DavFile>> {
        let options = OpenOptions { write: true, create: true, truncate: true, ..OpenOptions::default() };
        self.fs.open(&dav_path(path), options).await
    }

    /// Moves a complete upload over what was there, which becomes a version.
    pub(super) async fn put_in_place(&self, incoming: &Path, path: &Path) -> FsResult<Record> {
        let mut record = match self.node(path).await {
            Some(before) => {
                let mut record = before.record;
                record.versions.retain(|(time, _)| *time != record.modified);
                record.versions.push((record.modified, before.size));
                record
            }
            None => self.new_record(),
        };
        record.etag = clock::hex(16);
        record.modified = clock::now();
        self.set_record(incoming, &record).await?;
        self.fs.rename(&dav_path(incoming), &dav_path(path)).await?;
        Ok(record)
    }

    pub(super) fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, FsResult<()>> {
        async move {
            let node = self.node(path).await.ok_or(FsError::NotFound)?;
            if !node.is_folder {
                return self.fs.remove_file(&dav_path(path)).await;
            }
            for child in self.children(path).await {
                self.remove(&child.path).await?;
            }
            self.fs.remove_dir(&dav_path(path)).await
        }
        .boxed()
    }

    /// Moves; what was there must have been removed.
    pub(super) async fn rename(&self, from: &Path, to: &Path) -> FsResult<()> {
        self.fs.rename(&dav_path(from), &dav_path(to)).await
    }

    /// Copies, with numbers of their own.
    pub(super) fn copy<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, FsResult<()>> {
        async move {
            let node = self.node(from).await.ok_or(FsError::NotFound)?;
            if node.is_folder {
                self.make_folder(to).await?;
                for child in self.children(from).await {
                    self.copy(&child.path, &joined(to, child.name())).await?;
                }
                return Ok(());
            }
            self.fs.copy(&dav_path(from), &dav_path(to)).await?;
            let fresh = self.new_record();
            self.set_record(
                to,
                &Record { id: fresh.id, modified: node.record.modified, etag: fresh.etag, ..Record::default() },
            )
            .await
        }
        .boxed()
    }

    pub(super) async fn set_record(&self, path: &Path, record: &Record) -> FsResult<()> {
        let xml = serde_json::to_vec(record).map_err(|_| FsError::GeneralFailure)?;
        let property = DavProp { xml: Some(xml), ..property() };
        self.fs.patch_props(&dav_path(path), vec![(true, property)]).await.map(|_| ())
    }

    async fn record(&self, path: &Path) -> Record {
        let stored = self.fs.get_prop(&dav_path(path), property()).await;
        stored.ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    fn new_record(&self) -> Record {
        Record {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            etag: clock::hex(16),
            modified: clock::now(),
            ..Record::default()
        }
    }

    /// A new person's folders, and a few files that say whose they are.
    pub(super) async fn seed(&self, uid: &str) {
        let at =
            |path: &str| -> Vec<String> { std::iter::once(uid).chain(path.split('/')).map(str::to_owned).collect() };
        let _ = self.make_folder(&[uid.to_owned()]).await;
        for folder in ["files", "trash", "uploads", "incoming", "files/Documents", "files/Notes"] {
            let _ = self.make_folder(&at(folder)).await;
        }
        let owner = format!("This file belongs to {uid}.\n");
        for (path, content) in [
            ("files/Readme.md", format!("# Files of {uid}\n\n{owner}")),
            (&format!("files/{uid}.txt"), owner.clone()),
            ("files/Documents/Plan.md", format!("# Plan of {uid}\n\n- read\n- write\n\n{owner}")),
            ("files/Notes/Welcome.md", format!("A note of {uid}.\n")),
        ] {
            let _ = self.write(&at(path), content).await;
        }
    }
}

pub(super) fn joined(folder: &Path, name: &str) -> Vec<String> {
    folder.iter().cloned().chain([name.to_owned()]).collect()
}

fn dav_path(path: &Path) -> DavPath {
    let encoded: Vec<String> =
        path.iter().map(|segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()).collect();
    DavPath::new(&format!("/{}", encoded.join("/"))).unwrap_or_else(|_| nowhere())
}

/// A path that MemFs has nothing at, for a name that it cannot hold.
#[expect(clippy::expect_used, reason = "the constant is a path")]
fn nowhere() -> DavPath {
    DavPath::new("/%FF/nowhere").expect("a constant path")
}

fn property() -> DavProp {
    DavProp { name: "record".into(), prefix: None, namespace: Some("https://obo-proxy.invalid/dev".into()), xml: None }
}

/// Thirteen digits, as Nextcloud's folder etags.
fn short_digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().take(7).map(|byte| format!("{byte:02x}")).collect::<String>()[..13].to_owned()
}
