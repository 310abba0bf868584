//! A request target that has one reading only.
//!
//! Policy decides on the decoded path and Nextcloud gets the bytes as they came, so both must mean the same whoever
//! reads them: us, a web server in between, PHP, sabre. What could be read in two ways is refused, never cleaned
//! (product.md, law 7; checklist rows 5 and 40).
//!
//! Three readings that need a word:
//!
//! * **`%25`**. `100%25.txt` is the file `100%.txt` and passes. A decoded path in which `%` and two hex digits are left
//!   (`%252e`, but also `%2541`) would mean something else to whoever decodes twice, and is refused. The price: a file
//!   whose *name* holds an escape, such as `50%de.txt`, has to be renamed.
//! * **`;`**. Raw it starts a path parameter for Tomcat-like intermediaries (`/..;/`), and is refused. Encoded it is an
//!   ordinary character of a name for nginx, PHP and sabre (RFC 3986 §3.3 gives parameters to the raw form alone), so
//!   `a%3Bb.txt` passes. For those who decode first and cut then, `..%3B` is refused as the dot segment that it becomes,
//!   and the never-list compares what stands before the `;` (`never.rs`).
//! * **`%2e`** is refused everywhere: a dot needs no encoding, so nobody honest sends it.

use std::borrow::Cow;
use std::fmt;

use super::query;

/// A path, as received and decoded, and its query. Borrows from the request; allocates only if the path held an escape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'t> {
    path: &'t str,
    decoded: Cow<'t, str>,
    query: Option<&'t str>,
}

/// Why a target has more than one reading. The caller is told 400 `invalid_request`, the log names the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ambiguous {
    /// It does not begin with `/`.
    NotAbsolute,
    /// A `#`: fragments are never sent, so readers disagree on where the path ends.
    Fragment,
    /// `//`. Nextcloud collapses it: `/ocs/v2.php//core/getapppassword` minted an app password.
    EmptySegment,
    /// A segment `.` or `..`, also one that becomes it when cut at an encoded `;`.
    DotSegment,
    /// `%2e`.
    EncodedDot,
    /// `%2f`.
    EncodedSlash,
    /// `\`, raw or encoded.
    Backslash,
    /// A raw `;`.
    PathParameter,
    /// A control character (C0, DEL, C1), raw or encoded, NUL included; or a raw space, which no request line can hold.
    Control,
    /// `%` without two hex digits behind it.
    MalformedEscape,
    /// An escape is left after decoding once.
    DoubleEncoding,
    /// The decoded bytes are not UTF-8 (Nextcloud would guess ISO-8859-1); overlong forms are among them.
    NotUtf8,
}

// === impl Target ===

impl<'t> Target<'t> {
    /// Parses path and query in origin form (RFC 9112 §3.2.1), as `http::Uri::path_and_query` gives it: bytes as received.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] names the first thing found that readers could disagree on.
    pub fn parse(received: &'t str) -> Result<Self, Ambiguous> {
        let (path, query) = match received.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (received, None),
        };
        if let Some(query) = query {
            query::unambiguous(query)?;
        }
        let decoded = match unambiguous(path)? {
            Escapes::None => Cow::Borrowed(path),
            Escapes::Some => Cow::Owned(decode(path)?),
        };
        if dots_begin_a_segment(&decoded) && decoded.split('/').any(is_dot_segment) {
            return Err(Ambiguous::DotSegment);
        }
        if !decoded.is_ascii() && decoded.chars().any(char::is_control) {
            return Err(Ambiguous::Control);
        }
        Ok(Self { path, decoded, query })
    }

    /// The path byte for byte as it came: what is forwarded.
    #[must_use]
    pub fn path(&self) -> &'t str {
        self.path
    }

    /// The path decoded once: what is decided on. Splitting it at `/` gives the segments, for no `/` was encoded.
    #[must_use]
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// The decoded segments. One trailing slash makes no segment.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.trimmed().split('/').filter(|segment| !segment.is_empty())
    }

    /// The query as it came, without `?`: what is forwarded.
    #[must_use]
    pub fn query(&self) -> Option<&'t str> {
        self.query
    }

    /// Decoded names and values of the query, in their order.
    #[must_use]
    pub fn parameters(&self) -> query::Parameters<'t> {
        query::Parameters::of(self.query.unwrap_or_default())
    }

    /// Whether PHP would see a parameter `access_token` in the query, by any of its spellings (RFC 6750 §2.3 is refused).
    #[must_use]
    pub fn has_access_token(&self) -> bool {
        self.query.is_some_and(query::names_access_token)
    }

    /// The decoded path without the leading slash and one trailing slash.
    pub(super) fn trimmed(&self) -> &str {
        let path = self.decoded.strip_prefix('/').unwrap_or(&self.decoded);
        path.strip_suffix('/').unwrap_or(path)
    }
}

/// Whether there is anything to decode.
enum Escapes {
    None,
    Some,
}

/// Looks at each raw byte once.
fn unambiguous(path: &str) -> Result<Escapes, Ambiguous> {
    if !path.starts_with('/') {
        return Err(Ambiguous::NotAbsolute);
    }
    let mut escapes = Escapes::None;
    let mut previous = b'^';
    for &byte in path.as_bytes() {
        match byte {
            b'/' if previous == b'/' => return Err(Ambiguous::EmptySegment),
            b'%' => escapes = Escapes::Some,
            b'#' => return Err(Ambiguous::Fragment),
            b';' => return Err(Ambiguous::PathParameter),
            b'\\' => return Err(Ambiguous::Backslash),
            0..=b' ' | 0x7f => return Err(Ambiguous::Control),
            _ => {}
        }
        previous = byte;
    }
    Ok(escapes)
}

/// Decodes once, and refuses what an escape must not hide.
fn decode(path: &str) -> Result<String, Ambiguous> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let [high, low, behind @ ..] = rest else {
            return Err(Ambiguous::MalformedEscape);
        };
        let (Some(high), Some(low)) = (hex(*high), hex(*low)) else {
            return Err(Ambiguous::MalformedEscape);
        };
        match high << 4 | low {
            b'/' => return Err(Ambiguous::EncodedSlash),
            b'\\' => return Err(Ambiguous::Backslash),
            b'.' => return Err(Ambiguous::EncodedDot),
            0..=0x1f | 0x7f => return Err(Ambiguous::Control),
            byte => decoded.push(byte),
        }
        rest = behind;
    }
    if decoded.windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit()) {
        return Err(Ambiguous::DoubleEncoding);
    }
    String::from_utf8(decoded).map_err(|_| Ambiguous::NotUtf8)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Spares most paths the cutting into segments.
fn dots_begin_a_segment(path: &str) -> bool {
    path.as_bytes().windows(2).any(|pair| pair == b"/.")
}

/// A raw `;` does not come this far, so the one that may stand behind the dots was encoded.
fn is_dot_segment(segment: &str) -> bool {
    segment.starts_with('.') && matches!(segment.split(';').next(), Some("." | ".."))
}

// === impl Ambiguous ===

impl Ambiguous {
    /// A stable name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAbsolute => "not_absolute",
            Self::Fragment => "fragment",
            Self::EmptySegment => "empty_segment",
            Self::DotSegment => "dot_segment",
            Self::EncodedDot => "encoded_dot",
            Self::EncodedSlash => "encoded_slash",
            Self::Backslash => "backslash",
            Self::PathParameter => "path_parameter",
            Self::Control => "control_character",
            Self::MalformedEscape => "malformed_escape",
            Self::DoubleEncoding => "double_encoding",
            Self::NotUtf8 => "not_utf8",
        }
    }
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Ambiguous {}

#[cfg(test)]
mod tests;
