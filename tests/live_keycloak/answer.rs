//! What Keycloak answered, in the few ways a test looks at it.

use std::collections::BTreeSet;
use std::ops::Index;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Status, headers and body. A body that is not JSON is kept as a JSON string, an empty one as null.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// The payload of a JWT, not verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(pub Value);

// === impl Answer ===

impl Answer {
    pub async fn from(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("a whole body");
        let body = match text.as_str() {
            "" => Value::Null,
            _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        };
        Self { status, headers, body }
    }

    /// The body of a 2xx answer.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// The access token of a 200 answer.
    #[track_caller]
    pub fn token(self) -> String {
        self.ok()["access_token"].as_str().expect("an access_token").to_owned()
    }

    /// The claims of the access token of a 200 answer.
    #[track_caller]
    pub fn claims(self) -> Claims {
        Claims::of(&self.token())
    }

    /// That it is this refusal, in Keycloak's own words.
    #[track_caller]
    pub fn is_refused(&self, status: u16, error: &str, description: &str) {
        let got = (self.status, self.body["error"].as_str(), self.body["error_description"].as_str());
        assert_eq!(got, (status, Some(error), Some(description)), "{}", self.body);
    }
}

// === impl Claims ===

impl Claims {
    #[track_caller]
    pub fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).expect("a JWT");
        Self(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap())
    }

    /// `aud`, which is absent, a string or a list.
    pub fn aud(&self) -> BTreeSet<&str> {
        match &self["aud"] {
            Value::String(one) => [one.as_str()].into(),
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// `scope` as a set: its order differs between versions.
    pub fn scope(&self) -> BTreeSet<&str> {
        words(&self["scope"])
    }

    pub fn has(&self, claim: &str) -> bool {
        self.0.get(claim).is_some()
    }
}

impl Index<&str> for Claims {
    type Output = Value;

    fn index(&self, claim: &str) -> &Value {
        &self.0[claim]
    }
}

/// The members of a `scope` string, of a token or of an answer.
pub fn words(scope: &Value) -> BTreeSet<&str> {
    scope.as_str().unwrap_or_default().split_whitespace().collect()
}
