//! Where Mail reaches what is not mail: the caller's files and contacts (`OCA\Mail\Service\Attachment\AttachmentService`, and the app's
//! route table, November 2026).

use http::Method;
use serde_json::Value;

use super::{Access, Needs, Policy, Refusal, Row};
use crate::nextcloud::dav_body::AmbiguousBody;
use crate::nextcloud::parameters::Parameters;

/// Kinds of attachments that were mailed before or uploaded for this mail. Nextcloud takes every other kind for the path of a file.
const MAILED: &[&str] = &["message", "message/rfc822", "message-attachment"];

/// `POST messages/<id>/attachment/<id>` and `…/file` put what was mailed among the files.
pub(super) fn is_to_files(item: &str) -> bool {
    let mut parts = item.split('/').skip_while(|part| *part != "messages");
    matches!((parts.next(), parts.next(), parts.next()), (Some(_), Some(_), Some("attachment" | "file")))
}

/// `autoComplete` and `contactIntegration` read and write the address books.
pub(super) fn is_contacts(item: &str) -> bool {
    item.split('/').any(|part| matches!(part, "autoComplete" | "contactIntegration"))
}

/// Whether a message is written, whose attachments stand in the body. What is sent over OCS (`message/send`) brings its own along.
#[must_use]
pub fn is_message(item: &str, method: &Method) -> bool {
    let Some(item) = item.strip_prefix("api/") else { return false };
    Access::of(method) == Access::Write
        && method != Method::DELETE
        && item.split('/').any(|part| matches!(part, "outbox" | "drafts" | "draft" | "send"))
}

impl Policy {
    /// What a message needs beside what its path needs: whoever attaches a file has to be able to read it.
    ///
    /// # Errors
    /// [`AmbiguousBody`] if the attachments are no list.
    pub fn message(&self, parameters: &Parameters) -> Result<Result<Needs, Refusal>, AmbiguousBody> {
        if parameters.list("attachments")?.into_iter().all(is_mailed) {
            return Ok(Ok(Needs::default()));
        }
        Ok(self.table.needs(Row::MailFromFiles, Access::Write).ok_or(Refusal::NotOpened))
    }
}

fn is_mailed(attachment: &Value) -> bool {
    let kind = attachment.get("type").and_then(Value::as_str).unwrap_or_default();
    MAILED.contains(&kind) || (kind == "local" && attachment.get("id").is_some_and(|id| !id.is_null()))
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::token::ScopeSet;

    fn needs(body: &str) -> Result<String, AmbiguousBody> {
        let mut policy = Policy::default();
        policy.table.set(Row::MailFromFiles, Access::Write, ScopeSet::parse("files.read"));
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let parameters = Parameters::read(None, &headers, body.as_bytes())?;
        Ok(policy.message(&parameters)?.unwrap().scopes().to_string())
    }

    #[test]
    fn a_file_that_is_attached_has_to_be_readable() {
        for attachments in [
            r#"[{"type":"cloud","fileName":"/x"}]"#,
            r#"[{"type":"local","id":5},{"type":"cloud","fileName":"/x"}]"#,
            r#"{"a":{"type":"cloud","fileName":"/x"}}"#,
            r#"[{"type":"local","fileName":"/x"}]"#,
            r#"[{"type":"local","id":null,"fileName":"/x"}]"#,
            r#"[{"type":"Local","id":5,"fileName":"/x"}]"#,
            r#"[{"type":"local","type":"cloud","id":5,"fileName":"/x"}]"#,
            r#"[{"type":"","fileName":"/x"}]"#,
            r#"[{"type":["local"],"id":5,"fileName":"/x"}]"#,
            r#"[{"fileName":"/x"}]"#,
            r#"["/x"]"#,
        ] {
            let body = format!(r#"{{"subject":"x","attachments":{attachments}}}"#);
            assert_eq!(needs(&body).as_deref(), Ok("files.read"), "{attachments}");
        }
        assert_eq!(needs(r#"{"attachments":"/x"}"#), Err(AmbiguousBody::Value));
    }

    #[test]
    fn what_was_mailed_or_uploaded_needs_no_file() {
        for attachments in [
            "null",
            "[]",
            r#"[{"type":"local","id":5}]"#,
            r#"[{"type":"message","id":5},{"type":"message/rfc822","id":5},{"type":"message-attachment","id":"2","messageId":5}]"#,
        ] {
            assert_eq!(needs(&format!(r#"{{"attachments":{attachments}}}"#)).as_deref(), Ok(""), "{attachments}");
        }
        assert_eq!(needs(r#"{"subject":"x"}"#).as_deref(), Ok(""));
    }

    #[test]
    fn a_message_is_written_in_the_outbox_and_among_the_drafts() {
        for path in [
            "api/outbox",
            "api/outbox/5",
            "api/drafts",
            "api/drafts/move/5",
            "api/accounts/1/draft",
            "api/accounts/1/send",
        ] {
            assert!(is_message(path, &Method::POST) && is_message(path, &Method::PUT), "{path}");
            assert!(!is_message(path, &Method::GET) && !is_message(path, &Method::DELETE), "{path}");
        }
        for path in ["message/send", "api/messages/5/flags", "api/attachments"] {
            assert!(!is_message(path, &Method::POST), "{path}");
        }
    }
}
