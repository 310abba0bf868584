//! Gives requests the session to go with, and ends sessions. The way of a request with a session takes one shared lock; whatever waits is
//! boxed and runs on the control runtime.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use parking_lot::{Mutex, RwLock};

use super::courier::Courier;
use super::departures::Departures;
use super::kept::{Lease, Session, Standing};
use super::opening::{Opening, Proof};
use super::settings::{DRAIN, REFUSAL, SessionSettings};
use super::store::{Reach, Seen, Store};
use super::usefulness::{Permission, Ticket, Usefulness};
use super::{doubt, settings};
use crate::exchange::{Entry, ExchangedToken};
use crate::flight::{Boarded, Control, Waiting};
use crate::metrics::{Metrics, SessionEnd, SessionEvent};
use crate::token::{Clock, Digest, Identity, Purge, Timestamp};

/// The sessions at one Nextcloud. Cloning shares them.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    settings: SessionSettings,
    courier: Courier,
    control: Control,
    clock: Clock,
    metrics: Metrics,
    usefulness: Arc<Usefulness>,
    store: RwLock<Store>,
    departures: Departures,
    /// Sessions that ended while they were in use, and when they are logged out all the same.
    lingering: Mutex<Vec<(Arc<Session>, Timestamp)>>,
}

/// What a request finds.
enum Found {
    Ready(Lease),
    Unproved(Lease),
    Absent(Digest),
    Without,
}

impl Sessions {
    /// No sessions yet. Those that end are logged out by a task on the control runtime.
    #[must_use]
    pub fn new(settings: SessionSettings, courier: Courier, control: Control, clock: Clock, metrics: Metrics) -> Self {
        let (departures, arrivals) = Departures::new(settings.most, metrics.clone());
        control.spawn(arrivals.attend(courier.clone(), control.clone(), clock.clone()));
        Self(Arc::new(Shared {
            settings,
            courier,
            control,
            clock,
            metrics,
            usefulness: Arc::default(),
            store: RwLock::default(),
            departures,
            lingering: Mutex::default(),
        }))
    }

    /// The session that goes with this token, if there is one or one can be had in time. Without one the token alone does.
    pub async fn lease(&self, entry: &Arc<Entry>, token: &Arc<ExchangedToken>) -> Option<Lease> {
        let lease = match self.find(entry, token) {
            Found::Ready(lease) => Some(lease),
            Found::Without => None,
            // Boxed: most requests never come here, and their futures need not be this large.
            Found::Unproved(lease) => Box::pin(self.prove_first(lease, token)).await,
            Found::Absent(person) => Box::pin(self.open_first(person, entry, token)).await,
        };
        if lease.is_some() {
            self.0.metrics.sessions.events.count(SessionEvent::Reused);
        }
        lease
    }

    /// Looks at Nextcloud's answer to a request that went with a session: another session in it ends ours, and so may what it says of the
    /// account.
    pub fn observe<B>(&self, lease: &Lease, token: &Arc<ExchangedToken>, answer: &Response<B>) {
        let session = lease.session();
        if session.cookies().changed_by(answer.headers(), self.0.clock.now()) {
            self.lost(session, SessionEnd::Changed);
        } else if doubt::is_cast_by(answer) {
            session.doubt();
            self.prove(session, token);
        }
    }

    /// Nextcloud refused a request that went with this session.
    pub fn rejected(&self, lease: &Lease) {
        self.lost(lease.session(), SessionEnd::Rejected);
    }

    /// Ends what a purge reaches, and keeps out what is being opened (law 8).
    pub fn purge(&self, purge: &Purge) {
        let reached = self.0.store.write().purge(Reach::Purge(purge.clone()));
        self.ended(reached, SessionEnd::Purged);
    }

    /// The provider no longer accepts a token of this identity: the sessions of its session there end; without a `sid`, all of its principal's
    /// through its client.
    pub fn subject_refused(&self, identity: &Identity) {
        let reached = self.0.store.write().purge(Reach::Refused(Box::new(identity.clone())));
        self.ended(reached, SessionEnd::SubjectRefused);
    }

    /// Ends what nobody uses, and logs out what lingers. Called every few seconds on the control runtime.
    pub fn sweep(&self) {
        let now = self.0.clock.now();
        let idle = {
            let mut store = self.0.store.write();
            store.sweep(now);
            store.take(|session| !session.is_in_use() && now >= session.used_at().after(self.0.settings.idle))
        };
        self.ended(idle, SessionEnd::Idle);
        self.0.lingering.lock().retain(|(session, until)| {
            let overdue = session.is_in_use() && now >= *until;
            if overdue {
                // Once more when the last of its requests is through: until then a bearer may make it live again.
                session.log_out();
            }
            session.is_in_use() && !overdue
        });
    }

    /// Ends all of them for good, and returns when they are logged out, or after this long.
    pub async fn stop(&self, within: Duration) {
        let all = self.0.store.write().close();
        self.ended(all, SessionEnd::Stopped);
        self.0.departures.all_gone(within).await;
    }

    // --- what a request finds ---

    fn find(&self, entry: &Arc<Entry>, token: &Arc<ExchangedToken>) -> Found {
        let now = self.0.clock.now();
        let Some(person) = token.person else { return Found::Without };
        if self.0.usefulness.is_useless(now) {
            return Found::Without;
        }
        let seen = self.0.store.read().look(&person, now);
        // After the look: a purge revokes entries first and takes sessions away then, so one of the two is seen.
        if entry.is_revoked() {
            return Found::Without;
        }
        let session = match seen {
            Seen::Session(session) => session,
            Seen::Refused => return Found::Without,
            Seen::Nothing => return Found::Absent(person),
        };
        let idle = now >= session.used_at().after(self.0.settings.idle) && !session.is_in_use();
        if idle || session.is_aged(now) {
            if self.0.store.write().remove(&session) {
                self.ended(vec![session], if idle { SessionEnd::Idle } else { SessionEnd::Aged });
            }
            return Found::Absent(person);
        }
        let standing = session.standing(now);
        let Some(lease) = session.lease(now) else { return Found::Without };
        match standing {
            Standing::Proved => Found::Ready(lease),
            Standing::Ageing => {
                self.prove(&session, token);
                Found::Ready(lease)
            }
            Standing::Unproved => Found::Unproved(lease),
            Standing::Unanswered => Found::Without,
        }
    }

    // --- proofs ---

    /// Has the session proved, and gives it to the request only if that succeeds in time.
    async fn prove_first(&self, lease: Lease, token: &Arc<ExchangedToken>) -> Option<Lease> {
        if let Some(landing) = self.prove(lease.session(), token) {
            self.landed(landing).await;
        }
        let now = self.0.clock.now();
        let proved = matches!(lease.session().standing(now), Standing::Proved | Standing::Ageing);
        // Taken anew: one that ended meanwhile is not to be had.
        if proved { lease.session().lease(now) } else { None }
    }

    /// Begins a proof, or joins the one that is under way.
    fn prove(&self, session: &Arc<Session>, token: &Arc<ExchangedToken>) -> Option<Waiting<()>> {
        let boarded = session.proof.board(&self.0.control, || {
            let now = self.0.clock.now();
            // The proof is a use like any other: a session must not be logged out while it is on its way with a bearer.
            let lease =
                matches!(session.standing(now), Standing::Ageing | Standing::Unproved).then(|| session.lease(now));
            Some(self.clone().proof(lease??, token.clone(), session.last_proof(), now))
        });
        match boarded {
            Boarded::Began(landing) | Boarded::Joined(landing) => Some(landing),
            Boarded::Declined => None,
        }
    }

    async fn proof(self, lease: Lease, token: Arc<ExchangedToken>, begun: i64, sent: Timestamp) {
        let session = lease.session();
        let told = self.0.courier.who(token.header.expose(), Some(lease.cookie())).await;
        match Proof::judge(told, session.uid(), session.cookies(), self.0.clock.now()) {
            Proof::Good => session.proved(begun, sent),
            Proof::Changed => self.lost(session, SessionEnd::Changed),
            Proof::Refuted => self.lost(session, SessionEnd::Refuted),
            Proof::Unknown => session.unanswered(sent),
        }
    }

    // --- openings ---

    /// Has a session opened, once for all who want it, and waits for it as long as it is worth.
    async fn open_first(&self, person: Digest, entry: &Arc<Entry>, token: &Arc<ExchangedToken>) -> Option<Lease> {
        let (flight, evicted) = self.0.store.write().flight(person, self.0.settings.most);
        if let Some(session) = evicted {
            self.ended(vec![session], SessionEnd::Evicted);
        }
        let mut quiet = false;
        let boarded = flight?.board(&self.0.control, || {
            let now = self.0.clock.now();
            let store = self.0.store.read();
            if store.is_closed() || entry.is_revoked() || !matches!(store.look(&person, now), Seen::Nothing) {
                return None;
            }
            let ticket = match self.0.usefulness.permission(now) {
                Permission::Open(ticket) | Permission::Probe(ticket) => ticket,
                Permission::QuietProbe(ticket) => {
                    quiet = true;
                    ticket
                }
                Permission::No => return None,
            };
            Some(self.clone().opening(person, entry.clone(), token.clone(), ticket, store.generation(), now))
        });
        match boarded {
            Boarded::Began(landing) | Boarded::Joined(landing) if !quiet => self.landed(landing).await,
            Boarded::Began(_) | Boarded::Joined(_) | Boarded::Declined => {}
        }
        match self.find(entry, token) {
            Found::Ready(lease) => Some(lease),
            Found::Unproved(_) | Found::Absent(_) | Found::Without => None,
        }
    }

    async fn opening(
        self,
        person: Digest,
        entry: Arc<Entry>,
        token: Arc<ExchangedToken>,
        ticket: Ticket,
        begun: u64,
        sent: Timestamp,
    ) {
        let told = self.0.courier.who(token.header.expose(), None).await;
        let events = &self.0.metrics.sessions.events;
        match Opening::judge(told, self.0.clock.now()) {
            Opening::Session { uid, cookies } => {
                ticket.useful();
                let (opener, departures) = (entry.identity().clone(), self.0.departures.clone());
                let session = Arc::new(Session::new((uid, cookies), person, opener, token, sent, departures));
                self.keep(&session, &entry, begun);
            }
            Opening::Useless => {
                events.count(SessionEvent::Useless);
                self.found_useless(&ticket);
            }
            Opening::Refused => {
                events.count(SessionEvent::Refused);
                self.refuse(&person);
            }
            Opening::Unreachable => {
                events.count(SessionEvent::Unreachable);
                self.refuse(&person);
            }
        }
    }

    fn keep(&self, session: &Arc<Session>, entry: &Entry, begun: u64) {
        let mut store = self.0.store.write();
        // Under the lock: whatever is purged later finds it.
        let kept = !entry.is_revoked() && store.keep(session, begun);
        let beyond = if kept { store.beyond_quota(session) } else { Vec::new() };
        for old in &beyond {
            store.remove(old);
        }
        drop(store);
        let metrics = &self.0.metrics.sessions;
        if kept {
            metrics.events.count(SessionEvent::Opened);
            metrics.kept.inc();
        } else {
            metrics.events.count(SessionEvent::Overtaken);
            session.end();
        }
        self.ended(beyond, SessionEnd::Quota);
    }

    fn refuse(&self, person: &Digest) {
        let until = self.0.clock.now().after(REFUSAL);
        self.0.store.write().refuse(person, until);
    }

    fn found_useless(&self, ticket: &Ticket) {
        if ticket.useless(self.0.clock.now()) {
            tracing::info!(
                again_in = settings::USELESS.as_secs(),
                "this Nextcloud opens no session for a bearer (user_oidc 8.7 to 8.10): requests go without"
            );
        }
        let all = self.0.store.write().take(|_| true);
        self.ended(all, SessionEnd::Useless);
    }

    /// Waits for a flight as long as a request may be kept for it.
    async fn landed(&self, landing: Waiting<()>) {
        let _ = tokio::time::timeout(self.0.settings.wait, landing.outcome()).await;
    }

    // --- ends ---

    /// Ends this very session, and no newer one, because Nextcloud says so.
    fn lost(&self, session: &Arc<Session>, cause: SessionEnd) {
        let lost = self.0.store.write().lose(session, self.0.clock.now());
        if lost {
            self.ended(vec![session.clone()], cause);
        }
    }

    /// What nobody finds any more is drained, then logged out.
    fn ended(&self, sessions: Vec<Arc<Session>>, cause: SessionEnd) {
        let until = self.0.clock.now().after(DRAIN);
        for session in sessions {
            self.0.metrics.sessions.ends.count(cause);
            self.0.metrics.sessions.kept.dec();
            session.end();
            if session.is_in_use() {
                self.0.lingering.lock().push((session, until));
            }
        }
    }
}
