//! The authorization endpoint (RFC 6749 §4.1, PKCE of RFC 7636 with S256 only, RFC 9207) and its login page: one button per
//! person, no passwords.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

use super::super::answer::Answer;
use super::super::clock;
use super::super::form::Form;
use super::clients::Client;
use super::realm::{Code, Page, Realm};
use super::{resources, scopes};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}\
button{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.6rem;cursor:pointer}small{color:#555}";

/// Shows the login page, or says what is wrong: to the client where its redirect URI is known to be its own, else to the person.
pub(super) fn page(realm: &Realm, query: &Form) -> Answer {
    let client_id = query.get("client_id").unwrap_or_default();
    let Some(client) = Client::find(realm, client_id) else {
        return refusal("Client not found.");
    };
    let redirect_uri = query.get("redirect_uri").unwrap_or_default();
    if query.duplicated(&["resource"]).is_some() || !client.may_redirect_to(redirect_uri, realm.options()) {
        return refusal("Invalid parameter: redirect_uri");
    }
    let state = query.get("state").map(str::to_owned);
    let (challenge, scope, resources) = match check(realm, query) {
        Ok(good) => good,
        Err((error, description)) => {
            let parameters = [("error", error), ("error_description", description.as_str())];
            return redirect(realm, redirect_uri, state.as_deref(), &parameters);
        }
    };
    let page = Page {
        client_id: client.id().to_owned(),
        client_name: client.name().to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state,
        nonce: query.get("nonce").map(str::to_owned),
        challenge,
        scope,
        resources,
        expires: clock::now() + realm.options().code_lifetime.as_secs(),
    };
    let html = render(realm, &page, &realm.keep_page(page.clone()));
    protected(Answer::html(200, html), Some(redirect_uri))
}

/// The click: signs the person in and sends the browser back with a code.
pub(super) fn sign_in(realm: &Realm, form: &Form) -> Answer {
    let Some(page) = form.get("page").and_then(|id| realm.take_page(id)) else {
        return refusal("This login page has expired. Start again at the application.");
    };
    let username = form.get("username").unwrap_or_default();
    let known = realm.options().users.iter().any(|user| user.username == username);
    if !known || !realm.is_enabled(username) {
        return refusal("Account is disabled, contact your administrator.");
    }
    let offline = page.scope.split(' ').any(|scope| scope == "offline_access");
    let sid = realm.open_session(username, offline);
    let code =
        Code { sid: sid.clone(), expires: clock::now() + realm.options().code_lifetime.as_secs(), page: page.clone() };
    let code = realm.keep_code(code);
    redirect(realm, &page.redirect_uri, page.state.as_deref(), &[("session_state", &sid), ("code", &code)])
}

/// What an authorization request must have; its challenge, the scopes and the resources it gets.
fn check(realm: &Realm, query: &Form) -> Result<(String, String, Vec<String>), (&'static str, String)> {
    let invalid = |description: &str| ("invalid_request", description.to_owned());
    match query.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(("unsupported_response_type", "Unsupported response_type".into()));
        }
        None => return Err(invalid("Missing parameter: response_type")),
    }
    match query.get("code_challenge_method") {
        Some("S256") => {}
        Some(_) => {
            return Err(invalid("Invalid parameter: code challenge method is not matching the configured one"));
        }
        None => return Err(invalid("Missing parameter: code_challenge_method")),
    }
    let challenge = query.get("code_challenge").ok_or_else(|| invalid("Missing parameter: code_challenge"))?;
    if challenge.len() != 43 || !challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(invalid("Invalid parameter: code_challenge"));
    }
    if query.get("prompt") == Some("none") {
        return Err(("login_required", "User is not logged in".into()));
    }
    let scope = scopes::for_login(query.get("scope"))
        .map_err(|unknown| ("invalid_scope", format!("Invalid scopes: {unknown}")))?;
    let resources = resources::asked(query, &realm.options().resources)
        .map_err(|unknown| ("invalid_target", format!("Invalid resource: {unknown}")))?;
    Ok((challenge.to_owned(), scope, resources))
}

fn redirect(realm: &Realm, redirect_uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> Answer {
    let Ok(mut target) = Url::parse(redirect_uri) else {
        return refusal("Invalid parameter: redirect_uri");
    };
    {
        let mut query = target.query_pairs_mut();
        query.extend_pairs(parameters);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", realm.issuer());
    }
    protected(Answer::new(302).header("location", target.as_str()), None)
}

fn refusal(text: &str) -> Answer {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign-in error</title><style>{STYLE}</style></head>\
         <body><h1>We are sorry…</h1><p>{}</p></body></html>",
        escaped(text)
    );
    protected(Answer::html(400, html), None)
}

fn render(realm: &Realm, page: &Page, id: &str) -> String {
    let buttons: String = realm
        .options()
        .users
        .iter()
        .map(|user| {
            let (username, name) = (escaped(&user.username), escaped(&user.name));
            format!(
                "<button name=\"username\" value=\"{username}\">Sign in as {username} <small>({name})</small></button>"
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in</title><style>{STYLE}</style></head><body>\
         <h1>Sign in</h1><p><b>{client}</b> asks to act for you with: <small>{scope}</small></p>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"page\" value=\"{id}\">{buttons}</form>\
         <p><small>The development provider of obo-proxy. No passwords, not for production.</small></p></body></html>",
        client = escaped(&page.client_name),
        scope = escaped(&page.scope),
        action = escaped(&format!("{}/login-actions/authenticate", realm.issuer())),
        id = escaped(id),
    )
}

/// No script, no frame, nothing from elsewhere; forms go here and, since browsers hold redirects of a form to the same rule,
/// back to the application.
fn protected(answer: Answer, redirect_uri: Option<&str>) -> Answer {
    let back = redirect_uri.and_then(|uri| Url::parse(uri).ok()).map(|uri| uri.origin().ascii_serialization());
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        back.unwrap_or_default()
    );
    answer
        .header("content-security-policy", &policy)
        .header("x-frame-options", "DENY")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-store")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
