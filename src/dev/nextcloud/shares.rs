//! Who shared what with whom: with people, whose files then show it, and by links, which open it to everybody.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use super::super::clock;

/// Permission bits (`OCP\Constants`).
pub(super) const READ: u8 = 1;
pub(super) const UPDATE: u8 = 2;
pub(super) const CREATE: u8 = 4;
pub(super) const DELETE: u8 = 8;
pub(super) const RESHARE: u8 = 16;

/// `shareType` of a share with a person.
pub(super) const WITH_USER: u64 = 0;
/// `shareType` of a share with a group.
pub(super) const WITH_GROUP: u64 = 1;
/// `shareType` of a public link.
pub(super) const LINK: u64 = 3;
/// `shareType` of a link that is sent by mail.
pub(super) const MAIL: u64 = 4;

#[derive(Clone, Debug)]
pub(super) struct Share {
    pub id: u64,
    pub kind: u64,
    pub owner: String,
    /// Where the shared thing is in the store.
    pub path: Vec<String>,
    /// The person, the group, or the address of a mail.
    pub with: Option<String>,
    /// Of a share with a group, who is in it.
    pub members: Vec<String>,
    pub permissions: u8,
    /// What opens a link, to anybody.
    pub token: Option<String>,
    pub password: Option<SecretString>,
    pub expiration: Option<String>,
    pub note: String,
    pub label: String,
    pub hide_download: bool,
    pub created: u64,
    /// The name in the receiver's files.
    pub target: String,
}

#[derive(Default)]
pub(super) struct Shares(Mutex<Store>);

#[derive(Default)]
struct Store {
    shares: Vec<Share>,
    last_id: u64,
}

// === impl Share ===

impl Share {
    /// A share that is not kept yet.
    pub(super) fn new(kind: u64, owner: &str, path: Vec<String>, permissions: u8) -> Self {
        let target = path.last().cloned().unwrap_or_default();
        let token = (!matches!(kind, WITH_USER | WITH_GROUP)).then(|| clock::alphanumeric(15));
        Self {
            id: 0,
            kind,
            owner: owner.to_owned(),
            path,
            with: None,
            members: Vec::new(),
            permissions,
            token,
            password: None,
            expiration: None,
            note: String::new(),
            label: String::new(),
            hide_download: false,
            created: clock::now(),
            target,
        }
    }

    /// Whether it stands among this person's files.
    pub(super) fn is_received_by(&self, uid: &str) -> bool {
        match self.kind {
            WITH_USER => self.with.as_deref() == Some(uid),
            WITH_GROUP => self.owner != uid && self.members.iter().any(|member| member == uid),
            _ => false,
        }
    }

    /// With a person or a group, so that it has a name among their files.
    fn is_mounted(&self) -> bool {
        matches!(self.kind, WITH_USER | WITH_GROUP)
    }

    pub(super) fn is_opened_by(&self, password: Option<&str>) -> bool {
        self.password.as_ref().is_none_or(|known| Some(known.expose_secret()) == password)
    }
}

// === impl Shares ===

impl Shares {
    /// Keeps a share under a new number. The same thing for the same person is the same share.
    pub(super) fn add(&self, mut share: Share, taken: impl Fn(&str) -> bool) -> Share {
        let mut store = self.0.lock();
        let same = |known: &&Share| {
            known.is_mounted() && known.kind == share.kind && known.path == share.path && known.with == share.with
        };
        if let Some(known) = store.shares.iter().find(same) {
            return known.clone();
        }
        let name = share.target.clone();
        let mut number = 1;
        while share.is_mounted()
            && (taken(&share.target)
                || store.shares.iter().any(|known| known.with == share.with && known.target == share.target))
        {
            number += 1;
            share.target = match name.rsplit_once('.') {
                Some((stem, extension)) => format!("{stem} ({number}).{extension}"),
                None => format!("{name} ({number})"),
            };
        }
        store.last_id += 1;
        share.id = store.last_id;
        store.shares.push(share.clone());
        share
    }

    pub(super) fn get(&self, id: u64) -> Option<Share> {
        self.0.lock().shares.iter().find(|share| share.id == id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Share> {
        self.0.lock().shares.clone()
    }

    pub(super) fn by_token(&self, token: &str) -> Option<Share> {
        self.0.lock().shares.iter().find(|share| share.token.as_deref() == Some(token)).cloned()
    }

    /// What was shared with a person.
    pub(super) fn received(&self, uid: &str) -> Vec<Share> {
        let store = self.0.lock();
        store.shares.iter().filter(|share| share.is_received_by(uid)).cloned().collect()
    }

    /// What stands under a name at the top of a person's files because it was shared.
    pub(super) fn mounted(&self, uid: &str, name: &str) -> Option<Share> {
        self.received(uid).into_iter().find(|share| share.target == name)
    }

    /// In which ways a thing is shared.
    pub(super) fn kinds(&self, path: &[String]) -> BTreeSet<u64> {
        self.0.lock().shares.iter().filter(|share| share.path == path).map(|share| share.kind).collect()
    }

    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut Share)) -> Option<Share> {
        let mut store = self.0.lock();
        let share = store.shares.iter_mut().find(|share| share.id == id)?;
        change(share);
        Some(share.clone())
    }

    pub(super) fn remove(&self, id: u64) -> Option<Share> {
        let mut store = self.0.lock();
        let at = store.shares.iter().position(|share| share.id == id)?;
        Some(store.shares.remove(at))
    }

    /// Shares follow what they share.
    pub(super) fn moved(&self, from: &[String], to: &[String]) {
        for share in &mut self.0.lock().shares {
            if share.path.starts_with(from) {
                share.path = super::storage::rebased(&share.path, from, to);
            }
        }
    }

    /// What is deleted is shared no longer.
    pub(super) fn forget(&self, path: &[String]) {
        self.0.lock().shares.retain(|share| !share.path.starts_with(path));
    }
}
