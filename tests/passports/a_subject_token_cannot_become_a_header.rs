use obo_proxy::token::{BearerHeader, SubjectToken};

fn pass_through(token: &SubjectToken) -> Option<BearerHeader> {
    token.to_bearer_header()
}

fn main() {
    let _ = pass_through;
}
