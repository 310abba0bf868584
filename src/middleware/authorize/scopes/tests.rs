//! What a tool is told before it starts, and what is shown of a caller's scopes.

use super::*;
use crate::flight::Control;
use crate::nextcloud::policy::{Access, Row};
use crate::oauth::client::ProviderClient;
use crate::oauth::client_auth::ClientAuth;
use crate::oauth::jwks::RemoteKeys;
use crate::oauth::settings::Profile;
use crate::token::{Audiences, Digest, Identity, Principal, Timestamp};

const ISSUER: &str = "https://sso.example";

/// A policy with these families open to `<name>.read` and `<name>.write`, and `nc.read` for all.
pub(in crate::middleware) fn policy(rows: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    for (row, stem) in rows {
        for access in [Access::Read, Access::Write] {
            let scopes = ScopeSet::parse(&format!("{stem}.{}", access.as_str()));
            policy.table.set(Row::named(row).unwrap(), access, scopes);
        }
    }
    policy.table.set_implicit(ScopeSet::parse("nc.read"));
    policy
}

/// A judge of one issuer. Call it on a runtime: the provider's client, which is never used, wants one.
pub(in crate::middleware) fn judge(policy: Policy, scopes_from: ScopesFrom, prefix: &str) -> ScopeJudge {
    let settings = Arc::new(IssuerSettings {
        issuer: ISSUER.into(),
        discovery_url: ISSUER.parse().unwrap(),
        token_endpoint: None,
        jwks_uri: None,
        introspection_endpoint: None,
        profile: Profile::Generic,
        algorithms: Vec::new(),
        audiences: Vec::new(),
        allowed_clients: Vec::new(),
        leeway: Duration::ZERO,
        introspection: false,
        client_auth: ClientAuth::None,
        nextcloud_audience: "nextcloud".to_owned(),
        exchange_scopes: ScopeSet::default(),
        default_scopes: ScopeSet::default(),
        scopes_from,
        scope_prefix: prefix.into(),
    });
    let (client, metrics) = (ProviderClient::new(None).unwrap(), Metrics::new(&[], &[]).unwrap());
    let clock = Clock::manual(Timestamp(1_000));
    let control = Control::new(tokio::runtime::Handle::current());
    let keys =
        RemoteKeys::new(settings.clone(), client.clone(), control, clock.clone(), metrics.clone(), Arc::new(|_| {}));
    let issuers = Issuers::new([Arc::new(Issuer { settings, keys, client })]);
    ScopeJudge::new(Arc::new(policy), issuers, metrics, clock)
}

/// What is known of a caller with these scopes.
pub(in crate::middleware) fn entry(scopes: &str) -> Entry {
    entry_of(ISSUER, scopes)
}

fn entry_of(issuer: &str, scopes: &str) -> Entry {
    let identity = Identity {
        principal: Principal::new(&issuer.into(), "alice").unwrap(),
        client: None,
        session: None,
        key_id: None,
        issued_at: Timestamp(1_000),
        expires_at: Timestamp(2_000),
        accepted_until: Timestamp(2_000),
        audiences: Audiences::default(),
        scopes: ScopeSet::parse(scopes),
        introspected: false,
    };
    Entry::new(Digest::of(b"t"), identity)
}

fn files_and_notes() -> Policy {
    policy(&[("files", "files"), ("notes", "notes")])
}

fn caller_decides(policy: Policy) -> ScopeJudge {
    judge(policy, ScopesFrom::Caller, "api://x/")
}

#[tokio::test]
async fn a_tool_starts_with_all_of_its_scopes() {
    let judge = caller_decides(files_and_notes());
    for (granted, needed) in [
        ("", &[][..]),
        ("", &["nc.read"]),
        ("files.read", &["files.read"]),
        ("files.write", &["files.read", "nc.read"]),
        ("api://x/files.write notes.read", &["files.write", "notes.read"]),
    ] {
        assert!(judge.tool(&entry(granted), needed).is_ok(), "{granted} for {needed:?}");
    }
}

#[tokio::test]
async fn a_tool_that_lacks_one_names_what_the_caller_has_and_what_it_needs() {
    let judge = caller_decides(files_and_notes());
    for (granted, needed, told) in [
        ("", &["files.read"][..], "api://x/files.read"),
        ("files.read openid offline_access", &["files.write"], "api://x/files.read api://x/files.write"),
        ("notes.read", &["nc.read", "files.read"], "api://x/files.read api://x/nc.read api://x/notes.read"),
        ("api://y/files.read", &["files.read"], "api://x/files.read"),
    ] {
        match judge.tool(&entry(granted), needed) {
            Err(Error::InsufficientScope(scopes)) => assert_eq!(scopes.to_string(), told),
            other => panic!("{granted} for {needed:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_scope_is_granted_or_not() {
    let (judge, alice) = (caller_decides(files_and_notes()), entry("files.write"));
    for (scope, granted) in [("files.read", true), ("files.write", true), ("nc.read", true), ("notes.read", false)] {
        assert_eq!(judge.granted(&alice, scope), granted, "{scope}");
    }
}

#[tokio::test]
async fn where_scopes_decide_nothing_or_not_yet_every_tool_starts() {
    for enforcement in [Enforcement::Off, Enforcement::Audit] {
        let judge = caller_decides(Policy { enforcement, ..files_and_notes() });
        assert!(judge.tool(&entry(""), &["files.write"]).is_ok(), "{enforcement:?}");
        assert!(judge.granted(&entry(""), "files.write"), "{enforcement:?}");
    }
    let obtained = judge(files_and_notes(), ScopesFrom::Obtained, "");
    assert!(obtained.tool(&entry(""), &["files.write"]).is_ok());
    assert!(obtained.granted(&entry(""), "files.write"));
}

#[tokio::test]
async fn the_token_of_an_issuer_that_is_gone_starts_nothing() {
    let (judge, stranger) = (caller_decides(files_and_notes()), entry_of("https://gone.example", "files.read"));
    assert!(matches!(judge.tool(&stranger, &["files.read"]), Err(Error::BadToken(TokenFault::Issuer))));
    assert!(!judge.granted(&stranger, "files.read"));
    assert_eq!(judge.scopes_of(&stranger), ["nc.read"]);
}

#[tokio::test]
async fn a_caller_sees_its_scopes_by_our_names() {
    let judge = caller_decides(files_and_notes());
    let alice = entry("openid offline_access api://x/notes.write files.read api://y/files.write");
    assert_eq!(judge.scopes_of(&alice), ["files.read", "nc.read", "notes.write"]);
    assert_eq!(judge.scopes_of(&entry("")), ["nc.read"]);
}
