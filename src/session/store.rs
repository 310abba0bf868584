//! All sessions, by person: what is kept, who has to go for it, and the generation that keeps out what was begun before a purge. Nothing here
//! does I/O or waits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::kept::Session;
use super::settings::QUOTA;
use crate::flight::Flight;
use crate::token::{Digest, Identity, Purge, Timestamp};

/// So many purges are remembered for those that are being opened; one begun longer ago is not kept.
const REMEMBERED: usize = 64;

/// Whose sessions have to end.
#[derive(Debug)]
pub enum Reach {
    /// Those opened by tokens that a purge reaches.
    Purge(Purge),
    /// Those of the session at the provider of a token that it no longer accepts; where the token has no `sid`, all of its principal's through
    /// its client.
    Refused(Box<Identity>),
}

impl Reach {
    fn covers(&self, opener: &Identity) -> bool {
        match self {
            Self::Purge(purge) => purge.covers(opener),
            Self::Refused(identity) => {
                opener.principal == identity.principal
                    && match &identity.session {
                        Some(sid) => opener.session.as_ref() == Some(sid),
                        None => opener.client == identity.client,
                    }
            }
        }
    }
}

/// Every place, and the sessions in them.
#[derive(Debug, Default)]
pub struct Store {
    places: HashMap<Digest, Place, foldhash::fast::RandomState>,
    /// In the order of their opening.
    by_principal: HashMap<Digest, VecDeque<Arc<Session>>, foldhash::fast::RandomState>,
    generation: u64,
    /// The last purges, the newest at the end.
    recent: VecDeque<Reach>,
    closed: bool,
}

/// What is known of one person: the session, the flight that opens it, and whether that was refused a moment ago.
#[derive(Debug, Default)]
struct Place {
    session: Option<Arc<Session>>,
    flight: Arc<Flight<()>>,
    refused_until: Option<Timestamp>,
}

impl Place {
    fn is_vacant(&self, now: Timestamp) -> bool {
        // A flight under way has the `Arc` as well.
        self.session.is_none() && !self.is_refused(now) && Arc::strong_count(&self.flight) == 1
    }

    fn is_refused(&self, now: Timestamp) -> bool {
        self.refused_until.is_some_and(|until| now < until)
    }
}

/// What a look shows.
#[derive(Debug)]
pub enum Seen {
    /// A session.
    Session(Arc<Session>),
    /// None, and none is to be asked for.
    Refused,
    /// None.
    Nothing,
}

impl Store {
    /// What there is for a person.
    #[must_use]
    pub fn look(&self, person: &Digest, now: Timestamp) -> Seen {
        match self.places.get(person) {
            Some(Place { session: Some(session), .. }) => Seen::Session(session.clone()),
            Some(place) if place.is_refused(now) => Seen::Refused,
            Some(_) | None => Seen::Nothing,
        }
    }

    /// The purge generation, to be read before a session is asked for.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The flight that opens a person's session, in a place of its own; none if there are `most` places and no room can be made. Also whoever
    /// has to go for it.
    pub fn flight(
        &mut self,
        person: Digest,
        most: usize,
        now: Timestamp,
    ) -> (Option<Arc<Flight<()>>>, Option<Arc<Session>>) {
        if let Some(place) = self.places.get(&person) {
            return (Some(place.flight.clone()), None);
        }
        let mut evicted = None;
        if self.places.len() >= most {
            self.places.retain(|_, place| !place.is_vacant(now));
        }
        if self.places.len() >= most {
            let sessions = self.places.values().filter_map(|place| place.session.as_ref());
            evicted = sessions.min_by_key(|session| session.used_at().0).cloned();
            match &evicted {
                Some(session) => {
                    self.remove(session);
                    self.places.remove(&session.person());
                }
                None => return (None, None),
            }
        }
        let flight = self.places.entry(person).or_default().flight.clone();
        (Some(flight), evicted)
    }

    /// Notes that a person's session was refused.
    pub fn refuse(&mut self, person: &Digest, until: Timestamp) {
        if let Some(place) = self.places.get_mut(person) {
            place.refused_until = Some(until);
        }
    }

    /// Keeps a session that was asked for in generation `begun`. False if a purge since then reaches it, or all is closed.
    pub fn keep(&mut self, session: &Arc<Session>, begun: u64) -> bool {
        if self.closed || self.was_overtaken(session.opener(), begun) {
            return false;
        }
        // Its place may have been given away while it was being opened.
        let Some(place) = self.places.get_mut(&session.person()).filter(|place| place.session.is_none()) else {
            return false;
        };
        place.session = Some(session.clone());
        place.refused_until = None;
        self.by_principal.entry(session.opener().principal.key()).or_default().push_back(session.clone());
        true
    }

    fn was_overtaken(&self, opener: &Identity, begun: u64) -> bool {
        let since = usize::try_from(self.generation.saturating_sub(begun)).unwrap_or(usize::MAX);
        since > self.recent.len() || self.recent.iter().rev().take(since).any(|reach| reach.covers(opener))
    }

    /// The oldest sessions of a session's owner that are too many.
    #[must_use]
    pub fn beyond_quota(&self, session: &Session) -> Vec<Arc<Session>> {
        let own = self.by_principal.get(&session.opener().principal.key());
        own.map(|own| own.iter().take(own.len().saturating_sub(QUOTA)).cloned().collect()).unwrap_or_default()
    }

    /// Makes this very session unreachable, and no newer one. Whether it was there.
    pub fn remove(&mut self, session: &Arc<Session>) -> bool {
        let Some(place) = self.places.get_mut(&session.person()) else { return false };
        if !place.session.as_ref().is_some_and(|present| Arc::ptr_eq(present, session)) {
            return false;
        }
        place.session = None;
        let owner = session.opener().principal.key();
        if let Some(own) = self.by_principal.get_mut(&owner) {
            own.retain(|other| !Arc::ptr_eq(other, session));
            if own.is_empty() {
                self.by_principal.remove(&owner);
            }
        }
        true
    }

    /// Makes every session that is reached unreachable, and keeps out those that are being opened.
    #[must_use]
    pub fn purge(&mut self, reach: Reach) -> Vec<Arc<Session>> {
        let taken = self.take(|session| reach.covers(session.opener()));
        self.generation += 1;
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(reach);
        taken
    }

    /// Makes every session of this kind unreachable.
    #[must_use]
    pub fn take(&mut self, reached: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let sessions = self.places.values().filter_map(|place| place.session.as_ref());
        let taken: Vec<Arc<Session>> = sessions.filter(|session| reached(session)).cloned().collect();
        for session in &taken {
            self.remove(session);
        }
        taken
    }

    /// Makes all of them unreachable, for good.
    #[must_use]
    pub fn close(&mut self) -> Vec<Arc<Session>> {
        self.closed = true;
        self.take(|_| true)
    }

    /// Whether nothing is kept any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Forgets places in which there is nothing.
    pub fn sweep(&mut self, now: Timestamp) {
        self.places.retain(|_, place| !place.is_vacant(now));
    }
}

#[cfg(test)]
mod tests;
