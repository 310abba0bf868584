use obo_proxy::middleware::authorize::Authorized;
use obo_proxy::proxy::ProxyService;
use tower::Service;

fn reach(proxy: &mut ProxyService, request: Authorized) {
    drop(proxy.call(request));
}

fn main() {
    let _ = reach;
}
