//! The configuration of everybody who takes part. All do the same: HTTP/1.1 on both sides, kept alive, no access log, one thread.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use obo_proxy::dev::identity_provider::IdentityProvider;
use serde_json::json;
use url::Url;

use crate::{Outcome, pem, tools};

/// The size of an answer.
const ANSWER: usize = 300;
/// More requests than a run has on one connection.
const MANY: u64 = 1_000_000_000;

/// What all share.
pub struct Scene {
    directory: PathBuf,
    /// Where the upstream listens on loopback.
    pub upstream: u16,
    issuer: String,
    jwk_set: String,
}

/// How obo-proxy reaches the upstream.
#[derive(Clone, Copy)]
pub enum Upstream {
    /// As everybody else.
    Tcp,
    /// By a Unix socket: the sidecar beside Nextcloud.
    Unix,
}

impl Scene {
    /// Everything on loopback, files in a directory.
    pub fn set(directory: &Path, provider: &IdentityProvider) -> Outcome<Self> {
        let jwk_set = get(&provider.jwks_uri())?;
        fs::write(directory.join("key.pem"), pem::of_jwk_set(&jwk_set)?)?;
        fs::write(directory.join("client-secret"), "mcp-server-secret\n")?;
        Ok(Self { directory: directory.into(), upstream: free_port()?, issuer: provider.issuer().to_owned(), jwk_set })
    }

    /// A file of this run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A port that is free now.
    pub fn port(&self) -> Outcome<u16> {
        free_port()
    }

    fn write(&self, name: &str, text: &str) -> Outcome<PathBuf> {
        let file = self.file(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    fn socket(&self) -> PathBuf {
        self.file("upstream.sock")
    }
}

/// nginx that answers everything itself.
pub fn nginx_upstream(scene: &Scene) -> Outcome<PathBuf> {
    let answer = "x".repeat(ANSWER);
    let (port, socket) = (scene.upstream, scene.socket());
    let listen = format!("listen 127.0.0.1:{port}; listen unix:{};", socket.display());
    let http = format!("server {{ {listen} location / {{ default_type application/json; return 200 {answer}; }} }}");
    nginx(scene, "upstream", &http)
}

/// nginx as the plainest of proxies: knows nothing of tokens.
pub fn nginx_proxy(scene: &Scene, port: u16) -> Outcome<PathBuf> {
    let upstream = scene.upstream;
    let http = format!(
        "upstream up {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests {MANY}; }}
         server {{ listen 127.0.0.1:{port}; location / {{
             proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\";
         }} }}"
    );
    nginx(scene, "nginx", &http)
}

fn nginx(scene: &Scene, name: &str, http: &str) -> Outcome<PathBuf> {
    let user = if tools::is_root() { "user root;" } else { "" };
    let pid = scene.file(&format!("{name}.pid"));
    let temporary = scene.file("");
    let text = format!(
        "{user} daemon off; worker_processes 1; pid {}; error_log stderr error;
         events {{ worker_connections 16384; }}
         http {{
             access_log off; keepalive_requests {MANY}; keepalive_timeout 300s;
             client_body_temp_path {temporary}body; proxy_temp_path {temporary}proxy; fastcgi_temp_path {temporary}fastcgi;
             uwsgi_temp_path {temporary}uwsgi; scgi_temp_path {temporary}scgi;
             {http}
         }}\n",
        pid.display(),
        temporary = temporary.display(),
    );
    scene.write(&format!("{name}.conf"), &text)
}

/// obo-proxy as it is in production: metrics on, tracing configured, no request sampled.
pub fn obo_proxy(scene: &Scene, name: &str, port: u16, upstream: Upstream) -> Outcome<PathBuf> {
    let nextcloud = match upstream {
        Upstream::Tcp => format!("http://127.0.0.1:{}", scene.upstream),
        Upstream::Unix => format!("unix:{}", scene.socket().display()),
    };
    let text = format!(
        "public_url = \"http://127.0.0.1:{port}\"
         [listen]\naddress = \"127.0.0.1:{port}\"\nthreads = 1
         [admin]\naddress = \"127.0.0.1:{}\"
         [nextcloud]\nurl = \"{nextcloud}\"
         [issuers.bench]\nissuer = \"{}\"\nclient_id = \"mcp-server\"\nclient_secret_file = \"{}\"
         [telemetry]\nlog = \"warn\"\notlp_endpoint = \"http://127.0.0.1:9/v1/traces\"\nsample_ratio = 0.0\n",
        free_port()?,
        scene.issuer,
        scene.file("client-secret").display(),
    );
    scene.write(&format!("{name}.toml"), &text)
}

/// HAProxy that verifies the signature, issuer and expiry of each request's token.
pub fn haproxy(scene: &Scene, port: u16) -> Outcome<PathBuf> {
    let (upstream, issuer, key) = (scene.upstream, &scene.issuer, scene.file("key.pem"));
    let key = key.display();
    let text = format!(
        "global
    nbthread 1
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
frontend in
    bind 127.0.0.1:{port}
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer} }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,\"{key}\") 1 }}
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
    default_backend up
backend up
    server up 127.0.0.1:{upstream} pool-max-conn 1024
"
    );
    scene.write("haproxy.cfg", &text)
}

/// Envoy with jwt_authn, with or without its cache of verified tokens.
pub fn envoy(scene: &Scene, name: &str, port: u16, cached: bool) -> Outcome<PathBuf> {
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let mut provider = json!({"issuer": scene.issuer, "forward": true, "local_jwks": {"inline_string": scene.jwk_set}});
    if cached {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 1000});
    }
    let filters = "type.googleapis.com/envoy.extensions.filters";
    let manager = json!({
        "@type": format!("{filters}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "in",
        "generate_request_id": false,
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "up", "timeout": "0s"}}],
        }]},
        "http_filters": [
            {"name": "envoy.filters.http.jwt_authn", "typed_config": {
                "@type": format!("{filters}.http.jwt_authn.v3.JwtAuthentication"),
                "providers": {"bench": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
            }},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": format!("{filters}.http.router.v3.Router")}},
        ],
    });
    let text = json!({"static_resources": {
        "listeners": [{
            "name": "in", "address": address(port),
            "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
        }],
        "clusters": [{
            "name": "up", "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "up", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(scene.upstream)}}]}]},
        }],
    }});
    scene.write(&format!("{name}.json"), &text.to_string())
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The body of a plain `http` answer.
fn get(url: &str) -> Outcome<String> {
    let url = Url::parse(url)?;
    let (host, port) = (url.host_str().ok_or("no host")?, url.port().ok_or("no port")?);
    let mut stream = TcpStream::connect((host, port))?;
    write!(stream, "GET {} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n", url.path())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok(body.to_owned())
}
