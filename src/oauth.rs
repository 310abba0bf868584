//! The identity provider, a file per specification. All its traffic runs on the control runtime.

pub mod browser;
pub mod challenge_scopes;
pub mod client;
pub mod client_auth;
pub mod id_token;
pub mod introspection;
pub mod issuer;
pub mod jwk_set;
pub mod jwks;
pub mod jwt;
pub mod login;
pub mod metadata;
pub mod settings;
pub mod verifier;

pub use challenge_scopes::ChallengeScopes;
pub use client::{ProviderClient, ProviderFault};
pub use client_auth::ClientAuth;
pub use issuer::{Issuer, Issuers};
pub use settings::{IssuerSettings, Profile};
pub use verifier::{TokenFault, Verifier, VerifyError};
