//! WebDAV in Nextcloud's dialect: sabre's error bodies, its way with headers, and the trees below `/remote.php/dav`.

mod bulk;
mod caldav;
mod carddav;
mod collections;
mod conditions;
mod files;
mod filter;
mod lending;
mod link;
mod mounts;
mod multistatus;
mod pim;
mod pim_properties;
mod place;
mod properties;
mod propfind;
mod proppatch;
mod report;
mod search;
mod transfer;
mod trashbin;
mod uploads;
mod versions;
mod xml;
mod zip;

use super::super::answer::Answer;
use super::super::clock;
use super::call::Call;
use super::login::{By, Visit};
use super::storage::NotThere;
use super::target::DavTarget;
pub(super) use files::disposition;
pub(super) use link::linked;
use multistatus::Family;
use place::{Place, Site};
pub(super) use properties::media_type;
pub(super) use xml::escaped;

const ALLOW: &str = "OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, REPORT";

/// An exception of sabre/dav.
#[derive(Debug)]
struct DavError {
    status: u16,
    exception: &'static str,
    message: String,
    /// The header that failed, of a 412.
    header: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
}

type DavResult = Result<Answer, DavError>;

pub(super) async fn answer(mut call: Call, visit: &Visit, target: DavTarget) -> Answer {
    if visit.by == By::Disabled {
        let message = "OC\\User\\DisabledUserException: Account disabled";
        return error(503, "Sabre\\DAV\\Exception\\ServiceUnavailable", message);
    }
    let Some(uid) = visit.user.clone() else {
        return not_authenticated(visit);
    };
    // Behind a doubled slash the browser plugin prints nothing.
    let silent = target.doubled && target.trailing_slash && call.verb() == "GET";
    let target = target.of_user(&uid);
    let root = call.root().to_owned();
    let family = match target.segments.as_deref().and_then(|segments| segments.first()).map(String::as_str) {
        _ if target.legacy_files => Family::Legacy,
        Some("calendars") => Family::Calendars,
        Some("addressbooks") => Family::Contacts,
        Some("principals") => Family::Principals,
        _ => Family::Files,
    };
    let site = Site { base: format!("{root}{}", target.base), root, legacy: target.legacy_files, uid, family };
    let place = target.segments.as_deref().map_or(Place::Nothing, Place::of);
    let answer = match route(&mut call, &site, place).await {
        Ok(answer) => answer,
        Err(error) => error.into_answer(),
    };
    if silent { answer.without("x-request-id").without("x-debug-token").body("") } else { answer }
}

async fn route(call: &mut Call, site: &Site, place: Place) -> DavResult {
    match call.method.as_str() {
        "OPTIONS" => Ok(dressed(Answer::new(200), site)
            .header("content-type", "text/html; charset=UTF-8")
            .header("allow", ALLOW)
            .header("dav", &site.family.capabilities())
            .header("ms-author-via", "DAV")
            .header("accept-ranges", "bytes")),
        method @ ("LOCK" | "UNLOCK") => Err(not_implemented(method)),
        "SEARCH" => search::search(call, site).await,
        "PROPFIND" => propfind::propfind(call, site, &place).await,
        "PROPPATCH" => proppatch::proppatch(call, site, &place).await,
        "REPORT" => report::report(call, site, &place).await,
        "GET" | "HEAD" => match &place {
            Place::Pim(place) => pim::get(call, site, place),
            place => files::get(call, site, place),
        },
        "PUT" => match &place {
            Place::Pim(place) => pim::put(call, site, place).await,
            place => files::put(call, site, place).await,
        },
        "MKCOL" => transfer::mkcol(call, site, &place).await,
        "MKCALENDAR" if matches!(place, Place::Pim(_)) => transfer::mkcol(call, site, &place).await,
        "DELETE" => transfer::delete(call, site, &place),
        "COPY" | "MOVE" => transfer::copy_or_move(call, site, &place),
        "POST" => match &place {
            Place::Bulk => bulk::post(call, site).await,
            Place::Pim(place) => lending::post(call, site, place).await,
            _ => Err(not_implemented("POST")),
        },
        other => Err(not_implemented(other)),
    }
}

fn not_implemented(method: &str) -> DavError {
    let text = format!("There was no plugin in the system that was willing to handle this {method} method.");
    DavError::new(501, "Sabre\\DAV\\Exception\\NotImplemented", text)
}

/// The headers of what went well.
fn dressed(answer: Answer, site: &Site) -> Answer {
    let id = clock::alphanumeric(20);
    let answer = answer.header("content-security-policy", "default-src 'none';").header("x-request-id", &id);
    if site.legacy { answer } else { answer.header("x-debug-token", &id) }
}

/// 201 or 204: nothing to say.
fn done(status: u16, site: &Site) -> Answer {
    dressed(Answer::new(status), site).header("content-type", "text/html; charset=UTF-8")
}

/// 207, printed as it is made.
fn multistatus(body: String, site: &Site) -> Answer {
    dressed(Answer::new(207), site).header("content-type", "application/xml; charset=utf-8").chunked(body)
}

/// An answer with one of sabre's error bodies.
pub(super) fn error(status: u16, exception: &'static str, message: &str) -> Answer {
    DavError::new(status, exception, message).into_answer()
}

fn not_authenticated(visit: &Visit) -> Answer {
    const BASIC: &str =
        "No 'Authorization: Basic' header found. Either the client didn't send one, or the server is misconfigured";
    let bearer = if visit.by == By::Refused {
        "Bearer token was incorrect"
    } else {
        "No 'Authorization: Bearer' header found. Either the client didn't send one, or the server is mis-configured"
    };
    let message = format!(
        "No public access to this resource., AppAPIAuth has not passed, This request is not for a federated calendar, \
         {BASIC}, {bearer}, {BASIC}"
    );
    error(401, "Sabre\\DAV\\Exception\\NotAuthenticated", &message)
        .header("www-authenticate", "Basic realm=\"Nextcloud\", charset=\"UTF-8\"")
}

// === impl DavError ===

impl DavError {
    fn new(status: u16, exception: &'static str, message: impl Into<String>) -> Self {
        Self { status, exception, message: message.into(), header: None, headers: Vec::new() }
    }

    fn not_found(path: &str) -> Self {
        Self::new(404, "Sabre\\DAV\\Exception\\NotFound", format!("File with name {path} could not be located"))
    }

    fn no_node(name: &str) -> Self {
        Self::new(404, "Sabre\\DAV\\Exception\\NotFound", format!("Node with name '{name}' could not be found"))
    }

    fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "Sabre\\DAV\\Exception\\Forbidden", message)
    }

    fn conflict(message: &str) -> Self {
        Self::new(409, "Sabre\\DAV\\Exception\\Conflict", message)
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Sabre\\DAV\\Exception\\BadRequest", message)
    }

    fn precondition(header: &'static str, message: &str) -> Self {
        Self { header: Some(header), ..Self::new(412, "Sabre\\DAV\\Exception\\PreconditionFailed", message) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn into_answer(self) -> Answer {
        let header = self.header.map(|header| format!("\n  <s:header>{header}</s:header>")).unwrap_or_default();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\n  \
             <s:exception>{}</s:exception>\n  <s:message>{}</s:message>{header}\n</d:error>\n",
            self.exception,
            escaped(&self.message)
        );
        let answer = Answer::new(self.status)
            .header("content-type", "application/xml; charset=utf-8")
            .header("content-security-policy", "default-src 'none';")
            .chunked(body);
        self.headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

/// Somebody else was faster.
impl From<NotThere> for DavError {
    fn from(_: NotThere) -> Self {
        Self::new(404, "Sabre\\DAV\\Exception\\NotFound", "It is not there any more")
    }
}
