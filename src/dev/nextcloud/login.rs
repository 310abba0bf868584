//! Who a request is served as, and which cookies that costs: the rules of both generations of `user_oidc`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::super::clock;
use super::bearer::{self, Owner};
use super::cookies::{self, Cookies};
use super::instance::Instance;
use super::options::Generation;
use super::sessions::Found;

/// By what somebody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The PHP session: whatever bearer came along was not looked at.
    Session,
    /// The three `nc_*` cookies.
    Remembered,
    Bearer,
    /// An app password.
    Basic,
    /// A bearer or a password that is not good.
    Refused,
    /// The session was found to be a disabled user's, and ended.
    Disabled,
    Nothing,
}

/// A request after the login.
#[derive(Debug)]
pub(super) struct Visit {
    pub user: Option<String>,
    pub by: By,
    /// `OCS-APIRequest` is there and not empty: no CSRF check.
    pub ocs_header: bool,
    session: Option<String>,
    before: Vec<String>,
    cookie: Option<String>,
    after: Vec<String>,
}

/// Logs in whoever the request shows. `reject` refuses good credentials as if they were bad.
pub(super) async fn visit(instance: &Instance, headers: &HeaderMap, reject: bool) -> Visit {
    let cookies = Cookies::read(headers);
    let ocs_header = headers.get("ocs-apirequest").is_some_and(|value| !value.is_empty());
    let mut before = Vec::new();
    let passphrase = match cookies.get(cookies::PASSPHRASE) {
        Some(known) => known.to_owned(),
        None => {
            let fresh = clock::alphanumeric(128);
            before.push(cookies::passphrase(&fresh));
            fresh
        }
    };
    if cookies.are_none() {
        before.extend(cookies::same_site());
    }
    let visit =
        Visit { user: None, by: By::Nothing, ocs_header, session: None, before, cookie: None, after: Vec::new() };
    let desk = Desk { instance, headers, cookies, passphrase };
    if reject {
        return desk.refuse(visit);
    }
    match instance.options().user_oidc {
        Generation::V7_3 => desk.session_first(visit).await,
        Generation::V8_10 => desk.bearer_first(visit).await,
    }
}

struct Desk<'a> {
    instance: &'a Instance,
    headers: &'a HeaderMap,
    cookies: Cookies,
    passphrase: String,
}

enum Shown {
    Good(String),
    Bad,
    Nothing,
}

// === impl Desk ===

impl Desk<'_> {
    /// 7.3: a session wins; without one a bearer opens one.
    async fn session_first(&self, mut visit: Visit) -> Visit {
        let mut found = self.found();
        let mut ended = false;
        if let Found::LoggedIn { id, user, checked, .. } = &found {
            // `checkTokenCredentials`: every five minutes the session's account is looked at.
            if clock::now() >= checked + self.instance.options().disabled_session_lives.as_secs() {
                ended = !self.instance.accounts().is_enabled(user);
                if ended { self.instance.sessions().log_out(id) } else { self.instance.sessions().check(id) }
            }
        }
        if ended {
            found = self.found();
        }
        if let Found::LoggedIn { id, user, first, .. } = found {
            if first {
                visit.cookie = Some(self.session_cookie(&id));
            }
            visit.session = Some(id);
            return visit.recognised(user, By::Session);
        }
        if let Some(user) = self.remembered() {
            let id = self.instance.sessions().open(&self.passphrase);
            let remembered = self.instance.sessions().log_in(&id, &user);
            visit.cookie = Some(self.session_cookie(&id));
            visit.after.extend(cookies::remember(&user, &remembered.token, &remembered.session_id));
            visit.session = Some(id);
            return visit.recognised(user, By::Remembered);
        }
        match self.shown().await {
            (Shown::Good(user), by) => {
                tokio::time::sleep(self.instance.options().session_delay).await;
                let id = self.anonymous_or_new(found);
                let remembered = self.instance.sessions().log_in(&id, &user);
                if by == By::Bearer {
                    visit.before.extend(cookies::forget());
                    visit.before.extend(cookies::remember(&user, &remembered.token, &remembered.session_id));
                }
                visit.cookie = Some(self.session_cookie(&id));
                visit.session = Some(id);
                visit.recognised(user, by)
            }
            (Shown::Bad, _) if ended => Visit { by: By::Disabled, ..self.anonymous(visit, found) },
            (Shown::Bad, _) => self.refuse(visit),
            (Shown::Nothing, _) => self.anonymous(visit, found),
        }
    }

    /// 8.10: a bearer decides; the session that comes along is nobody's.
    async fn bearer_first(&self, mut visit: Visit) -> Visit {
        let found = self.found();
        match self.shown().await {
            (Shown::Good(user), by) => {
                visit.before.extend(cookies::forget());
                let known = match &found {
                    Found::Anonymous { id } | Found::LoggedIn { id, .. } => Some(id.clone()),
                    Found::Unknown => None,
                };
                let id = known.unwrap_or_else(|| self.instance.sessions().open(&self.passphrase));
                let was_theirs = self.instance.sessions().note(&id, &user) && found != Found::Unknown;
                let id = if was_theirs {
                    visit.before.extend(cookies::forget());
                    let id = self.instance.sessions().open(&self.passphrase);
                    self.instance.sessions().note(&id, &user);
                    id
                } else {
                    id
                };
                visit.cookie = Some(self.session_cookie(&id));
                visit.session = Some(id);
                visit.recognised(user, by)
            }
            (Shown::Bad, _) => {
                if found != Found::Unknown {
                    visit.before.extend(cookies::forget());
                }
                self.refuse(visit)
            }
            (Shown::Nothing, _) => self.anonymous(visit, found),
        }
    }

    fn refuse(&self, mut visit: Visit) -> Visit {
        let id = self.instance.sessions().open(&self.passphrase);
        visit.cookie = Some(self.session_cookie(&id));
        visit.session = Some(id);
        visit.after.extend(cookies::forget());
        visit.by = By::Refused;
        visit
    }

    fn anonymous(&self, mut visit: Visit, found: Found) -> Visit {
        let id = self.anonymous_or_new(found);
        visit.cookie = Some(self.session_cookie(&id));
        visit.session = Some(id);
        visit
    }

    fn anonymous_or_new(&self, found: Found) -> String {
        match found {
            // An anonymous session becomes the session of whoever logs in with it; so does one that was logged out.
            Found::Anonymous { id } | Found::LoggedIn { id, .. } => id,
            Found::Unknown => self.instance.sessions().open(&self.passphrase),
        }
    }

    fn found(&self) -> Found {
        let id = self.cookies.get(self.instance.id());
        id.map_or(Found::Unknown, |id| self.instance.sessions().find(id, self.cookies.get(cookies::PASSPHRASE)))
    }

    fn remembered(&self) -> Option<String> {
        let user = self.cookies.get(cookies::USERNAME)?;
        let (token, session_id) = (self.cookies.get(cookies::TOKEN)?, self.cookies.get(cookies::SESSION_ID)?);
        let good =
            self.instance.accounts().is_enabled(user) && self.instance.sessions().recall(user, token, session_id);
        good.then(|| user.to_owned())
    }

    async fn shown(&self) -> (Shown, By) {
        if let Some(basic) = self
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Basic "))
        {
            let user = app_password_owner(self.instance, basic);
            return user.map_or((Shown::Bad, By::Refused), |user| (Shown::Good(user), By::Basic));
        }
        // A federated request has the login by bearer switched off.
        let token = bearer::token_of(self.headers, self.instance.options().user_oidc)
            .filter(|_| !self.headers.contains_key("x-nextcloud-federation"));
        let Some(token) = token else {
            return (Shown::Nothing, By::Nothing);
        };
        let Some(owner) = self.instance.verifier().owner(token).await else {
            return (Shown::Bad, By::Refused);
        };
        match self.provision(&owner).await {
            Some(uid) => (Shown::Good(uid), By::Bearer),
            None => (Shown::Bad, By::Refused),
        }
    }

    /// The account of a token's owner, which comes into being with the first one (`bearer-provisioning`).
    async fn provision(&self, owner: &Owner) -> Option<String> {
        let uid = self.instance.accounts().uid_of(&owner.preferred_username);
        let name = owner.name.clone().unwrap_or_else(|| uid.clone());
        self.instance.provision(&uid, &name, owner.email.as_deref().unwrap_or_default()).await;
        self.instance.accounts().change(&uid, |account| account.last_login = clock::now());
        self.instance.accounts().is_enabled(&uid).then_some(uid)
    }

    fn session_cookie(&self, id: &str) -> String {
        cookies::session(self.instance.id(), id)
    }
}

fn app_password_owner(instance: &Instance, encoded: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    let good = instance.accounts().knows_app_password(user, password) && instance.accounts().is_enabled(user);
    good.then(|| user.to_owned())
}

// === impl Visit ===

impl Visit {
    fn recognised(mut self, user: String, by: By) -> Self {
        self.user = Some(user);
        self.by = by;
        self
    }

    /// The `#[CORS]` middleware threw the login out again: no user any more, and the cookies of a logout.
    pub(super) fn thrown_out(&mut self, instance: &Instance) {
        self.log_out(instance);
        self.user = None;
        self.before.extend(cookies::forget());
    }

    /// Logs out on demand: the session ends, the answer has a new, anonymous one.
    pub(super) fn leave(&mut self, instance: &Instance) {
        self.log_out(instance);
        match instance.options().user_oidc {
            // The logout, the bearer that logs in once more on the way out, and its logout.
            Generation::V7_3 => {
                let again = self.user.take().filter(|_| self.by == By::Session || self.by == By::Bearer);
                self.before.retain(|line| {
                    !line.starts_with("nc_username=")
                        && !line.starts_with("nc_token=")
                        && !line.starts_with("nc_session_id=")
                });
                self.before.extend(cookies::forget());
                self.before.extend(cookies::forget());
                if let Some(user) = again {
                    self.before.extend(cookies::remember(&user, &clock::alphanumeric(32), &clock::hex(16)));
                    self.before.extend(cookies::forget());
                }
            }
            Generation::V8_10 => {
                self.user = None;
                self.before.retain(|line| !line.contains("=deleted"));
                self.before.extend(cookies::forget());
                self.before.extend(cookies::forget());
            }
        }
        let id = instance.sessions().open(&clock::alphanumeric(128));
        self.cookie = Some(cookies::session(instance.id(), &id));
    }

    fn log_out(&self, instance: &Instance) {
        if let Some(id) = &self.session {
            instance.sessions().log_out(id);
        }
    }

    /// The `Set-Cookie` lines of its answer, in their order.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain(&self.cookie).chain(&self.after).map(String::as_str)
    }
}
