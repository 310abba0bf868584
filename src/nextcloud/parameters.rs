//! The parameters of an OCS call as Nextcloud's controllers get them, where they have one reading only.
//!
//! `OC\AppFramework\Http\Request` merges the query, a form and a JSON body into one array; of a name that stands there twice the last
//! one wins, and which that is depends on method and content type. PHP, besides, changes names (`share.Type` and `share Type` become
//! `share_Type`, `shareType[]` an array) and Nextcloud casts values (`3abc` is 3). So a name stands there once, in letters that PHP
//! leaves alone, and a body is JSON or a form, and says so in the plainest way. There are few of them: PHP drops without a word what is
//! beyond `max_input_vars` (1,000), and a dropped `permissions` is a share with all of them.

use std::collections::BTreeMap;
use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::dav_body::AmbiguousBody;

/// More parameters are refused. A call of a real client has a dozen.
const MOST: usize = 100;

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, Held>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    /// Text, a whole number or a truth value.
    Text(String),
    /// JSON's `null`: as if it were not there.
    Null,
    /// A list, an object or a fraction.
    Other(Value),
}

/// What a body is by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
}

// === impl Parameters ===

impl Parameters {
    /// Reads query and body.
    ///
    /// # Errors
    /// [`AmbiguousBody`].
    pub fn read(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Self, AmbiguousBody> {
        let mut own = Self::default();
        own.form(query.unwrap_or_default())?;
        if body.is_empty() {
            return Ok(own);
        }
        uncoded(headers)?;
        match kind(headers)? {
            Kind::Form => own.form(std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?)?,
            Kind::Json => {
                let Members(members) = serde_json::from_slice(body).map_err(|_| AmbiguousBody::Parameter)?;
                for (name, value) in members {
                    own.insert(name, held(value))?;
                }
            }
        }
        Ok(own)
    }

    /// Whether there is a parameter of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text of a parameter; nothing if it is not there or null.
    ///
    /// # Errors
    /// [`AmbiguousBody::Value`] for a list, an object or a fraction.
    pub fn text(&self, name: &str) -> Result<Option<&str>, AmbiguousBody> {
        match self.0.get(name) {
            None | Some(Held::Null) => Ok(None),
            Some(Held::Text(text)) => Ok(Some(text)),
            Some(Held::Other(_)) => Err(AmbiguousBody::Value),
        }
    }

    /// The members of a list, or of an object, which PHP takes for a list; nothing if it is not there or null.
    ///
    /// # Errors
    /// [`AmbiguousBody::Value`] for anything else.
    pub fn list(&self, name: &str) -> Result<Vec<&Value>, AmbiguousBody> {
        match self.0.get(name) {
            None | Some(Held::Null) => Ok(Vec::new()),
            Some(Held::Other(Value::Array(list))) => Ok(list.iter().collect()),
            Some(Held::Other(Value::Object(members))) => Ok(members.values().collect()),
            Some(Held::Other(_) | Held::Text(_)) => Err(AmbiguousBody::Value),
        }
    }

    /// The number in a parameter.
    ///
    /// # Errors
    /// [`AmbiguousBody::Value`] for anything but digits.
    pub fn number(&self, name: &str) -> Result<Option<u32>, AmbiguousBody> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AmbiguousBody::Value);
        }
        text.parse().map(Some).map_err(|_| AmbiguousBody::Value)
    }

    fn form(&mut self, pairs: &str) -> Result<(), AmbiguousBody> {
        for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if name.is_empty() || !plain {
                return Err(AmbiguousBody::Parameter);
            }
            self.insert(name, Held::Text(value))?;
        }
        Ok(())
    }

    fn insert(&mut self, name: String, value: Held) -> Result<(), AmbiguousBody> {
        match self.0.insert(name, value) {
            None if self.0.len() > MOST => Err(AmbiguousBody::Excessive),
            None => Ok(()),
            Some(_) => Err(AmbiguousBody::Parameter),
        }
    }
}

/// Refuses a body that is coded: nobody here could judge it.
///
/// # Errors
/// [`AmbiguousBody::Coded`].
pub fn uncoded(headers: &HeaderMap) -> Result<(), AmbiguousBody> {
    if headers.contains_key(CONTENT_ENCODING) { Err(AmbiguousBody::Coded) } else { Ok(()) }
}

fn kind(headers: &HeaderMap) -> Result<Kind, AmbiguousBody> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(AmbiguousBody::Kind);
    };
    let value = value.to_str().map_err(|_| AmbiguousBody::Kind)?.to_ascii_lowercase();
    let (essence, parameters) = value.split_once(';').unwrap_or((&value, "charset=utf-8"));
    if !matches!(parameters.trim(), "charset=utf-8" | "charset=\"utf-8\"") {
        return Err(AmbiguousBody::Kind);
    }
    match essence.trim() {
        "application/json" => Ok(Kind::Json),
        "application/x-www-form-urlencoded" => Ok(Kind::Form),
        _ => Err(AmbiguousBody::Kind),
    }
}

fn decoded(encoded: &str) -> Result<String, AmbiguousBody> {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| AmbiguousBody::Encoding)
}

fn held(value: Value) -> Held {
    match value {
        Value::Null => Held::Null,
        Value::String(text) => Held::Text(text),
        Value::Bool(truth) => Held::Text(truth.to_string()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Held::Text(number.to_string()),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => Held::Other(value),
    }
}

/// The members of an object, those that stand there twice still being two.
struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name.contains('\0') {
                        return Err(A::Error::custom("a name that PHP cuts off"));
                    }
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(query: &str, kind: &str, body: &str) -> Result<Parameters, AmbiguousBody> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        Parameters::read(Some(query), &headers, body.as_bytes())
    }

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

    #[test]
    fn query_form_and_json_are_one() {
        for (query, kind, body) in [
            ("format=json", JSON, r#"{"shareType":3,"path":"/a b","permissions":null}"#),
            ("format=json", FORM, "shareType=3&path=%2Fa+b"),
            ("format=json&shareType=3&path=/a%20b", "", ""),
            ("format=json&shareType=3&path=/a%20b", "text/plain", ""),
        ] {
            let read = read(query, kind, body).unwrap();
            assert_eq!(read.number("shareType"), Ok(Some(3)), "{query} {body}");
            assert_eq!(read.text("path"), Ok(Some("/a b")));
            assert_eq!(read.number("permissions"), Ok(None));
            assert!(read.has("shareType") && !read.has("password"));
        }
    }

    #[test]
    fn a_parameter_that_stands_there_twice_is_ambiguous() {
        for (query, kind, body) in [
            ("shareType=0&shareType=3", "", ""),
            ("shareType=0", JSON, r#"{"shareType":3}"#),
            ("shareType=0", FORM, "shareType=3"),
            ("", FORM, "shareType=0&shareType=3"),
            ("", FORM, "shareType=0&share%54ype=3"),
            ("", JSON, r#"{"shareType":0,"shareType":3}"#),
            ("", JSON, r#"{"shareType":0,"share\u0054ype":3}"#),
            ("", JSON, r#"{"shareType\u0000":3}"#),
            ("", JSON, r#"{"\u0000shareType":3}"#),
        ] {
            assert_eq!(read(query, kind, body), Err(AmbiguousBody::Parameter), "{query} {body}");
        }
    }

    #[test]
    fn a_name_that_php_would_change_is_ambiguous() {
        for query in
            ["shareType[]=3", "shareType%5B%5D=3", "share.Type=3", "+shareType=3", "shareType%00x=3", "a[b=1", "=3"]
        {
            assert_eq!(read(query, "", ""), Err(AmbiguousBody::Parameter), "{query}");
        }
    }

    #[test]
    fn a_value_that_php_would_cast_is_ambiguous() {
        for body in [
            r#"{"n":"3abc"}"#,
            r#"{"n":" 3"}"#,
            r#"{"n":"+3"}"#,
            r#"{"n":"3.0"}"#,
            r#"{"n":3.5}"#,
            r#"{"n":3e0}"#,
            r#"{"n":-1}"#,
            r#"{"n":[3]}"#,
            r#"{"n":{"a":3}}"#,
            r#"{"n":true}"#,
            r#"{"n":""}"#,
            r#"{"n":"٣"}"#,
            r#"{"n":99999999999}"#,
        ] {
            assert_eq!(read("", JSON, body).unwrap().number("n"), Err(AmbiguousBody::Value), "{body}");
        }
    }

    /// PHP reads the first thousand and drops the rest.
    #[test]
    fn no_parameter_stands_where_php_drops_it() {
        let pairs = |count: usize| (0..count).map(|n| format!("p{n}=&")).collect::<String>();
        assert_eq!(read("", FORM, &format!("{}n=1", pairs(MOST - 1))).unwrap().number("n"), Ok(Some(1)));
        assert_eq!(read("", FORM, &format!("{}n=1", pairs(MOST))), Err(AmbiguousBody::Excessive));
        assert!(read(&pairs(MOST), "", "").is_ok());
        assert_eq!(read(&format!("{}n=1", pairs(MOST)), "", ""), Err(AmbiguousBody::Excessive));
        assert_eq!(read(&pairs(MOST), FORM, "n=1"), Err(AmbiguousBody::Excessive));
        assert_eq!(read(&pairs(MOST), JSON, r#"{"n":1}"#), Err(AmbiguousBody::Excessive));
    }

    #[test]
    fn a_list_is_one_by_index_or_by_name() {
        let list = |body: &str| read("", JSON, body).unwrap().list("n").map(|list| list.len());
        for (body, length) in
            [("{}", 0), (r#"{"n":null}"#, 0), (r#"{"n":[]}"#, 0), (r#"{"n":[1,{}]}"#, 2), (r#"{"n":{"a":1}}"#, 1)]
        {
            assert_eq!(list(body), Ok(length), "{body}");
        }
        for body in [r#"{"n":""}"#, r#"{"n":"x"}"#, r#"{"n":1}"#, r#"{"n":1.5}"#, r#"{"n":true}"#] {
            assert_eq!(list(body), Err(AmbiguousBody::Value), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_neither_json_nor_a_form_is_ambiguous() {
        for kind in [
            "",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/vnd.x+json",
            "application/json; charset=utf-16",
            "application/json; x=application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; application/json",
        ] {
            assert_eq!(read("", kind, "shareType=3"), Err(AmbiguousBody::Kind), "{kind}");
        }
        for body in ["[1]", "3", "{", "{}{}", "\u{feff}{}"] {
            assert_eq!(read("", JSON, body), Err(AmbiguousBody::Parameter), "{body}");
        }
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.append(CONTENT_TYPE, HeaderValue::from_static(FORM));
        assert_eq!(Parameters::read(None, &headers, b"{}"), Err(AmbiguousBody::Kind));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(Parameters::read(None, &headers, b"{}"), Err(AmbiguousBody::Coded));
    }
}
