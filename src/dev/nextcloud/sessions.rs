//! PHP sessions and remembered logins.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use super::super::clock;

/// A PHP session as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, the value of the instance cookie.
    pub id: String,
    /// Who is logged in; nobody in an anonymous one.
    pub user: Option<String>,
}

/// What a cookie led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Somebody is logged in; `first` on the first visit after the login, `checked` when the account was last looked at.
    LoggedIn { id: String, user: String, first: bool, checked: u64 },
    /// Known, with nobody in it: a bearer may fill it.
    Anonymous { id: String },
    /// Never given out, or its passphrase is another: it will get a new id.
    Unknown,
}

/// A login that the three `nc_*` cookies bring back.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub token: String,
    pub session_id: String,
}

/// More sessions are not kept, as PHP's garbage collection sees to it: the oldest go.
const KEPT: usize = 100_000;

#[derive(Default)]
pub(super) struct Sessions(Mutex<Store>);

#[derive(Default)]
struct Store {
    open: HashMap<String, Stored>,
    /// Their ids, oldest first.
    order: VecDeque<String>,
    /// By `nc_token`.
    remembered: HashMap<String, (String, String)>,
    /// How many were opened by a login, the expensive way.
    logins: u64,
}

struct Stored {
    user: Option<String>,
    passphrase: String,
    visited: bool,
    /// When it was last looked whether the account is good, in seconds since 1970.
    checked: u64,
    /// `nc_token` of its login.
    token: Option<String>,
}

// === impl Sessions ===

impl Sessions {
    pub(super) fn find(&self, id: &str, passphrase: Option<&str>) -> Found {
        let mut store = self.0.lock();
        let Some(stored) = store.open.get_mut(id) else {
            return Found::Unknown;
        };
        if passphrase != Some(stored.passphrase.as_str()) {
            return Found::Unknown;
        }
        match &stored.user {
            Some(user) => {
                let first = !std::mem::replace(&mut stored.visited, true);
                Found::LoggedIn { id: id.to_owned(), user: user.clone(), first, checked: stored.checked }
            }
            None => Found::Anonymous { id: id.to_owned() },
        }
    }

    /// A new session with nobody in it.
    pub(super) fn open(&self, passphrase: &str) -> String {
        let id = clock::hex(16);
        let stored = Stored {
            user: None,
            passphrase: passphrase.to_owned(),
            visited: false,
            checked: clock::now(),
            token: None,
        };
        let mut store = self.0.lock();
        store.open.insert(id.clone(), stored);
        store.order.push_back(id.clone());
        if store.order.len() > KEPT
            && let Some(oldest) = store.order.pop_front()
        {
            let token = store.open.remove(&oldest).and_then(|gone| gone.token);
            if let Some(token) = token {
                store.remembered.remove(&token);
            }
        }
        id
    }

    /// Logs somebody in and remembers the login.
    pub(super) fn log_in(&self, id: &str, user: &str) -> Remembered {
        let mut store = self.0.lock();
        store.logins += 1;
        let remembered = Remembered { token: clock::alphanumeric(32), session_id: id.to_owned() };
        if let Some(stored) = store.open.get_mut(id) {
            stored.user = Some(user.to_owned());
            stored.visited = false;
            stored.checked = clock::now();
            stored.token = Some(remembered.token.clone());
        }
        store.remembered.insert(remembered.token.clone(), (user.to_owned(), id.to_owned()));
        remembered
    }

    /// Marks whose bearer came last with a session, without logging anybody in (8.10). Whether it was the same person's before.
    pub(super) fn note(&self, id: &str, user: &str) -> bool {
        self.0.lock().open.get_mut(id).is_some_and(|stored| {
            let same = stored.user.as_deref() == Some(user);
            stored.user = Some(user.to_owned());
            same
        })
    }

    /// Takes a remembered login; whoever brings it gets a new one.
    pub(super) fn recall(&self, user: &str, token: &str, session_id: &str) -> bool {
        let mut store = self.0.lock();
        let good = store.remembered.get(token).is_some_and(|(known, id)| known == user && id == session_id);
        if good {
            store.remembered.remove(token);
        }
        good
    }

    /// Logs out: the id stays known, and a valid bearer makes it live once more.
    pub(super) fn log_out(&self, id: &str) {
        let mut store = self.0.lock();
        if let Some(stored) = store.open.get_mut(id) {
            stored.user = None;
        }
        store.remembered.retain(|_, (_, session_id)| session_id != id);
    }

    /// The account was found good just now.
    pub(super) fn check(&self, id: &str) {
        if let Some(stored) = self.0.lock().open.get_mut(id) {
            stored.checked = clock::now();
        }
    }

    /// Lets so many seconds pass for every session.
    pub(super) fn age(&self, seconds: u64) {
        for stored in self.0.lock().open.values_mut() {
            stored.checked = stored.checked.saturating_sub(seconds);
        }
    }

    pub(super) fn all(&self) -> Vec<Session> {
        let store = self.0.lock();
        store.open.iter().map(|(id, stored)| Session { id: id.clone(), user: stored.user.clone() }).collect()
    }

    pub(super) fn logins(&self) -> u64 {
        self.0.lock().logins
    }

    pub(super) fn drop_all(&self) {
        let mut store = self.0.lock();
        store.open.clear();
        store.order.clear();
        store.remembered.clear();
    }
}
