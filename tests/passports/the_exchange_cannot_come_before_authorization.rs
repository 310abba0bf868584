use obo_proxy::middleware::authenticate::Authenticated;
use obo_proxy::middleware::exchange::ExchangeLayer;
use obo_proxy::proxy::ProxyService;
use tower::{Layer, Service};

fn skip_authorization(exchange: ExchangeLayer, proxy: ProxyService, request: Authenticated) {
    drop(exchange.layer(proxy).call(request));
}

fn main() {
    let _ = skip_authorization;
}
