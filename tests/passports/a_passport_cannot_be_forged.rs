use obo_proxy::middleware::authenticate::{Authenticated, Caller, Errand};
use obo_proxy::middleware::authorize::Authorized;
use obo_proxy::middleware::exchange::{Exchanged, Grant};
use obo_proxy::middleware::untouched::Untouched;
use obo_proxy::nextcloud::family::Family;
use obo_proxy::nextcloud::policy::Needs;
use obo_proxy::service::Guest;

fn authenticated(request: Guest, caller: Caller, errand: Errand) -> Authenticated {
    Authenticated { request, caller, errand }
}

fn authorized(request: Guest, caller: Caller, family: Family, needs: Needs) -> Authorized {
    Authorized { request, caller, family, needs }
}

fn exchanged(request: Guest, family: Family, grant: Grant) -> Exchanged {
    Exchanged { request, family, grant }
}

fn untouched(request: Guest, peer: std::net::IpAddr) -> Untouched {
    Untouched { request, peer }
}

fn main() {
    let _ = (authenticated, authorized, exchanged, untouched);
}
