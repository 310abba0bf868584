use obo_proxy::body::Body;
use obo_proxy::middleware::authenticate::Authenticated;
use obo_proxy::middleware::exchange::Exchanged;
use obo_proxy::proxy::UntouchedService;
use tower::Service;

fn plain(proxy: &mut UntouchedService, request: http::Request<Body>) {
    drop(proxy.call(request));
}

fn authenticated(proxy: &mut UntouchedService, request: Authenticated) {
    drop(proxy.call(request));
}

fn exchanged(proxy: &mut UntouchedService, request: Exchanged) {
    drop(proxy.call(request));
}

fn main() {
    let _ = (plain, authenticated, exchanged);
}
