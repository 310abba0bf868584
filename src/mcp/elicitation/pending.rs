//! Questions that wait for their person on a page of ours. Found by their id, which is in the URL and is no right to anything, and by the call that
//! they are about. Bounded in all and for each principal.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::ANSWER_WITHIN;
use super::question::Question;
use crate::token::{Digest, Identity, Principal, Timestamp};

/// So many questions wait at once.
const MOST: usize = 5_000;
/// So many of one principal; the oldest goes.
const MOST_OF_ONE: usize = 8;
/// So often may a browser be sent to sign in for one question.
const MOST_LOGINS: u8 = 8;

/// All of them.
#[derive(Debug, Default)]
pub struct Pending(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    /// The call, and what is asked about it.
    purpose: Digest,
    principal: Principal,
    client: Option<Arc<str>>,
    question: Question,
    until: Timestamp,
    answer: Option<bool>,
    logins: u8,
    /// The browser in which its person signed in.
    browser: Option<Digest>,
}

/// A question as its page shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Who has to answer.
    pub principal: Principal,
    /// Through what it was asked.
    pub client: Option<Arc<str>>,
    /// What.
    pub question: Question,
    /// The answer, if there is one.
    pub answer: Option<bool>,
    /// The browser in which its person signed in.
    pub browser: Option<Digest>,
}

impl Pending {
    /// The id of the question about this call, which waits from now on if it did not. `None`: there is no room.
    #[must_use]
    pub fn ask(&self, purpose: Digest, identity: &Identity, question: &Question, now: Timestamp) -> Option<String> {
        let mut entries = self.0.lock();
        entries.retain(|_, entry| now < entry.until);
        if let Some((id, _)) = entries.iter().find(|(_, entry)| entry.purpose == purpose) {
            return Some(id.clone());
        }
        let own = || entries.iter().filter(|(_, entry)| entry.principal == identity.principal);
        let oldest = own().min_by_key(|(_, entry)| entry.until).map(|(id, _)| id.clone());
        if own().count() >= MOST_OF_ONE
            && let Some(oldest) = oldest
        {
            entries.remove(&oldest);
        }
        if entries.len() >= MOST {
            return None;
        }
        let id = format!("{:032x}", rand::random::<u128>());
        let entry = Entry {
            purpose,
            principal: identity.principal.clone(),
            client: identity.client.clone(),
            question: question.clone(),
            until: now.after(ANSWER_WITHIN),
            answer: None,
            logins: 0,
            browser: None,
        };
        entries.insert(id.clone(), entry);
        Some(id)
    }

    /// Takes the answer about this call. It is gone then.
    #[must_use]
    pub fn take(&self, purpose: Digest, now: Timestamp) -> Option<bool> {
        let mut entries = self.0.lock();
        let (id, _) = entries
            .iter()
            .find(|(_, entry)| entry.purpose == purpose && entry.answer.is_some() && now < entry.until)?;
        let id = id.clone();
        entries.remove(&id)?.answer
    }

    /// What waits under this id.
    #[must_use]
    pub fn look(&self, id: &str, now: Timestamp) -> Option<Shown> {
        let entries = self.0.lock();
        let entry = entries.get(id).filter(|entry| now < entry.until)?;
        Some(Shown {
            principal: entry.principal.clone(),
            client: entry.client.clone(),
            question: entry.question.clone(),
            answer: entry.answer,
            browser: entry.browser,
        })
    }

    /// Counts a login for this question; whether there may be one more.
    #[must_use]
    pub fn may_sign_in(&self, id: &str) -> bool {
        self.0.lock().get_mut(id).is_some_and(|entry| {
            entry.logins = entry.logins.saturating_add(1);
            entry.logins <= MOST_LOGINS
        })
    }

    /// Somebody signed in for this question in this browser. Whether it is the person whose question it is.
    #[must_use]
    pub fn signed_in(&self, id: &str, principal: &Principal, browser: Digest, now: Timestamp) -> bool {
        let mut entries = self.0.lock();
        match entries.get_mut(id).filter(|entry| now < entry.until && entry.principal == *principal) {
            Some(entry) => {
                entry.browser = Some(browser);
                true
            }
            None => false,
        }
    }

    /// The person answers, in the browser where they signed in, once. Whether that counts.
    #[must_use]
    pub fn answer(&self, id: &str, browser: Digest, is_yes: bool, now: Timestamp) -> bool {
        let mut entries = self.0.lock();
        let open = |entry: &&mut Entry| now < entry.until && entry.answer.is_none() && entry.browser == Some(browser);
        match entries.get_mut(id).filter(open) {
            Some(entry) => {
                entry.answer = Some(is_yes);
                // From here on it waits for the client to call again.
                entry.until = now.after(ANSWER_WITHIN);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Audiences, ScopeSet};

    fn identity(subject: &str) -> Identity {
        Identity {
            principal: Principal::new(&"https://sso".into(), subject).unwrap(),
            client: None,
            session: None,
            key_id: None,
            issued_at: Timestamp(0),
            expires_at: Timestamp(0),
            accepted_until: Timestamp(0),
            audiences: Audiences::default(),
            scopes: ScopeSet::default(),
            introspected: false,
        }
    }

    fn ask(pending: &Pending, subject: &str, call: usize, now: i64) -> Option<String> {
        let purpose = Digest::of(format!("{subject} {call}").as_bytes());
        pending.ask(purpose, &identity(subject), &Question::new("Really?"), Timestamp(now))
    }

    #[test]
    fn a_question_waits_five_minutes_for_its_person_and_five_more_for_the_client() {
        let (pending, browser) = (Pending::default(), Digest::of(b"browser"));
        let (alice, purpose) = (identity("alice").principal, Digest::of(b"alice 1"));
        let id = ask(&pending, "alice", 1, 0).unwrap();
        assert_eq!(ask(&pending, "alice", 1, 299).as_ref(), Some(&id), "asked once");
        assert!(pending.signed_in(&id, &alice, browser, Timestamp(299)));
        assert!(!pending.answer(&id, browser, true, Timestamp(300)), "too late");
        assert!(pending.answer(&id, browser, true, Timestamp(299)));
        assert!(!pending.answer(&id, browser, false, Timestamp(299)), "an answer is an answer");
        assert_eq!(pending.take(purpose, Timestamp(599)), None);
        assert_eq!(pending.take(purpose, Timestamp(598)), Some(true));
        assert_eq!(pending.take(purpose, Timestamp(598)), None, "once");
    }

    #[test]
    fn only_its_person_answers_and_only_in_the_browser_where_they_signed_in() {
        let (pending, browser) = (Pending::default(), Digest::of(b"browser"));
        let id = ask(&pending, "alice", 1, 0).unwrap();
        assert!(!pending.signed_in(&id, &identity("bob").principal, browser, Timestamp(1)));
        assert!(!pending.answer(&id, browser, true, Timestamp(1)));
        assert!(pending.signed_in(&id, &identity("alice").principal, browser, Timestamp(1)));
        assert!(!pending.answer(&id, Digest::of(b"another"), true, Timestamp(1)));
        assert_eq!(pending.take(Digest::of(b"alice 1"), Timestamp(1)), None);
    }

    #[test]
    fn nobody_fills_the_house() {
        let pending = Pending::default();
        let first = ask(&pending, "alice", 0, 0).unwrap();
        for call in 1..=MOST_OF_ONE {
            assert!(ask(&pending, "alice", call, 1).is_some());
        }
        assert!(pending.look(&first, Timestamp(1)).is_none(), "the oldest goes");
        let waiting = pending.0.lock().len();
        for person in waiting..MOST {
            let entry = Entry {
                purpose: Digest::of(person.to_string().as_bytes()),
                principal: identity(&person.to_string()).principal,
                client: None,
                question: Question::new("?"),
                until: Timestamp(300),
                answer: None,
                logins: 0,
                browser: None,
            };
            pending.0.lock().insert(person.to_string(), entry);
        }
        assert!(ask(&pending, "bob", 1, 2).is_none());
        assert!(ask(&pending, "bob", 1, 301).is_some(), "what is over makes room");
        let id = ask(&pending, "bob", 1, 301).unwrap();
        let logins = (0..20).filter(|_| pending.may_sign_in(&id)).count();
        assert_eq!(logins, usize::from(MOST_LOGINS));
    }
}
