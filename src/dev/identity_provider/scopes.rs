//! The scopes of the realm.

/// Every scope that obo-proxy's default policy knows (facts/nextcloud.md §4).
pub const SCOPES: [&str; 26] = [
    "nc.read",
    "files.read",
    "files.write",
    "shares.read",
    "shares.write",
    "calendar.read",
    "calendar.write",
    "tasks.read",
    "tasks.write",
    "contacts.read",
    "contacts.write",
    "notes.read",
    "notes.write",
    "deck.read",
    "deck.write",
    "tables.read",
    "tables.write",
    "talk.read",
    "talk.write",
    "mail.read",
    "mail.write",
    "activity.read",
    "notifications.read",
    "notifications.write",
    "status.read",
    "status.write",
];

/// Beside [`SCOPES`]: what the realm grants without looking into Nextcloud.
const OTHERS: [&str; 5] = ["openid", "profile", "email", "offline_access", "nextcloud-audience"];

/// Default client scopes: in every token, whether asked for or not.
const DEFAULTS: [&str; 2] = ["profile", "email"];

/// What is granted where `asked`; all of [`SCOPES`] where nothing of them was asked for.
///
/// # Errors
/// A scope that the realm does not know, for the answer "Invalid scopes: …".
pub(super) fn for_login(asked: Option<&str>) -> Result<String, String> {
    let mut granted = granted(asked)?;
    if !granted.iter().any(|scope| SCOPES.contains(&scope.as_str())) {
        granted.extend(SCOPES.iter().map(|scope| (*scope).to_owned()));
    }
    Ok(granted.join(" "))
}

/// What an exchange or a client's own token is granted: the defaults and what was asked for, never the subject's.
///
/// # Errors
/// As [`for_login`].
pub(super) fn granted(asked: Option<&str>) -> Result<Vec<String>, String> {
    let asked: Vec<&str> = asked.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).collect();
    let unknown: Vec<&str> =
        asked.iter().filter(|scope| !SCOPES.contains(scope) && !OTHERS.contains(scope)).copied().collect();
    if !unknown.is_empty() {
        return Err(unknown.join(" "));
    }
    let mut granted: Vec<String> = Vec::new();
    for scope in asked.into_iter().chain(DEFAULTS) {
        if !granted.iter().any(|known| known == scope) {
            granted.push(scope.to_owned());
        }
    }
    Ok(granted)
}

/// All names, for discovery.
pub(super) fn supported() -> Vec<&'static str> {
    OTHERS.iter().chain(&SCOPES).copied().collect()
}
