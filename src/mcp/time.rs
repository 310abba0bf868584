//! Moments as the tools read and write them: RFC 3339.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A moment that a caller names, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(text.trim()).map(|moment| Self(moment.timestamp())).map_err(|_| {
            D::Error::custom("a time has to be RFC 3339 with its offset, such as 2026-11-24T09:00:00+01:00")
        })
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Seconds since 1970 in RFC 3339, UTC; nothing for zero, by which Nextcloud says never.
#[must_use]
pub fn rfc3339(seconds: i64) -> Option<String> {
    let moment = DateTime::<Utc>::from_timestamp(seconds, 0).filter(|_| seconds > 0)?;
    Some(moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_an_offset() {
        let read = |text: &str| serde_json::from_value::<Moment>(text.into()).ok().map(|moment| moment.0);
        assert_eq!(read("2026-11-21T11:24:31Z"), Some(1_795_260_271));
        assert_eq!(read("2026-11-21T12:24:31.5+01:00"), Some(1_795_260_271));
        for text in ["2026-11-21", "2026-11-21T11:24:31", "yesterday", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn never_is_not_1970() {
        assert_eq!(rfc3339(1_795_260_271).as_deref(), Some("2026-11-21T11:24:31Z"));
        assert_eq!((rfc3339(0), rfc3339(-1), rfc3339(i64::MAX)), (None, None, None));
    }
}
