//! A provider's public keys, parsed once (RFC 7517). A key verifies only what it is published for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// More keys than this are not read from one provider.
const MOST_KEYS: usize = 128;
/// RSA keys below this many bits are not used (RFC 7518 §3.3).
const SMALLEST_RSA_BITS: usize = 2048;

/// Verifying keys by `kid`.
#[derive(Debug, Default)]
pub struct JwkSet {
    keys: HashMap<Arc<str>, Vec<VerifyingKey>>,
}

#[derive(Debug)]
struct VerifyingKey {
    key: DecodingKey,
    algorithms: &'static [Algorithm],
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl JwkSet {
    /// Reads a key set. Keys for encryption, without `kid`, too weak, or of a kind that we do not know are skipped: one odd key must not
    /// cost the good ones.
    ///
    /// # Errors
    /// If the document is no key set.
    pub fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(document)?;
        let mut keys: HashMap<Arc<str>, Vec<VerifyingKey>> = HashMap::new();
        for value in document.keys.into_iter().take(MOST_KEYS) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
            if let (Some(kid), Some(key)) = (jwk.common.key_id.clone(), verifying(&jwk)) {
                keys.entry(kid.into()).or_default().push(key);
            }
        }
        Ok(Self { keys })
    }

    /// The key of this id that is published for this algorithm.
    #[must_use]
    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&DecodingKey> {
        self.keys
            .get(kid)?
            .iter()
            .find(|candidate| candidate.algorithms.contains(&algorithm))
            .map(|candidate| &candidate.key)
    }

    /// Whether there is any key of this id.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    /// The ids of all keys.
    #[must_use]
    pub fn ids(&self) -> HashSet<Arc<str>> {
        self.keys.keys().cloned().collect()
    }
}

fn verifying(jwk: &Jwk) -> Option<VerifyingKey> {
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let may_verify =
        jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !for_signatures || !may_verify {
        return None;
    }
    let fitting = fitting_algorithms(&jwk.algorithm)?;
    let algorithms = match jwk.common.key_algorithm {
        None => fitting,
        Some(named) => {
            let named = Algorithm::try_from(named).ok()?;
            let at = fitting.iter().position(|algorithm| *algorithm == named)?;
            fitting.get(at..=at)?
        }
    };
    Some(VerifyingKey { key: DecodingKey::from_jwk(jwk).ok()?, algorithms })
}

/// The algorithms that a key of this kind can verify. Symmetric keys verify nothing here.
fn fitting_algorithms(parameters: &AlgorithmParameters) -> Option<&'static [Algorithm]> {
    match parameters {
        AlgorithmParameters::RSA(rsa) if rsa_bits(&rsa.n)? >= SMALLEST_RSA_BITS => Some(&[
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::RS384,
            Algorithm::PS384,
            Algorithm::RS512,
            Algorithm::PS512,
        ]),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => Some(&[Algorithm::ES256]),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => Some(&[Algorithm::ES384]),
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => Some(&[Algorithm::EdDSA]),
        _ => None,
    }
}

fn rsa_bits(modulus: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(modulus).ok()?;
    let leading_zero_bytes = bytes.iter().take_while(|&&byte| byte == 0).count();
    let first = bytes.get(leading_zero_bytes)?;
    Some((bytes.len() - leading_zero_bytes) * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(bytes: usize, extra: &str) -> String {
        let modulus = URL_SAFE_NO_PAD.encode(vec![0xc5; bytes]);
        format!(r#"{{"kty":"RSA","n":"{modulus}","e":"AQAB"{extra}}}"#)
    }

    fn set(keys: &[String]) -> JwkSet {
        JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    #[test]
    fn an_encryption_key_is_not_used_whatever_its_place() {
        let keys = set(&[
            rsa(256, r#","kid":"e","use":"enc","alg":"RSA-OAEP""#),
            rsa(256, r#","kid":"f","use":"enc""#),
            rsa(256, r#","kid":"s","use":"sig","alg":"RS256""#),
        ]);
        assert!(keys.find("s", Algorithm::RS256).is_some());
        assert!(!keys.has("e"));
        assert!(!keys.has("f"), "its use alone says so");
    }

    #[test]
    fn a_key_verifies_only_the_algorithm_it_is_published_for() {
        let keys = set(&[rsa(256, r#","kid":"s","use":"sig","alg":"RS256""#)]);
        assert!(keys.find("s", Algorithm::PS256).is_none());
        assert!(keys.find("s", Algorithm::HS256).is_none());
        let open = set(&[rsa(256, r#","kid":"s""#)]);
        assert!(open.find("s", Algorithm::PS256).is_some());
        assert!(open.find("s", Algorithm::ES256).is_none());
    }

    #[test]
    fn weak_unnamed_symmetric_and_unknown_keys_are_skipped() {
        let keys = set(&[
            rsa(128, r#","kid":"weak""#),
            rsa(256, ""),
            r#"{"kty":"oct","k":"c2VjcmV0","kid":"oct"}"#.to_owned(),
            r#"{"kty":"AKP","alg":"ML-DSA-65","pub":"AA","kid":"pq"}"#.to_owned(),
            r#"{"kty":"OKP","crv":"X25519","x":"AA","kid":"x"}"#.to_owned(),
            r#"{"kty":5}"#.to_owned(),
            rsa(256, r#","kid":"good""#),
        ]);
        assert_eq!(keys.ids(), HashSet::from(["good".into()]));
    }

    #[test]
    fn a_key_that_is_only_for_signing_does_not_verify() {
        assert!(!set(&[rsa(256, r#","kid":"s","key_ops":["sign"]"#)]).has("s"));
    }
}
