use obo_proxy::body::Body;
use obo_proxy::middleware::authenticate::{Authenticated, Caller};
use obo_proxy::middleware::authorize::Authorized;
use obo_proxy::middleware::exchange::{Exchanged, Grant};
use obo_proxy::middleware::untouched::Untouched;
use obo_proxy::nextcloud::family::Family;
use obo_proxy::nextcloud::policy::Needs;

fn authenticated(request: http::Request<Body>, caller: Caller) -> Authenticated {
    Authenticated { request, caller }
}

fn authorized(request: http::Request<Body>, caller: Caller, family: Family, needs: Needs) -> Authorized {
    Authorized { request, caller, family, needs }
}

fn exchanged(request: http::Request<Body>, family: Family, grant: Grant) -> Exchanged {
    Exchanged { request, family, grant }
}

fn untouched(request: http::Request<Body>, peer: std::net::IpAddr) -> Untouched {
    Untouched { request, peer }
}

fn main() {
    let _ = (authenticated, authorized, exchanged, untouched);
}
