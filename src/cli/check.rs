//! `obo-proxy check [--online]`.

use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::serve::control_runtime;
use crate::app;
use crate::body::Body;
use crate::config::{Config, NonBearer};
use crate::oauth::client::json;
use crate::oauth::jwk_set::JwkSet;
use crate::oauth::{ClientAuth, IssuerSettings, ProviderClient, metadata};
use crate::upstream::Connector;
use crate::upstream::NextcloudSettings;

/// Says what was found; with `online` also asks each issuer for its metadata, its keys and whether it knows our client, and Nextcloud for its
/// status.
///
/// # Errors
/// If anything is not as it should be.
pub fn run(config: Config, online: bool) -> Result<(), Box<dyn std::error::Error>> {
    println!("ok    configuration: {} with {} issuer(s)", config.public_url, config.issuers.len());
    if !config.nextcloud.mount.is_seamless() {
        println!(
            "note  nextcloud.webroot differs from the path of public_url: hrefs are rewritten on the way (see overwritewebroot)"
        );
    }
    if config.non_bearer == NonBearer::Forward {
        println!("note  non_bearer: requests without a bearer token are passed on for Nextcloud to judge");
    }
    if !online {
        return Ok(());
    }
    control_runtime()?.block_on(async {
        let client = ProviderClient::new(config.ca_pem.as_deref())?;
        let mut faults = 0_usize;
        for issuer in &config.issuers {
            faults += report(&issuer.issuer, ask_issuer(&client, issuer).await);
        }
        let tls = app::leg::upstream_tls(&config)?;
        let connector = Connector::new(config.nextcloud.address.clone(), tls, config.nextcloud.connect_timeout);
        faults += report("nextcloud", ask_nextcloud(connector, &config.nextcloud).await);
        if faults == 0 { Ok(()) } else { Err(format!("{faults} check(s) failed").into()) }
    })
}

fn report(what: &str, outcome: Result<String, String>) -> usize {
    match outcome {
        Ok(found) => {
            println!("ok    {what}: {found}");
            0
        }
        Err(fault) => {
            println!("FAIL  {what}: {fault}");
            1
        }
    }
}

async fn ask_issuer(client: &ProviderClient, settings: &IssuerSettings) -> Result<String, String> {
    let metadata = metadata::discover(client, settings).await.map_err(|fault| format!("discovery: {fault}"))?;
    let document: Box<serde_json::value::RawValue> =
        client.get_json(&metadata.jwks_uri).await.map_err(|fault| format!("keys: {fault}"))?;
    let keys = JwkSet::parse(document.get().as_bytes()).map_err(|error| format!("keys: {error}"))?.ids().len();
    if keys == 0 {
        return Err("keys: the key set has none that can verify".to_owned());
    }
    let client_auth = match &metadata.introspection_endpoint {
        _ if matches!(settings.client_auth, ClientAuth::None) => "no client of ours is needed",
        Some(endpoint) => know_us(client, settings, endpoint).await?,
        None => "client authentication not tried (no introspection endpoint)",
    };
    Ok(format!("discovery, {keys} key(s), {client_auth}"))
}

/// A token that cannot be good is introspected: whoever knows our client answers that it is not active.
async fn know_us(
    client: &ProviderClient,
    settings: &IssuerSettings,
    endpoint: &url::Url,
) -> Result<&'static str, String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        active: bool,
    }
    let answer = client
        .post_form(endpoint, &settings.client_auth, &[("token", "obo-proxy-check")])
        .await
        .map_err(|fault| format!("client authentication: {fault}"))?;
    if answer.status != StatusCode::OK {
        return Err(format!(
            "client authentication: status {} (client_id, client_secret_file, client_auth)",
            answer.status.as_u16()
        ));
    }
    match json::<Answer>(&answer.body) {
        Ok(Answer { active: false }) => Ok("client authentication"),
        Ok(Answer { active: true }) => Err("introspection calls nonsense an active token".to_owned()),
        Err(fault) => Err(format!("introspection: {fault}")),
    }
}

async fn ask_nextcloud(connector: Connector, settings: &NextcloudSettings) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Status {
        installed: bool,
        maintenance: bool,
        versionstring: String,
    }
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).set_host(false).build(connector);
    let request = http::Request::get(format!("http://nextcloud{}", settings.mount.sent("/status.php")))
        .header(http::header::HOST, settings.host.clone())
        .body(Body::empty())
        .map_err(|error| error.to_string())?;
    let asking = async {
        let answer = client.request(request).await.map_err(|error| format!("cannot be reached: {error}"))?;
        let status = answer.status();
        let body = http_body_util::Limited::new(answer.into_body(), 64 * 1024)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok::<_, String>((status, body.to_bytes()))
    };
    let (status, body) = tokio::time::timeout(settings.head_timeout, asking)
        .await
        .map_err(|_| "did not answer in time".to_owned())??;
    if status != StatusCode::OK {
        return Err(format!("status.php answers {} (is {:?} in trusted_domains?)", status.as_u16(), settings.host));
    }
    let found: Status = serde_json::from_slice(&body).map_err(|error| format!("status.php: {error}"))?;
    match found {
        Status { installed: false, .. } => Err("is not installed".to_owned()),
        Status { maintenance: true, .. } => Err("is in maintenance mode".to_owned()),
        Status { versionstring, .. } => Ok(format!("version {versionstring}")),
    }
}
