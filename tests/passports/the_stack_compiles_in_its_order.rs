use obo_proxy::body::Body;
use obo_proxy::middleware::authenticate::AuthenticateLayer;
use obo_proxy::middleware::authorize::AuthorizeLayer;
use obo_proxy::middleware::exchange::{Exchanged, ExchangeLayer};
use obo_proxy::proxy::ProxyService;
use tower::{Service, ServiceBuilder};

fn in_order(
    authenticate: AuthenticateLayer,
    authorize: AuthorizeLayer,
    exchange: ExchangeLayer,
    proxy: ProxyService,
) -> impl Service<http::Request<Body>> {
    ServiceBuilder::new().layer(authenticate).layer(authorize).layer(exchange).service(proxy)
}

fn reach(proxy: &mut ProxyService, exchanged: Exchanged) {
    drop(proxy.call(exchanged));
}

fn main() {
    let _ = in_order;
    let _ = reach;
}
