//! The settings of one issuer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use super::client_auth::ClientAuth;
use crate::token::ScopeSet;

/// How long an issuer's keys serve before they are fetched anew.
pub const KEYS_TTL: Duration = Duration::from_mins(10);
/// An unknown `kid` makes us fetch the keys at most this often; strangers choose `kid`s.
pub const KEYS_COOLDOWN: Duration = Duration::from_secs(10);
/// The last good keys stay this long while the issuer cannot be reached.
pub const KEYS_LAST_GOOD: Duration = Duration::from_hours(1);

/// What kind of provider an issuer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Keycloak: every user token has a `sid`; `jti` tells the grant; errors are told apart by their description.
    Keycloak,
    /// Any provider that follows RFC 8693 and RFC 9068.
    Generic,
}

/// Whose scopes decide what a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopesFrom {
    /// The caller's own token's.
    Caller,
    /// The exchanged token's, which the provider grants by its own rules. Nothing is asked for by route then.
    Obtained,
}

/// One issuer, resolved.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// The exact `iss` of its tokens.
    pub issuer: Arc<str>,
    /// Where its metadata stands; may be an internal address.
    pub discovery_url: Url,
    /// Overrides of discovered endpoints.
    pub token_endpoint: Option<Url>,
    /// Override of the discovered key set.
    pub jwks_uri: Option<Url>,
    /// Override of the discovered introspection endpoint.
    pub introspection_endpoint: Option<Url>,
    /// What kind of provider it is.
    pub profile: Profile,
    /// The algorithms that its tokens may be signed with; all asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// The audiences of which a subject token must name one.
    pub audiences: Vec<String>,
    /// The clients whose tokens are welcome; empty: all.
    pub allowed_clients: Vec<String>,
    /// How far clocks may differ, at most 60 s.
    pub leeway: Duration,
    /// Whether opaque tokens are this issuer's, to be introspected (RFC 7662). One issuer at the most.
    pub introspection: bool,
    /// How we authenticate to it.
    pub client_auth: ClientAuth,
    /// The audience that the exchanged token must have, and no other.
    pub nextcloud_audience: String,
    /// The scopes that every exchange asks for.
    pub exchange_scopes: ScopeSet,
    /// The scopes that the provider grants unasked, because they are defaults of our client there.
    pub default_scopes: ScopeSet,
    /// Whose scopes decide.
    pub scopes_from: ScopesFrom,
    /// What stands before the names of the policy's scopes at this provider, such as `api://nextcloud/`.
    pub scope_prefix: Box<str>,
}

impl IssuerSettings {
    /// The provider's name of a scope of the policy.
    #[must_use]
    pub fn scope_at_provider<'s>(&self, scope: &'s str) -> Cow<'s, str> {
        if self.scope_prefix.is_empty() { Cow::Borrowed(scope) } else { format!("{}{scope}", self.scope_prefix).into() }
    }

    /// The policy's name of a scope of the provider, which may leave the prefix out.
    #[must_use]
    pub fn scope_here<'s>(&self, scope: &'s str) -> &'s str {
        scope.strip_prefix(&*self.scope_prefix).unwrap_or(scope)
    }
}
