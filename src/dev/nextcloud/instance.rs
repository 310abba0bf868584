//! The stand-in's state, shared by every request and every handle.

use std::io;
use std::sync::Arc;

use super::super::clock;
use super::accounts::Accounts;
use super::bearer::Verifier;
use super::deck::Deck;
use super::faults::Faults;
use super::groupware::Groupware;
use super::options::Options;
use super::outbox::Outbox;
use super::seen::Log;
use super::sessions::Sessions;
use super::shares::Shares;
use super::storage::Storage;
use super::talk::{Member, Talk};

/// A handle to the state; clones are the same Nextcloud.
#[derive(Clone)]
pub(super) struct Instance(Arc<Inner>);

struct Inner {
    id: String,
    options: Options,
    accounts: Accounts,
    sessions: Sessions,
    storage: Storage,
    groupware: Groupware,
    shares: Shares,
    outbox: Outbox,
    deck: Deck,
    talk: Talk,
    verifier: Verifier,
    faults: Faults,
    log: Log,
}

// === impl Instance ===

impl Instance {
    pub(super) fn new(options: Options) -> io::Result<Self> {
        let verifier = Verifier::new(&options).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let accounts = Accounts::default();
        for (user, password) in &options.app_passwords {
            accounts.add_app_password(user, password.clone());
        }
        Ok(Self(Arc::new(Inner {
            // `oc` and ten characters; also the end of every `OC-FileId`.
            id: format!("oc{}", clock::alphanumeric(10).to_lowercase()),
            options,
            accounts,
            sessions: Sessions::default(),
            storage: Storage::default(),
            groupware: Groupware::default(),
            shares: Shares::default(),
            outbox: Outbox::default(),
            deck: Deck::default(),
            talk: Talk::default(),
            verifier,
            faults: Faults::default(),
            log: Log::default(),
        })))
    }

    /// The instance id: the name of the session cookie.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    pub(super) fn groupware(&self) -> &Groupware {
        &self.0.groupware
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.0.shares
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(super) fn deck(&self) -> &Deck {
        &self.0.deck
    }

    pub(super) fn talk(&self) -> &Talk {
        &self.0.talk
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(super) fn log(&self) -> &Log {
        &self.0.log
    }

    /// Two people who talk to each other from the start.
    pub(super) fn introduce(&self, first: &str, second: &str) {
        let member = |uid: &str| {
            let account = self.accounts().get(uid)?;
            Some(Member { uid: account.uid, display_name: account.display_name, read: 0 })
        };
        if let (Some(first), Some(second)) = (member(first), member(second)) {
            self.talk().seed(&first, &second);
        }
    }

    /// Makes an account with a few files that say whose they are, unless it is there.
    pub(super) async fn provision(&self, uid: &str, display_name: &str, email: &str) {
        if self.accounts().provision(uid, display_name, email) {
            self.storage().seed(uid);
            self.groupware().seed(uid);
        }
    }
}
