//! A stand-in for Nextcloud: as much of one as shows whether a proxy in front of it does its work, hazards included.
//!
//! It answers as a Nextcloud 32.0.1 with `user_oidc` 7.3.2 or 8.10.1 was recorded to (tests/recordings): bearers, sessions,
//! cookies, WebDAV, CalDAV, CardDAV, OCS with shares and search, Notes, Deck. What a bearer must never reach is there as well,
//! so that a test can see it happen when a defence is switched off: app passwords are minted, a session wins over another
//! person's bearer, settings change.

mod accounts;
mod address;
mod bearer;
mod call;
mod content;
mod cookies;
mod dav;
mod deck;
mod faults;
mod groupware;
mod ical;
mod instance;
mod login;
mod notes;
mod ocs;
mod options;
mod outbox;
mod pages;
mod public;
mod seen;
mod serve;
mod sessions;
mod shares;
mod slow;
mod storage;
mod talk;
mod target;
mod websocket;

use std::io;
use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::DropGuard;

use super::clock;
use super::server::{self, Address, Listener, Switch};
use instance::Instance;
pub use options::{Generation, Options};
pub use outbox::Mail;
pub use seen::SeenRequest;
pub use sessions::Session;

/// A running stand-in. It stops when this is dropped; everything else is in its [`Control`].
pub struct Nextcloud {
    control: Control,
    _stop_on_drop: DropGuard,
}

/// A handle to a running stand-in. Clones control the same one.
#[derive(Clone)]
pub struct Control {
    instance: Instance,
    switch: Switch,
}

// === impl Nextcloud ===

impl Nextcloud {
    /// Serves on `listener` (TCP or Unix) until the handle is dropped or [`Control::shutdown`] is called.
    ///
    /// # Errors
    /// The listener cannot be used, or `jwks_uri` is no URI.
    pub async fn start(listener: impl Into<Listener>, options: Options) -> io::Result<Self> {
        let users = options.users.clone();
        let instance = Instance::new(options)?;
        for uid in &users {
            let display_name =
                format!("{}{} T", uid.get(..1).unwrap_or_default().to_uppercase(), uid.get(1..).unwrap_or_default());
            instance.provision(uid, &display_name, &format!("{uid}@ex.org")).await;
        }
        if let [first, second, ..] = users.as_slice() {
            instance.introduce(first, second);
        }
        let served = instance.clone();
        let (switch, stop) = server::start(listener.into(), move |request, connection| {
            serve::answer(served.clone(), request, connection)
        })?;
        Ok(Self { control: Control { instance, switch }, _stop_on_drop: stop })
    }

    /// A handle that does not stop the stand-in when it is dropped.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

/// The owner can do whatever a handle can.
impl Deref for Nextcloud {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

// === impl Control ===

impl Control {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.switch.address()
    }

    /// `http://127.0.0.1:PORT`; nothing on a Unix socket.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match self.address() {
            Address::Tcp(address) => Some(format!("http://{address}")),
            Address::Unix(_) => None,
        }
    }

    /// The name of its session cookie (`oc` and ten characters), which is also its instance id.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        self.instance.id()
    }

    /// Stops for good.
    pub fn shutdown(&self) {
        self.switch.stop();
    }

    // --- what it saw ---

    /// Every request so far, refused ones included.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.instance.log().all()
    }

    /// Starts the record anew.
    pub fn forget_seen(&self) {
        self.instance.log().forget();
    }

    /// How many connections it accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.switch.connections()
    }

    /// The PHP sessions it holds, anonymous ones included.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.instance.sessions().all()
    }

    /// How often a login session was opened: what a bearer without a session costs.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.instance.sessions().logins()
    }

    /// How many app passwords were minted by requests.
    #[must_use]
    pub fn minted_app_passwords(&self) -> u64 {
        self.instance.accounts().minted()
    }

    /// The mails that requests made it send: of shares and of invitations.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.instance.outbox().all()
    }

    /// A person's e-mail address, to see whether it was changed.
    #[must_use]
    pub fn email(&self, uid: &str) -> Option<String> {
        self.instance.accounts().get(uid).map(|account| account.email)
    }

    /// A file's content, by its path below a person's files.
    pub async fn file(&self, uid: &str, path: &str) -> Option<Bytes> {
        self.instance.storage().read(&stored(uid, path)).ok()
    }

    /// Puts a file there; its folder must exist.
    ///
    /// # Errors
    /// It does not, or the person does not.
    pub async fn put_file(&self, uid: &str, path: &str, content: impl Into<Bytes>) -> io::Result<()> {
        let written = self.instance.storage().write(&stored(uid, path), content);
        written
            .map(|_| ())
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, format!("no folder for {path} of {uid}")))
    }

    // --- people ---

    /// Switches an account off. Its sessions go on over WebDAV for a while, as they really do.
    pub fn disable(&self, uid: &str) {
        self.instance.accounts().change(uid, |account| account.enabled = false);
    }

    /// Lets so much time pass for the check of each session's account, which is done every five minutes
    /// ([`Options::disabled_session_lives`]). Tokens do not age.
    pub fn age_sessions(&self, by: Duration) {
        self.instance.sessions().age(by.as_secs());
    }

    /// Switches it on again.
    pub fn enable(&self, uid: &str) {
        self.instance.accounts().change(uid, |account| account.enabled = true);
    }

    /// Tokens of this `preferred_username` are from now on another Nextcloud account's.
    pub fn rename(&self, preferred_username: &str, uid: &str) {
        self.instance.accounts().map(preferred_username, uid);
    }

    /// An app password for mode `basic`.
    #[must_use]
    pub fn add_app_password(&self, uid: &str) -> String {
        let password = clock::alphanumeric(72);
        self.instance.accounts().add_app_password(uid, password.as_str().into());
        password
    }

    // --- misbehaviour ---

    /// The next `count` requests are refused as if their credentials were bad, in the shape of their family.
    pub fn reject_next(&self, count: u64) {
        self.instance.faults().reject_next(count);
    }

    /// The next `count` requests are answered 429.
    pub fn too_many_next(&self, count: u64) {
        self.instance.faults().too_many_next(count);
    }

    /// Maintenance mode: 503 with its header.
    pub fn maintenance(&self, on: bool) {
        self.instance.faults().change(|trouble| trouble.maintenance = on);
    }

    /// Every answer's head comes later by this much.
    pub fn slow_head(&self, delay: Duration) {
        self.instance.faults().change(|trouble| trouble.slow_head = delay);
    }

    /// Bodies come a kilobyte at a time, with this pause before each.
    pub fn slow_body(&self, pause: Duration) {
        self.instance.faults().change(|trouble| trouble.slow_body = pause);
    }

    /// Requests wait (recorded already) until [`Control::release`]: instead of sleeping in a test.
    pub fn hold(&self) {
        self.instance.faults().set_gate(false);
    }

    /// Lets them go.
    pub fn release(&self) {
        self.instance.faults().set_gate(true);
    }

    /// A restart: sessions and remembered logins are gone, files and accounts are not.
    pub fn restart(&self) {
        self.instance.sessions().drop_all();
    }

    /// Closes the listener and every connection; returns when they are closed.
    pub async fn stop_listening(&self) {
        self.switch.close().await;
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The address cannot be listened on again.
    pub async fn resume(&self) -> io::Result<()> {
        self.switch.open().await
    }
}

fn stored(uid: &str, path: &str) -> Vec<String> {
    let below = path.split('/').filter(|segment| !segment.is_empty());
    [uid, "files"].into_iter().chain(below).map(str::to_owned).collect()
}
