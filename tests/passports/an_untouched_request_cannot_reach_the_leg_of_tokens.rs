use obo_proxy::middleware::untouched::Untouched;
use obo_proxy::proxy::ProxyService;
use tower::Service;

fn reach(proxy: &mut ProxyService, request: Untouched) {
    drop(proxy.call(request));
}

fn main() {
    let _ = reach;
}
