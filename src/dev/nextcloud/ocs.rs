//! OCS: the routes below `/ocs/v1.php` and `/ocs/v2.php`.

mod apps;
mod core_app;
mod envelope;
mod installed;
mod live;
mod person;
mod search;
mod sharing;
mod spreed;
mod user_status;

use super::super::answer::Answer;
use super::call::{Call, framed};
use super::login::Visit;
use envelope::Outcome;

/// What the router says to a path that it does not know.
const NO_ROUTE: &str = "Invalid query, please check the syntax. API specifications are here: \
http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n";

pub(super) async fn answer(mut call: Call, visit: &mut Visit, version: u8, path: &str) -> Answer {
    let json = call.wants_json();
    if let Some(answer) = live::answer(&mut call, visit, path).await {
        return framed(answer, visit);
    }
    let outcome = route(&mut call, visit, path).await;
    framed(outcome.into_answer(version, json), visit)
}

async fn route(call: &mut Call, visit: &Visit, path: &str) -> Outcome {
    // Capabilities are for everybody, and open an anonymous session for whoever asks.
    if (call.verb(), path) == ("GET", "cloud/capabilities") {
        return core_app::capabilities(call);
    }
    let Some(uid) = visit.user.clone() else {
        return Outcome::failure(401, 997, "Current user is not logged in");
    };
    if let Some(rest) = path.strip_prefix("apps/") {
        return apps::route(call, &uid, rest).await.unwrap_or_else(no_route);
    }
    if path == "cloud/user" || path.starts_with("cloud/users") {
        return person::route(call, &uid, path).await.unwrap_or_else(no_route);
    }
    core_app::route(call, visit, &uid, path).unwrap_or_else(no_route)
}

fn no_route() -> Outcome {
    Outcome::failure(404, 998, NO_ROUTE).unrouted()
}
