//! What a person sees: plain pages without scripts, that no other page can frame, and that nobody keeps.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::body::Body;
use crate::mcp::elicitation::pending::Shown;
use crate::mcp::shown::shown;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}\
dt{color:#555}dd{margin:0 0 .6rem;overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1.2rem;margin-right:.6rem}small{color:#555}";

/// A client's name is shown up to this many characters.
const LONGEST_CLIENT: usize = 100;

/// A page that only says something.
#[must_use]
pub fn says(status: StatusCode, title: &str, words: &str) -> Response<Body> {
    page(status, title, &format!("<p>{}</p>", escaped(words)))
}

/// The question. `proof` shows that the answer comes from this page.
#[must_use]
pub fn asks(question: &Shown, action: &str, proof: &str) -> Response<Body> {
    let mut values = String::new();
    for (name, value) in question.question.lines() {
        let _ = write!(values, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    }
    if question.question.left_out() > 0 {
        let _ = write!(values, "<dt>… and {} more</dt>", question.question.left_out());
    }
    let client = shown(question.client.as_deref().unwrap_or("unknown"), LONGEST_CLIENT);
    let inside = format!(
        "<dl>{values}</dl><p>An assistant asks for this in your name, through the client <b>{client}</b>. If you do not expect it, say no.</p>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"proof\" value=\"{proof}\">\
         <button name=\"answer\" value=\"yes\">Yes, do it</button><button name=\"answer\" value=\"no\">No</button></form>\
         <p><small>The answer counts for this alone, once, and for five minutes.</small></p>",
        client = escaped(&client),
        action = escaped(action),
        proof = escaped(proof),
    );
    page(StatusCode::OK, question.question.words(), &inside)
}

fn page(status: StatusCode, title: &str, inside: &str) -> Response<Body> {
    let title = escaped(title);
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{inside}</body></html>"
    );
    let mut response = Response::new(Body::full(html));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    guard(&mut response);
    response
}

/// What every answer of these pages has, redirects too.
pub fn guard(response: &mut Response<Body>) {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(STYLE))
    );
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
    );
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not "no-referrer": browsers would send `Origin: null` with the form then (Fetch, "serializing a request origin").
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_markup() {
        assert_eq!(escaped("<b>\"&'"), "&lt;b&gt;&quot;&amp;&#39;");
    }
}
