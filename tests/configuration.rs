//! The configuration: the annotated example is true, every fault is found in one start, the environment works as Kubernetes gives it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use obo_proxy::config::{Config, NonBearer};
use obo_proxy::mcp::settings::Confirm;
use obo_proxy::nextcloud::mount::{Mount, Root};

fn example(secret: &Path) -> String {
    let text = include_str!("../config/obo-proxy.toml");
    assert!(text.contains("/etc/obo-proxy/client-secret"), "the example names its secret by file");
    text.replace("/etc/obo-proxy/client-secret", secret.to_str().unwrap())
}

fn secret() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hush\n").unwrap();
    file
}

fn resolve(toml: &str) -> Result<Config, String> {
    Config::resolve(Figment::new().merge(Toml::string(toml))).map_err(|faults| faults.to_string())
}

fn minimal(secret: &Path) -> String {
    format!(
        "public_url = \"https://mcp.example.org\"\n[nextcloud]\nurl = \"http://127.0.0.1:8081\"\n\
         [issuers.keycloak]\nissuer = \"https://sso.example.org/realms/mcp\"\nclient_id = \"mcp-server\"\nclient_secret_file = {:?}\n",
        secret
    )
}

#[test]
fn the_annotated_example_loads() {
    let secret = secret();
    resolve(&example(secret.path())).unwrap();
}

/// Settings that the example shows commented out with a value that is no default but an example.
const EXAMPLES: &[&str] = &[
    "trusted_proxies",
    "ca_file",
    "tls_certificate_file",
    "tls_key_file",
    "host",
    "webroot",
    "also_known_as",
    "max_body",
    "username",
    "password_file",
    "token_endpoint",
    "jwks_uri",
    "introspection_endpoint",
    "allowed_clients",
    "otlp_endpoint",
    "scope_prefix",
    "file",
    "challenge_scopes",
    "request_state_key_file",
];

#[test]
fn what_the_example_shows_as_defaults_are_the_defaults() {
    let secret = secret();
    let plain = example(secret.path());
    let mut shown = 0;
    let spelled_out: Vec<&str> = plain
        .lines()
        .map(|line| match line.strip_prefix('#').and_then(|setting| Some((setting, setting.split_once(" = ")?.0))) {
            Some((setting, key)) if !key.contains(' ') && !EXAMPLES.contains(&key) => {
                shown += 1;
                setting
            }
            _ => line,
        })
        .collect();
    assert!(shown > 20, "the example shows its defaults");
    let (plain, spelled_out) = (resolve(&plain).unwrap(), resolve(&spelled_out.join("\n")).unwrap());
    assert_eq!(format!("{plain:?}"), format!("{spelled_out:?}"));
}

#[test]
fn every_fault_is_found_in_one_start() {
    let faults = resolve(
        "public_url = \"ftp://x\"\nmode = \"magic\"\nnon_bearer = \"maybe\"\nmispelt = 1\ntrusted_proxies = [\"nowhere\"]\n\
         [listen]\naddress = \"here\"\nmax_requests = 0\ndrain = \"5\"\n[nextcloud]\nurl = \"unix:relative\"\n\
         webroot = \"nc\"\nalso_known_as = [\"a/b\"]\n\
         [telemetry]\nsample_ratio = 2\nlog = \"a=b=c\"\n\
         [issuers.a]\nissuer = \"nonsense\"\nalgorithms = [\"HS256\", \"RS256\"]\nleeway = \"5m\"\nclient_secret_file = \"/does/not/exist\"\nprofile = \"x\"\n\
         scopes_from = \"x\"\nscope_prefix = \"a b\"\n\
         [mcp]\nenabled = \"perhaps\"\ntools = [\"files\", \"mail\"]\nallowed_hosts = [\"a/b\"]\n\
         allowed_origins = [\"https://a.example/x\", \"null\"]\nchallenge_scopes = \"files.read x\\\"y\"\ncalls_per_minute = 0\n\
         calls_at_once = 0\ntool_timeout = \"0s\"\nconfirm = \"x\"\nrequest_state_key_file = \"/does/not/exist\"\nname = 1\n\
         [policy]\nenforcement = \"x\"\n[danger]\nallow_never = [\"x\"]\n",
    )
    .unwrap_err();
    for fault in [
        "public_url:",
        "mode:",
        "non_bearer: \"maybe\" is none of reject, forward",
        "mispelt: there is no such setting",
        "trusted_proxies:",
        "listen.address:",
        "listen.max_requests:",
        "listen.drain:",
        "nextcloud.url:",
        "nextcloud.webroot: has to be",
        "nextcloud.also_known_as:",
        "telemetry.sample_ratio:",
        "telemetry.log:",
        "issuers.a.issuer:",
        "issuers.a.algorithms:",
        "issuers.a.leeway:",
        "issuers.a.client_secret_file:",
        "issuers.a.profile:",
        "issuers.a.scopes_from:",
        "issuers.a.scope_prefix:",
        "mcp.enabled:",
        "mcp.tools: \"mail\": is none of files,",
        "mcp.allowed_hosts: \"a/b\"",
        "mcp.allowed_origins: \"https://a.example/x\"",
        "mcp.allowed_origins: \"null\"",
        "mcp.challenge_scopes: \"x\\\"y\" is no scope",
        "mcp.calls_per_minute: has to be at least 1",
        "mcp.calls_at_once: has to be at least 1",
        "mcp.tool_timeout:",
        "mcp.confirm:",
        "mcp.request_state_key_file:",
        "mcp.name: there is no such setting",
        "policy.enforcement:",
        "danger.allow_never:",
        "issuers.a.client_id: is missing",
    ] {
        assert!(faults.contains(fault), "{fault} is not in\n{faults}");
    }
}

#[test]
fn an_offline_grant_is_the_clients_to_ask_for() {
    let secret = secret();
    let faults = resolve(&format!("{}[mcp]\nchallenge_scopes = \"nc.read offline_access\"\n", minimal(secret.path())));
    assert!(faults.unwrap_err().contains("mcp.challenge_scopes: offline_access"));
}

/// Every setting of `[mcp]` reaches the frontend's settings.
#[test]
fn the_frontend_is_set_as_it_is_written() {
    let secret = secret();
    let lines = "[mcp]\nenabled = false\ntools = [\"notes\"]\nallowed_hosts = [\"agent.internal:8443\"]\n\
        allowed_origins = [\"https://inspector.example.org\"]\nchallenge_scopes = \"nc.read files.read\"\ncalls_per_minute = 7\n\
        calls_at_once = 3\ntool_timeout = \"9s\"\nconfirm = \"always\"\nconfirm_url = true\n";
    let mcp = resolve(&format!("{}{lines}", minimal(secret.path()))).unwrap().mcp;
    assert!(!mcp.enabled && mcp.confirm_url);
    assert_eq!(mcp.confirm, Confirm::Always);
    assert_eq!(mcp.scopes_from_the_start().to_string(), "nc.read notes.read notes.write");
    assert_eq!(mcp.challenge.unwrap().to_string(), "files.read nc.read");
    assert_eq!(
        (mcp.hosts, mcp.origins),
        (vec!["agent.internal:8443".into()], vec!["https://inspector.example.org".into()])
    );
    assert_eq!((mcp.calls_per_minute, mcp.calls_at_once, mcp.tool_timeout.as_secs()), (7, 3, 9));
}

/// People sign in on the pages that `confirm_url` opens, and what states are sealed with cannot be guessed.
#[test]
fn questions_need_tls_and_a_key_that_is_long_enough() {
    let secret = secret();
    let with = |url: &str, line: &str| {
        let toml = minimal(secret.path()).replace("https://mcp.example.org", url);
        resolve(&format!("{toml}[mcp]\n{line}\n"))
    };
    for url in ["https://mcp.example.org", "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080"] {
        assert!(with(url, "confirm_url = true").is_ok(), "{url}");
    }
    for url in ["http://mcp.example.org", "http://127.0.0.1.example.org", "http://10.0.0.1:8080"] {
        assert!(with(url, "confirm_url = true").unwrap_err().contains("mcp.confirm_url: needs"), "{url}");
        assert!(with(url, "confirm_url = false").is_ok(), "{url}");
    }
    let key = tempfile::NamedTempFile::new().unwrap();
    let line = format!("request_state_key_file = {:?}", key.path());
    for (length, is_enough) in [(31, false), (32, true)] {
        std::fs::write(key.path(), "k".repeat(length) + "\n").unwrap();
        let resolved = with("https://mcp.example.org", &line);
        assert_eq!(resolved.as_ref().is_ok_and(|config| config.mcp.state_key.is_some()), is_enough, "{length}");
        assert!(!format!("{resolved:?}").contains("kkkk"), "a key does not print");
    }
}

#[test]
fn a_symmetric_algorithm_or_our_own_audience_at_nextcloud_is_a_fault() {
    let secret = secret();
    let faults = resolve(&format!("audiences = [\"nextcloud\"]\n{}", minimal(secret.path()))).unwrap_err();
    assert!(faults.contains("needs no exchange"), "{faults}");
}

#[test]
fn a_root_that_could_be_spelt_in_two_ways_is_a_fault() {
    let secret = secret();
    for (url, replaced, setting) in [
        ("https://mcp.example.org", "https://mcp.example.org/a%20b", "public_url"),
        ("https://mcp.example.org", "https://mcp.example.org/a//b", "public_url"),
        ("https://mcp.example.org", "https://mcp.example.org/.well-known", "public_url"),
        ("https://mcp.example.org", "https://mcp.example.org/?a", "public_url"),
        ("https://mcp.example.org", "https://a@mcp.example.org/", "public_url"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/a;b", "nextcloud.url"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/a?b", "nextcloud.url"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/a#b", "nextcloud.url"),
    ] {
        let faults = resolve(&minimal(secret.path()).replace(url, replaced)).unwrap_err();
        assert!(faults.contains(&format!("{setting}: ")), "{replaced}: {faults}");
    }
}

#[test]
fn nextcloud_calls_itself_by_the_path_of_its_url_unless_it_is_told_otherwise() {
    let secret = secret();
    let mounted = |url: &str, webroot: &str| {
        let toml = minimal(secret.path())
            .replace("https://mcp.example.org", "https://mcp.example.org/nc/")
            .replace("\"http://127.0.0.1:8081\"", &format!("{url:?}{webroot}"));
        let config = resolve(&toml).unwrap();
        assert_eq!(config.public_url, "https://mcp.example.org/nc");
        config.nextcloud.mount
    };
    let root = |text: &str| Root::parse(text).unwrap();
    let mount = |upstream: &str, own: &str| Mount::new(root("/nc"), root(upstream), root(own));
    assert_eq!(mounted("http://127.0.0.1:8081", ""), mount("", ""));
    assert_eq!(mounted("http://127.0.0.1:8081/cloud/", ""), mount("/cloud", "/cloud"));
    assert_eq!(mounted("http://127.0.0.1:8081/cloud", "\nwebroot = \"/nc\""), mount("/cloud", "/nc"));
    assert_eq!(mounted("http://127.0.0.1:8081/cloud", "\nwebroot = \"/\""), mount("/cloud", ""));
    assert_eq!(mounted("unix:/run/nextcloud.sock", "\nwebroot = \"/nc/\""), mount("", "/nc"));
}

#[test]
fn nothing_without_a_token_is_forwarded_unless_it_is_said_and_check_says_it_again() {
    let secret = secret();
    assert_eq!(resolve(&minimal(secret.path())).unwrap().non_bearer, NonBearer::Reject);
    let forwarding = format!("non_bearer = \"forward\"\n{}", minimal(secret.path()));
    assert_eq!(resolve(&forwarding).unwrap().non_bearer, NonBearer::Forward);
    let file = tempfile::NamedTempFile::new().unwrap();
    for (text, said) in [(forwarding, true), (minimal(secret.path()), false)] {
        std::fs::write(file.path(), text).unwrap();
        let output = obo_proxy(&["check", "--config", file.path().to_str().unwrap()], &[]);
        let told = String::from_utf8_lossy(&output.stdout).contains("non_bearer: ");
        assert_eq!((output.status.success(), told), (true, said));
    }
}

#[test]
fn an_exchanged_token_cannot_decide_where_nothing_is_exchanged() {
    let secret = secret();
    let faults =
        resolve(&format!("mode = \"multi-audience\"\n{}scopes_from = \"exchanged\"\n", minimal(secret.path())))
            .unwrap_err();
    assert!(faults.contains("issuers.keycloak.scopes_from:"), "{faults}");
}

#[test]
fn a_secret_does_not_print() {
    let file = secret();
    let config = resolve(&minimal(file.path())).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
}

fn obo_proxy(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_obo-proxy"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn the_environment_alone_is_enough_and_kubernetes_own_variables_do_not_hurt() {
    let secret = secret();
    let output = obo_proxy(
        &["check"],
        &[
            ("OBO_PROXY_PORT", "tcp://10.0.0.1:8080"),
            ("OBO_PROXY_SERVICE_HOST", "10.0.0.1"),
            ("OBO__PUBLIC_URL", "https://mcp.example.org"),
            ("OBO__NEXTCLOUD__URL", "http://127.0.0.1:8081"),
            ("OBO__ISSUERS__KEYCLOAK__ISSUER", "https://sso.example.org/realms/mcp"),
            ("OBO__ISSUERS__KEYCLOAK__CLIENT_ID", "123"),
            ("OBO__ISSUERS__KEYCLOAK__CLIENT_SECRET_FILE", secret.path().to_str().unwrap()),
            ("OBO__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1"),
        ],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn bad_configuration_exits_64_and_says_all_of_it() {
    let output = obo_proxy(&["serve"], &[]);
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    for missing in ["public_url", "nextcloud.url", "issuers"] {
        assert!(said.contains(missing), "{said}");
    }
}

#[test]
fn a_port_that_is_taken_exits_1() {
    let secret = secret();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = obo_proxy(
        &["serve"],
        &[
            ("OBO__PUBLIC_URL", "https://mcp.example.org"),
            ("OBO__NEXTCLOUD__URL", "http://127.0.0.1:8081"),
            ("OBO__ISSUERS__KEYCLOAK__ISSUER", "https://sso.example.org/realms/mcp"),
            ("OBO__ISSUERS__KEYCLOAK__CLIENT_ID", "mcp-server"),
            ("OBO__ISSUERS__KEYCLOAK__CLIENT_SECRET_FILE", secret.path().to_str().unwrap()),
            ("OBO__LISTEN__ADDRESS", &address),
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}

#[test]
fn sessions_are_set_and_their_faults_found() {
    let secret = secret();
    let with = |lines: &str| resolve(&format!("{}[sessions]\n{lines}\n", minimal(secret.path())));
    let default = with("").unwrap().sessions;
    assert!(default.enabled && default.most == 10_000);
    let set = with("enabled = false\nwait = \"1s\"\nidle = \"3m\"\nmax = 7").unwrap().sessions;
    assert_eq!((set.enabled, set.wait.as_secs(), set.idle.as_secs(), set.most), (false, 1, 180, 7));
    let faults = with("enabled = 3\nwait = 5\nidle = \"0s\"\nmax = 0\nmin = 1").unwrap_err();
    for fault in
        ["sessions.enabled:", "sessions.wait:", "sessions.idle:", "sessions.max:", "sessions.min: there is no such"]
    {
        assert!(faults.contains(fault), "{fault} in {faults}");
    }
}
