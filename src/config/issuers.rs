//! `[issuers.<name>]`: the identity providers whose tokens are welcome.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use super::policy;
use super::reader::{self, Section};
use crate::oauth::settings::ScopesFrom;
use crate::oauth::{ClientAuth, IssuerSettings, Profile};
use crate::token::ScopeSet;

/// Scopes that Keycloak grants a client by default; more are named in `default_scopes`. They tell who the user is, not what may be done.
const USUAL_SCOPES: &str =
    "openid profile email address phone organization microprofile-jwt basic acr roles web-origins";
/// Clocks differ by no more than this.
const MOST_LEEWAY: Duration = Duration::from_mins(1);

pub(super) fn resolve(root: &mut Section, public_url: &Url, mode: &str) -> Option<Vec<IssuerSettings>> {
    let audiences = {
        let own = root.list("audiences", reader::text);
        let public = public_url.as_str().trim_end_matches('/');
        if own.is_empty() { vec!["mcp-server".to_owned(), public.to_owned(), format!("{public}/mcp")] } else { own }
    };
    let mut all = root.section("issuers");
    let names = all.keys();
    if names.is_empty() {
        root.fault("issuers", "at least one issuer is needed, such as [issuers.keycloak]");
    }
    let resolved: Vec<IssuerSettings> =
        names.iter().filter_map(|name| one(&mut all.section(name), &audiences, mode)).collect();
    if resolved.iter().filter(|issuer| issuer.introspection).count() > 1 {
        root.fault("issuers", "opaque tokens can be introspected at one issuer only");
    }
    for (position, issuer) in resolved.iter().enumerate() {
        if resolved.iter().take(position).any(|other| other.issuer == issuer.issuer) {
            root.fault("issuers", format!("{} stands there twice", issuer.issuer));
        }
        if mode == "exchange" && audiences.contains(&issuer.nextcloud_audience) {
            root.fault(
                "audiences",
                format!(
                    "{:?} is Nextcloud's own audience: a token that names it needs no exchange",
                    issuer.nextcloud_audience
                ),
            );
        }
    }
    Some(resolved)
}

fn one(section: &mut Section, audiences: &[String], mode: &str) -> Option<IssuerSettings> {
    let issuer = section.required("issuer", |text| reader::http_url(text).map(|url| (text.to_owned(), url)));
    let discovery_url = section.optional("discovery_url", reader::http_url);
    let token_endpoint = section.optional("token_endpoint", reader::http_url);
    let jwks_uri = section.optional("jwks_uri", reader::http_url);
    let introspection_endpoint = section.optional("introspection_endpoint", reader::http_url);
    let profile = section.optional("profile", profile).unwrap_or(Profile::Keycloak);
    let algorithms = algorithms(section);
    let allowed_clients = section.list("allowed_clients", reader::text);
    let leeway = section.duration("leeway", Duration::from_secs(30));
    if leeway > MOST_LEEWAY {
        section.fault("leeway", "can be 60s at most");
    }
    let introspection = section.flag("introspection", false);
    let client_auth = client_auth(section, mode == "exchange" || introspection);
    let nextcloud_audience =
        section.optional("nextcloud_audience", reader::text).unwrap_or_else(|| "nextcloud".to_owned());
    let exchange_scopes: ScopeSet = section.list("exchange_scopes", reader::text).into_iter().collect();
    let default_scopes: ScopeSet = if section.has("default_scopes") {
        section.list("default_scopes", reader::text).into_iter().collect()
    } else {
        ScopeSet::parse(USUAL_SCOPES)
    };
    let scopes_from = section.optional("scopes_from", scopes_from).unwrap_or(ScopesFrom::Caller);
    if scopes_from == ScopesFrom::Obtained && mode != "exchange" {
        section.fault("scopes_from", "\"exchanged\" needs mode = \"exchange\"");
    }
    let scope_prefix = section.optional("scope_prefix", policy::scope).unwrap_or_default().into();
    section.finish();

    let (issuer, _) = issuer?;
    Some(IssuerSettings {
        discovery_url: discovery_url.or_else(|| {
            Url::parse(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).ok()
        })?,
        issuer: issuer.into(),
        token_endpoint,
        jwks_uri,
        introspection_endpoint,
        profile,
        algorithms,
        audiences: audiences.to_vec(),
        allowed_clients,
        leeway,
        introspection,
        client_auth: client_auth?,
        nextcloud_audience,
        exchange_scopes,
        default_scopes,
        scopes_from,
        scope_prefix,
    })
}

fn client_auth(section: &mut Section, needed: bool) -> Option<ClientAuth> {
    if !needed && !section.has("client_id") && !section.has("client_secret_file") {
        return Some(ClientAuth::None);
    }
    let method = section.text("client_auth").unwrap_or_else(|| "client_secret_basic".to_owned());
    let client_id = section.required("client_id", reader::text);
    let secret = section.required("client_secret_file", reader::file_secret);
    match (method.as_str(), client_id, secret) {
        ("client_secret_basic", Some(client_id), Some(secret)) => Some(ClientAuth::Basic { client_id, secret }),
        ("client_secret_post", Some(client_id), Some(secret)) => Some(ClientAuth::Post { client_id, secret }),
        ("client_secret_basic" | "client_secret_post", _, _) => None,
        (other, _, _) => {
            section.fault("client_auth", format!("{other:?} is neither client_secret_basic nor client_secret_post"));
            None
        }
    }
}

/// Asymmetric ones only (checklist row 13).
fn algorithms(section: &mut Section) -> Vec<Algorithm> {
    let chosen = section.list("algorithms", |name| match name.parse::<Algorithm>() {
        Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) => {
            Err("a symmetric algorithm cannot prove who signed".to_owned())
        }
        Ok(algorithm) => Ok(algorithm),
        Err(_) => Err("is no signature algorithm that is known here".to_owned()),
    });
    if chosen.is_empty() {
        vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256]
    } else {
        chosen
    }
}

fn scopes_from(name: &str) -> Result<ScopesFrom, String> {
    match name {
        "caller" => Ok(ScopesFrom::Caller),
        "exchanged" => Ok(ScopesFrom::Obtained),
        other => Err(format!("{other:?} is neither caller nor exchanged")),
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    match name {
        "keycloak" => Ok(Profile::Keycloak),
        "generic" => Ok(Profile::Generic),
        other => Err(format!("{other:?} is neither keycloak nor generic")),
    }
}
