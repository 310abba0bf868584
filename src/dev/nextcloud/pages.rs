//! What `index.php` answers: pages, the settings that a bearer should never reach, and the apps' own APIs.

use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::clock;
use super::call::{Call, framed, json};
use super::deck;
use super::instance::Instance;
use super::login::{By, Visit};
use super::notes;
use super::websocket;

/// What a route demands before it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    Open,
    LoggedIn,
    /// Logged in and past the CSRF check, which a bearer alone does not pass but `OCS-APIRequest` does.
    CsrfChecked,
    /// `#[CORS]`: without `OCS-APIRequest` only Basic will do.
    Cors,
}

pub(super) async fn answer(mut call: Call, visit: &mut Visit, path: &str) -> Answer {
    let verb = call.verb().to_owned();
    // The router knows nothing of an app that is not there.
    if path.strip_prefix("/apps/").is_some_and(|rest| !is_installed(&call, rest)) {
        return framed(not_found(), visit);
    }
    if let Some(refusal) = refused(guard_of(&verb, path), visit, &call.instance) {
        return framed(refusal, visit);
    }
    if verb == "GET" && path == "/logout" {
        visit.leave(&call.instance);
        let location = format!("{}/login?clear=1", call.base);
        return framed(redirect(303, &location), visit);
    }
    if let Some(rest) = path.strip_prefix("/apps/notes/api/") {
        let answer = notes::answer(&mut call, visit.user.as_deref().unwrap_or_default(), rest).await;
        return framed(answer, visit);
    }
    if let Some(rest) = path.strip_prefix("/apps/deck/api/") {
        let answer = deck::answer(&mut call, visit.user.as_deref().unwrap_or_default(), rest).await;
        return framed(answer, visit);
    }
    if matches!(path, "/push/ws" | "/apps/notify_push/ws") {
        return websocket::accept(&call);
    }
    let answer = page(&mut call, visit, &verb, path).await;
    // What fails outside the framework has none of its headers.
    if answer.status() == 500 { answer } else { framed(answer, visit) }
}

fn is_installed(call: &Call, path: &str) -> bool {
    call.instance.options().has_app(path.split('/').next().unwrap_or_default())
}

fn guard_of(verb: &str, path: &str) -> Guard {
    let public = ["/login", "/login/v2", "/login/flow", "/push/ws", "/apps/notify_push/ws"];
    match path {
        path if public.contains(&path) || path.starts_with("/login/") => Guard::Open,
        path if path.starts_with("/apps/notes/api/") => Guard::Cors,
        path if path.starts_with("/apps/deck/api/") => Guard::Cors,
        "/logout" | "/settings/personal/authtokens" => Guard::CsrfChecked,
        path if path.starts_with("/apps/files/api/") || verb != "GET" => Guard::CsrfChecked,
        _ => Guard::LoggedIn,
    }
}

fn refused(guard: Guard, visit: &mut Visit, instance: &Instance) -> Option<Answer> {
    if guard == Guard::Cors && !visit.ocs_header && visit.by != By::Basic {
        // Whoever was logged in by the bearer is logged out again.
        visit.thrown_out(instance);
        return Some(json(401, &json!({ "message": "CORS requires basic auth" })));
    }
    if guard != Guard::Open && visit.user.is_none() {
        return Some(json(401, &json!({ "message": "Current user is not logged in" })));
    }
    let checked = visit.ocs_header || visit.by == By::Basic;
    (guard == Guard::CsrfChecked && !checked).then(|| json(412, &json!({ "message": "CSRF check failed" })))
}

async fn page(call: &mut Call, visit: &Visit, verb: &str, path: &str) -> Answer {
    let uid = visit.user.as_deref().unwrap_or_default();
    let base = call.base.clone();
    match (verb, path) {
        ("POST", "/settings/personal/authtokens") => app_password(call, uid).await,
        ("GET", path) if path == "/settings" || path.starts_with("/settings/") => html("Settings", uid),
        ("POST", "/login/v2") => json(200, &login_flow(&base)),
        ("GET", path) if path == "/login" || path.starts_with("/login/") => html("Login", uid),
        ("GET", "/apps/files/api/v1/stats") => json(200, &json!({ "used": 0, "quota": -3, "owner": uid })),
        ("GET", "/apps/files" | "/apps/files/" | "/") => html("Files", uid),
        ("GET", "/core/preview") => preview(call, uid),
        ("GET", path) if path.starts_with("/avatar/") => png("avatar.png"),
        ("GET", path) if path.starts_with("/apps/user_oidc/login") => redirect(303, &base),
        ("GET", path) if path.starts_with("/apps/app_api/") => {
            json(403, &json!({ "message": "Logged in account must be an admin" }))
        }
        // It misses its parameters.
        ("GET", "/apps/oauth2/authorize") => Answer::new(500)
            .header("content-type", "text/html; charset=UTF-8")
            .header("content-security-policy", &static_policy())
            .chunked("<!DOCTYPE html>\n<html><body><h2>Internal Server Error</h2></body></html>\n"),
        _ => not_found(),
    }
}

/// The hazard once more, as a web route: a password that lasts.
async fn app_password(call: &mut Call, uid: &str) -> Answer {
    let name = call.fields().await["name"].as_str().unwrap_or_default().to_owned();
    let token = call.instance.accounts().mint_app_password(uid);
    let device = json!({
        "id": call.instance.accounts().minted(),
        "name": name,
        "lastActivity": clock::now(),
        "type": 1,
        "scope": { "filesystem": true },
        "canDelete": true,
        "canRename": true,
    });
    json(200, &json!({ "token": token, "loginName": uid, "deviceToken": device }))
}

fn login_flow(base: &str) -> Value {
    json!({
        "poll": { "token": clock::alphanumeric(128), "endpoint": format!("{base}/login/v2/poll") },
        "login": format!("{base}/login/v2/flow/{}", clock::alphanumeric(128)),
    })
}

/// A picture of a file of one's own.
fn preview(call: &Call, uid: &str) -> Answer {
    let id = call.query.get("fileId").and_then(|id| id.parse::<u64>().ok());
    let home = [uid.to_owned(), "files".to_owned()];
    let files = call.instance.storage().descendants(&home);
    match files.into_iter().find(|node| Some(node.record.id) == id && !node.is_folder) {
        Some(node) => png("64-64-crop.png")
            .header("last-modified", &clock::http_date(node.record.modified))
            .header("etag", &format!("\"{}\"", node.record.etag)),
        None => json(404, &json!([])),
    }
}

fn png(name: &str) -> Answer {
    // One transparent pixel.
    const PIXEL: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\
        \x00\x1f\x15\xc4\x89\x00\x00\x00\x0bIDATx\x9cc`\x00\x02\x00\x00\x05\x00\x01z^\xab?\x00\x00\x00\
        \x00IEND\xaeB`\x82";
    Answer::new(200)
        .header("content-type", "image/png")
        .header("content-disposition", &format!("inline; filename=\"{name}\""))
        .header("expires", &clock::http_date(clock::now() + 24 * 60 * 60))
        .body(PIXEL)
}

pub(super) fn redirect(status: u16, location: &str) -> Answer {
    Answer::new(status).header("content-type", "text/html; charset=UTF-8").header("location", location)
}

pub(super) fn html(title: &str, uid: &str) -> Answer {
    let (title, uid) = (super::dav::escaped(title), super::dav::escaped(uid));
    Answer::html(
        200,
        format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{title} of {uid}</body></html>\n"),
    )
    .header("content-security-policy", &page_policy())
}

pub(super) fn not_found() -> Answer {
    Answer::html(404, "<!DOCTYPE html>\n<html><body><h2>Page not found</h2></body></html>\n".into())
        .header("content-security-policy", &page_policy())
}

fn page_policy() -> String {
    let nonce = clock::unguessable(32);
    format!(
        "default-src 'none';base-uri 'none';manifest-src 'self';script-src 'nonce-{nonce}';\
         style-src 'self' 'unsafe-inline';img-src 'self' data: blob:;font-src 'self' data:;connect-src 'self';\
         frame-ancestors 'self';form-action 'self'"
    )
}

/// What a script prints that fails before the framework is up.
pub(super) fn static_policy() -> String {
    let nonce = clock::unguessable(32);
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; frame-src *; \
         img-src * data: blob:; font-src 'self' data:; media-src *; connect-src *; object-src 'none'; base-uri 'self';"
    )
}
