//! The realm's signing keys and the document that publishes them (RFC 7517).

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::clock;

/// Signature algorithms of RFC 7518 §3.1 and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256: the realm's own.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// A fault in the cryptographic library: no randomness, no memory.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library failed to {0}")]
pub struct CryptoError(&'static str);

enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key pair with its key id.
pub(super) struct SigningKey {
    pub kid: String,
    pub algorithm: Algorithm,
    pair: Pair,
}

/// All keys of the realm.
pub(super) struct Keys {
    current: Arc<SigningKey>,
    /// Rotated away, still published.
    old: Vec<Arc<SigningKey>>,
    /// Published beside the current one, for tests.
    added: Vec<Arc<SigningKey>>,
    /// Never published.
    rogue: Option<Arc<SigningKey>>,
}

// === impl Algorithm ===

impl Algorithm {
    /// As `alg` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

// === impl SigningKey ===

impl SigningKey {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, CryptoError> {
        let failed = |_| CryptoError("make a key");
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs512 | Algorithm::Ps256 => {
                Pair::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(failed)?)
            }
            Algorithm::Es256 => {
                Pair::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?)
            }
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::generate().map_err(failed)?),
        };
        Ok(Self { kid: clock::unguessable(32), algorithm, pair })
    }

    /// Signs with another algorithm than the key's own, if the key is of its type; else with the key's own.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let failed = |_| CryptoError("sign");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match algorithm {
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => &signature::RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signed).map_err(failed)?;
                Ok(signed)
            }
            Pair::Ec(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
        }
    }

    /// Whether `signed` is this key's signature, made with its own algorithm.
    pub(super) fn verifies(&self, message: &[u8], signed: &[u8]) -> bool {
        let (algorithm, public): (&'static dyn VerificationAlgorithm, &[u8]) = match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn VerificationAlgorithm = match self.algorithm {
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                (padding, pair.public_key().as_ref())
            }
            Pair::Ec(pair) => (&signature::ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()),
            Pair::Ed(pair) => (&signature::ED25519, pair.public_key().as_ref()),
        };
        signature::UnparsedPublicKey::new(algorithm, public).verify(message, signed).is_ok()
    }

    /// The public key as the PEM file that an operator would download: what a naive verifier may take for an HMAC secret.
    pub(super) fn public_pem(&self) -> Result<String, CryptoError> {
        let failed = |_| CryptoError("write a public key");
        let der: Vec<u8> = match &self.pair {
            Pair::Rsa(pair) => AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).map_err(failed)?.as_ref().to_vec(),
            Pair::Ec(pair) => AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).map_err(failed)?.as_ref().to_vec(),
            Pair::Ed(pair) => AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).map_err(failed)?.as_ref().to_vec(),
        };
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der)))
    }

    fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => json!({
                "kty": "RSA",
                "n": base64url(pair.public_key().modulus().big_endian_without_leading_zero()),
                "e": base64url(pair.public_key().exponent().big_endian_without_leading_zero()),
            }),
            Pair::Ec(pair) => {
                // SEC 1 §2.3.3: 0x04, then x and y of equal length.
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()) })
            }
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

// === impl Keys ===

impl Keys {
    pub(super) fn generate() -> Result<Self, CryptoError> {
        let current = Arc::new(SigningKey::generate(Algorithm::Rs256)?);
        Ok(Self { current, old: Vec::new(), added: Vec::new(), rogue: None })
    }

    pub(super) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current)
    }

    pub(super) fn rotate(&mut self) -> Result<(), CryptoError> {
        let next = Arc::new(SigningKey::generate(Algorithm::Rs256)?);
        self.old.push(std::mem::replace(&mut self.current, next));
        Ok(())
    }

    pub(super) fn drop_old(&mut self) {
        self.old.clear();
    }

    pub(super) fn add(&mut self, algorithm: Algorithm) -> Result<String, CryptoError> {
        let key = SigningKey::generate(algorithm)?;
        let kid = key.kid.clone();
        self.added.push(Arc::new(key));
        Ok(kid)
    }

    pub(super) fn rogue(&mut self) -> Result<Arc<SigningKey>, CryptoError> {
        if self.rogue.is_none() {
            self.rogue = Some(Arc::new(SigningKey::generate(Algorithm::Rs256)?));
        }
        Ok(self.rogue.clone().unwrap_or_else(|| self.current()))
    }

    /// A key that the JWKS shows.
    pub(super) fn published(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.all().find(|key| key.kid == kid).cloned()
    }

    fn all(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        std::iter::once(&self.current).chain(&self.old).chain(&self.added)
    }

    /// The JWK set: signing keys, and one for encryption beside them, as Keycloak has it.
    pub(super) fn jwks(&self) -> Value {
        let mut keys: Vec<Value> = self.all().map(|key| key.jwk()).collect();
        keys.push(encryption_key());
        json!({ "keys": keys })
    }
}

/// A key for RSA-OAEP that nobody may verify with. Its private half was thrown away when it was made: the realm decrypts
/// nothing, and a constant saves each start the time of a key.
fn encryption_key() -> Value {
    json!({ "kty": "RSA", "kid": "obo-dev-encryption", "alg": "RSA-OAEP", "use": "enc", "e": "AQAB", "n": ENCRYPTION_MODULUS })
}

const ENCRYPTION_MODULUS: &str = "mV6kBiivuI1C-Mb6wZJ1FcZofY39Oy5W34930_dq7l1rY1Wz0fasPI8ctRBUZrpeRmI029HET4B3NsP0S_hEwURbdyiD3rF73a71YPEmU8BcNw\
    l0s8nW3hkD_TZE1T9xzW13deD6h7q7GZBy117ftOAUYt2zQO2nMlKOczUaWXzJmMU_6anpELnJjM2bBYrgAciT8napWh2lXKs14BpVPi6kKzdj\
    OPI4G3BEz_IlMPtbfJH6C3GqiUVZ5U8CGc-PdYDqmowqOmzND3HoasLcIDGxUsXVt2wyXSHLQGe6NlcmX4RQKA9kHPM4pwk3T1m0xXNVSN_6lW\
    1ZYZyLUb_ybQ";

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
