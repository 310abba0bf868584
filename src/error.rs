//! Why a request was not served. Names the culprit; `middleware/respond.rs` alone knows what the caller is told.

use crate::exchange::ExchangeError;
use crate::nextcloud::dav_body::AmbiguousBody;
use crate::nextcloud::destination::BadDestination;
use crate::nextcloud::never::Never;
use crate::nextcloud::policy::Refusal;
use crate::nextcloud::target::Ambiguous;
use crate::oauth::{TokenFault, VerifyError};
use crate::token::ScopeSet;

/// A refusal or a failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No `Authorization`, or another scheme than `Bearer`.
    #[error("no bearer token")]
    NoToken,
    /// The request can be read in more than one way, or not at all.
    #[error("bad request: {0}")]
    BadRequest(BadRequest),
    /// The token is not good.
    #[error("bad token: {0}")]
    BadToken(TokenFault),
    /// No bearer may go there.
    #[error("forbidden route: {}", .0.reason())]
    ForbiddenRoute(Never),
    /// The token was not granted what the request needs. Holds what to ask the provider for.
    #[error("insufficient scope: {0} would do")]
    InsufficientScope(ScopeSet),
    /// The policy opens it for no scope, or a switch against egress closes it.
    #[error("refused by policy: {0}")]
    PolicyRefused(Refusal),
    /// The method is not on the list.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// `/mcp` was called by a name, or from a web page, that is not welcome.
    #[error("foreign {0}")]
    ForeignSite(Site),
    /// `/mcp` knows POST alone: there are no sessions to listen to or to end.
    #[error("POST only")]
    PostOnly,
    /// We have no such page.
    #[error("no such page")]
    NoSuchPage,
    /// The target is too long.
    #[error("target too long")]
    TargetTooLong,
    /// The body is larger than configured.
    #[error("body too large")]
    BodyTooLarge,
    /// The provider accepts the subject token no longer.
    #[error("the provider refused the subject token")]
    SubjectRefused,
    /// The provider's policy refuses the exchange.
    #[error("exchange refused: {0}")]
    ExchangeRefused(String),
    /// The provider is not set up for us.
    #[error("provider misconfigured: {0}")]
    ProviderMisconfigured(String),
    /// The provider cannot be asked.
    #[error("provider unavailable: {0}")]
    ProviderUnavailable(String),
    /// The provider broke the protocol, or law 4 failed.
    #[error("provider malformed: {0}")]
    ProviderMalformed(String),
    /// Nextcloud cannot be reached, or the connection broke before an answer.
    #[error("nextcloud unreachable: {0}")]
    NextcloudUnreachable(String),
    /// Nextcloud did not answer in time.
    #[error("nextcloud timed out: {0}")]
    NextcloudTimeout(&'static str),
    /// Nextcloud refused the exchanged token for good.
    #[error("nextcloud rejected the exchanged token")]
    NextcloudRejectedToken,
    /// The house is full.
    #[error("overloaded")]
    Overloaded,
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// What names a foreign site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Site {
    /// The host by which we were called.
    #[error("Host")]
    Host,
    /// The web page that calls.
    #[error("Origin")]
    Origin,
}

/// What makes a request unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// Several `Authorization` headers.
    #[error("several Authorization headers")]
    SeveralTokens,
    /// A token in the query (RFC 6750 §2.3 is not supported).
    #[error("access_token in the query")]
    TokenInQuery,
    /// An ambiguous or malformed target.
    #[error("ambiguous target: {}", .0.as_str())]
    Target(Ambiguous),
    /// A `Destination` that cannot be followed.
    #[error("bad Destination: {}", .0.as_str())]
    Destination(BadDestination),
    /// Several `Destination` headers.
    #[error("several Destination headers")]
    SeveralDestinations,
    /// Several `If` headers.
    #[error("several If headers")]
    SeveralConditions,
    /// An `If` with resource tags that cannot be taken apart in one way only.
    #[error("ambiguous If")]
    Conditions,
    /// A resource tag in `If` that cannot be followed.
    #[error("bad tag in If: {}", .0.as_str())]
    Tag(BadDestination),
    /// A body that has more than one reading, where its reading decides.
    #[error("ambiguous body: {0}")]
    AmbiguousBody(AmbiguousBody),
    /// A path in a body that cannot be followed.
    #[error("ambiguous body: bad href: {}", .0.as_str())]
    Href(BadDestination),
    /// Two hosts.
    #[error("contradictory Host")]
    Host,
    /// A transfer coding other than a single `chunked`.
    #[error("unsupported Transfer-Encoding")]
    TransferEncoding,
    /// `Connection` names a field that is not hop-by-hop.
    #[error("Connection names an end-to-end field")]
    Connection,
    /// The body broke off.
    #[error("the body broke off")]
    Body,
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(fault) => Self::BadToken(fault),
            VerifyError::Unavailable(said) => Self::ProviderUnavailable(said),
            VerifyError::Malformed(said) => Self::ProviderMalformed(said),
            VerifyError::Misconfigured(said) => Self::ProviderMisconfigured(said),
            VerifyError::Overloaded => Self::Overloaded,
        }
    }
}

impl From<ExchangeError> for Error {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::SubjectRefused => Self::SubjectRefused,
            ExchangeError::PolicyRefused(said) => Self::ExchangeRefused(said),
            ExchangeError::Misconfigured(said) => Self::ProviderMisconfigured(said),
            ExchangeError::Unavailable(said) => Self::ProviderUnavailable(said),
            ExchangeError::Malformed(said) => Self::ProviderMalformed(said),
            ExchangeError::Revoked => Self::BadToken(TokenFault::Revoked),
        }
    }
}

impl From<Ambiguous> for Error {
    fn from(reason: Ambiguous) -> Self {
        Self::BadRequest(BadRequest::Target(reason))
    }
}

impl From<AmbiguousBody> for Error {
    fn from(reason: AmbiguousBody) -> Self {
        Self::BadRequest(BadRequest::AmbiguousBody(reason))
    }
}

impl From<BadRequest> for Error {
    fn from(reason: BadRequest) -> Self {
        Self::BadRequest(reason)
    }
}
