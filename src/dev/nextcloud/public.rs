//! What a link opens to anybody: its page, its download, and the WebDAV tree below `public.php`.
//!
//! The hazard: whoever may list a person's links can open the files behind them without any token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::answer::Answer;
use super::call::{Call, json};
use super::dav;
use super::pages;
use super::shares::Share;
use super::target::decoded;

/// `/s/<token>`, `/s/<token>/download` and the endpoints of `public.php`.
pub(super) async fn answer(mut call: Call, path: &str) -> Answer {
    if let Some(rest) = path.strip_prefix("/s/") {
        return page(&call, rest);
    }
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    let (token, below) = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["public.php", "dav", "files", token, ..] => ((*token).to_owned(), 4),
        ["public.php", "webdav", ..] => (credentials(&call).map(|(token, _)| token).unwrap_or_default(), 2),
        _ => return Answer::new(404),
    };
    let Some(share) = opened(&call, &token, credentials(&call).map(|(_, password)| password).as_deref()) else {
        return dav::error(401, "Sabre\\DAV\\Exception\\NotAuthenticated", "Cannot authenticate over ajax calls")
            .header("www-authenticate", "Basic realm=\"Nextcloud\"");
    };
    let (shown, inner) = segments.split_at(below);
    dav::linked(&mut call, &share, shown, inner).await
}

/// The share of a token, if its password (if it has one) came along.
fn opened(call: &Call, token: &str, password: Option<&str>) -> Option<Share> {
    call.instance.shares().by_token(token).filter(|share| share.is_opened_by(password))
}

/// `Basic` of a link: the token (or anything) and the password.
fn credentials(call: &Call) -> Option<(String, String)> {
    let basic = call.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(basic.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(token, password)| (token.to_owned(), password.to_owned()))
}

fn page(call: &Call, rest: &str) -> Answer {
    let (token, action) = rest.split_once('/').unwrap_or((rest, ""));
    let Some(share) = call.instance.shares().by_token(token) else {
        return pages::not_found();
    };
    if !share.is_opened_by(None) {
        return pages::redirect(303, &format!("{}/s/{token}/authenticate/showShare", call.base));
    }
    match action.trim_end_matches('/') {
        "" => pages::html("Shared", &share.target),
        "download" => match call.instance.storage().content(&share.path) {
            Ok(content) => Answer::new(200)
                .header("content-type", dav::media_type(&share.target))
                .header("content-disposition", &dav::disposition(&share.target))
                .body(content.whole()),
            Err(_) => json(404, &serde_json::json!([])),
        },
        _ => pages::not_found(),
    }
}
