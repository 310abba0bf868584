//! The people Nextcloud knows, and their app passwords.

use std::collections::HashMap;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use super::super::clock;

/// A person's account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub uid: String,
    pub display_name: String,
    pub email: String,
    pub enabled: bool,
    pub first_login: u64,
    pub last_login: u64,
    pub status: Option<String>,
    pub status_message: Option<String>,
    pub status_icon: Option<String>,
    pub notes_path: String,
    pub note_suffix: String,
}

#[derive(Default)]
pub(super) struct Accounts(Mutex<Store>);

#[derive(Default)]
struct Store {
    accounts: HashMap<String, Account>,
    /// Uid of a `preferred_username`, where it is another.
    mapped: HashMap<String, String>,
    app_passwords: Vec<(String, SecretString)>,
    minted: u64,
}

// === impl Accounts ===

impl Accounts {
    /// The uid that a token's `preferred_username` maps to.
    pub(super) fn uid_of(&self, preferred_username: &str) -> String {
        self.0.lock().mapped.get(preferred_username).cloned().unwrap_or_else(|| preferred_username.to_owned())
    }

    pub(super) fn map(&self, preferred_username: &str, uid: &str) {
        self.0.lock().mapped.insert(preferred_username.to_owned(), uid.to_owned());
    }

    /// Makes an account if there is none; whether it is new.
    pub(super) fn provision(&self, uid: &str, display_name: &str, email: &str) -> bool {
        let mut store = self.0.lock();
        if store.accounts.contains_key(uid) {
            return false;
        }
        let now = clock::now();
        let account = Account {
            uid: uid.to_owned(),
            display_name: display_name.to_owned(),
            email: email.to_owned(),
            enabled: true,
            first_login: now,
            last_login: now,
            status: None,
            status_message: None,
            status_icon: None,
            notes_path: "Notes".into(),
            note_suffix: ".md".into(),
        };
        store.accounts.insert(uid.to_owned(), account);
        true
    }

    pub(super) fn get(&self, uid: &str) -> Option<Account> {
        self.0.lock().accounts.get(uid).cloned()
    }

    /// Everybody, by uid.
    pub(super) fn all(&self) -> Vec<Account> {
        let mut all: Vec<Account> = self.0.lock().accounts.values().cloned().collect();
        all.sort_by(|one, other| one.uid.cmp(&other.uid));
        all
    }

    pub(super) fn is_enabled(&self, uid: &str) -> bool {
        self.get(uid).is_some_and(|account| account.enabled)
    }

    pub(super) fn change(&self, uid: &str, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.0.lock().accounts.get_mut(uid) {
            change(account);
        }
    }

    /// A new app password of 72 characters.
    pub(super) fn mint_app_password(&self, uid: &str) -> String {
        let password = clock::alphanumeric(72);
        let mut store = self.0.lock();
        store.minted += 1;
        store.app_passwords.push((uid.to_owned(), SecretString::from(password.as_str())));
        password
    }

    pub(super) fn add_app_password(&self, uid: &str, password: SecretString) {
        self.0.lock().app_passwords.push((uid.to_owned(), password));
    }

    pub(super) fn knows_app_password(&self, uid: &str, password: &str) -> bool {
        let store = self.0.lock();
        store.app_passwords.iter().any(|(owner, known)| owner == uid && known.expose_secret() == password)
    }

    /// How many a caller got out of it.
    pub(super) fn minted(&self) -> u64 {
        self.0.lock().minted
    }
}
