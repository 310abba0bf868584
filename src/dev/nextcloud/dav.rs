//! WebDAV in Nextcloud's dialect: sabre's error bodies, its way with headers, and the trees below `/remote.php/dav`.

mod collections;
mod files;
mod place;
mod properties;
mod propfind;
mod query;
mod transfer;
mod trashbin;
mod uploads;
mod xml;
mod zip;

use super::super::answer::Answer;
use super::super::clock;
use super::call::Call;
use super::login::{By, Visit};
use super::target::DavTarget;
use place::{Place, Site};
pub(super) use xml::escaped;

const ALLOW: &str = "OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, REPORT";
const CAPABILITIES: &str = "1, 3, extended-mkcol, access-control, calendarserver-principal-property-search, nc-paginate, \
nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar";
const LEGACY_CAPABILITIES: &str = "1, 3, extended-mkcol, nextcloud-checksum-update";

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
    let Some(uid) = visit.user.clone() else {
        return not_authenticated(visit);
    };
    if let Some(since) = call.instance.accounts().get(&uid).and_then(|account| account.disabled) {
        // A session outlives its owner for some minutes.
        if clock::now() >= since + call.instance.options().disabled_session_lives.as_secs() {
            return error(503, "Sabre\\DAV\\Exception\\ServiceUnavailable", "Account disabled");
        }
    }
    // Behind a doubled slash the browser plugin prints nothing.
    let silent = target.doubled && target.trailing_slash && call.verb() == "GET";
    let target = target.of_user(&uid);
    let root = call.root().to_owned();
    let site = Site { base: format!("{root}{}", target.base), root, legacy: target.legacy_files, uid };
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
            .header("dav", site.capabilities())
            .header("ms-author-via", "DAV")
            .header("accept-ranges", "bytes")),
        "LOCK" | "UNLOCK" => {
            let text =
                format!("There was no plugin in the system that was willing to handle this {} method.", call.method);
            Err(DavError::new(501, "Sabre\\DAV\\Exception\\NotImplemented", text))
        }
        "SEARCH" => query::search(call, site).await,
        "PROPFIND" => propfind::propfind(call, site, &place).await,
        "PROPPATCH" => propfind::proppatch(call, site, &place).await,
        "REPORT" => query::report(call, site, &place).await,
        "GET" | "HEAD" => files::get(call, site, &place).await,
        "PUT" => files::put(call, site, &place).await,
        "MKCOL" => transfer::mkcol(call, site, &place).await,
        "DELETE" => transfer::delete(call, site, &place).await,
        "COPY" | "MOVE" => transfer::copy_or_move(call, site, &place).await,
        other => {
            let text = format!("There was no plugin in the system that was willing to handle this {other} method.");
            Err(DavError::new(501, "Sabre\\DAV\\Exception\\NotImplemented", text))
        }
    }
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

impl From<dav_server::fs::FsError> for DavError {
    fn from(error: dav_server::fs::FsError) -> Self {
        Self::new(500, "Sabre\\DAV\\Exception", format!("the store failed: {error:?}"))
    }
}
