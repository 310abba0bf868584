use std::collections::HashMap;

use obo_proxy::token::SubjectToken;

fn printed(token: &SubjectToken) -> String {
    token.to_string()
}

fn key(token: SubjectToken) -> bool {
    HashMap::<SubjectToken, ()>::new().contains_key(&token)
}

fn main() {
    let _ = (printed, key);
}
