//! Why a tool did not do it. A model reads this: each text says what happened and what to do next, and nothing of what others wrote or own.

use rmcp::model::InputRequiredResult;

use crate::error::Error;

/// A tool's failure.
#[derive(Debug)]
pub enum Fault {
    /// In words for the model.
    Said(String),
    /// Our own layers refused a request of the tool. What the client can mend by another token is told by status and challenge, all else in
    /// words.
    Refused(Error),
    /// The person has to be asked first.
    Ask(Box<InputRequiredResult>),
    /// The same, on a page of ours: the error that says where.
    Visit(Box<rmcp::ErrorData>),
    /// The person was asked, and does not want it.
    Declined,
    /// The call took too long.
    TooLate,
    /// The client went away before it was answered.
    Cancelled,
    /// There were too many calls; in words for the model.
    TooMany(String),
}

impl Fault {
    /// A failure in these words.
    #[must_use]
    pub fn said(words: impl Into<String>) -> Self {
        Self::Said(words.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Whether a client mends this by another token, and so has to hear it as HTTP: 401, or 403 with the scopes to ask for.
#[must_use]
pub fn is_the_clients(error: &Error) -> bool {
    matches!(error, Error::BadToken(_) | Error::SubjectRefused | Error::InsufficientScope(_))
}

/// What a model is told when a request of its tool did not reach Nextcloud, or no answer came back.
#[must_use]
pub fn in_words(error: &Error) -> String {
    match error {
        Error::PolicyRefused(refusal) => {
            format!("The operator of this server does not allow this: {}. Do not try again; tell the user.", refusal.reason())
        }
        Error::ForbiddenRoute(_) => "This server never does that. Do not try again; tell the user.".to_owned(),
        Error::ExchangeRefused(_) => {
            "The identity provider's policy does not allow this user to use Nextcloud through this client. Tell the user.".to_owned()
        }
        Error::ProviderUnavailable(_) | Error::Overloaded => {
            "The server is busy or its identity provider cannot be reached. Try again in a few seconds.".to_owned()
        }
        Error::NextcloudUnreachable(_) => "Nextcloud cannot be reached. Try again later.".to_owned(),
        Error::NextcloudTimeout(_) => {
            "Nextcloud did not answer in time. Something that was to be written may have been: look before you try again.".to_owned()
        }
        Error::BadRequest(_) | Error::TargetTooLong | Error::NoSuchPage | Error::MethodNotAllowed => {
            "Nextcloud cannot be asked this: the name is too long or has characters that it does not take.".to_owned()
        }
        Error::BodyTooLarge => "That is too large for one call. Send less.".to_owned(),
        _ => "The server could not do this; its operator finds the reason in the log. Tell the user.".to_owned(),
    }
}
