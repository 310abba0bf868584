//! The exchange itself (RFC 8693 §2.1): Keycloak's Standard V2 and whatever else follows the RFC. Asked once: a blind retry would multiply
//! the load on a provider that is slow already.

use std::time::Instant;

use http::StatusCode;

use super::checked::{self, ACCESS_TOKEN, Answer};
use super::refusal;
use super::{ExchangeError, ExchangedToken, Exchanging, TokenExchanger};
use crate::metrics::{ExchangeOutcome, Metrics};
use crate::oauth::client::json;
use crate::oauth::jwks::PurgeSink;
use crate::oauth::{Issuers, ProviderFault};
use crate::token::{Clock, Identity, Purge, ScopeSet, SubjectToken, Timestamp};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Exchanges at the issuer of the subject token.
pub struct Rfc8693 {
    issuers: Issuers,
    clock: Clock,
    metrics: Metrics,
    purge: PurgeSink,
}

impl Rfc8693 {
    /// An exchanger for these issuers.
    #[must_use]
    pub fn new(issuers: Issuers, clock: Clock, metrics: Metrics, purge: PurgeSink) -> Self {
        Self { issuers, clock, metrics, purge }
    }

    async fn ask(
        &self,
        subject: &SubjectToken,
        identity: &Identity,
        scopes: &ScopeSet,
    ) -> Result<ExchangedToken, ExchangeError> {
        let name = identity.principal.issuer();
        let issuer = self.issuers.find(name).ok_or(ExchangeError::SubjectRefused)?;
        let settings = &issuer.settings;
        let metadata =
            issuer.keys.metadata().ok_or_else(|| ExchangeError::Unavailable("it has not answered yet".to_owned()))?;
        let routes = scopes.iter().map(|scope| settings.scope_at_provider(scope).into_owned());
        let asked: ScopeSet = settings.exchange_scopes.iter().map(str::to_owned).chain(routes).collect();
        let scope = asked.to_string();
        let mut form = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", subject.expose()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", settings.nextcloud_audience.as_str()),
        ];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let answer = issuer.client.post_form(&metadata.token_endpoint, &settings.client_auth, &form).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal::classify(name, answer.status, &answer.body));
        }
        let answer: Answer = json(&answer.body)?;
        if answer.not_before_policy > 0 {
            (self.purge)(Purge::NotBefore { issuer: name.clone(), moment: Timestamp(answer.not_before_policy) });
        }
        let checked = checked::check(issuer, identity, &asked, answer, self.clock.now()).await;
        if let Err(ExchangeError::Malformed(check)) = &checked {
            tracing::error!(issuer = %name, check, "the provider's token is not what was asked for; it was thrown away");
        }
        checked
    }
}

// === impl TokenExchanger ===

impl TokenExchanger for Rfc8693 {
    fn exchange<'a>(
        &'a self,
        subject: &'a SubjectToken,
        identity: &'a Identity,
        scopes: &'a ScopeSet,
    ) -> Exchanging<'a> {
        Box::pin(async move {
            let began = Instant::now();
            let outcome = self.ask(subject, identity, scopes).await;
            self.metrics.exchange_seconds.observe(began.elapsed().as_secs_f64());
            self.metrics.exchanges.count(match &outcome {
                Ok(_) => ExchangeOutcome::Ok,
                Err(ExchangeError::SubjectRefused) => ExchangeOutcome::SubjectRefused,
                Err(ExchangeError::PolicyRefused(_)) => ExchangeOutcome::PolicyRefused,
                Err(ExchangeError::Misconfigured(_)) => ExchangeOutcome::Misconfigured,
                Err(ExchangeError::Unavailable(_)) => ExchangeOutcome::Unavailable,
                Err(ExchangeError::Malformed(_)) => ExchangeOutcome::Malformed,
                Err(ExchangeError::Revoked) => ExchangeOutcome::Revoked,
            });
            if let Err(ExchangeError::Unavailable(said)) = &outcome {
                tracing::warn!(issuer = %identity.principal.issuer(), said, "the provider cannot be asked for an exchange");
            }
            outcome
        })
    }
}

impl From<ProviderFault> for ExchangeError {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Unavailable(said) => Self::Unavailable(said),
            ProviderFault::Malformed(said) => Self::Malformed(said),
        }
    }
}
