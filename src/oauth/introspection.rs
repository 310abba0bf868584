//! Opaque tokens: the issuer is asked (RFC 7662). Strangers can make us ask, so there is a token bucket before it and a cache of refusals.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use parking_lot::Mutex;
use serde::Deserialize;

use super::client::{self, ProviderFault};
use super::issuer::Issuer;
use super::jwt::Claims;
use super::verifier::{TokenFault, VerifyError, admit};
use crate::flight::{Boarded, Control, Flight};
use crate::token::{Clock, Digest, Identity, SubjectToken, Timestamp};

/// An issuer's "active" is believed this long, and never past the token's `exp`.
pub const POSITIVE: Duration = Duration::from_mins(1);
/// Its "not active" is believed this long.
const NEGATIVE: Duration = Duration::from_secs(10);
/// So many refusals are remembered, apart from everything else.
const MOST_NEGATIVE: u64 = 10_000;
/// So many unknown opaque tokens may be asked for in a second, and this many at once.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();

type Verdict = Result<Identity, VerifyError>;

/// Asks one issuer about opaque tokens.
pub struct Introspector {
    issuer: Arc<Issuer>,
    control: Control,
    clock: Clock,
    bucket: DefaultDirectRateLimiter,
    refused: Cache<Digest, (TokenFault, Timestamp), foldhash::fast::RandomState>,
    flights: Mutex<HashMap<Digest, Arc<Flight<Verdict>>>>,
}

#[derive(Deserialize)]
struct Answer {
    active: bool,
    token_type: Option<String>,
    #[serde(flatten)]
    claims: serde_json::Map<String, serde_json::Value>,
}

impl Introspector {
    /// An introspector at this issuer.
    #[must_use]
    pub fn new(issuer: Arc<Issuer>, control: Control, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            control,
            clock,
            bucket: RateLimiter::direct(Quota::per_second(PER_SECOND).allow_burst(BURST)),
            refused: Cache::builder()
                .max_capacity(MOST_NEGATIVE)
                .build_with_hasher(foldhash::fast::RandomState::default()),
            flights: Mutex::new(HashMap::new()),
        })
    }

    /// Asks whether a token is good and whose it is; one question at a time for one token.
    ///
    /// # Errors
    /// [`VerifyError`]; refusals are remembered for seconds.
    pub async fn introspect(self: &Arc<Self>, token: &SubjectToken) -> Verdict {
        let digest = token.digest();
        if let Some((fault, until)) = self.refused.get(&digest)
            && self.clock.now() < until
        {
            return Err(fault.into());
        }
        let flight = self.flights.lock().entry(digest).or_default().clone();
        let mut shed = false;
        let boarded = flight.board(&self.control, || {
            shed = self.bucket.check().is_err();
            let (own, token) = (self.clone(), token.clone());
            (!shed).then_some(async move {
                let verdict = own.ask(&token).await;
                own.land(digest, &verdict);
                verdict
            })
        });
        match boarded {
            Boarded::Began(waiting) | Boarded::Joined(waiting) => waiting
                .outcome()
                .await
                .unwrap_or_else(|| Err(VerifyError::Unavailable("the introspection was cut off".to_owned()))),
            Boarded::Declined => {
                self.flights.lock().remove(&digest);
                Err(VerifyError::Overloaded)
            }
        }
    }

    fn land(&self, digest: Digest, verdict: &Verdict) {
        if let Err(VerifyError::Refused(fault)) = verdict {
            self.refused.insert(digest, (*fault, self.clock.now().after(NEGATIVE)));
        }
        self.flights.lock().remove(&digest);
    }

    async fn ask(&self, token: &SubjectToken) -> Verdict {
        let metadata = self
            .issuer
            .keys
            .metadata()
            .ok_or_else(|| VerifyError::Unavailable("it has not answered yet".to_owned()))?;
        let endpoint = metadata
            .introspection_endpoint
            .as_ref()
            .ok_or_else(|| VerifyError::Misconfigured("it names no introspection endpoint".to_owned()))?;
        let form = [("token", token.expose()), ("token_type_hint", "access_token")];
        let answer = self.issuer.client.post_form(endpoint, &self.issuer.settings.client_auth, &form).await?;
        if answer.status != http::StatusCode::OK {
            let said =
                format!("introspection answered {}; check client_id and client_secret_file", answer.status.as_u16());
            tracing::error!(issuer = %self.issuer.settings.issuer, "{said}");
            return Err(VerifyError::Misconfigured(said));
        }
        self.judge(client::json(&answer.body)?)
    }

    fn judge(&self, answer: Answer) -> Verdict {
        if !answer.active {
            return Err(TokenFault::Inactive.into());
        }
        let now = self.clock.now();
        let settings = &self.issuer.settings;
        let mut claims: Claims = serde_json::from_value(serde_json::Value::Object(answer.claims))
            .map_err(|error| VerifyError::Malformed(error.to_string()))?;
        let bearer = |kind: &Option<String>| kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !bearer(&answer.token_type) || !bearer(&claims.typ) {
            return Err(TokenFault::NotAnAccessToken.into());
        }
        if claims.iss.as_ref().is_some_and(|issuer| **issuer != *settings.issuer) {
            return Err(TokenFault::Issuer.into());
        }
        // RFC 7662 §2.2 does not require `exp`; what the issuer vouches for now is believed for the shortest time.
        let believed_until = now.after(POSITIVE);
        claims.exp.get_or_insert(super::jwt::NumericDate(believed_until));
        let mut identity = admit(settings, claims, now)?;
        identity.expires_at = identity.expires_at.min(believed_until);
        // No leeway: whoever vouched for it has the clock that counts.
        identity.accepted_until = identity.expires_at;
        identity.introspected = true;
        Ok(identity)
    }
}

impl From<ProviderFault> for VerifyError {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Unavailable(said) => Self::Unavailable(said),
            ProviderFault::Malformed(said) => Self::Malformed(said),
        }
    }
}
