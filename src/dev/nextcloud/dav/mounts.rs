//! What others shared with a person, mounted at the top of their files.

use super::super::instance::Instance;
use super::super::shares::{CREATE, DELETE, RESHARE, Share, UPDATE};
use super::super::storage::{Node, joined, rebased};

/// Where a path of a person's files really is.
pub(super) struct Spot {
    pub path: Vec<String>,
    /// The share that leads there; nothing for one's own.
    pub share: Option<Share>,
    /// The very thing that was shared.
    pub is_mount: bool,
}

/// A file as somebody sees it: its path is theirs, its content may be another's.
pub(super) struct Seen {
    pub node: Node,
    pub share: Option<Share>,
}

pub(super) fn real(instance: &Instance, path: &[String]) -> Spot {
    let mount = path.get(..3);
    let share = match mount {
        Some([uid, kind, name]) if kind == "files" => instance.shares().mounted(uid, name),
        _ => None,
    };
    let (Some(mount), Some(share)) = (mount, share) else {
        return Spot { path: path.to_vec(), share: None, is_mount: false };
    };
    Spot { path: rebased(path, mount, &share.path), is_mount: path.len() == 3, share: Some(share) }
}

pub(super) fn node(instance: &Instance, path: &[String]) -> Option<Seen> {
    let spot = real(instance, path);
    let node = instance.storage().node(&spot.path)?;
    Some(Seen { node: Node { path: path.to_vec(), ..node }, share: spot.share })
}

/// What is in a folder, and at the top what was shared.
pub(super) fn children(instance: &Instance, folder: &[String]) -> Vec<Seen> {
    let spot = real(instance, folder);
    let inside = instance.storage().children(&spot.path).into_iter().map(|node| {
        let path = joined(folder, node.name());
        Seen { node: Node { path, ..node }, share: spot.share.clone() }
    });
    let mut all: Vec<Seen> = inside.collect();
    if let [uid, kind] = folder
        && kind == "files"
    {
        let mounts = instance.shares().received(uid);
        all.extend(mounts.iter().filter_map(|share| node(instance, &joined(folder, &share.target))));
    }
    all
}

// === impl Spot ===

impl Spot {
    /// Whether a share, if one leads there, lets its receiver do this.
    pub(super) fn allows(&self, permission: u8) -> bool {
        self.share.as_ref().is_none_or(|share| share.permissions & permission != 0)
    }
}

// === impl Seen ===

impl Seen {
    /// One's own.
    pub(super) fn own(node: Node) -> Self {
        Self { node, share: None }
    }

    pub(super) fn owner(&self) -> &str {
        let owner = self.share.as_ref().map(|share| share.owner.as_str());
        owner.or(self.node.path.first().map(String::as_str)).unwrap_or_default()
    }

    pub(super) fn is_mount(&self, instance: &Instance) -> bool {
        self.share.is_some() && real(instance, &self.node.path).is_mount
    }

    /// `oc:permissions`: **S**hared, **R**eshare, **G**et, **D**elete, re**N**ame, mo**V**e, **W**rite, **C**reate, subfolders (**K**).
    pub(super) fn letters(&self) -> String {
        let folder = self.node.is_folder;
        let Some(share) = &self.share else {
            let letters = match (folder, self.node.path.len()) {
                (true, ..=2) => "GDNVCK",
                (true, _) => "RGDNVCK",
                (false, _) => "RGDNVW",
            };
            return letters.to_owned();
        };
        let may = |permission: u8| share.permissions & permission != 0;
        let parts = [
            ("S", true),
            ("R", may(RESHARE)),
            ("G", true),
            ("D", may(DELETE)),
            ("NV", may(UPDATE)),
            ("W", may(UPDATE) && !folder),
            ("CK", may(CREATE) && folder),
        ];
        parts.iter().filter(|(_, holds)| *holds).map(|(letters, _)| *letters).collect()
    }
}
