//! A person at the login form, played by a script: authorization code with PKCE (RFC 7636), S256.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::answer::{Answer, Claims};
use crate::realm::Realm;

/// Registered as `http://127.0.0.1/*`: Keycloak ignores the port of a loopback address.
pub const REDIRECT: &str = "http://127.0.0.1:49152/callback";

/// What a login gave.
#[derive(Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub id: String,
    /// The whole token answer.
    pub answer: Value,
}

/// A code and what is needed to redeem it.
pub struct Code {
    pub code: String,
    pub verifier: String,
    /// All parameters of the callback.
    pub callback: BTreeMap<String, String>,
}

// === impl Tokens ===

impl Tokens {
    #[track_caller]
    pub fn from(answer: Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), id: text("id_token"), answer }
    }

    pub fn claims(&self) -> Claims {
        Claims::of(&self.access)
    }

    pub fn sid(&self) -> String {
        self.claims()["sid"].as_str().expect("a sid").to_owned()
    }
}

// === impl Realm ===

impl Realm {
    /// Opens the login page of `client`, fills in the form and comes back with a code.
    pub async fn code(&self, client: &str, user: &str, password: &str, scope: &str) -> Code {
        // Keycloak's protection against guessing takes two attempts at once for an attack and shows the form again.
        for _ in 0..10 {
            if let Some(code) = self.attempt(client, user, password, scope).await {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(rand::random_range(50..500))).await;
        }
        panic!("{user} cannot log in at {client} of {}", self.name)
    }

    /// `None` if the form was shown again.
    async fn attempt(&self, client: &str, user: &str, password: &str, scope: &str) -> Option<Code> {
        let (verifier, state) = (random(), random());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut page = self.endpoint("auth");
        page.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", client), ("redirect_uri", REDIRECT)])
            .extend_pairs([("scope", scope), ("state", &state), ("nonce", &random())])
            .extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);

        let response = self.kc.http.get(page).send().await.expect("Keycloak answers");
        // They are `Secure`, and a browser takes `http://localhost` for secure: sent all the same.
        let cookies = response.headers().get_all(SET_COOKIE).iter().map(|it| it.to_str().unwrap());
        let cookies: Vec<_> = cookies.map(|it| it.split(';').next().unwrap().to_owned()).collect();
        let html = Answer::from(response).await.ok();
        let action = form_action(html.as_str().expect("a page"));

        let form = [("username", user), ("password", password)];
        let request = self.kc.http.post(action).header(COOKIE, cookies.join("; ")).form(&form);
        let response = request.send().await.expect("Keycloak answers");
        let location: Url = response.headers().get(LOCATION)?.to_str().unwrap().parse().unwrap();
        assert!(location.as_str().starts_with(REDIRECT), "{location}");
        let callback: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
        assert_eq!(callback.get("state"), Some(&state));
        let code = callback.get("code").unwrap_or_else(|| panic!("no code: {callback:?}")).clone();
        Some(Code { code, verifier, callback })
    }

    /// Redeems a code. `dpop` is a proof of possession (RFC 9449) to bind the tokens to.
    pub async fn redeem(&self, client: &str, code: &Code, dpop: Option<&str>) -> Answer {
        let mut request = self.kc.http.post(self.endpoint("token")).form(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", &code.code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &code.verifier),
        ]);
        if let Some(proof) = dpop {
            request = request.header("DPoP", proof);
        }
        Answer::from(request.send().await.expect("Keycloak answers")).await
    }
}

/// Where the login form goes to, out of the page.
fn form_action(html: &str) -> Url {
    let actions = html.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let action = actions.map(|it| it.replace("&amp;", "&")).find(|it| it.contains("/login-actions/authenticate"));
    action.unwrap_or_else(|| panic!("no login form in {html}")).parse().unwrap()
}

fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
