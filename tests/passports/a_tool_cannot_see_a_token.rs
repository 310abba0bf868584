use obo_proxy::mcp::nextcloud::Nextcloud;
use obo_proxy::middleware::authenticate::Caller;

fn of_the_caller(caller: &Caller) -> &str {
    caller.subject().expose()
}

fn of_the_client(nextcloud: &Nextcloud) -> &Caller {
    &nextcloud.caller
}

fn main() {
    let _ = (of_the_caller, of_the_client);
}
