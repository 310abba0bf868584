//! The query of a target: forwarded as received, read only to keep credentials out of it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::target::Ambiguous;

/// The name that RFC 6750 §2.3 gives to a token in a query.
const ACCESS_TOKEN: &[u8] = b"access_token";

/// Decoded names and values (`application/x-www-form-urlencoded`), in their order. Bytes that are not UTF-8 become U+FFFD.
#[derive(Clone, Debug)]
pub struct Parameters<'q> {
    rest: &'q str,
}

// === impl Parameters ===

impl<'q> Parameters<'q> {
    pub(super) fn of(query: &'q str) -> Self {
        Self { rest: query }
    }
}

impl<'q> Iterator for Parameters<'q> {
    type Item = (Cow<'q, str>, Cow<'q, str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (pair, rest) = self.rest.split_once('&').unwrap_or((self.rest, ""));
            self.rest = rest;
            if !pair.is_empty() {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                return Some((decode(name), decode(value)));
            }
        }
        None
    }
}

fn decode(encoded: &str) -> Cow<'_, str> {
    if !encoded.contains(['+', '%']) {
        return Cow::Borrowed(encoded);
    }
    let spaced = encoded.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Refuses what no request line can hold, and a fragment.
pub(super) fn unambiguous(query: &str) -> Result<(), Ambiguous> {
    for &byte in query.as_bytes() {
        match byte {
            b'#' => return Err(Ambiguous::Fragment),
            0..=b' ' | 0x7f => return Err(Ambiguous::Control),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a parameter of this query is `access_token` to PHP, or to a reader like it.
///
/// PHP (`php_register_variable_ex`) drops spaces before a name, turns ` `, `.` and an unclosed `[` into `_`, ends the name
/// at NUL and at `[…]`. Deliberately wider than that: letters of any case, any control character before the name, an encoded
/// `+` for a space, and `;` between parameters, as some other readers have it.
#[must_use]
pub fn names_access_token(query: &str) -> bool {
    query.split(['&', ';']).any(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        is_access_token(name)
    })
}

fn is_access_token(name: &str) -> bool {
    let mut bytes =
        percent_decode_str(name).map(|byte| if byte == b'+' { b' ' } else { byte }).skip_while(|&byte| byte <= b' ');
    let spelled = ACCESS_TOKEN.iter().all(|&wanted| match bytes.next() {
        Some(b' ' | b'.' | b'[' | b'_') => wanted == b'_',
        Some(byte) => byte.eq_ignore_ascii_case(&wanted),
        None => false,
    });
    spelled && matches!(bytes.next(), None | Some(0 | b'['))
}

#[cfg(test)]
mod tests {
    use super::super::target::Target;

    fn has_token(query: &str) -> bool {
        let target = format!("/ocs/v2.php/cloud/user?{query}");
        Target::parse(&target).unwrap().has_access_token()
    }

    #[test]
    fn an_access_token_is_seen_in_every_spelling_that_php_reads() {
        for query in [
            "access_token=x",
            "access_token",
            "a=b&access_token=x",
            "access_token[]=x",
            "access_token[a]=x",
            "access_token%5B%5D=x",
            "access.token=x",
            "access%2etoken=x",
            "access%20token=x",
            "access+token=x",
            "access[token=x",
            "+access_token=x",
            "%20%20access_token=x",
            "access_token%00y=x",
            "%61ccess%5Ftoken=x",
            "a=b;access_token=x",
            "Access_Token=x",
        ] {
            assert!(has_token(query), "{query}");
        }
    }

    #[test]
    fn other_names_are_no_access_token() {
        for query in [
            "",
            "a=access_token",
            "access_tokens=x",
            "xaccess_token=x",
            "access=token",
            "accesstoken=x",
            "a[access_token]=x",
        ] {
            assert!(!has_token(query), "{query}");
        }
        assert!(!Target::parse("/access_token=x").unwrap().has_access_token());
    }

    #[test]
    fn parameters_are_decoded_once_and_keep_their_order() {
        let target = Target::parse("/s?term=a%20b+c&&limit=5&flag&x=%2526&bad=%ff%zz").unwrap();
        let pairs: Vec<_> = target.parameters().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(pairs, ["term: a b c", "limit: 5", "flag: ", "x: %26", "bad: \u{fffd}%zz"]);
        assert_eq!(Target::parse("/s").unwrap().parameters().count(), 0);
    }
}
