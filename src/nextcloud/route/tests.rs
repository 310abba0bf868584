//! What the tests of folding share.

mod closed;
mod opened;
mod recorded;

use http::Method;

use super::{Owner, Route};
use crate::nextcloud::family::Family;
use crate::nextcloud::never::Never;
use crate::nextcloud::target::Target;

/// Family, owner and the rest of a path.
type Folded = (Family, Option<String>, String);

fn fold_as(method: &str, path: &str) -> Folded {
    let target = Target::parse(path).unwrap_or_else(|reason| panic!("{path}: {reason}"));
    let route = Route::fold(&Method::from_bytes(method.as_bytes()).unwrap(), &target);
    let owner = route.owner().map(|owner| match owner {
        Owner::Caller => "(caller)".to_owned(),
        Owner::Named(uid) => uid.to_owned(),
    });
    (route.family(), owner, route.path_in_family().to_owned())
}

fn fold(path: &str) -> Folded {
    fold_as("PROPFIND", path)
}

#[track_caller]
fn folds(path: &str, family: Family, owner: Option<&str>, item: &str) {
    let expected = (family, owner.map(str::to_owned), item.to_owned());
    assert_eq!(fold(path), expected, "{path}");
    if !path.ends_with('/') {
        assert_eq!(fold(&format!("{path}/")), expected, "{path}/");
    }
}

#[track_caller]
fn forbidden(path: &str, never: Never) {
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PROPFIND", "SEARCH"] {
        assert_eq!(fold_as(method, path), (Family::Forbidden(never), None, String::new()), "{method} {path}");
    }
}
