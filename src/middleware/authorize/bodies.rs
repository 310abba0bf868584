//! Which bodies decide, and what they say: the paths of a REPORT or a SEARCH, the parameters of a share, the attendees of an event, and all
//! that a tool for tasks sends.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::error::{BadRequest, Error};
use crate::nextcloud::dav_body::{self, AmbiguousBody};
use crate::nextcloud::destination::PublicAddress;
use crate::nextcloud::family::Family;
use crate::nextcloud::parameters::{self, Parameters};
use crate::nextcloud::policy::egress;
use crate::nextcloud::policy::mail;
use crate::nextcloud::policy::report::BadHref;
use crate::nextcloud::policy::tasks::Door;
use crate::nextcloud::policy::{Access, Needs, Policy, Refusal};
use crate::nextcloud::route::Route;

/// What Nextcloud's route calls the provider of a unified search.
const PROVIDER: &str = "providerId";

/// A body that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deciding {
    /// The paths of a REPORT.
    Report,
    /// The scope of a SEARCH.
    Search,
    /// Parameters of a share, a message or a unified search, or, for the switches against egress, of a conversation.
    Parameters,
    /// A calendar object, for the switches against egress.
    Calendar,
    /// Whatever a tool of ours for tasks sends to the calendars.
    Tasks(Door),
}

impl Deciding {
    /// What has to be read of this request, if anything.
    #[must_use]
    pub fn of(policy: &Policy, route: &Route<'_>, method: &Method) -> Option<Self> {
        match (method.as_str(), route.family()) {
            // Of every family: an opened one holds paths to others as well.
            ("SEARCH", _) => Some(Self::Search),
            ("REPORT", _) => Some(Self::Report),
            ("DELETE", Family::Shares) => None,
            (_, Family::Shares) if Access::of(method) == Access::Write => Some(Self::Parameters),
            (_, Family::Mail) if mail::is_message(route.path_in_family(), method) => Some(Self::Parameters),
            (_, Family::UnifiedSearch) if route.search_provider().is_some() => Some(Self::Parameters),
            _ => policy.egress.reading(route, method).map(|reading| match reading {
                egress::Reading::Parameters => Self::Parameters,
                egress::Reading::Calendar => Self::Calendar,
            }),
        }
    }

    /// What the body makes the request need.
    ///
    /// # Errors
    /// What no mode of enforcement softens: another reading, a path on the never-list, a way out that is switched off.
    pub fn judge(
        self,
        policy: &Policy,
        route: &Route<'_>,
        (query, headers, body): (Option<&str>, &HeaderMap, &Bytes),
        ours: &PublicAddress,
    ) -> Result<Result<Needs, Refusal>, Error> {
        match self {
            Self::Report => {
                parameters::uncoded(headers)?;
                policy.report_body(route.family(), &dav_body::read(body)?, ours).map_err(bad_href)
            }
            Self::Search => {
                parameters::uncoded(headers)?;
                policy.search_body(&dav_body::read(body)?, ours).map_err(bad_href)
            }
            Self::Parameters => {
                let parameters = Parameters::read(query, headers, body)?;
                policy.egress.by_parameters(route, &parameters)?.map_err(Error::PolicyRefused)?;
                match route.family() {
                    Family::Shares => Ok(policy.share(route.path_in_family(), &parameters)?),
                    // Nextcloud takes what stands in JSON before what stands in the path, of a GET as well.
                    Family::UnifiedSearch if parameters.has(PROVIDER) => Err(AmbiguousBody::Parameter.into()),
                    Family::Mail => Ok(policy.message(&parameters)?),
                    _ => Ok(Ok(Needs::default())),
                }
            }
            Self::Calendar => {
                parameters::uncoded(headers)?;
                policy.egress.by_calendar(body)?.map_err(Error::PolicyRefused)?;
                Ok(Ok(Needs::default()))
            }
            Self::Tasks(door) => {
                parameters::uncoded(headers)?;
                policy.egress.by_calendar(body)?.map_err(Error::PolicyRefused)?;
                // Deliberately in every mode of enforcement: what a tool sends is our doing and not the caller's.
                door.judge(body)?.map_err(Error::PolicyRefused)?;
                Ok(Ok(Needs::default()))
            }
        }
    }
}

fn bad_href(bad: BadHref) -> Error {
    match bad {
        BadHref::Path(reason) => BadRequest::Href(reason).into(),
        BadHref::Never(never) => Error::ForbiddenRoute(never),
    }
}
