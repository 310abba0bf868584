//! One realm of the server: what people, clients and administrators do in it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::answer::Answer;
use crate::browser::Tokens;
use crate::keycloak::Keycloak;
use crate::overlay;

/// A realm made from `keycloak/realm.json`.
pub struct Realm {
    pub kc: Keycloak,
    pub name: String,
    /// The file it was made from, for the secrets of its clients.
    file: Value,
}

// === impl Realm ===

impl Realm {
    /// The realm that tests share: the operators' file and the clients of [`overlay::with_test_clients`].
    /// `None` where there is no Keycloak (see [`Keycloak::running`]).
    pub async fn shared() -> Option<Self> {
        static ONCE: OnceCell<()> = OnceCell::const_new();
        let kc = Keycloak::running()?;
        let file = overlay::with_test_clients("live");
        let once = ONCE.get_or_init(|| async {
            // Another process, or an earlier run against the same server, may have been first.
            let answer = kc.admin("POST", "", Some(&file)).await;
            assert!(answer.status == 201 || answer.status == 409, "{} {}", answer.status, answer.body);
        });
        once.await;
        Some(Self { kc, name: "live".to_owned(), file })
    }

    /// A realm like the shared one for this test alone.
    pub async fn fresh(kc: &Keycloak, name: &str) -> Self {
        // A server that is kept running between runs has the names of the last one.
        let name = format!("{name}-{:08x}", rand::random::<u32>());
        let file = overlay::with_test_clients(&name);
        kc.admin("POST", "", Some(&file)).await.ok();
        Self { kc: kc.clone(), name, file }
    }

    /// The realm that Keycloak itself imported at its start, with nothing added.
    pub fn operators(kc: &Keycloak) -> Self {
        let file = overlay::operators_file();
        Self { kc: kc.clone(), name: file["realm"].as_str().expect("a realm name").to_owned(), file }
    }

    /// `iss` of its tokens.
    pub fn issuer(&self) -> String {
        self.kc.url(&format!("realms/{}", self.name)).to_string()
    }

    /// An endpoint of its OpenID Connect protocol: `auth`, `token`, `certs`, `userinfo`, `token/introspect` …
    pub fn endpoint(&self, name: &str) -> Url {
        self.kc.url(&format!("realms/{}/protocol/openid-connect/{name}", self.name))
    }

    /// The secret of a client, as the realm file has it.
    pub fn secret(&self, client: &str) -> String {
        overlay::client(&self.file, client)["secret"].as_str().unwrap_or_default().to_owned()
    }

    /// A login at `mcp-client`, with scope `openid` and these.
    pub async fn login(&self, user: &str, password: &str, scopes: &[&str]) -> Tokens {
        self.login_at("mcp-client", user, password, scopes).await
    }

    pub async fn login_at(&self, client: &str, user: &str, password: &str, scopes: &[&str]) -> Tokens {
        let code = self.code(client, user, password, &format!("openid {}", scopes.join(" "))).await;
        Tokens::from(self.redeem(client, &code, None).await.ok())
    }

    /// Alice, without any scope of Nextcloud: what most tests need.
    pub async fn alice(&self) -> Tokens {
        self.login("alice", "alice", &[]).await
    }

    /// RFC 7662, asked by a client of the realm file.
    pub async fn introspect(&self, client: &str, token: &str) -> Value {
        let request = self.kc.http.post(self.endpoint("token/introspect"));
        let request = self.basic(client).sign(request, vec![("token".to_owned(), token.to_owned())]);
        Answer::from(request.send().await.expect("Keycloak answers")).await.ok()
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let request = self.kc.http.get(self.endpoint("userinfo")).bearer_auth(token);
        Answer::from(request.send().await.expect("Keycloak answers")).await
    }

    /// A token of the client's service account.
    pub async fn service_account(&self, client: &str) -> String {
        let request = self.kc.http.post(self.endpoint("token"));
        let form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        let request = self.basic(client).sign(request, form);
        Answer::from(request.send().await.expect("Keycloak answers")).await.token()
    }

    pub async fn get(&self, endpoint: Url) -> Answer {
        Answer::from(self.kc.http.get(endpoint).send().await.expect("Keycloak answers")).await
    }

    /// Admin REST below `/admin/realms/<realm>`, which must succeed.
    pub async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.kc.admin(method, &format!("/{}{path}", self.name), body.as_ref()).await.ok()
    }

    /// The internal id of a user.
    pub async fn user_id(&self, name: &str) -> String {
        let users = self.admin("GET", &format!("/users?exact=true&username={name}"), None).await;
        users[0]["id"].as_str().expect("a user").to_owned()
    }

    /// The online sessions of a user; `clients` of each names the clients that take part.
    pub async fn sessions(&self, user: &str) -> Vec<Value> {
        let id = self.user_id(user).await;
        self.admin("GET", &format!("/users/{id}/sessions"), None).await.as_array().expect("a list").clone()
    }

    pub async fn logout_session(&self, sid: &str) {
        self.admin("DELETE", &format!("/sessions/{sid}?isOffline=false"), None).await;
    }

    pub async fn logout_user(&self, user: &str) {
        let id = self.user_id(user).await;
        self.admin("POST", &format!("/users/{id}/logout"), None).await;
    }

    pub async fn set_user_enabled(&self, user: &str, enabled: bool) {
        let id = self.user_id(user).await;
        self.admin("PUT", &format!("/users/{id}"), Some(json!({"enabled": enabled}))).await;
    }

    /// Tokens issued before this second of the Unix epoch are no good; returns the second.
    pub async fn set_not_before(&self, second: u64) -> u64 {
        self.admin("PUT", "", Some(json!({"notBefore": second}))).await;
        second
    }

    /// The same realm once more: other keys, other ids of people, no sessions.
    pub async fn import_anew(&self) {
        self.admin("DELETE", "", None).await;
        self.kc.admin("POST", "", Some(&self.file)).await.ok();
    }

    /// The internal id of a client.
    async fn client_id(&self, client: &str) -> String {
        let clients = self.admin("GET", &format!("/clients?clientId={client}"), None).await;
        clients[0]["id"].as_str().expect("a client").to_owned()
    }

    /// Changes a client's attribute.
    pub async fn set_client_attribute(&self, client: &str, name: &str, value: &str) {
        let path = format!("/clients/{}", self.client_id(client).await);
        let mut client = self.admin("GET", &path, None).await;
        client["attributes"][name] = json!(value);
        self.admin("PUT", &path, Some(client)).await;
    }

    /// Gives a client a protocol mapper of its own.
    pub async fn add_mapper(&self, client: &str, mapper: Value) {
        let client = self.client_id(client).await;
        self.admin("POST", &format!("/clients/{client}/protocol-mappers/models"), Some(mapper)).await;
    }

    /// Takes a default client scope away from a client.
    pub async fn unassign_default_scope(&self, client: &str, scope: &str) {
        let client = self.client_id(client).await;
        let scopes = self.admin("GET", &format!("/clients/{client}/default-client-scopes"), None).await;
        let scopes = scopes.as_array().expect("a list");
        let scope = scopes.iter().find(|it| it["name"] == scope).expect("a scope")["id"].as_str().expect("an id");
        self.admin("DELETE", &format!("/clients/{client}/default-client-scopes/{scope}"), None).await;
    }

    /// A new RS256 key signs from now on. Returns the key providers that did until now, to be retired by
    /// [`Realm::retire_key`].
    pub async fn rotate_keys(&self) -> Vec<Value> {
        let providers = self.admin("GET", "/components?type=org.keycloak.keys.KeyProvider", None).await;
        let mut old = providers.as_array().expect("a list").clone();
        old.retain(|it| it["providerId"] == "rsa-generated");
        let realm = self.admin("GET", "", None).await;
        self.admin("POST", "/components", Some(json!({
            "name": format!("rsa-{:08x}", rand::random::<u32>()), "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider", "parentId": realm["id"],
            "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"], "keySize": ["2048"]},
        }))).await;
        old
    }

    /// Passive (`enabled`: published, verifies, does not sign) or gone.
    pub async fn retire_key(&self, provider: &Value, enabled: bool) {
        let mut provider = provider.clone();
        provider["config"]["active"] = json!(["false"]);
        provider["config"]["enabled"] = json!([enabled.to_string()]);
        let id = provider["id"].as_str().expect("an id").to_owned();
        self.admin("PUT", &format!("/components/{id}"), Some(provider)).await;
    }
}

/// Seconds since the Unix epoch.
#[allow(clippy::disallowed_methods, reason = "a live server keeps the same clock, not ours")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
