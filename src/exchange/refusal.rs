//! What a provider's refusal means. RFC 6749 §5.2 and RFC 8693 §2.2.2 give the codes; Keycloak uses one code for six causes, so its
//! descriptions decide as well, with a safe default: an unknown refusal is the operator's, it neither logs anybody out nor loops a client.

use http::StatusCode;
use serde::Deserialize;

use super::ExchangeError;

/// An error answer (RFC 6749 §5.2).
#[derive(Debug, Deserialize)]
pub struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Whose fault a refusal is, before the words for the log are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    Subject,
    Policy,
    SetUp,
}

/// What to look at, said in the provider's own settings.
struct Rule {
    error: &'static str,
    /// The description begins so; empty: whatever it says.
    description: &'static str,
    blame: Blame,
    setting: &'static str,
}

const fn rule(error: &'static str, description: &'static str, blame: Blame, setting: &'static str) -> Rule {
    Rule { error, description, blame, setting }
}

/// Read from top to bottom; the first rule that fits decides. Texts measured on Keycloak 26.4.2 and 26.7.3.
const RULES: &[Rule] = &[
    rule("invalid_request", "Invalid token", Blame::Subject, HOSTNAME),
    rule("invalid_grant", "", Blame::Subject, HOSTNAME),
    rule("invalid_token", "", Blame::Subject, HOSTNAME),
    rule(
        "invalid_request",
        "Standard token exchange is not enabled",
        Blame::SetUp,
        "client mcp-server: switch on \"Standard token exchange\" (attribute standard.token.exchange.enabled = \"true\")",
    ),
    rule(
        "invalid_request",
        "Requested audience not available",
        Blame::SetUp,
        "client mcp-server: its scopes or its own mappers need an audience mapper (oidc-audience-mapper) for the audience asked for",
    ),
    rule(
        "invalid_request",
        "The size of OIDC parameter",
        Blame::SetUp,
        "server option --spi-login-protocol--openid-connect--req-params-max-size--subject_token: the subject token is longer than it allows",
    ),
    rule(
        "invalid_request",
        "Sender-constrained",
        Blame::Policy,
        "the login client binds its tokens (DPoP, mTLS): Keycloak does not exchange those for another client",
    ),
    rule(
        "invalid_request",
        "DPoP",
        Blame::Policy,
        "the login client binds its tokens (DPoP): Keycloak does not exchange those for another client",
    ),
    rule(
        "invalid_request",
        "HTTPS required",
        Blame::SetUp,
        "realm setting \"Require SSL\": use https for the token endpoint",
    ),
    rule(
        "invalid_client",
        "Audience not found",
        Blame::SetUp,
        "there is no client with the id that stands in nextcloud_audience",
    ),
    rule("invalid_client", "Client disabled", Blame::SetUp, "the client that stands in nextcloud_audience is disabled"),
    rule("invalid_client", "Public client", Blame::SetUp, "client mcp-server: switch on \"Client authentication\""),
    rule("invalid_client", "", Blame::SetUp, "client_id, client_secret_file or client_auth of this issuer"),
    rule("unauthorized_client", "", Blame::SetUp, "client_id, client_secret_file or client_auth of this issuer"),
    rule("unsupported_grant_type", "", Blame::SetUp, "the provider knows no token exchange (Keycloak: 26.2 or newer)"),
    rule("invalid_scope", "Missing consents", Blame::SetUp, "client mcp-server: switch off \"Consent required\""),
    rule(
        "invalid_scope",
        "",
        Blame::SetUp,
        "client mcp-server: assign the scopes of exchange_scopes as optional client scopes",
    ),
    rule("invalid_target", "", Blame::SetUp, "nextcloud_audience of this issuer, or the provider's rules for targets"),
    rule("access_denied", "Realm not enabled", Blame::SetUp, "the realm is disabled"),
    rule(
        "access_denied",
        "Client is not within the token audience",
        Blame::Policy,
        "the login client's tokens need the audience mcp-server: add an audience mapper for our client id to it",
    ),
    rule("access_denied", "", Blame::Policy, "the provider's policies"),
    rule("interaction_required", "", Blame::Policy, "the provider's policies (the user has to act)"),
    rule("consent_required", "", Blame::Policy, "the provider's policies (the user has to consent)"),
    rule("login_required", "", Blame::Policy, "the provider's policies (the user has to log in)"),
    rule("insufficient_scope", "", Blame::Policy, "the provider's policies"),
];

const HOSTNAME: &str = "the subject token passed our own verification, so either its session has ended, or the provider sees another issuer than the \
    token: with Keycloak set --hostname (and --hostname-backchannel-dynamic=true for internal addresses)";

/// Classifies an answer that is no success, and says in the log which setting to look at.
#[must_use]
pub fn classify(issuer: &str, status: StatusCode, body: &[u8]) -> ExchangeError {
    let Ok(Refusal { error, error_description }) = serde_json::from_slice::<Refusal>(body) else {
        return ExchangeError::Malformed(format!("status {} without an OAuth error", status.as_u16()));
    };
    let fitting = RULES.iter().find(|rule| rule.error == error && error_description.starts_with(rule.description));
    let (blame, setting) = fitting
        .map_or((Blame::SetUp, "the provider's own log: it gave a reason that obo-proxy does not know"), |rule| {
            (rule.blame, rule.setting)
        });
    // Both texts are the provider's: bounded, and never shown to the caller.
    let said: String = format!("{error}: {error_description}").chars().take(300).collect();
    match blame {
        Blame::Subject => {
            tracing::warn!(issuer, said, setting, "the provider no longer accepts a subject token");
            ExchangeError::SubjectRefused
        }
        Blame::Policy => {
            tracing::warn!(issuer, said, setting, "the provider's policy refuses an exchange");
            ExchangeError::PolicyRefused(said)
        }
        Blame::SetUp => {
            tracing::error!(issuer, said, setting, "the provider is not set up for the exchange");
            ExchangeError::Misconfigured(said)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blame(status: u16, error: &str, description: &str) -> &'static str {
        let body = serde_json::json!({ "error": error, "error_description": description }).to_string();
        match classify("https://sso", StatusCode::from_u16(status).unwrap(), body.as_bytes()) {
            ExchangeError::SubjectRefused => "subject",
            ExchangeError::PolicyRefused(_) => "policy",
            ExchangeError::Misconfigured(_) => "set-up",
            ExchangeError::Malformed(_) => "malformed",
            ExchangeError::Unavailable(_) | ExchangeError::Revoked => "other",
        }
    }

    #[test]
    fn every_row_of_keycloaks_table_has_its_culprit() {
        for (status, error, description, expected) in [
            (400, "invalid_request", "Invalid token", "subject"),
            (400, "invalid_grant", "Token is not active", "subject"),
            (403, "access_denied", "Client is not within the token audience", "policy"),
            (
                400,
                "invalid_request",
                "Sender-constrained token exchange rejected as the token was not issued for the requesting client",
                "policy",
            ),
            (400, "invalid_request", "DPoP proof is missing", "policy"),
            (400, "invalid_request", "Standard token exchange is not enabled for the requested client", "set-up"),
            (400, "invalid_request", "Requested audience not available: nextcloud", "set-up"),
            (400, "invalid_request", "The size of OIDC parameter 'subject_token' is longer than allowed.", "set-up"),
            (400, "invalid_client", "Audience not found", "set-up"),
            (400, "invalid_client", "Client disabled", "set-up"),
            (400, "invalid_client", "Public client is not allowed to exchange token", "set-up"),
            (401, "invalid_client", "Invalid client or Invalid client credentials", "set-up"),
            (401, "unauthorized_client", "Invalid client or Invalid client credentials", "set-up"),
            (400, "unsupported_grant_type", "Unsupported grant_type", "set-up"),
            (400, "invalid_scope", "Invalid scopes: files.read", "set-up"),
            (400, "invalid_scope", "Missing consents for Token Exchange in client mcp-server", "set-up"),
            (400, "invalid_target", "", "set-up"),
            (403, "access_denied", "Realm not enabled", "set-up"),
            (403, "invalid_request", "HTTPS required", "set-up"),
            (400, "interaction_required", "AADSTS50076", "policy"),
        ] {
            assert_eq!(blame(status, error, description), expected, "{error}: {description}");
        }
    }

    #[test]
    fn an_unknown_refusal_is_the_operators_and_never_logs_anybody_out() {
        assert_eq!(blame(400, "invalid_request", "Something new in Keycloak 27"), "set-up");
        assert_eq!(blame(418, "teapot", ""), "set-up");
    }

    #[test]
    fn an_answer_that_is_no_oauth_error_breaks_the_protocol() {
        assert!(matches!(classify("i", StatusCode::NOT_FOUND, b"<html>"), ExchangeError::Malformed(_)));
    }
}
