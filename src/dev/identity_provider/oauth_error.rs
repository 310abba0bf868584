//! Errors of RFC 6749 §5.2, in Keycloak's words.

use serde_json::json;

use super::super::answer::Answer;
use super::keys::CryptoError;

/// What the token endpoint and its neighbours refuse with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub status: u16,
    error: &'static str,
    description: String,
}

// === impl OAuthError ===

impl OAuthError {
    pub(super) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", description)
    }

    /// Keycloak sends no `WWW-Authenticate` with these.
    pub(super) fn into_answer(self) -> Answer {
        uncached(Answer::json(self.status, &json!({ "error": self.error, "error_description": self.description })))
    }
}

impl From<CryptoError> for OAuthError {
    fn from(error: CryptoError) -> Self {
        Self::new(500, "unknown_error", error.to_string())
    }
}

/// RFC 6749 §5.1.
pub(super) fn uncached(answer: Answer) -> Answer {
    answer.header("cache-control", "no-store").header("pragma", "no-cache")
}
