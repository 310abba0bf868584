//! The way of a request through the stand-in: recorded, troubled, folded, logged in, routed, dressed.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response};
use parking_lot::Mutex;
use serde_json::json;

use super::super::answer::{Answer, Body};
use super::super::clock;
use super::super::form::Form;
use super::super::server::Connection;
use super::address;
use super::call::{Call, json};
use super::cookies::{self, Cookies};
use super::dav;
use super::faults::Trouble;
use super::instance::Instance;
use super::login;
use super::ocs;
use super::options::Generation;
use super::pages;
use super::public;
use super::seen::{CountedBody, Entry};
use super::slow;
use super::target::Target;
use super::websocket::Upgrade;

pub(super) async fn answer(
    instance: Instance,
    mut request: Request<Incoming>,
    connection: Connection,
) -> Response<Body> {
    let entry = instance.log().open(&request, &connection);
    let trouble = instance.faults().enter().await;
    let on_upgrade = hyper::upgrade::on(&mut request);
    let upgrade = Upgrade { on_upgrade: Arc::new(Mutex::new(Some(on_upgrade))), gone: connection.gone };
    let (head, body) = request.into_parts();
    let base = address::base(instance.options(), &head.headers);
    let received = head.uri.path();
    // The well-known paths are the web server's, at the root of the host.
    let mounted = if received.starts_with("/.well-known/") { "" } else { instance.options().webroot.as_str() };
    let Some(path) = address::below(mounted, received).map(str::to_owned) else {
        entry.answered(404);
        return Answer::html(404, "<html><body>404 Not Found</body></html>\n".into()).into_response();
    };
    let call = Call {
        instance,
        method: head.method,
        path,
        base,
        query: Form::parse(head.uri.query().unwrap_or_default().as_bytes()),
        headers: head.headers,
        body: Some(CountedBody::new(body, Arc::clone(&entry))),
        upgrade: Some(upgrade),
    };
    let answer = route(call, &trouble, &entry).await;
    entry.answered(answer.status().as_u16());
    let response = answer.into_response();
    if trouble.slow_body.is_zero() { response } else { response.map(|body| slow::drip(body, trouble.slow_body)) }
}

async fn route(call: Call, trouble: &Trouble, entry: &Entry) -> Answer {
    let target = Target::fold(&call.path);
    if !address::is_trusted(call.instance.options(), &call.headers) {
        return untrusted_domain(&target);
    }
    match &target {
        Target::Status => return status(trouble.maintenance),
        Target::WellKnown(name) => return well_known(&call.base, name),
        Target::Ocs { .. } | Target::Dav(_) | Target::Public(_) | Target::Page(_) => {}
    }
    if trouble.maintenance {
        return maintenance(&target);
    }
    if trouble.too_many {
        return json(429, &json!({ "message": "Too many requests" })).header("retry-after", "1");
    }
    if let Some(answer) = foreign_site(&call, &target) {
        return answer;
    }
    let mut visit = login::visit(&call.instance, &call.headers, trouble.reject).await;
    // Everywhere but over WebDAV a disabled user's session ends at once.
    let disabled = visit.user.as_deref().is_some_and(|uid| !call.instance.accounts().is_enabled(uid));
    if disabled && !matches!(target, Target::Dav(_)) {
        visit.user = None;
    }
    entry.served_as(visit.user.as_deref());
    let answer = match target {
        Target::Ocs { version, path } => ocs::answer(call, &mut visit, version, &path).await,
        Target::Dav(target) => dav::answer(call, &visit, target).await,
        Target::Page(path) => pages::answer(call, &mut visit, &path).await,
        Target::Public(path) => public::answer(call, &path).await,
        Target::Status | Target::WellKnown(_) => return Answer::new(404),
    };
    visit.cookies().fold(answer, |answer, line| answer.and_header("set-cookie", line))
}

/// The same-site check: whoever brings a session without the markers, and without `OCS-APIRequest`, came from elsewhere.
fn foreign_site(call: &Call, target: &Target) -> Option<Answer> {
    let cookies = Cookies::read(&call.headers);
    let session = cookies.get(call.instance.id());
    if (session.is_none() && cookies.get(cookies::TOKEN).is_none())
        || cookies.are_same_site()
        || has_ocs_header(&call.headers)
    {
        return None;
    }
    let answer = match target {
        Target::Page(_) => pages::redirect(302, &format!("{}{}", call.base, call.path)),
        _ => Answer::json(412, &json!({ "error": "Strict Cookie has not been found in request" }))
            .header("content-security-policy", &pages::static_policy()),
    };
    let kept = session.filter(|_| call.instance.options().user_oidc == Generation::V8_10);
    let kept = kept.map(|id| cookies::session(call.instance.id(), id));
    let lines = kept.into_iter().chain(cookies::same_site());
    Some(lines.fold(answer, |answer, line| answer.and_header("set-cookie", &line)))
}

fn has_ocs_header(headers: &HeaderMap) -> bool {
    headers.get("ocs-apirequest").is_some_and(|value| !value.is_empty())
}

/// What is said to a `Host` that is none of the `trusted_domains`.
fn untrusted_domain(target: &Target) -> Answer {
    match target {
        Target::Status => Answer::json(400, &json!({ "error": "Trusted domain error.", "code": 15 })),
        _ => Answer::html(
            400,
            "<!DOCTYPE html>\n<html><body><h2>Access through untrusted domain</h2></body></html>\n".into(),
        ),
    }
}

fn status(maintenance: bool) -> Answer {
    let body = json!({
        "installed": true,
        "maintenance": maintenance,
        "needsDbUpgrade": false,
        "version": "32.0.1.2",
        "versionstring": "32.0.1",
        "edition": "",
        "productname": "Nextcloud",
        "extendedSupport": false,
    });
    Answer::new(200)
        .header("content-type", "application/json")
        .header("content-security-policy", &pages::static_policy())
        .header("access-control-allow-origin", "*")
        .chunked(body.to_string())
}

fn well_known(base: &str, name: &str) -> Answer {
    match name {
        "caldav" | "carddav" => pages::redirect(301, &format!("{base}/remote.php/dav/")),
        _ => Answer::html(404, "<!DOCTYPE html>\n<html><body><h2>Page not found</h2></body></html>\n".into()),
    }
}

/// Not recorded but known: the header is what tells maintenance from a failure.
fn maintenance(target: &Target) -> Answer {
    let answer = match target {
        Target::Dav(_) => {
            dav::error(503, "Sabre\\DAV\\Exception\\ServiceUnavailable", "System is in maintenance mode.")
        }
        Target::Ocs { .. } => {
            let meta = json!({ "status": "failure", "statuscode": 503, "message": "Service unavailable" });
            json(503, &json!({ "ocs": { "meta": meta, "data": [] } }))
        }
        _ => Answer::html(503, "<!DOCTYPE html>\n<html><body><h2>Maintenance mode</h2></body></html>\n".into()),
    };
    answer
        .header("x-nextcloud-maintenance-mode", "1")
        .header("retry-after", "120")
        .header("x-request-id", &clock::alphanumeric(20))
}
