use obo_proxy::middleware::authenticate::AuthenticateLayer;
use obo_proxy::middleware::authorize::AuthorizeLayer;
use obo_proxy::middleware::exchange::{Exchanged, ExchangeLayer};
use obo_proxy::middleware::untouched::{Untouched, UntouchedLayer};
use obo_proxy::service::Guest;
use obo_proxy::proxy::{ProxyService, UntouchedService};
use tower::{Service, ServiceBuilder};

fn in_order(
    untouched: UntouchedLayer<UntouchedService>,
    authenticate: AuthenticateLayer,
    authorize: AuthorizeLayer,
    exchange: ExchangeLayer,
    proxy: ProxyService,
) -> impl Service<Guest> {
    ServiceBuilder::new().layer(untouched).layer(authenticate).layer(authorize).layer(exchange).service(proxy)
}

fn reach(proxy: &mut ProxyService, exchanged: Exchanged) {
    drop(proxy.call(exchanged));
}

fn pass(proxy: &mut UntouchedService, untouched: Untouched) {
    drop(proxy.call(untouched));
}

fn main() {
    let _ = in_order;
    let _ = reach;
    let _ = pass;
}
