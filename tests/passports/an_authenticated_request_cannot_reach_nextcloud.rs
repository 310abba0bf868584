use obo_proxy::middleware::authenticate::Authenticated;
use obo_proxy::proxy::ProxyService;
use tower::Service;

fn reach(proxy: &mut ProxyService, request: Authenticated) {
    drop(proxy.call(request));
}

fn main() {
    let _ = reach;
}
