//! The tasks door through authorization: for whose requests it stands, and that they are held to it.

use super::super::authenticate::tests::caller;
use super::scopes::tests::{entry, judge, policy};
use super::*;
use crate::nextcloud::policy::{Egress, Enforcement, Policy};
use crate::oauth::settings::ScopesFrom;

const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";
const OBJECT: &str = "/remote.php/dav/calendars/alice/personal/1.ics";
const TASK: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
const TASKS: &str = "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><c:calendar-data/></d:prop>\
    <c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VTODO\"/></c:comp-filter></c:filter></c:calendar-query>";

fn shipped() -> Policy {
    policy(&[("calendars", "calendar"), ("tasks", "tasks"), ("files", "files")])
}

async fn authorized(
    policy: Policy,
    errand: Errand,
    granted: &str,
    request: Request<Body>,
) -> Result<Authorized, Error> {
    let authorization = Authorization {
        address: PublicAddress::default(),
        scopes: Arc::new(judge(policy, ScopesFrom::Caller, "")),
        bodies: ReadingBudget::new(std::time::Duration::from_secs(1)),
        metrics: Metrics::new(&[], &[]).unwrap(),
    };
    authorization.authorize(caller(entry(granted)).on_errand(request, errand)).await
}

fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "proxy.example").header("depth", "1");
    let request = if method == "PUT" { request.header("if-none-match", "*") } else { request };
    request.body(Body::full(body.to_owned())).unwrap()
}

fn query() -> Request<Body> {
    request("REPORT", CALENDAR, TASKS)
}

fn task() -> Request<Body> {
    request("PUT", OBJECT, TASK)
}

fn event() -> Request<Body> {
    request("PUT", OBJECT, &TASK.replace("VTODO", "VEVENT"))
}

/// The scopes that would be asked for, or what the caller is told to ask for, or `refused`.
async fn told(errand: Errand, granted: &str, request: Request<Body>) -> String {
    match authorized(shipped(), errand, granted, request).await {
        Ok(authorized) => format!("passes with {}", authorized.needs().scopes()),
        Err(Error::InsufficientScope(scopes)) => format!("needs {scopes}"),
        Err(Error::PolicyRefused(Refusal::NotTasks)) => "no task".to_owned(),
        Err(other) => other.to_string(),
    }
}

#[tokio::test]
async fn a_tool_for_tasks_passes_with_tasks_and_a_caller_does_not() {
    assert_eq!(told(Errand::Tasks, "tasks.read", query()).await, "passes with tasks.read");
    assert_eq!(told(Errand::Tasks, "tasks.write", query()).await, "passes with tasks.read");
    assert_eq!(told(Errand::Tasks, "tasks.write", task()).await, "passes with tasks.write");
    assert_eq!(told(Errand::Tasks, "tasks.read", task()).await, "needs tasks.read tasks.write");
    for errand in [Errand::Callers, Errand::Tool] {
        assert_eq!(told(errand, "tasks.write", query()).await, "needs calendar.read tasks.write");
        assert_eq!(told(errand, "tasks.write", task()).await, "needs calendar.write tasks.write");
        assert_eq!(told(errand, "calendar.write", event()).await, "passes with calendar.write");
    }
}

#[tokio::test]
async fn calendar_scopes_open_no_door_for_tasks() {
    assert_eq!(told(Errand::Tasks, "calendar.write", query()).await, "needs calendar.write tasks.read");
    assert_eq!(told(Errand::Tasks, "calendar.write", task()).await, "needs calendar.write tasks.write");
}

#[tokio::test]
async fn the_door_is_at_the_calendars_and_other_families_are_as_ever() {
    let file = || request("PUT", "/remote.php/dav/files/alice/x", "x");
    assert_eq!(told(Errand::Tasks, "tasks.write", file()).await, "needs files.write tasks.write");
    assert_eq!(told(Errand::Tasks, "files.write", file()).await, "passes with files.write");
}

#[tokio::test]
async fn a_tool_for_tasks_is_held_to_tasks_whatever_was_granted() {
    let everything = "tasks.write calendar.write";
    for held in [
        event(),
        request("DELETE", OBJECT, ""),
        request("GET", OBJECT, ""),
        request("POST", "/remote.php/dav/calendars/alice/outbox/", TASK),
        request("REPORT", CALENDAR, &TASKS.replace("VTODO", "VEVENT")),
        request("PROPFIND", CALENDAR, "<d:propfind xmlns:d=\"DAV:\"><d:allprop/></d:propfind>"),
    ] {
        let what = held.method().clone();
        assert_eq!(told(Errand::Tasks, everything, held).await, "no task", "{what}");
    }
}

#[tokio::test]
async fn no_mode_of_enforcement_makes_a_task_of_an_event() {
    for enforcement in [Enforcement::Off, Enforcement::Audit] {
        for held in [event(), request("DELETE", OBJECT, "")] {
            let policy = Policy { enforcement, ..shipped() };
            let refused = authorized(policy, Errand::Tasks, "calendar.write", held).await;
            assert!(matches!(refused, Err(Error::PolicyRefused(Refusal::NotTasks))), "{enforcement:?}");
        }
        let policy = Policy { enforcement, ..shipped() };
        assert!(authorized(policy, Errand::Tasks, "", task()).await.is_ok(), "{enforcement:?}");
    }
}

#[tokio::test]
async fn the_switches_against_egress_bind_a_tool_for_tasks() {
    let inviting = || request("PUT", OBJECT, &TASK.replace("UID:1", "UID:1\r\nATTENDEE:mailto:x@example.org"));
    assert_eq!(told(Errand::Tasks, "tasks.write", inviting()).await, "no task");
    let policy = Policy { egress: Egress { invitations: false, ..Egress::default() }, ..shipped() };
    let refused = authorized(policy, Errand::Tasks, "tasks.write", inviting()).await;
    assert!(matches!(refused, Err(Error::PolicyRefused(Refusal::Invitations))));
}

#[tokio::test]
async fn what_was_read_at_the_door_goes_on_whole() {
    let (request, ..) = authorized(shipped(), Errand::Tasks, "tasks.write", task()).await.unwrap().into_parts();
    let body = http_body_util::BodyExt::collect(request.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, TASK);
}

#[tokio::test]
async fn a_coded_body_is_not_guessed_at() {
    let mut coded = task();
    coded.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    let refused = authorized(shipped(), Errand::Tasks, "tasks.write", coded).await;
    assert!(matches!(refused, Err(Error::BadRequest(_))));
}
