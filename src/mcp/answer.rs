//! What Nextcloud answered to a request of a tool: read whole, up to a limit, and said in words where it is a refusal.

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::shown::shown;
use crate::body::Body;

/// A longer answer is not read; lists are asked for in pages.
pub const LARGEST: usize = 8 * 1024 * 1024;

/// An answer that was read.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub bytes: Bytes,
}

/// The envelope of OCS in JSON.
#[derive(Deserialize)]
struct Ocs<T> {
    ocs: OcsBody<T>,
}

#[derive(Deserialize)]
struct OcsBody<T> {
    data: T,
}

#[derive(Deserialize)]
struct OcsMeta {
    ocs: OcsMetaBody,
}

#[derive(Deserialize)]
struct OcsMetaBody {
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    statuscode: Option<u16>,
}

impl Answer {
    /// Reads a response.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is too large or breaks off.
    pub async fn read(response: Response<Body>) -> Result<Self, Fault> {
        let (parts, body) = response.into_parts();
        let bytes = Limited::new(body, LARGEST).collect().await.map_err(|error| {
            Fault::said(if error.is::<LengthLimitError>() {
                "Nextcloud's answer is too large. Ask for less: a narrower folder, window or search."
            } else {
                "Nextcloud's answer broke off. Try again."
            })
        })?;
        Ok(Self { status: parts.status, headers: parts.headers, bytes: bytes.to_bytes() })
    }

    /// The entity tag as it stands in the header, quotes and all.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.headers.get("oc-etag").or_else(|| self.headers.get(ETAG)).and_then(|tag| tag.to_str().ok())
    }

    /// Itself if its status is a success; what it means otherwise, `what` being what was asked for ("the folder /a").
    ///
    /// # Errors
    /// [`Fault::Said`].
    pub fn good(self, what: &str) -> Result<Self, Fault> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(Fault::Said(match self.status {
            StatusCode::NOT_FOUND => format!("There is no {what}. List or search first to find the right name."),
            StatusCode::FORBIDDEN => format!("The user may not do this with {what}."),
            StatusCode::LOCKED => format!("{what} is locked by somebody who is editing it. Try again later."),
            StatusCode::CONFLICT => format!("{what}: its parent folder does not exist. Create it first."),
            StatusCode::PRECONDITION_FAILED => format!("{what} changed meanwhile. Read it again, then decide."),
            StatusCode::INSUFFICIENT_STORAGE => "The user's quota is full. Tell the user.".to_owned(),
            StatusCode::TOO_MANY_REQUESTS => {
                "Nextcloud asks to be left alone for a while. Try again in a minute.".to_owned()
            }
            StatusCode::SERVICE_UNAVAILABLE => "Nextcloud is in maintenance. Try again later.".to_owned(),
            status => format!("Nextcloud did not do this with {what} (status {}).", status.as_u16()),
        }))
    }

    /// The JSON in it.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            tracing::debug!(%error, "an answer of Nextcloud's that a tool cannot read");
            Fault::said(
                "Nextcloud's answer cannot be read; this version of it may be too new or too old. Tell the user.",
            )
        })
    }

    /// The `data` of an OCS answer.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is none.
    pub fn ocs<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        Ok(self.json::<Ocs<T>>()?.ocs.data)
    }

    /// The status that stands in an OCS answer itself, if it is one. A route that is not there has 998.
    #[must_use]
    pub fn ocs_status(&self) -> Option<u16> {
        serde_json::from_slice::<OcsMeta>(&self.bytes).ok()?.ocs.meta.statuscode
    }

    /// What OCS says about a refusal, one line without what cannot be seen.
    #[must_use]
    pub fn ocs_message(&self) -> Option<String> {
        let meta: OcsMeta = serde_json::from_slice(&self.bytes).ok()?;
        let message = meta.ocs.meta.message.filter(|message| !message.is_empty())?;
        Some(shown(&message, 200))
    }
}
