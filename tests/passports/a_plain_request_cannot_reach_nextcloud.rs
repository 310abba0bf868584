use obo_proxy::body::Body;
use obo_proxy::proxy::ProxyService;
use tower::Service;

fn reach(proxy: &mut ProxyService, request: http::Request<Body>) {
    drop(proxy.call(request));
}

fn main() {
    let _ = reach;
}
