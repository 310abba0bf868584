//! Tokens in memory. They cannot be printed, compared, serialized or used as keys; `expose` is the word to grep for.

use std::fmt;

use http::HeaderValue;

use super::digest::Digest;

/// What the caller sent in `Authorization: Bearer` (Flow 1). Shares the bytes of the received header.
#[derive(Clone)]
pub struct SubjectToken {
    header: HeaderValue,
    start: usize,
}

/// Why an `Authorization` header carries no bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotABearer {
    /// Another scheme, or none.
    OtherScheme,
    /// The scheme is `Bearer` but what follows is not a `b64token` (RFC 6750 §2.1).
    Malformed,
}

impl SubjectToken {
    /// Takes the token out of an `Authorization` header: `Bearer`, in any case (RFC 9110 §11.1), one or more spaces, a `b64token`.
    ///
    /// # Errors
    /// [`NotABearer`] tells another scheme from a malformed token.
    pub fn from_header(mut header: HeaderValue) -> Result<Self, NotABearer> {
        header.set_sensitive(true);
        let bytes = header.as_bytes();
        let (scheme, rest) = bytes.split_at_checked(6).ok_or(NotABearer::OtherScheme)?;
        if !scheme.eq_ignore_ascii_case(b"bearer") || !matches!(rest.first(), None | Some(b' ')) {
            return Err(NotABearer::OtherScheme);
        }
        let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
        let start = scheme.len() + spaces;
        if is_b64token(bytes.get(start..).unwrap_or_default()) {
            Ok(Self { header, start })
        } else {
            Err(NotABearer::Malformed)
        }
    }

    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        // The constructor admitted ASCII only.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// The key under which the token is known.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.bytes())
    }

    /// Length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes().len()
    }

    /// Whether it has the three parts of a signed JWT (RFC 7515 §3.1); anything else is opaque to us.
    #[must_use]
    pub fn is_jwt(&self) -> bool {
        self.bytes().iter().filter(|&&byte| byte == b'.').count() == 2
    }

    /// A `Bearer` header with this very token. Only mode `multi-audience` calls it (law 2).
    pub(crate) fn to_bearer_header(&self) -> Option<BearerHeader> {
        BearerHeader::new(self.expose())
    }

    fn bytes(&self) -> &[u8] {
        self.header.as_bytes().get(self.start..).unwrap_or_default()
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SubjectToken(…)")
    }
}

/// `b64token` of RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`. Every request comes by here; without a branch
/// or a table the compiler looks at many bytes at once.
fn is_b64token(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
    let body = &bytes[..bytes.len() - padding];
    !body.is_empty() && body.iter().fold(true, |all, &byte| all & is_token_byte(byte))
}

const fn is_token_byte(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-`, `.`, `/` and the digits stand side by side.
    let digit = byte.wrapping_sub(b'-') <= b'9' - b'-';
    letter | digit | (byte == b'+') | (byte == b'_') | (byte == b'~')
}

/// A ready `Authorization` value for Nextcloud. It prints as `Sensitive`.
#[derive(Clone)]
pub struct BearerHeader(HeaderValue);

impl BearerHeader {
    /// `Bearer <token>`, exactly so (checklist row 41); `None` if the token cannot stand in a header.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        if !is_b64token(token.as_bytes()) {
            return None;
        }
        Self::sensitive(&format!("Bearer {token}"))
    }

    /// `Basic <credentials>` (RFC 7617), for mode `basic`.
    #[must_use]
    pub fn basic(credentials: &str) -> Option<Self> {
        Self::sensitive(&format!("Basic {credentials}"))
    }

    /// The header value, to be set on the request that goes to Nextcloud.
    #[must_use]
    pub fn expose(&self) -> &HeaderValue {
        &self.0
    }

    fn sensitive(text: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

impl fmt::Debug for BearerHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerHeader(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &'static str) -> Result<String, NotABearer> {
        SubjectToken::from_header(HeaderValue::from_static(header)).map(|token| token.expose().to_owned())
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(read("Bearer abc").as_deref(), Ok("abc"));
        assert_eq!(read("bEARER  abc").as_deref(), Ok("abc"));
    }

    #[test]
    fn another_scheme_is_no_bearer() {
        for header in ["Basic YTpi", "Bearerabc", "Bear", "", "DPoP abc", "Bearer\tabc"] {
            assert_eq!(read(header), Err(NotABearer::OtherScheme), "{header:?}");
        }
    }

    #[test]
    fn what_is_no_b64token_is_malformed() {
        for header in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer =", "Bearer a=b", "Bearer a\"b"] {
            assert_eq!(read(header), Err(NotABearer::Malformed), "{header:?}");
        }
    }

    #[test]
    fn the_letters_of_a_b64token_are_those_of_rfc_6750() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        for byte in 0..=u8::MAX {
            assert_eq!(is_token_byte(byte), letters.as_bytes().contains(&byte), "{byte}");
        }
    }

    #[test]
    fn tokens_do_not_print() {
        let token = SubjectToken::from_header(HeaderValue::from_static("Bearer abc.def.ghi")).unwrap();
        assert!(token.is_jwt());
        assert!(!format!("{token:?}").contains("abc"));
        assert!(!format!("{:?}", BearerHeader::new("abc").unwrap()).contains("abc"));
        assert!(!format!("{:?}", BearerHeader::new("abc").unwrap().expose()).contains("abc"));
    }
}
