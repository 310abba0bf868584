//! What an answer to "who am I" says: whether it opened a session that may be kept, and whether a session that is kept is still its
//! person's.

use http::StatusCode;
use serde::Deserialize;

use super::cookies::{Login, SessionCookies};
use super::courier::{NoAnswer, Told};
use crate::token::Timestamp;

/// What came of an opening.
#[derive(Debug)]
pub enum Opening {
    /// A session of this user.
    Session {
        /// The uid at Nextcloud, which only Nextcloud knows.
        uid: String,
        /// Its cookies.
        cookies: SessionCookies,
    },
    /// The bearer is good, but nobody was logged in by it: user_oidc 8.7 to 8.10, where sessions save nothing.
    Useless,
    /// Refused, or in no shape that could be trusted.
    Refused,
    /// No answer.
    Unreachable,
}

impl Opening {
    /// Judges the answer to a request with a bearer and without cookies. It is adopted only if it names a user, sets `nc_username` to the same
    /// one, and sets both cookies of the session: `X-User-Id` is no proof, and an anonymous session would become whoever's comes next.
    #[must_use]
    pub fn judge(told: Result<Told, NoAnswer>, now: Timestamp) -> Self {
        let Ok(told) = told else { return Self::Unreachable };
        if told.status.is_server_error() || told.status == StatusCode::TOO_MANY_REQUESTS {
            return Self::Unreachable;
        }
        let Some(uid) = uid(&told) else { return Self::Refused };
        let login = Login::read(&told.headers, now);
        match (login.username, login.cookies) {
            (None, _) => Self::Useless,
            (Some(username), Some(cookies)) if username == uid => Self::Session { uid, cookies },
            (Some(_), _) => Self::Refused,
        }
    }
}

/// What came of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The session is its person's.
    Good,
    /// Nextcloud set another session.
    Changed,
    /// It is nobody's, or somebody else's.
    Refuted,
    /// Nextcloud could not say: no answer, overload, maintenance.
    Unknown,
}

impl Proof {
    /// Judges the answer to a request with a bearer and the session of this user.
    #[must_use]
    pub fn judge(told: Result<Told, NoAnswer>, of: &str, cookies: &SessionCookies, now: Timestamp) -> Self {
        let Ok(told) = told else { return Self::Unknown };
        if told.status.is_server_error() || told.status == StatusCode::TOO_MANY_REQUESTS {
            return Self::Unknown;
        }
        if uid(&told).is_none_or(|uid| uid != of) {
            return Self::Refuted;
        }
        if cookies.changed_by(&told.headers, now) { Self::Changed } else { Self::Good }
    }
}

/// The uid that a good answer names.
fn uid(told: &Told) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        ocs: Ocs,
    }
    #[derive(Deserialize)]
    struct Ocs {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        id: String,
    }
    if told.status != StatusCode::OK {
        return None;
    }
    let envelope: Envelope = serde_json::from_slice(&told.body).ok()?;
    Some(envelope.ocs.data.id).filter(|uid| !uid.is_empty())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_260_000);
    const SESSION: &str = "ocht9c3fo3al=s4; path=/";
    const PASS: &str = "oc_sessionPassphrase=p; path=/";
    const ALICE: &str = r#"{"ocs":{"meta":{"status":"ok"},"data":{"enabled":true,"id":"alice"}}}"#;

    fn told(status: u16, lines: &[&str], body: &'static str) -> Result<Told, NoAnswer> {
        let headers: HeaderMap = lines.iter().map(|line| (SET_COOKIE, HeaderValue::from_str(line).unwrap())).collect();
        Ok(Told { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from_static(body.as_bytes()) })
    }

    fn opening(status: u16, lines: &[&str], body: &'static str) -> Opening {
        Opening::judge(told(status, lines, body), NOW)
    }

    #[test]
    fn a_session_is_adopted_only_if_the_answer_logs_in_whom_it_names() {
        let good = &[PASS, "nc_username=alice; Max-Age=9", SESSION];
        assert!(matches!(opening(200, good, ALICE), Opening::Session { uid, .. } if uid == "alice"));
        for (status, lines, body) in [
            (200, &[PASS, "nc_username=bob; Max-Age=9", SESSION][..], ALICE),
            (200, &["nc_username=alice; Max-Age=9", SESSION], ALICE),
            (200, &[PASS, "nc_username=alice; Max-Age=9"], ALICE),
            (200, good, r#"{"ocs":{"data":{"id":""}}}"#),
            (200, good, r#"{"ocs":{"data":[]}}"#),
            (200, good, "<ocs/>"),
            (201, good, ALICE),
            (303, good, ALICE),
            (401, good, ALICE),
        ] {
            assert!(matches!(opening(status, lines, body), Opening::Refused), "{status} {lines:?} {body}");
        }
    }

    #[test]
    fn naming_the_user_without_logging_in_is_the_useless_generation() {
        assert!(matches!(opening(200, &[PASS, SESSION], ALICE), Opening::Useless));
        let thrown_out = &[PASS, "nc_username=alice; Max-Age=9", "nc_username=deleted; Max-Age=0", SESSION];
        assert!(matches!(opening(200, thrown_out, ALICE), Opening::Useless));
    }

    #[test]
    fn trouble_at_nextcloud_says_nothing_about_anybody() {
        for status in [429, 500, 502, 503] {
            assert!(matches!(opening(status, &[], ""), Opening::Unreachable), "{status}");
        }
        assert!(matches!(Opening::judge(Err(NoAnswer), NOW), Opening::Unreachable));
    }

    #[test]
    fn a_proof_is_the_same_user_in_the_same_session() {
        let cookies = Login::read(&told(200, &[PASS, SESSION], "").unwrap().headers, NOW).cookies.unwrap();
        let proof = |answer| Proof::judge(answer, "alice", &cookies, NOW);
        assert_eq!(proof(told(200, &[SESSION], ALICE)), Proof::Good);
        assert_eq!(proof(told(200, &[], ALICE)), Proof::Good);
        assert_eq!(proof(told(200, &["ocht9c3fo3al=s5"], ALICE)), Proof::Changed);
        assert_eq!(proof(told(200, &[], r#"{"ocs":{"data":{"id":"bob"}}}"#)), Proof::Refuted);
        assert_eq!(proof(told(401, &[], ALICE)), Proof::Refuted);
        assert_eq!(proof(told(303, &[], "")), Proof::Refuted);
        for status in [429, 500, 503] {
            assert_eq!(proof(told(status, &[], "")), Proof::Unknown, "{status}");
        }
        assert_eq!(proof(Err(NoAnswer)), Proof::Unknown);
    }
}
